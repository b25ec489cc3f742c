//! The way to Microsoft Graph and to what gives out tokens for it, with what operators see of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::request_error::GraphRequestError;
use crate::causes::WithCauses;
use crate::metrics::Timer;
use crate::transport::{HttpAnswer, HttpRequest, HttpTransport, TransportError};

/// Makes calls, counts them, and remembers why the last one had no answer.
#[derive(Debug, Clone)]
pub(crate) struct GraphTransport {
    http: HttpTransport,
    last_failure: LastFailure,
}

/// Why the last call had no answer, with every cause; shared by all clones.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastFailure(Arc<Mutex<Option<String>>>);

impl LastFailure {
    /// `None` where the last call had an answer, and where none was made.
    pub(crate) fn text(&self) -> Option<String> {
        let last = self.0.lock();
        last.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn record<T>(&self, answer: &Result<T, TransportError>) {
        let failure = answer.as_ref().err();
        let failure = failure.map(|error| WithCauses(error).to_string());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

impl GraphTransport {
    pub(crate) fn new(http: HttpTransport) -> Self {
        Self {
            http,
            last_failure: LastFailure::default(),
        }
    }

    /// The longest that one call may take.
    pub(super) const fn timeout(&self) -> Duration {
        self.http.timeout
    }

    /// The longest that all calls for one request may take.
    pub(super) const fn longest(&self) -> Duration {
        self.timeout().saturating_mul(2)
    }

    pub(super) fn last_failure(&self) -> LastFailure {
        self.last_failure.clone()
    }

    /// Makes a call; any status is an answer.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, GraphRequestError> {
        let (name, stopwatch) = (request.name, Timer::start());
        let answer = self.http.send(request).await;
        let result = match &answer {
            Ok(answer) if answer.status.is_success() => "ok",
            Ok(_) => "status",
            Err(TransportError::TimedOut { .. }) => "timed_out",
            Err(_) => "failed",
        };
        stopwatch.directory_called(name, result);
        self.last_failure.record(&answer);
        Ok(answer?)
    }

    /// One that is never used.
    #[cfg(test)]
    pub(super) fn idle() -> Self {
        Self::new(HttpTransport {
            client: crate::transport::http_client::idle_http_client().expect("a client"),
            clock: crate::clock::Clock::system(),
            timeout: Duration::from_secs(5),
            max_bytes: 1_024,
        })
    }
}
