//! Errors in Graph's words (Microsoft, graph/errors).

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{aadsts::utc, authority::unix_now, seeds};

/// One error: a status, a code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GraphError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl GraphError {
    /// No token, or one that is not for Graph: 401.
    pub(super) fn invalid_token(message: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationToken",
            message,
        )
    }

    /// A good token without the permission: 403.
    pub(super) fn denied() -> Self {
        let message = "Insufficient privileges to complete the operation.";
        Self::new(
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            message,
        )
    }

    /// The object does not exist in the caller's tenant: 404.
    pub(super) fn not_found(id: &str) -> Self {
        let message = format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are not \
             present."
        );
        Self::new(StatusCode::NOT_FOUND, "Request_ResourceNotFound", &message)
    }

    pub(super) fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn bad_directory_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
    }

    pub(super) fn unsupported_query(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", message)
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "Specified HTTP method is not allowed for the request target.";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "Request_BadRequest",
            message,
        )
    }

    /// More than 11,000 ids: 400.
    pub(super) fn too_many_results() -> Self {
        let message = "The result size exceeds the maximum limit of 11000 objects.";
        Self::new(
            StatusCode::BAD_REQUEST,
            "Directory_ResultSizeLimitExceeded",
            message,
        )
    }

    /// What an outage answers.
    pub(crate) fn out_of_order(status: StatusCode) -> Self {
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                Self::new(status, "TooManyRequests", "Too many requests.")
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                Self::new(status, "ServiceNotAvailable", "The service is unavailable.")
            }
            StatusCode::GATEWAY_TIMEOUT => Self::new(status, "GatewayTimeout", "Timed out."),
            StatusCode::FORBIDDEN => Self::denied(),
            StatusCode::NOT_FOUND => Self::not_found("?"),
            other => Self::new(other, "UnknownError", ""),
        }
    }

    fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
        }
    }

    /// The answer, for the emulator at that base address.
    pub(crate) fn into_response_at(self, base: &str) -> Response {
        let id = seeds::fresh_id().to_string();
        let date = utc(unix_now(), 'T');
        let body = json!({
            "error": {
                "code": self.code,
                "message": self.message,
                "innerError": {
                    "date": date.trim_end_matches('Z'),
                    "request-id": id,
                    "client-request-id": id,
                },
            },
        });
        let mut response = (self.status, [("request-id", id)], axum::Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = format!(
                "Bearer realm=\"\", authorization_uri=\"{base}/common/oauth2/authorize\", \
                 client_id=\"{}\"",
                seeds::MICROSOFT_GRAPH,
            );
            if let Ok(challenge) = challenge.parse() {
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, challenge);
            }
        }
        response
    }
}
