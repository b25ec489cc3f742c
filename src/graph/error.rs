//! What becomes of a question to the directory that is not answered.

use std::sync::Arc;
use std::time::Duration;

use super::request_error::GraphRequestError;
use crate::causes::WithCauses;

/// Why the directory gave no answer.
///
/// For handlers: as a [`Rejection`](crate::Rejection) it is the HTTP answer for this error.
/// Cheap to clone, because everybody who waited for one question gets the same.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// No credentials were given for the authority of this caller.
    #[error("no credentials are configured to ask the directory with")]
    NotConfigured,
    /// Graph or the token endpoint is out of reach, refuses, or asks for patience.
    #[error("the directory is not available, come back in {} s", retry_after.as_secs())]
    Unavailable {
        /// When to ask again: the `Retry-After` that came, else a second.
        retry_after: Duration,
        /// What happened.
        #[source]
        failure: Arc<GraphRequestError>,
    },
    /// The authority gives out no token on the user's behalf until the user has signed in again:
    /// more proof is wanted, a password has changed, sessions were revoked, the account is
    /// disabled.
    #[error("the authority wants the user to sign in again")]
    InteractionRequired {
        /// The `claims` to ask for, as JSON text; they belong into a claims challenge.
        claims: Option<String>,
    },
    /// Neither the user nor an administrator has consented to what this API wants to do on the
    /// user's behalf.
    #[error("consent is missing for these scopes on the user's behalf: {scopes}")]
    ConsentRequired {
        /// The scopes that were asked for.
        scopes: String,
    },
    /// The directory does not let the caller do this, and asking again does not change that: a
    /// policy blocks it, the user is not assigned, or a permission is missing.
    #[error("the directory refuses this to the caller")]
    Refused,
    /// An application's own token: there is no user on whose behalf to act.
    #[error("there is no user on whose behalf to act")]
    UserTokenRequired,
    /// The token does not say in a usable way whose account it is (`tid` and `oid`).
    #[error("the token names no account of the directory")]
    MissingAccountId,
    /// The directory does not know the account.
    #[error("the directory does not know this account")]
    AccountNotFound,
}

impl GraphError {
    /// Unavailable for the time that the answer names, else for a second; a day at most.
    pub(super) fn unavailable(failure: GraphRequestError, retry_after: Option<Duration>) -> Self {
        let wanted = retry_after.unwrap_or(SHORTEST);
        Self::Unavailable {
            retry_after: wanted.clamp(SHORTEST, LONGEST),
            failure: Arc::new(failure),
        }
    }

    /// The same failure, some time later.
    pub(super) fn with_rest(self, rest: Duration) -> Self {
        match self {
            Self::Unavailable { failure, .. } => Self::Unavailable {
                retry_after: rest,
                failure,
            },
            other => other,
        }
    }

    /// The request's own token is not available, which would have to be passed on.
    pub(crate) fn without_token() -> Self {
        GraphRequestError::MissingUserToken.into()
    }

    /// How long not to ask again about the same account, whatever token it shows.
    pub(super) fn account_backoff(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => Some(*retry_after),
            // Another token of the account may do.
            _ => None,
        }
    }

    /// How long not to ask again with the same token.
    pub(super) fn token_backoff(&self) -> Option<Duration> {
        match self {
            Self::InteractionRequired { .. } | Self::ConsentRequired { .. } | Self::Refused => {
                Some(SHORTEST)
            }
            _ => self.account_backoff(),
        }
    }

    pub(super) fn log(&self, kind: &'static str) {
        if let Self::Unavailable {
            failure,
            retry_after,
        } = self
            // A refusal is in the log already, once for all who ask.
            && !matches!(**failure, GraphRequestError::Refused { .. })
        {
            tracing::warn!(
                kind,
                error = %WithCauses(&**failure),
                retry_after = retry_after.as_secs(),
                "the directory did not answer"
            );
        }
    }
}

impl From<GraphRequestError> for GraphError {
    fn from(failure: GraphRequestError) -> Self {
        Self::unavailable(failure, None)
    }
}

/// A failure is remembered for `Retry-After`, else one second.
const SHORTEST: Duration = Duration::from_secs(1);

/// A mistaken header must not put an account out of service for days.
const LONGEST: Duration = Duration::from_secs(86_400);
