//! The verdict on a token: valid, invalid, refused by a rule of the authority, or undecided.

use crate::authority::ResolvedAuthority;
use crate::claims::Claims;
use crate::guard::{DenialReason, Denied};
use crate::jwks::snapshot::PendingFetch;

use super::invalid_token::InvalidToken;

/// Why there are no claims.
#[derive(Debug, Clone)]
pub(crate) enum ValidationFailure {
    /// The token is at fault.
    Invalid(InvalidToken),
    /// The token is good, but a rule for all routes refuses it.
    Denied {
        claims: Claims,
        refused: PolicyDenial,
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
pub(crate) struct PolicyDenial {
    pub(crate) reason: DenialReason,
    /// The scopes that would do, with spaces between; empty where no scope would.
    pub(crate) scopes: String,
    /// The authentication context that would do.
    pub(crate) auth_context: Option<String>,
}

/// A judgement, or something worth waiting for before judging again.
#[derive(Debug)]
pub(crate) enum Verdict {
    Valid(Claims),
    Refused(ValidationFailure),
    Wait(PendingFetch),
}

impl From<InvalidToken> for ValidationFailure {
    fn from(invalid: InvalidToken) -> Self {
        Self::Invalid(invalid)
    }
}

impl PolicyDenial {
    /// What a guard said of a caller.
    pub(crate) fn of(denied: &Denied<'_>, claims: &Claims) -> Self {
        let scopes = denied.least_scopes(claims.scope_hierarchy());
        Self {
            reason: denied.reason(),
            scopes: scopes.join(" "),
            auth_context: denied.required_auth_context().map(str::to_owned),
        }
    }
}

/// The rules for all routes of an authority: some permission, and one of the scopes of which every
/// route needs one.
pub(super) fn refused_by_rule(claims: &Claims, trust: &ResolvedAuthority) -> Option<PolicyDenial> {
    if !claims.has_permissions() && !trust.without_permissions {
        return Some(PolicyDenial {
            reason: DenialReason::NoPermissions,
            scopes: String::new(),
            auth_context: None,
        });
    }
    let needed = trust.required_scopes.iter().map(String::as_str);
    let first = needed.clone().next()?;
    let least = || {
        let hierarchy = claims.scope_hierarchy();
        hierarchy.and_then(|hierarchy| hierarchy.least(needed.clone()))
    };
    let passes = needed.clone().any(|scope| claims.has_scope(scope));
    (!passes).then(|| PolicyDenial {
        reason: DenialReason::Scope,
        scopes: least().unwrap_or(first).to_owned(),
        auth_context: None,
    })
}
