//! The only HTTP transport to Microsoft Graph: single calls, within bounds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::access_token::AccessToken;
use super::error::GraphError;
use super::request_error::GraphRequestError;
use crate::authority::stated_time;
use crate::causes::WithCauses;
use crate::jwks::http_client::send;
use crate::jwks::{HttpClient, retry_after};
use crate::metrics::Timer;

/// Calls other hosts: with a time-out, a bound on size, and no redirects.
#[derive(Debug, Clone)]
pub(crate) struct HttpTransport {
    pub(crate) client: HttpClient,
    pub(crate) timeout: Duration,
    pub(crate) max_bytes: usize,
    pub(crate) last_failure: LastFailure,
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

    fn record<T>(&self, answer: &Result<T, GraphRequestError>) {
        let failure = answer.as_ref().err();
        let failure = failure.map(|error| WithCauses(error).to_string());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

/// One call, ready to be made.
pub(super) struct Call {
    /// What it is called in logs.
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) address: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// The time of the other side's clock, in whole seconds since 1970-01-01 UTC.
    pub(super) date: Option<u64>,
    pub(super) body: Vec<u8>,
}

impl HttpTransport {
    /// The longest that all calls for one request may take.
    pub(crate) const fn longest(&self) -> Duration {
        self.timeout.saturating_mul(2)
    }

    /// Makes a call; any status is an answer, a redirect is one that is no success.
    pub(super) async fn make(&self, call: Call) -> Result<Answer, GraphRequestError> {
        let (name, stopwatch) = (call.name, Timer::start());
        let answer = tokio::time::timeout(self.timeout, self.send_inner(call))
            .await
            .unwrap_or(Err(GraphRequestError::TimedOut {
                call: name,
                millis: self.timeout.as_millis(),
            }));
        let result = match &answer {
            Ok(answer) if answer.status.is_success() => "ok",
            Ok(_) => "status",
            Err(GraphRequestError::TimedOut { .. }) => "timed_out",
            Err(_) => "failed",
        };
        stopwatch.directory_called(name, result);
        self.last_failure.record(&answer);
        answer
    }

    async fn send_inner(&self, call: Call) -> Result<Answer, GraphRequestError> {
        let name = call.name;
        let request = self
            .client
            .request(call.method, call.address)
            .headers(call.headers)
            .body(call.body);
        let mut response = send(request)
            .await
            .map_err(|error| transport(name, error.without_url()))?;
        let status = response.status();
        let header = |name| response.headers().get(name)?.to_str().ok();
        let retry_after =
            header(RETRY_AFTER).and_then(|value| retry_after(value, SystemTime::now()));
        let date = stated_time(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| transport(name, error.without_url()))?
        {
            if body.len().saturating_add(chunk.len()) > self.max_bytes {
                return Err(GraphRequestError::TooLarge {
                    call: name,
                    limit: self.max_bytes,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            retry_after,
            date,
            body,
        })
    }
}

fn transport(
    call: &'static str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> GraphRequestError {
    GraphRequestError::Transport {
        call,
        source: error.into(),
    }
}

/// Microsoft Graph at its address, version included.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    pub(super) transport: HttpTransport,
    pub(super) base: Url,
    /// Its own scope, which stands for all permissions that were granted.
    pub(super) scope: String,
}

/// The part of Graph's error body that says what went wrong.
#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorCode,
}

#[derive(Deserialize)]
struct ErrorCode {
    code: String,
}

impl Graph {
    /// An address below the version; every segment is encoded, so none can leave its place.
    pub(super) fn address<S: AsRef<str>>(&self, segments: impl IntoIterator<Item = S>) -> Url {
        below(self.base.clone(), segments)
    }

    /// The same below `/beta`, which is next to `/v1.0`.
    pub(super) fn beta_address<S: AsRef<str>>(&self, segments: impl IntoIterator<Item = S>) -> Url {
        let mut base = self.base.clone();
        let versioned = base.path().trim_end_matches('/').ends_with("/v1.0");
        if let Ok(mut path) = base.path_segments_mut() {
            path.pop_if_empty();
            if versioned {
                path.pop();
            }
            path.push("beta");
        }
        below(base, segments)
    }

    /// Whether a page's address is Graph's own, below the version.
    pub(super) fn owns(&self, address: &Url) -> bool {
        let base = self.base.path().trim_end_matches('/');
        address.origin() == self.base.origin()
            && address
                .path()
                .strip_prefix(base)
                .is_some_and(|rest| rest.starts_with('/'))
            && address.username().is_empty()
            && address.password().is_none()
    }

    pub(super) async fn get(
        &self,
        name: &'static str,
        address: Url,
        token: &AccessToken,
    ) -> Result<Answer, GraphError> {
        self.call(name, Method::GET, address, token, None).await
    }

    /// Posts JSON, or nothing at all.
    pub(super) async fn post(
        &self,
        name: &'static str,
        address: Url,
        token: &AccessToken,
        json: Option<serde_json::Value>,
    ) -> Result<Answer, GraphError> {
        self.call(name, Method::POST, address, token, json).await
    }

