//! The gate's own answers, in the form that the library's have (RFC 9457).

use axum_core::body::Body;
use axum_core::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::json;

/// An answer that the gate itself gives: status, `error`, `reason` and a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) detail: &'static str,
}

impl Problem {
    const fn new(
        status: StatusCode,
        error: &'static str,
        reason: &'static str,
        detail: &'static str,
    ) -> Self {
        Self {
            status,
            error,
            reason,
            detail,
        }
    }

    /// The proxy's question is not one that this door takes.
    pub(crate) const fn door(detail: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", "door", detail)
    }

    /// The path of the original request is refused.
    pub(crate) const fn path(detail: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", "path", detail)
    }

    /// The question came without the door secret.
    pub(crate) const fn secret() -> Self {
        let detail = "This question did not come from the proxy that this gate serves.";
        Self::new(StatusCode::FORBIDDEN, "forbidden", "door", detail)
    }

    pub(crate) const fn not_found() -> Self {
        let detail = "There is nothing at this address.";
        Self::new(StatusCode::NOT_FOUND, "not_found", "not_found", detail)
    }

    pub(crate) const fn method() -> Self {
        let detail = "This address takes GET only.";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "invalid_request",
            "method",
            detail,
        )
    }

    /// A mistake of the gate; the request does not pass.
    pub(crate) const fn internal() -> Self {
        let detail = "The gate could not make an answer.";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            "gate",
            detail,
        )
    }

    pub(crate) fn into_response(self) -> Response {
        let body = body(self.status, self.error, self.reason, self.detail);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM_JSON);
        response.extensions_mut().insert(self);
        response
    }
}

/// The media type of problem bodies.
pub(crate) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A problem body.
pub(crate) fn body(status: StatusCode, error: &str, reason: &str, detail: &str) -> String {
    json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "detail": detail,
        "error": error,
        "reason": reason,
    })
    .to_string()
}
