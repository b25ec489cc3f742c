//! The authentication context class (`acr`).

use super::{Caller, DenialReason, Denied, Guard, Requirements};

/// Requires a value of `acr`; weak, and kept because Microsoft's older pages ask for it.
///
/// `acr` = `1` does **not** prove multi-factor authentication: Microsoft's own sample token has it
/// together with `amr` = `["wia"]`. Use [`RequireMfa`](super::RequireMfa) or
/// [`RequireAuthContext`](super::RequireAuthContext) for that. In B2C tokens `acr` is a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequireAcr<S = &'static str>(
    /// The value.
    pub S,
);

impl<S: AsRef<str>> Guard for RequireAcr<S> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if caller.claims().acr() == Some(self.0.as_ref()) {
            Ok(())
        } else {
            Err(Denied::new(DenialReason::Acr))
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::Acr,
            format!("a sign-in of class `{}`", self.0.as_ref()),
        )
    }
}
