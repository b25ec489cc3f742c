//! What a rejection is for, before it becomes HTTP.

use std::borrow::Cow;

use crate::claims::{Claims, Principal};
use crate::graph::GraphError;
use crate::guard::DenialReason;
use crate::token::{InvalidToken, PolicyDenial, ValidationFailure};

use super::challenge::claims_challenge;
use super::context::AuthorityContext;
use super::mcp::McpFailure;
use super::messages;

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
    /// A check of the application's own could not be made.
    Undecided {
        reason: &'static str,
    },
    NotConfigured {
        used: &'static str,
    },
    Mcp(McpFailure),
}

/// When to come back after 503, in seconds: the pauses between fetches grow to a minute.
const RETRY_SECONDS: u64 = 5;

impl Cause {
    /// A token from before its account's sessions were revoked.
    pub(super) fn revoked(cut_off: Option<u64>, claims: &Claims) -> Self {
        let revoked = InvalidToken::Revoked;
        cut_off
            .and_then(|cut_off| {
                let wanted = claims_challenge("nbf", &cut_off.to_string());
                step_up(revoked.reason(), &wanted, claims)
            })
            .unwrap_or(Self::Invalid(revoked))
    }

    /// The directory did not answer, or its answer is for the caller to act on.
    pub(super) fn directory(error: &GraphError, claims: &Claims) -> Self {
        let mut cause = Self::from(error);
        if let Self::StepUp {
            authorization_uri, ..
        } = &mut cause
        {
            *authorization_uri = sign_in_of(claims);
        }
        cause
    }

    /// The stable code of what exactly was wrong.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::MissingToken => "missing_token",
            Self::MalformedHeader => "malformed_header",
            Self::Invalid(invalid) => invalid.reason(),
            Self::Denied(refused) => refused.reason.as_str(),
            Self::StepUp { reason, .. } | Self::Undecided { reason } => reason,
            Self::ConsentRequired { .. } => DenialReason::ConsentRequired.as_str(),
            Self::KeysUnavailable => "keys_unavailable",
            Self::DirectoryUnavailable { .. } => "directory_unavailable",
            Self::NotFound => "not_found",
            Self::StoreUnavailable => "store_unavailable",
            Self::NotConfigured { .. } => "not_configured",
            Self::Mcp(failure) => failure.reason(),
        }
    }

    /// What was wrong with the token, if it was the token.
    pub(super) fn invalid_token(&self) -> Option<&InvalidToken> {
        match self {
            Self::Invalid(invalid) => Some(invalid),
            Self::StepUp { reason, .. } if is_revoked(reason) => Some(&InvalidToken::Revoked),
            _ => None,
        }
    }

    /// A sentence with nothing of the token in it.
    pub(super) fn sentence(&self) -> Cow<'static, str> {
        let sentence = match self {
            Self::MissingToken => "This resource needs an access token.",
            Self::MalformedHeader => {
                "The Authorization header does not hold one well-formed credential."
            }
            Self::Invalid(invalid) => invalid.description(),
            Self::Denied(refused) => messages::of_reason(refused.reason),
            Self::StepUp { reason, .. } if is_revoked(reason) => {
                InvalidToken::Revoked.description()
            }
            Self::StepUp { .. } => messages::STEP_UP,
            Self::ConsentRequired { scopes } => {
                return format!(
                    "Neither the user nor an administrator has consented to what this API asks \
                     for on the user's behalf: {scopes}"
                )
                .into();
            }
            Self::DirectoryUnavailable { .. } => "The directory is not available at the moment.",
            Self::NotFound => "The directory does not know this account.",
            Self::KeysUnavailable => "The keys of the authority are not available at the moment.",
            Self::StoreUnavailable => messages::STORE,
            Self::Undecided { .. } => "The request cannot be authorized at the moment.",
            Self::Mcp(failure) => failure.sentence(),
            Self::NotConfigured { used } => {
                return format!("{used} is used on a route without EntraLayer around it.").into();
            }
        };
        Cow::Borrowed(sentence)
    }

    /// When to come back after 503, in seconds.
    pub(super) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::KeysUnavailable | Self::StoreUnavailable | Self::Undecided { .. } => {
                Some(RETRY_SECONDS)
            }
            Self::DirectoryUnavailable { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

impl From<ValidationFailure> for Cause {
    fn from(refusal: ValidationFailure) -> Self {
        match refusal {
            ValidationFailure::Invalid(invalid) => Self::Invalid(invalid),
            ValidationFailure::Denied { refused, .. } => Self::Denied(refused),
            ValidationFailure::Revoked { claims, cut_off } => Self::revoked(Some(cut_off), &claims),
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
fn sign_in_of(claims: &Claims) -> String {
    AuthorityContext::of(claims)
        .map(|origin| origin.authorization_uri.clone())
        .unwrap_or_default()
}

fn is_revoked(reason: &str) -> bool {
    reason == InvalidToken::Revoked.reason()
}
