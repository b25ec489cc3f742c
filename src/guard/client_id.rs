//! Client applications (`azp`, `appid`) and how they prove themselves.

use super::name_set::{self, NameSet, named_guard};
use super::{Caller, DenialReason, Denied, Guard, Requirements};
use crate::claims::ClientAuthMethod;
use crate::guid::same_id;

named_guard! {
    /// Requires that the token was issued to a client application, by its id.
    ///
    /// A user's token shows which application the user was using; it does not prove that the
    /// request comes from it, since a public client can be copied.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireClientId}, testing};
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let guard = RequireClientId("75dbe77f-10a3-4e59-85fd-8c127544f17c");
    /// let accepted = testing::claims().build();
    /// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
    ///
    /// let refused = testing::claims().claim("azp", "bbbbbbbb-1111-4111-8111-111111111111").build();
    /// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
    /// assert_eq!(denied.reason().as_str(), "client_app");
    /// # }
    /// ```
    RequireClientId, any
}

fn has(caller: &Caller<'_>, name: &str) -> bool {
    caller
        .claims()
        .client_id_text()
        .is_some_and(|own| same_id(own, name))
}

impl<N: NameSet> Guard for RequireClientId<N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        name_set::check(&self.0, DenialReason::ClientApp, |name| has(caller, name))
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::ClientApp,
            name_set::phrase("", "client application", "client applications", &self.0),
        )
    }

    fn mistakes(&self) -> Vec<String> {
        name_set::not_guids("RequireClientId", &self.0)
    }
}

/// Requires that the client proved itself at least this strongly.
///
/// `RequireClientAuthMethod(ClientAuthMethod::Secret)` refuses public clients. A missing or unknown value is
/// refused. Source: Microsoft, "Access token claims reference", `azpacr`, `appidacr`.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireClientAuthMethod}, testing};
/// use axum_entra::ClientAuthMethod;
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let guard = RequireClientAuthMethod(ClientAuthMethod::Secret);
/// let accepted = testing::claims().claim("azpacr", "2").build();
/// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
///
/// let refused = testing::claims().claim("azpacr", "0").build();
/// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
/// assert_eq!(denied.reason().as_str(), "client_auth");
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequireClientAuthMethod(
    /// The weakest proof that will do.
    pub ClientAuthMethod,
);

impl Guard for RequireClientAuthMethod {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().client_auth_method() {
            Some(proof) if proof >= self.0 => Ok(()),
            _ => Err(Denied::new(DenialReason::ClientAuthMethod)),
        }
    }

    fn describe(&self) -> Requirements {
        let proof = self.0.as_str();
        let needs = format!("a client that proved itself by {proof} or better");
        Requirements::condition(DenialReason::ClientAuthMethod, needs)
    }
}
