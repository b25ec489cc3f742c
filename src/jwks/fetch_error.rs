//! Why keys could not be fetched.

use std::error::Error;
use std::time::Duration;

use crate::causes::WithCauses;
use crate::transport::TransportError;

/// A document that could not be had, or cannot be used.
///
/// For operators: it is in the log at `warn` and in `status()`. The keys that were good before
/// stay in use until they are too old.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwksFetchError {
    /// No answer that can be read: none at all, none in time, or one that is too large.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The answer is not 200; a redirect is not followed.
    #[error("{document}: status {status}")]
    Status {
        /// Which document.
        document: &'static str,
        /// The status code.
        status: u16,
        /// How long the authority asks for a pause (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// The answer is not the JSON it should be.
    #[error("{document}: not the JSON object it should be")]
    InvalidJson {
        /// Which document.
        document: &'static str,
    },
    /// The discovery document speaks for another issuer.
    #[error("discovery document: it states the issuer `{found}`, expected `{expected}`")]
    WrongIssuer {
        /// What it states, cut to 200 characters.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// The discovery document points to keys on a host that is not the authority's.
    #[error("discovery document: its keys lie on another host")]
    UntrustedJwksUri,
    /// The code that fetches panicked, which is a fault of this crate; it is tried again.
    #[error("the fetch ended in a panic")]
    Panicked(#[source] Box<dyn Error + Send + Sync>),
    /// The document has no key that could verify a token.
    #[error("keys document: none of its {keys} keys can be used")]
    NoUsableKey {
        /// How many there are.
        keys: usize,
    },
}

impl JwksFetchError {
    /// The failure with everything that led to it, in one line: a name that was not resolved, a
    /// connection that was refused, a certificate that was not believed and why, a proxy's answer.
    ///
    /// For operators; no address, token or key is in it.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, JwksRefresh};
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let small = JwksRefresh::default().max_document_size(100);
    /// let entra = Entra::builder_for(authority.jwks_refresh(small)).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// assert!(entra.validate(&token).await.is_err());
    /// let status = entra.status();
    /// let error = status[0].jwks.iter().find_map(|document| document.last_error.clone()).unwrap();
    /// assert!(error.with_causes().contains("more than 100 bytes"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_causes(&self) -> String {
        WithCauses(self).to_string()
    }

    /// How long the authority asks for a pause.
    pub(super) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The kind of failure in one word, for counters.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Transport(error) => error.kind(),
            Self::Status { .. } => "status",
            Self::InvalidJson { .. } => "not_a_document",
            Self::WrongIssuer { .. } => "wrong_issuer",
            Self::UntrustedJwksUri => "foreign_keys",
            Self::Panicked(_) => "panicked",
            Self::NoUsableKey { .. } => "no_usable_key",
        }
    }
}
