//! Calls of Microsoft Graph: their addresses, their token, and what their answers say.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::access_token::AccessToken;
use super::error::GraphError;
use super::request_error::GraphRequestError;
use super::transport::GraphTransport;
use crate::transport::{HttpAnswer, HttpRequest};

/// Microsoft Graph at its address, version included.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    pub(super) transport: GraphTransport,
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
    ) -> Result<HttpAnswer, GraphError> {
        self.call(name, Method::GET, address, token, None).await
    }

    /// Posts JSON, or nothing at all.
    pub(super) async fn post(
        &self,
        name: &'static str,
        address: Url,
        token: &AccessToken,
        json: Option<serde_json::Value>,
    ) -> Result<HttpAnswer, GraphError> {
        self.call(name, Method::POST, address, token, json).await
    }

    async fn call(
        &self,
        name: &'static str,
        method: Method,
        address: Url,
        token: &AccessToken,
        json: Option<serde_json::Value>,
    ) -> Result<HttpAnswer, GraphError> {
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
        let request = HttpRequest {
            name,
            peer: None,
            method,
            address,
            headers,
            body,
            reads_refusals: true,
        };
        Ok(self.transport.send(request).await?)
    }
}

impl HttpAnswer {
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
        Err(GraphError::unavailable(failure, self.retry_after()))
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
            transport: GraphTransport::idle(),
            base: Url::parse(base).unwrap(),
            scope: String::new(),
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
