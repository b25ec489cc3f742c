//! B2C policies (`tfp`, else `acr`).

use super::name_set::{self, named_guard};
use super::{Caller, DenialReason, Denied, Guard, Requirements};

named_guard! {
    /// Requires that the user went through a B2C policy, in any letter case.
    ///
    /// Only B2C tokens have a policy: every other token is refused, whatever its `tfp` or `acr`
    /// says.
    RequireB2cPolicy, any: RequireAnyB2cPolicy
}

fn has(caller: &Caller<'_>, name: &str) -> bool {
    caller
        .claims()
        .b2c_policy()
        .is_some_and(|own| own.eq_ignore_ascii_case(name))
}

impl<S: AsRef<str>> Guard for RequireB2cPolicy<S> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if has(caller, self.0.as_ref()) {
            Ok(())
        } else {
            Err(Denied::new(DenialReason::Policy))
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::Policy,
            format!("a sign-in by policy `{}`", self.0.as_ref()),
        )
    }
}

impl<S: AsRef<str>, const N: usize> Guard for RequireAnyB2cPolicy<S, N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if self.0.iter().any(|name| has(caller, name.as_ref())) {
            Ok(())
        } else {
            Err(Denied::new(DenialReason::Policy))
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::Policy,
            name_set::one_of("a sign-in by", "policies", &self.0),
        )
    }
}
