//! What was wrong with a request, in the terms of an answer.

use crate::claims::{Claims, Principal};
use crate::directory::DirectoryError;
use crate::guard::{Denied, Reason};
use crate::token::{InvalidToken, Refusal, RefusedByRule};

use super::edge::Origin;

/// Why a request is rejected; [`Rejection`](super::Rejection) makes the answer of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    MissingToken,
    MalformedHeader,
    Invalid(InvalidToken),
    Denied(RefusedByRule),
    /// The client can come back with a stronger or a newer token.
    StepUp {
        reason: &'static str,
        claims: String,
        authorization_uri: String,
    },
    KeysUnavailable,
    DirectoryUnavailable {
        retry_after: u64,
    },
    NotFound,
    StoreUnavailable,
    NotConfigured {
        used: &'static str,
    },
}

impl Cause {
    /// A guard's refusal, or the challenge that would do.
    pub(super) fn denied(denied: &Denied<'_>, claims: &Claims) -> Self {
        let challenge = denied.step_up().and_then(|context| {
            let wanted = claims_challenge("acrs", context);
            step_up(Reason::AuthContext.as_str(), &wanted, claims)
        });
        match challenge {
            Some(challenge) => challenge,
            None if denied.is_replay() => Self::Invalid(InvalidToken::Replay),
            None => Self::Denied(RefusedByRule::from(denied)),
        }
    }

    /// A token from before a cut-off, if it is known which; its bearer may get a newer one.
    pub(super) fn revoked(cut_off: Option<u64>, claims: &Claims) -> Self {
        let revoked = InvalidToken::Revoked;
        cut_off
            .and_then(|cut_off| {
                let wanted = claims_challenge("nbf", &cut_off.to_string());
                step_up(revoked.reason(), &wanted, claims)
            })
            .unwrap_or(Self::Invalid(revoked))
    }

    /// What the directory did not answer, or answered for the caller to act on.
    pub(super) fn directory(error: &DirectoryError, claims: &Claims) -> Self {
        match error {
            DirectoryError::InteractionRequired {
                claims: Some(wanted),
            } => step_up(Reason::AuthContext.as_str(), wanted, claims)
                .unwrap_or_else(|| Self::from(error)),
            // When, the authority does not say: after this token was issued.
            DirectoryError::Revoked => {
                let cut_off = claims.issued_at().map(|issued| issued.saturating_add(1));
                Self::revoked(cut_off, claims)
            }
            _ => Self::from(error),
        }
    }

    pub(super) fn is_revoked(&self) -> bool {
        let revoked = InvalidToken::Revoked;
        match self {
            Self::Invalid(invalid) => *invalid == revoked,
            Self::StepUp { reason, .. } => *reason == revoked.reason(),
            _ => false,
        }
    }

    /// When to come back, in seconds, where that may help.
    pub(super) const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::KeysUnavailable | Self::StoreUnavailable => Some(RETRY_SECONDS),
            Self::DirectoryUnavailable { retry_after } => Some(*retry_after),
            Self::MissingToken
            | Self::MalformedHeader
            | Self::Invalid(_)
            | Self::Denied(_)
            | Self::StepUp { .. }
            | Self::NotFound
            | Self::NotConfigured { .. } => None,
        }
    }

    /// A sentence with nothing of the token in it.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::MissingToken => "This resource needs a Bearer access token.".to_owned(),
            Self::MalformedHeader => {
                "The Authorization header is not one well-formed Bearer token.".to_owned()
            }
            Self::Invalid(invalid) => invalid.hint().to_owned(),
            Self::Denied(refused) => denied_detail(refused),
            Self::StepUp { .. } if self.is_revoked() => InvalidToken::Revoked.hint().to_owned(),
            Self::StepUp { .. } => {
                "This resource needs a stronger or newer sign-in. Ask for a token with the claims \
                 of the challenge."
                    .to_owned()
            }
            Self::DirectoryUnavailable { .. } => {
                "The directory is not available at the moment.".to_owned()
            }
            Self::NotFound => "The directory does not know this account.".to_owned(),
            Self::KeysUnavailable => {
                "The keys of the authority are not available at the moment.".to_owned()
            }
            Self::StoreUnavailable => {
                "It cannot be looked up at the moment whether the access token is still good."
                    .to_owned()
            }
            Self::NotConfigured { used } => {
                format!("{used} is used on a route without EntraLayer around it.")
            }
        }
    }
}

