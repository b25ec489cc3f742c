//! HTTP requests of this crate: each within a time and a size, without redirects.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod error;
mod headers;
pub(crate) mod http_client;
#[cfg(test)]
mod tests;

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use url::Url;

pub use error::TransportError;
pub use http_client::{HttpClient, HttpClientBuilder};

use crate::clock::Clock;
use http_client::{HttpError, send};

/// Sends requests: for documents, for tokens, and to Microsoft Graph.
#[derive(Debug, Clone)]
pub(crate) struct HttpTransport {
    pub(crate) client: HttpClient,
    pub(crate) clock: Clock,
    /// For the whole of a request, its answer's body included.
    pub(crate) timeout: Duration,
    /// Of an answer's body.
    pub(crate) max_bytes: usize,
}

/// One request.
#[derive(Debug)]
pub(crate) struct HttpRequest {
    /// What it asks for, in errors and logs.
    pub(crate) name: &'static str,
    /// What it is sent to, in the error where no answer comes.
    pub(crate) peer: Option<&'static str>,
    pub(crate) method: Method,
    pub(crate) address: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Whether the body of an answer that is no success (2xx) is read too.
    pub(crate) reads_refusals: bool,
}

/// What came back: any status is an answer, also a redirect, which is not followed.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The local time at which the headers arrived, in seconds since 1970-01-01 UTC.
    pub(crate) arrived: u64,
    pub(crate) body: Vec<u8>,
}

impl HttpTransport {
    /// Sends a request, and reads its answer.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, TransportError> {
        let name = request.name;
        tokio::time::timeout(self.timeout, self.exchange(request))
            .await
            .unwrap_or(Err(TransportError::TimedOut {
                request: name,
                millis: self.timeout.as_millis(),
            }))
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpAnswer, TransportError> {
        let (name, peer) = (request.name, request.peer);
        let no_answer = |error: HttpError| TransportError::NoAnswer {
            request: name,
            peer,
            // The address may hold a query that a log should not.
            source: error.without_url().into(),
        };
        let sent = self
            .client
            .request(request.method, request.address)
            .headers(request.headers)
            .body(request.body);
        let mut response = send(sent).await.map_err(no_answer)?;
        let mut answer = HttpAnswer {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            arrived: self.clock.seconds(),
            body: Vec::new(),
        };
        if !answer.status.is_success() && !request.reads_refusals {
            return Ok(answer);
        }
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            if answer.body.len().saturating_add(chunk.len()) > self.max_bytes {
                return Err(TransportError::TooLarge {
                    request: name,
                    limit: self.max_bytes,
                });
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

impl HttpAnswer {
    /// How long the sender asks for a pause (`Retry-After`).
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        headers::retry_after(&self.headers, self.arrived)
    }

    /// The time of the sender's clock, in whole seconds since 1970-01-01 UTC.
    pub(crate) fn date(&self) -> Option<u64> {
        headers::date(&self.headers)
    }
}
