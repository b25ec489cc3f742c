//! What a rejection is for, before it becomes HTTP.

use crate::claims::{Claims, Principal};
use crate::graph::DirectoryError;
use crate::guard::Reason;
use crate::token::{InvalidToken, Refusal, RefusedByRule};

use super::challenge::claims_challenge;
use super::context::Origin;

/// Why a request is not let in.
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
    /// Nobody has consented to what this API wants to do on the caller's behalf.
    ConsentRequired {
        scopes: String,
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

/// When to come back after 503, in seconds: the pauses between fetches grow to a minute.
pub(super) const RETRY_SECONDS: u64 = 5;

impl From<Refusal> for Cause {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(invalid) => Self::Invalid(invalid),
            Refusal::Denied { refused, .. } => Self::Denied(refused),
            Refusal::Revoked { claims, cut_off } => {
                let wanted = claims_challenge("nbf", &cut_off.to_string());
                step_up(InvalidToken::Revoked.reason(), &wanted, &claims)
                    .unwrap_or(Self::Invalid(InvalidToken::Revoked))
            }
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
            // Handed on as they came, also to clients that did not say they can handle them.
            DirectoryError::InteractionRequired {
                claims: Some(claims),
            } => Self::StepUp {
                reason: InvalidToken::InteractionRequired.reason(),
                claims: base64_simd::STANDARD.encode_to_string(claims),
                authorization_uri: String::new(),
            },
            DirectoryError::InteractionRequired { claims: None } => {
                Self::Invalid(InvalidToken::InteractionRequired)
            }
            DirectoryError::ConsentRequired { scopes } => Self::ConsentRequired {
                scopes: scopes.clone(),
            },
            DirectoryError::Refused => denied(Reason::DirectoryRefused),
            DirectoryError::AppOnly => denied(Reason::UserOnly),
            DirectoryError::NoAccount => denied(Reason::NoIdentity),
            DirectoryError::NotFound => Self::NotFound,
        }
    }
}

/// A claims challenge, if the caller is a user whose client said that it can handle one.
pub(super) fn step_up(reason: &'static str, wanted: &str, claims: &Claims) -> Option<Cause> {
    if !claims.handles_claims_challenge() || claims.principal() != Principal::User {
        return None;
    }
    Some(Cause::StepUp {
        reason,
        claims: base64_simd::STANDARD.encode_to_string(wanted),
        authorization_uri: sign_in_of(claims),
    })
}

/// Where the caller signs in.
pub(super) fn sign_in_of(claims: &Claims) -> String {
    Origin::of(claims)
        .map(|origin| origin.authorization_uri.clone())
        .unwrap_or_default()
}

pub(super) fn is_revoked(reason: &str) -> bool {
    reason == InvalidToken::Revoked.reason()
}
