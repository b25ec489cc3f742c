//! Agents (Entra Agent ID): which tokens an agent identity acts with.

use std::fmt;

use super::claim_name::Name;
use super::{Claims, Principal};

/// The facet of an agent identity, as actor or as subject.
const AGENT_IDENTITY: &str = "11";

/// The facet of an agent's own user account, as subject.
const AGENT_USER: &str = "13";

/// How an agent acts.
///
/// Source: Microsoft, "Tokens in Microsoft agent identity platform".
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{AgentKind, testing};
///
/// let kind = |claims: testing::ClaimsBuilder| claims.build().agent().map(|agent| agent.kind());
/// assert_eq!(kind(testing::claims().agent()), Some(AgentKind::OnBehalfOfUser));
/// assert_eq!(kind(testing::claims().app().agent()), Some(AgentKind::Autonomous));
/// assert_eq!(kind(testing::claims()), None);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AgentKind {
    /// For a person who signed in: `oid` is that person's.
    OnBehalfOfUser,
    /// As itself: `oid` is the agent identity's.
    Autonomous,
    /// With a user account of its own: `oid` is that account's, which belongs to no person.
    AgentUser,
}

impl AgentKind {
    /// `on_behalf_of_user`, `autonomous` or `agent_user`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnBehalfOfUser => "on_behalf_of_user",
            Self::Autonomous => "autonomous",
            Self::AgentUser => "agent_user",
        }
    }

    /// From the facets of actor and subject; `None` where neither is an agent's.
    ///
    /// A subject's facet without the actor's counts: a token that says so of its subject is an
    /// agent's, whatever else is missing.
    pub(super) fn decide(
        actor: Option<&str>,
        subject: Option<&str>,
        principal: Principal,
    ) -> Option<Self> {
        if has_number(subject, AGENT_IDENTITY) {
            Some(Self::Autonomous)
        } else if has_number(subject, AGENT_USER) {
            Some(Self::AgentUser)
        } else if !has_number(actor, AGENT_IDENTITY) {
            None
        } else if principal == Principal::User {
            Some(Self::OnBehalfOfUser)
        } else {
            Some(Self::Autonomous)
        }
    }
}

/// An agent that acts with the token; from [`Claims::agent`](super::Claims::agent).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Agent<'c> {
    pub(super) kind: AgentKind,
    pub(super) application_id: Option<&'c str>,
    pub(super) blueprint_id: Option<&'c str>,
}

impl<'c> Agent<'c> {
    /// How it acts.
    #[must_use]
    pub const fn kind(self) -> AgentKind {
        self.kind
    }

    /// `azp` or `appid`: the application id of the agent identity.
    #[must_use]
    pub const fn application_id(self) -> Option<&'c str> {
        self.application_id
    }

    /// `xms_par_app_azp`: the application id of the blueprint that the agent was made from.
    ///
    /// For logs. One blueprint has many agents with different rights: do not authorize by it.
    #[must_use]
    pub const fn blueprint_id(self) -> Option<&'c str> {
        self.blueprint_id
    }
}

impl Claims {
    /// The agent that acts with this token (Entra Agent ID); `None` where no facet names one.
    ///
    /// Facets are optional claims, which the API's registration has to ask for: without them an
    /// agent's token looks like a person's or an application's.
    /// [`DenyAgents`](crate::guard::DenyAgents) refuses those too.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// let claims = claims().claim("xms_act_fct", "3 9 11").claim("xms_par_app_azp", "b1e00000").build();
    /// let agent = claims.agent().unwrap();
    /// assert_eq!(agent.application_id(), claims.client_id_text());
    /// assert_eq!(agent.blueprint_id(), Some("b1e00000"));
    /// // A facet that no agent has.
    /// let person = axum_entra::testing::claims().claim("xms_act_fct", "3 9").build();
    /// assert!(person.agent().is_none());
    /// # }
    /// ```
    #[must_use]
    pub fn agent(&self) -> Option<Agent<'_>> {
        let (actor, subject) = (self.text(Name::ActorFacets), self.text(Name::SubjectFacets));
        Some(Agent {
            kind: AgentKind::decide(actor, subject, self.principal())?,
            application_id: self.client_id_text(),
            blueprint_id: self.text(Name::Blueprint),
        })
    }

    /// Whether the token names the facets of its actor, so that no agent is unknown.
    pub(crate) fn tells_actor_facets(&self) -> bool {
        self.text(Name::ActorFacets).is_some()
    }
}

impl fmt::Debug for Agent<'_> {
    /// Only the kind, as `Claims` shows no ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Whether a claim like `xms_act_fct` has a number: a string of numbers with blanks between, in any
/// order; numbers that are not known mean nothing.
///
/// Microsoft's samples have blanks. Commas separate too, so that `11,13` hides no agent.
pub(super) fn has_number(numbers: Option<&str>, number: &str) -> bool {
    numbers.is_some_and(|text| words(text).any(|own| own == number))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| letter.is_ascii_whitespace() || letter == ',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facets_tell_agents_and_their_kind() {
        use AgentKind::{AgentUser, Autonomous, OnBehalfOfUser};
        use Principal::{App, Unknown, User};
        let table = [
            (Some("11"), None, User, Some(OnBehalfOfUser)),
            (Some("3 9 11"), Some("9 3"), User, Some(OnBehalfOfUser)),
            (Some("3 9 11"), Some("9 3 11"), App, Some(Autonomous)),
            (Some("11 3"), Some("13 3"), User, Some(AgentUser)),
            (Some("11"), None, App, Some(Autonomous)),
            (Some("11"), None, Unknown, Some(Autonomous)),
            (None, Some("11"), User, Some(Autonomous)),
            (None, Some("13"), User, Some(AgentUser)),
            (Some("3 9"), Some("13 11"), User, Some(Autonomous)),
            (Some("3 9"), Some("9 3"), User, None),
            (Some(""), Some(""), App, None),
            (Some("13"), None, User, None),
            (Some("111 1 011 11x"), Some("131"), User, None),
            (Some("3,11"), None, User, Some(OnBehalfOfUser)),
            (Some("11,13"), Some("9, 13"), User, Some(AgentUser)),
            (Some(",11"), Some("11,"), App, Some(Autonomous)),
            (Some("1,1"), Some("1;3"), User, None),
            (None, None, User, None),
        ];
        for (actor, subject, principal, expected) in table {
            assert_eq!(
                AgentKind::decide(actor, subject, principal),
                expected,
                "{actor:?} {subject:?} {principal:?}"
            );
        }
    }
}
