//! Agents (Entra Agent ID) as callers.

use super::{Caller, DenialReason, Denied, Guard, Requirements};

/// Refuses agents, and tokens that do not say whether an agent acts.
///
/// An agent's token states it by its facets (`xms_act_fct`, `xms_sub_fct`), which are optional
/// claims: the API's registration has to ask for `xms_act_fct`. Without that claim an agent on
/// behalf of a person looks like that person, so such a token is refused too, unless
/// [`known_only`](Self::known_only) is used.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::guard::{Caller, DenyAgents, Guard, RequireScope};
/// use axum_entra::{UnixTime, testing::claims};
///
/// let guard = RequireScope("Invoices.Approve").and(DenyAgents);
/// let passes = |claims: axum_entra::testing::ClaimsBuilder| {
///     let claims = claims.scope("Invoices.Approve").build();
///     guard.check(&Caller::at(&claims, UnixTime::default())).is_ok()
/// };
/// // A person, by a client that is no agent; an agent for that person; a token that does not say.
/// assert!(passes(claims().claim("xms_act_fct", "3 9")));
/// assert!(!passes(claims().agent()));
/// assert!(!passes(claims()));
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct DenyAgents;

impl DenyAgents {
    /// Refuses the agents that a token names, and lets tokens without `xms_act_fct` pass.
    ///
    /// Does not refuse an agent whose token lacks the facets.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::guard::{Caller, DenyAgents, Guard};
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// let now = UnixTime::default();
    /// let (agent, silent) = (claims().agent().build(), claims().build());
    /// assert!(DenyAgents::known_only().check(&Caller::at(&agent, now)).is_err());
    /// // A token without `xms_act_fct`, which may be a person's.
    /// assert!(DenyAgents::known_only().check(&Caller::at(&silent, now)).is_ok());
    /// assert!(DenyAgents.check(&Caller::at(&silent, now)).is_err());
    /// # }
    /// ```
    #[must_use]
    pub const fn known_only() -> DenyKnownAgents {
        DenyKnownAgents
    }
}

impl Guard for DenyAgents {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        let claims = caller.claims();
        if claims.agent().is_none() && claims.tells_actor_facets() {
            Ok(())
        } else {
            Err(Denied::new(DenialReason::Agent))
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(DenialReason::Agent, "no agent, known by xms_act_fct")
    }
}

/// Refuses agents that a token names: made by [`DenyAgents::known_only`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct DenyKnownAgents;

impl Guard for DenyKnownAgents {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().agent() {
            None => Ok(()),
            Some(_) => Err(Denied::new(DenialReason::Agent)),
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(DenialReason::Agent, "no agent that is known to be one")
    }
}

/// Requires an agent identity, of any kind: on behalf of a user, autonomous, or with a user account
/// of its own.
///
/// [`Claims::agent`](crate::Claims::agent) says which. A certain agent is required by
/// [`RequireClientId`](super::RequireClientId) with its application id.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireAgent}, testing};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let guard = RequireAgent;
/// let accepted = testing::claims().agent().build();
/// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
///
/// let refused = testing::claims().build();
/// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
/// assert_eq!(denied.reason().as_str(), "not_agent");
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RequireAgent;

impl Guard for RequireAgent {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().agent() {
            Some(_) => Ok(()),
            None => Err(Denied::new(DenialReason::NotAgent)),
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(DenialReason::NotAgent, "an agent identity")
    }
}
