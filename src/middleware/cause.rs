//! What a rejection is for, before it becomes HTTP.

use crate::claims::{Claims, Principal};
use crate::graph::GraphError;
use crate::guard::DenialReason;
use crate::token::{InvalidToken, PolicyDenial, ValidationFailure};

use super::challenge::claims_challenge;
use super::context::AuthorityContext;
use super::mcp::McpFailure;

/// Why a request is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    MissingToken,
    MalformedHeader,
    Invalid(InvalidToken),
    Denied(PolicyDenial),
    /// The client can come back with a stronger or a newer token.
    StepUp {
        reason: &'static str,
        claims: String,
        authorization_uri: String,
    },
    /// Neither the user nor an administrator has consented to what this API asks for.
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
    Mcp(McpFailure),
}

/// When to come back after 503, in seconds: the pauses between fetches grow to a minute.
pub(super) const RETRY_SECONDS: u64 = 5;

impl From<ValidationFailure> for Cause {
    fn from(refusal: ValidationFailure) -> Self {
        match refusal {
            ValidationFailure::Invalid(invalid) => Self::Invalid(invalid),
            ValidationFailure::Denied { refused, .. } => Self::Denied(refused),
            ValidationFailure::Revoked { claims, cut_off } => {
                let wanted = claims_challenge("nbf", &cut_off.to_string());
                step_up(InvalidToken::Revoked.reason(), &wanted, &claims)
                    .unwrap_or(Self::Invalid(InvalidToken::Revoked))
            }
            ValidationFailure::KeysUnavailable => Self::KeysUnavailable,
            ValidationFailure::StoreUnavailable => Self::StoreUnavailable,
        }
    }
}

impl From<&GraphError> for Cause {
    fn from(error: &GraphError) -> Self {
        let denied = |reason| {
            Self::Denied(PolicyDenial {
                reason,
                scopes: String::new(),
                auth_context: None,
            })
        };
        match error {
            GraphError::Unavailable { retry_after, .. } => Self::DirectoryUnavailable {
                // The rest of a second is a second, or the client would come too early.
                retry_after: retry_after.as_millis().div_ceil(1_000).max(1) as u64,
            },
            GraphError::NotConfigured => Self::DirectoryUnavailable {
                retry_after: RETRY_SECONDS,
            },
            // Handed on as they came, also to clients that did not say they can handle them.
            GraphError::InteractionRequired {
                claims: Some(claims),
            } => Self::StepUp {
                reason: InvalidToken::InteractionRequired.reason(),
                claims: base64_simd::STANDARD.encode_to_string(claims),
                authorization_uri: String::new(),
            },
            GraphError::InteractionRequired { claims: None } => {
                Self::Invalid(InvalidToken::InteractionRequired)
            }
            GraphError::ConsentRequired { scopes } => Self::ConsentRequired {
                scopes: scopes.clone(),
            },
            GraphError::Refused => denied(DenialReason::DirectoryRefused),
            GraphError::UserTokenRequired => denied(DenialReason::UserOnly),
            GraphError::MissingAccountId => denied(DenialReason::NoIdentity),
            GraphError::AccountNotFound => Self::NotFound,
        }
    }
}

/// A claims challenge, if the caller is a user whose client said that it can handle one.
pub(super) fn step_up(reason: &'static str, wanted: &str, claims: &Claims) -> Option<Cause> {
    if !claims.supports_claims_challenge() || claims.principal() != Principal::User {
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
    AuthorityContext::of(claims)
        .map(|origin| origin.authorization_uri.clone())
        .unwrap_or_default()
}

pub(super) fn is_revoked(reason: &str) -> bool {
    reason == InvalidToken::Revoked.reason()
}
