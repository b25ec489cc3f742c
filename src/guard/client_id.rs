//! Client applications (`azp`, `appid`) and how they prove themselves.

use super::name_set::{self, named_guard};
use super::{Caller, Denied, Description, Guard, Reason};
use crate::claims::ClientAuth;
use crate::guid::same_id;

named_guard! {
    /// Requires that the token was issued to a client application, by its id.
    ///
    /// A user's token shows which application the user was using; it does not prove that the
    /// request comes from it, since a public client can be copied.
    RequireClientApp, any: RequireAnyClientApp
}

fn has(caller: &Caller<'_>, name: &str) -> bool {
    caller
        .claims()
        .client_id()
        .is_some_and(|own| same_id(own, name))
}

impl<S: AsRef<str>> Guard for RequireClientApp<S> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if has(caller, self.0.as_ref()) {
            Ok(())
        } else {
            Err(Denied::new(Reason::ClientApp))
        }
    }

    fn describe(&self) -> Description {
        Description::condition(
            Reason::ClientApp,
            format!("client application `{}`", self.0.as_ref()),
        )
    }

    fn mistakes(&self) -> Vec<String> {
        name_set::not_guids("RequireClientApp", [&self.0])
    }
}

impl<S: AsRef<str>, const N: usize> Guard for RequireAnyClientApp<S, N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if self.0.iter().any(|name| has(caller, name.as_ref())) {
            Ok(())
        } else {
            Err(Denied::new(Reason::ClientApp))
        }
    }

    fn describe(&self) -> Description {
        Description::condition(
            Reason::ClientApp,
            name_set::one_of("", "client applications", &self.0),
        )
    }

    fn mistakes(&self) -> Vec<String> {
        name_set::not_guids("RequireClientApp", &self.0)
    }
}

/// Requires that the client proved itself at least this strongly.
///
/// `RequireClientAuth(ClientAuth::Secret)` refuses public clients. A missing or unknown value is
/// refused. Source: Microsoft, "Access token claims reference", `azpacr`, `appidacr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequireClientAuth(
    /// The weakest proof that will do.
    pub ClientAuth,
);

impl Guard for RequireClientAuth {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().client_auth() {
            Some(proof) if proof >= self.0 => Ok(()),
            _ => Err(Denied::new(Reason::ClientAuth)),
        }
    }

    fn describe(&self) -> Description {
        let proof = self.0.as_str();
        let needs = format!("a client that proved itself by {proof} or better");
        Description::condition(Reason::ClientAuth, needs)
    }
}
