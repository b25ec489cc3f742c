//! What can go wrong with one call to Graph or to the token endpoint.

use std::error::Error;
use std::time::Duration;

use crate::transport::TransportError;

/// A call that brought no usable answer.
///
/// For operators: it is in the log at `warn`. No token, no secret and nothing that names a person
/// is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphRequestError {
    /// No answer that can be read: none at all, none in time, or one that is too large.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A status that is no success.
    #[error("{call}: status {status} {code}")]
    Status {
        /// Which call.
        call: &'static str,
        /// The status code.
        status: u16,
        /// Graph's `error.code` or the token endpoint's `error`, with Entra's numbers.
        code: String,
    },
    /// The token endpoint refuses this API itself: its credentials, its permissions or its scopes.
    #[error("{call}: refused: {code}")]
    Refused {
        /// Which call.
        call: &'static str,
        /// The token endpoint's `error`, with Entra's numbers.
        code: String,
    },
    /// Graph's answer does not say since when the user's sessions count.
    #[error(
        "signInSessionsValidFromDateTime: absent or null; the API's registration lacks the delegated \
         permission User.Read (with admin consent)"
    )]
    NoSessionTime,
    /// All that was asked for one request took too long.
    #[error("no answer within {millis} ms, the limit for one request")]
    TooLong {
        /// The limit.
        millis: u128,
    },
    /// The document of the authority does not say which of its clouds' Graph is the tenant's.
    #[error(
        "the discovery document names no msgraph_host of this cloud: set Graph:BaseUrl to the \
         tenant's Microsoft Graph"
    )]
    NoGraph,
    /// The answer is not the JSON it should be.
    #[error("{call}: not the JSON object it should be")]
    InvalidJson {
        /// Which call.
        call: &'static str,
    },
    /// A page of a list points to another host, or there are more pages than can be.
    #[error("{call}: the list of pages leads astray")]
    InvalidNextLink {
        /// Which call.
        call: &'static str,
    },
    /// The authority's discovery document names no token endpoint on its own host.
    #[error("the authority names no token endpoint on its own host")]
    NoTokenEndpoint,
    /// What this API signs in with cannot be used at the moment.
    #[error("the credential cannot be used: {what}")]
    Credential {
        /// What about it.
        what: &'static str,
        /// What the source says.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The request carried no token that could be handed on.
    #[error("the request's own token is not available")]
    MissingUserToken,
    /// The task that asked ended without an answer.
    #[error("the question was given up")]
    Cancelled,
}

impl GraphRequestError {
    pub(crate) const fn too_long(limit: Duration) -> Self {
        Self::TooLong {
            millis: limit.as_millis(),
        }
    }
}
