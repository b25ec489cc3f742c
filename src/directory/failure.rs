//! What can go wrong with one call to Graph or to the token endpoint.

use std::error::Error;

/// A call that brought no usable answer.
///
/// For operators: it is in the log at `warn`. No token, no secret and nothing that names a person
/// is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallFailure {
    /// The other side could not be reached, or the answer broke off.
    #[error("{call}: no answer")]
    Transport {
        /// Which call.
        call: &'static str,
        /// What the HTTP client says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer took too long.
    #[error("{call}: no answer within {millis} ms")]
    TimedOut {
        /// Which call.
        call: &'static str,
        /// The limit.
        millis: u128,
    },
    /// The answer came from elsewhere: the client in use follows redirects.
    #[error("{call}: the answer came from another address than was asked")]
    Redirected {
        /// Which call.
        call: &'static str,
    },
    /// The answer is greater than allowed.
    #[error("{call}: more than {limit} bytes")]
    TooLarge {
        /// Which call.
        call: &'static str,
        /// The limit.
        limit: usize,
    },
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
    /// The answer is not the JSON it should be.
    #[error("{call}: not the JSON object it should be")]
    NotADocument {
        /// Which call.
        call: &'static str,
    },
    /// A page of a list points to another host, or there are more pages than can be.
    #[error("{call}: the list of pages leads astray")]
    Astray {
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
    #[error("the request's own token is not at hand")]
    NoToken,
    /// The task that asked ended without an answer.
    #[error("the question was given up")]
    GivenUp,
}
