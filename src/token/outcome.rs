//! What can come of looking at a token.

use crate::authority::Trust;
use crate::claims::{Claims, Principal};
use crate::guard::{Denied, Reason};
use crate::jwks::snapshot::Awaited;

use super::invalid_token::InvalidToken;

/// Why there are no claims.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// The token is at fault.
    Invalid(InvalidToken),
    /// The token is good, but a rule for all routes refuses it.
    Denied {
        claims: Claims,
        refused: RefusedByRule,
    },
    /// The token is good but for its age: its account's or its session's cut-off is later.
    Revoked { claims: Claims, cut_off: u64 },
    /// Nothing can be decided without keys.
    KeysUnavailable,
    /// It is not known what other replicas revoked, or which tokens were used.
    StoreUnavailable,
}

/// What a guard said, kept beyond the guard's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedByRule {
    pub(crate) reason: Reason,
    /// The scopes that would do, with spaces between; empty where no scope would.
    pub(crate) scopes: String,
    /// The authentication context that would do.
    pub(crate) auth_context: Option<String>,
}

/// A judgement, or something worth waiting for before judging again.
#[derive(Debug)]
pub(crate) enum Verdict {
    Valid(Claims),
    Refused(Refusal),
    Wait(Awaited),
}

impl From<InvalidToken> for Refusal {
    fn from(invalid: InvalidToken) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<&Denied<'_>> for RefusedByRule {
    fn from(denied: &Denied<'_>) -> Self {
        Self {
            reason: denied.reason(),
            scopes: denied.scopes().collect::<Vec<_>>().join(" "),
            auth_context: denied.step_up().map(str::to_owned),
        }
    }
}

/// The rules for all routes of an authority: some permission, and one of the scopes of which every
/// route needs one.
pub(super) fn refused_by_rule(claims: &Claims, trust: &Trust) -> Option<RefusedByRule> {
    if !claims.has_permissions() && !trust.without_permissions {
        return Some(RefusedByRule {
            reason: Reason::NoPermissions,
            scopes: String::new(),
            auth_context: None,
        });
    }
    let user = claims.principal() != Principal::App;
    let has = |needed: &String| user && claims.has_scope(needed);
    let first = trust.required_scopes.first()?;
    (!trust.required_scopes.iter().any(has)).then(|| RefusedByRule {
        reason: Reason::Scope,
        scopes: first.clone(),
        auth_context: None,
    })
}
