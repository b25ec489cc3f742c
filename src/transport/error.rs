//! Why a request has no answer that can be read.

use std::error::Error;

/// A request without an answer that can be read: the cause in
/// [`JwksFetchError::Transport`](crate::JwksFetchError::Transport) and
/// [`GraphRequestError::Transport`](crate::graph::GraphRequestError::Transport).
///
/// For operators; no address, token or key is in it.
///
/// ```
/// use axum_entra::TransportError;
///
/// let error = TransportError::TooLarge { request: "keys document", limit: 1_048_576 };
/// assert_eq!(error.to_string(), "keys document: more than 1048576 bytes");
/// assert_eq!(error.kind(), "too_large");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The other side could not be reached, or the answer broke off.
    #[error("{request}: no answer{}", peer.map(|peer| format!(" from {peer}")).unwrap_or_default())]
    NoAnswer {
        /// What was asked for.
        request: &'static str,
        /// What was asked, where `request` does not tell.
        peer: Option<&'static str>,
        /// What the HTTP client says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer took too long.
    #[error("{request}: no answer within {millis} ms")]
    TimedOut {
        /// What was asked for.
        request: &'static str,
        /// The limit.
        millis: u128,
    },
    /// The answer is greater than allowed.
    #[error("{request}: more than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        request: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl TransportError {
    /// The kind of failure in one word, for counters.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoAnswer { .. } => "transport",
            Self::TimedOut { .. } => "timed_out",
            Self::TooLarge { .. } => "too_large",
        }
    }
}
