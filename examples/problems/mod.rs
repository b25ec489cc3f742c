//! Problem bodies (RFC 9457) of the samples' own answers, in the form that the layer's have.
#![allow(dead_code, reason = "each program uses its part")]

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Nothing is there.
pub(crate) fn not_found() -> Response {
    let detail = "There is nothing at this address.";
    problem(StatusCode::NOT_FOUND, detail, "not_found", "not_found")
}

/// The request's own body is wrong: 413 if it is too long, else 422.
pub(crate) fn invalid_body(status: StatusCode, detail: &str) -> Response {
    problem(status, detail, "invalid_request", "invalid_body")
}

fn problem(status: StatusCode, detail: &str, error: &str, reason: &str) -> Response {
    let title = match status {
        // RFC 9110 has renamed these two.
        StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable Content",
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        other => other.canonical_reason().unwrap_or_default(),
    };
    let problem = json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
        "error": error,
        "reason": reason,
    });
    let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, content_type, problem.to_string()).into_response()
}
