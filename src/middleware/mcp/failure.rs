//! Requests that are no Model Context Protocol messages, and sessions that are another's.

use std::sync::Arc;

use axum_core::body::Body;
use axum_core::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::json;
use serde_json::value::RawValue;

/// What is wrong with a request before, or after, its guards are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::middleware) enum McpFailure {
    /// `Content-Encoding`.
    Encoded,
    TooLong,
    /// No JSON-RPC, or a form of it that the version does not have.
    Body,
    /// Headers that are missing, doubled, or differ from the body.
    Headers {
        /// The id of the request, as it was written.
        id: Option<String>,
        unsupported: Option<UnsupportedVersion>,
    },
    SessionNotFound,
}

/// A version that is none, and those that there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::middleware) struct UnsupportedVersion {
    pub(super) supported: Arc<[String]>,
    pub(super) requested: String,
}

impl McpFailure {
    pub(super) fn headers(id: Option<&RawValue>, unsupported: Option<UnsupportedVersion>) -> Self {
        Self::Headers {
            id: id.map(|id| id.get().to_owned()),
            unsupported,
        }
    }

    pub(in crate::middleware) const fn status(&self) -> StatusCode {
        match self {
            Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Body | Self::Headers { .. } => StatusCode::BAD_REQUEST,
            Self::SessionNotFound => StatusCode::NOT_FOUND,
        }
    }

    pub(in crate::middleware) const fn error(&self) -> &'static str {
        match self {
            Self::SessionNotFound => "not_found",
            _ => "invalid_request",
        }
    }

    pub(in crate::middleware) const fn reason(&self) -> &'static str {
        match self {
            Self::Encoded | Self::TooLong => "invalid_body",
            Self::Body => "mcp_body",
            Self::Headers { .. } => "mcp_headers",
            Self::SessionNotFound => "not_found",
        }
    }

    pub(in crate::middleware) const fn sentence(&self) -> &'static str {
        match self {
            Self::Encoded => "The body must have no content coding.",
            Self::TooLong => "The body is longer than 1 MiB.",
            Self::Body => {
                "The body is not one JSON-RPC 2.0 message with each member once, as this version \
                 of the protocol has them."
            }
            Self::Headers { .. } => {
                "MCP-Protocol-Version, Mcp-Method or Mcp-Name is missing, there twice, or differs \
                 from the body."
            }
            Self::SessionNotFound => "This session does not exist.",
        }
    }

    /// The JSON-RPC error that the protocol has for headers (MCP 2026-07-28, "Standard request
    /// headers"); `None` where a problem body is the answer.
    pub(in crate::middleware) fn json_rpc_response(&self) -> Option<Response> {
        let Self::Headers { id, unsupported } = self else {
            return None;
        };
        let mut data = json!({ "error": self.error(), "reason": self.reason() });
        if let (Some(version), Some(data)) = (unsupported, data.as_object_mut()) {
            data.insert("supported".to_owned(), json!(&*version.supported));
            data.insert("requested".to_owned(), json!(version.requested));
        }
        let error = json!({ "code": HEADER_MISMATCH, "message": self.sentence(), "data": data });
        // The id is put there as it was written; it was read before.
        let id = id.as_deref().unwrap_or("null");
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        Some(response)
    }
}

const HEADER_MISMATCH: i32 = -32020;
