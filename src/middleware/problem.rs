//! Problem details (RFC 9457), and their gRPC counterpart.

use axum_core::body::Body;
use axum_core::response::Response;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Problem<'p> {
    /// Nothing beyond what the status means; `reason` says more.
    pub(super) r#type: &'static str,
    pub(super) title: &'p str,
    pub(super) status: u16,
    pub(super) detail: &'p str,
    pub(super) error: &'p str,
    pub(super) reason: &'p str,
}

/// What stands around the members of a body, in the order of `Problem`.
const TEMPLATE: [&str; 7] = [
    "{\"type\":\"",
    "\",\"title\":\"",
    "\",\"status\":",
    ",\"detail\":\"",
    "\",\"error\":\"",
    "\",\"reason\":\"",
    "\"}",
];

impl Problem<'_> {
    /// The body. Nearly every text is this crate's own and needs no escapes; then it is put
    /// together in one allocation of its length.
    fn body(&self, status: &StatusCode) -> Vec<u8> {
        let members = [
            self.r#type,
            self.title,
            status.as_str(),
            self.detail,
            self.error,
            self.reason,
        ];
        let is_plain = |text: &&str| {
            let needs_escape = |byte| matches!(byte, b'"' | b'\\' | 0..b' ');
            text.bytes()
                .fold(true, |all, byte| all & !needs_escape(byte))
        };
        if !members.iter().all(is_plain) || status.as_u16() != self.status {
            return serde_json::to_vec(&self).unwrap_or_default();
        }
        let lengths = TEMPLATE.iter().chain(&members).map(|text| text.len());
        let mut body = Vec::with_capacity(lengths.sum());
        for (around, member) in TEMPLATE.iter().zip(members.iter().chain(&[""])) {
            body.extend_from_slice(around.as_bytes());
            body.extend_from_slice(member.as_bytes());
        }
        body
    }

    /// The answer for HTTP clients.
    pub(super) fn into_response(self, status: StatusCode) -> Response {
        let body = self.body(&status);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }

    /// The answer for gRPC clients: status and message in the headers, no body (a "trailers-only"
    /// answer; gRPC over HTTP/2, "Responses").
    pub(super) fn into_grpc_response(self, status: StatusCode) -> Response {
        let code = match status {
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => "16",
            StatusCode::FORBIDDEN => "7",
            StatusCode::SERVICE_UNAVAILABLE => "14",
            _ => "13",
        };
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(
            HeaderName::from_static("grpc-status"),
            HeaderValue::from_static(code),
        );
        // Percent signs would have to be encoded; the sentences have none.
        if let Ok(message) = HeaderValue::try_from(format!("{}: {}", self.reason, self.detail)) {
            headers.insert(HeaderName::from_static("grpc-message"), message);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_what_the_library_would_write() {
        for status in [StatusCode::UNAUTHORIZED, StatusCode::INTERNAL_SERVER_ERROR] {
            for detail in ["A sentence, with a comma.", "", "a \"b\" \\ c", "\n", "é"] {
                let problem = Problem {
                    r#type: "about:blank",
                    title: "Unauthorized",
                    status: status.as_u16(),
                    detail,
                    error: "invalid_token",
                    reason: "expired",
                };
                let library = serde_json::to_string(&problem).unwrap();
                let body = String::from_utf8(problem.body(&status)).unwrap();
                assert_eq!(body, library);
            }
        }
    }
}