impl From<Refusal> for Cause {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(invalid) => Self::Invalid(invalid),
            Refusal::Denied(refused) => Self::Denied(refused),
            Refusal::Revoked { claims, cut_off } => Self::revoked(Some(cut_off), &claims),
            Refusal::KeysUnavailable => Self::KeysUnavailable,
            Refusal::StoreUnavailable => Self::StoreUnavailable,
        }
    }
}

impl From<&DirectoryError> for Cause {
    fn from(error: &DirectoryError) -> Self {
        let denied = |reason| {
            Self::Denied(RefusedByRule {
                reason,
                scopes: String::new(),
                auth_context: None,
            })
        };
        match error {
            DirectoryError::Unavailable { retry_after, .. } => Self::DirectoryUnavailable {
                // The rest of a second is a second, or the client would come too early.
                retry_after: retry_after.as_millis().div_ceil(1_000).max(1) as u64,
            },
            DirectoryError::NotConfigured => Self::DirectoryUnavailable {
                retry_after: RETRY_SECONDS,
            },
            DirectoryError::InteractionRequired { .. } => denied(Reason::AuthContext),
            DirectoryError::Revoked => Self::Invalid(InvalidToken::Revoked),
            DirectoryError::AppOnly => denied(Reason::UserOnly),
            DirectoryError::NoAccount => denied(Reason::NoIdentity),
            DirectoryError::NotFound => Self::NotFound,
        }
    }
}

/// A claims challenge, if the caller is a user whose client said that it can handle one.
fn step_up(reason: &'static str, wanted: &str, claims: &Claims) -> Option<Cause> {
    if !claims.handles_claims_challenge() || claims.principal() != Principal::User {
        return None;
    }
    Some(Cause::StepUp {
        reason,
        claims: base64_simd::STANDARD.encode_to_string(wanted),
        authorization_uri: Origin::of(claims)
            .map(|origin| origin.authorization_uri.clone())
            .unwrap_or_default(),
    })
}

/// The `claims` parameter: what to ask for, as JSON (Microsoft, "Claims challenges").
fn claims_challenge(claim: &str, value: &str) -> String {
    serde_json::json!({
        "access_token": { claim: { "essential": true, "value": value } }
    })
    .to_string()
}

fn denied_detail(refused: &RefusedByRule) -> String {
    match refused.reason {
        Reason::Scope => "The access token lacks a scope this resource needs.",
        Reason::NoPermissions => "The access token carries neither scopes nor roles.",
        Reason::Role => "The caller lacks a role this resource needs.",
        Reason::Tenant => "Callers of this tenant may not use this resource.",
        Reason::Group => "The caller is not a member of a group this resource needs.",
        Reason::GroupsOverage => {
            "The caller has too many groups for the access token to list, and the directory is \
             not asked."
        }
        Reason::DirectoryRole => "The caller lacks a directory role this resource needs.",
        Reason::ClientApp => "This client application may not use this resource.",
        Reason::ClientAuth => "The client application did not prove itself strongly enough.",
        Reason::Mfa => "This resource needs a sign-in with multi-factor authentication.",
        Reason::Acr => "The sign-in does not have the class this resource needs.",
        Reason::AuthContext => "This resource needs a stronger sign-in.",
        Reason::Policy => "This resource needs a sign-in by another policy.",
        Reason::AppOnly => "This resource is for applications that sign in as themselves.",
        Reason::UserOnly => "This resource is for users.",
        Reason::Guest => "This resource is not for guests.",
        Reason::NoIdentity => "The access token does not say for certain who is calling.",
        Reason::Replay => "The access token has nothing by which its first use could be told.",
        Reason::SignInTooOld => "This resource needs a more recent sign-in.",
        Reason::Other(_) => "The caller may not use this resource.",
    }
    .to_owned()
}

/// When to come back after 503, in seconds: the pauses between fetches grow to a minute.
const RETRY_SECONDS: u64 = 5;
