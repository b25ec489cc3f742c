//! What is accepted beside bearer tokens.

use std::fmt;
use std::sync::Arc;

use http::{Extensions, Uri};

use super::nonce::Nonces;
use crate::middleware::client_certificate::ClientCertificate;
use crate::middleware::head::Head;
use crate::middleware::trusted_proxies::TrustedProxies;
use crate::token::PopTokens;

/// How bound tokens are accepted: one for each [`Entra`](crate::Entra).
#[derive(Clone)]
pub(crate) struct BoundTokens {
    pub(crate) pop: PopTokens,
    pub(crate) proxies: Option<TrustedProxies>,
    pub(crate) nonces: Option<Nonces>,
    /// The longest body whose hash is verified.
    pub(crate) most_body: usize,
    pub(crate) original_uri: Option<FindUri>,
}

/// Finds the request's whole address where a router has shortened it.
pub(crate) type FindUri = Arc<dyn Fn(&Extensions) -> Option<Uri> + Send + Sync>;

impl Default for BoundTokens {
    fn default() -> Self {
        Self {
            pop: PopTokens::Refuse,
            proxies: None,
            nonces: None,
            // As much as axum's extractors read unless they are configured otherwise.
            most_body: 2 * 1_024 * 1_024,
            original_uri: None,
        }
    }
}

impl BoundTokens {
    /// The client's certificate: what a trusted proxy says about it, else the connection's. A proxy's
    /// own certificate is no client's.
    pub(in crate::middleware) fn certificate_of(&self, head: Head<'_>) -> Option<[u8; 32]> {
        let proxies = self.proxies.as_ref();
        let certificate = match proxies {
            Some(proxies) if proxies.tells_certificate(head.extensions) => {
                ClientCertificate::of_header(head.headers)
            }
            _ => ClientCertificate::of_connection(head.extensions),
        };
        certificate.map(|certificate| *certificate.sha256())
    }
}

impl fmt::Debug for BoundTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundTokens")
            .field("pop", &self.pop)
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}