    async fn call(
        &self,
        name: &'static str,
        method: Method,
        address: Url,
        token: &AccessToken,
        json: Option<serde_json::Value>,
    ) -> Result<Answer, GraphError> {
        let unusable = |_| GraphRequestError::Credential {
            what: "the token for Graph cannot stand in a header",
            source: None,
        };
        let mut bearer =
            HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).map_err(unusable)?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (AUTHORIZATION, bearer),
        ]);
        if json.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        } else if method == Method::POST {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let body = json.map_or_else(Vec::new, |json| json.to_string().into_bytes());
        let call = Call {
            name,
            method,
            address,
            headers,
            body,
        };
        Ok(self.transport.make(call).await?)
    }
}

impl Answer {
    pub(super) const fn is_missing(&self) -> bool {
        matches!(self.status, StatusCode::NOT_FOUND)
    }

    /// Graph's own word for what went wrong.
    pub(super) fn error_code(&self) -> Option<String> {
        serde_json::from_slice::<ErrorBody>(&self.body)
            .ok()
            .map(|body| printable(&body.error.code))
    }

    /// Any 2xx; else the directory is not available.
    pub(super) fn success(self, call: &'static str) -> Result<Self, GraphError> {
        if self.status.is_success() {
            return Ok(self);
        }
        let failure = GraphRequestError::Status {
            call,
            status: self.status.as_u16(),
            code: self.error_code().unwrap_or_default(),
        };
        Err(GraphError::unavailable(failure, self.retry_after))
    }

    /// The JSON of a success.
    pub(super) fn json<T: DeserializeOwned>(self, call: &'static str) -> Result<T, GraphError> {
        let answer = self.success(call)?;
        serde_json::from_slice(&answer.body)
            .map_err(|_| GraphRequestError::InvalidJson { call }.into())
    }
}

/// A code from outside, fit for a line of a log.
pub(super) fn printable(code: &str) -> String {
    let fit = |c: &char| c.is_ascii_alphanumeric() || "_.-".contains(*c);
    code.chars().filter(fit).take(80).collect()
}

fn below<S: AsRef<str>>(mut base: Url, segments: impl IntoIterator<Item = S>) -> Url {
    // An address of `http` or `https`, as it was checked to be, has segments.
    if let Ok(mut path) = base.path_segments_mut() {
        path.pop_if_empty();
        for segment in segments {
            path.push(segment.as_ref());
        }
    }
    base
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(base: &str) -> Graph {
        Graph {
            transport: HttpTransport {
                client: HttpClient::new(),
                timeout: Duration::from_secs(1),
                max_bytes: 1,
                last_failure: LastFailure::default(),
            },
            base: Url::parse(base).unwrap(),
            scope: String::new(),
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000_000_500);
        let wait = |value| retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(wait("7200"), Some(7_200));
        assert_eq!(wait(" 3 "), Some(3));
        // The epoch's billionth second was 2001-09-09T01:46:40Z.
        assert_eq!(wait("Sun, 09 Sep 2001 01:47:00 GMT"), Some(20));
        assert_eq!(wait("Sun, 09 Sep 2001 01:46:00 GMT"), Some(1));
        for odd in ["", "-1", "1.5", "soon", "Sun, 09 Sep"] {
            assert_eq!(wait(odd), None, "{odd}");
        }
    }

    #[test]
    fn addresses_lie_below_the_version_and_beta_beside_it() {
        let table = [
            (
                "https://graph.microsoft.com/v1.0",
                "/v1.0/users/a",
                "/beta/users/a",
            ),
            (
                "https://graph.microsoft.com/v1.0/",
                "/v1.0/users/a",
                "/beta/users/a",
            ),
            (
                "http://127.0.0.1:9/graph/v1.0",
                "/graph/v1.0/users/a",
                "/graph/beta/users/a",
            ),
            ("http://127.0.0.1:9", "/users/a", "/beta/users/a"),
        ];
        for (base, stable, beta) in table {
            let graph = graph(base);
            assert_eq!(graph.address(["users", "a"]).path(), stable);
            assert_eq!(graph.beta_address(["users", "a"]).path(), beta);
        }
    }

    #[test]
    fn a_segment_cannot_leave_its_place() {
        let graph = graph("https://graph.microsoft.com/v1.0");
        let path = |name: &str| graph.address(["users", name]).path().to_owned();
        assert_eq!(path("a/../b?c#d"), "/v1.0/users/a%2F..%2Fb%3Fc%23d");
        assert_eq!(path("a%2F.."), "/v1.0/users/a%252F..");
        assert_eq!(path("a#EXT#@b.example"), "/v1.0/users/a%23EXT%23@b.example");
    }

    #[test]
    fn pages_are_followed_on_graphs_own_host_alone() {
        let graph = graph("https://graph.microsoft.com/v1.0");
        let owns = |text: &str| graph.owns(&Url::parse(text).unwrap());
        assert!(owns(
            "https://graph.microsoft.com/v1.0/users/a/transitiveMemberOf?$skiptoken=b"
        ));
        for foreign in [
            "https://evil.example/v1.0/users",
            "http://graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com:8443/v1.0/users",
            "https://graph.microsoft.com/beta/users",
            "https://graph.microsoft.com/v1.0x/users",
            "https://a:b@graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com.evil.example/v1.0/users",
        ] {
            assert!(!owns(foreign), "{foreign}");
        }
    }
}
