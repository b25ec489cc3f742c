//! Microsoft Graph, as far as memberships and sign-in sessions go.
//!
//! It is served under `/graph/v1.0` and `/graph/beta`, takes the emulator's own tokens for Graph
//! only, and checks their permissions. It does not check directory roles: a delegated permission is
//! enough.

mod caller;
mod graph_error;
mod memberships;
mod path;
mod sessions;

use axum::{
    body::Bytes,
    extract::{Path, Query},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

pub(super) use self::graph_error::GraphError;
use self::{
    caller::Caller,
    path::{Action, Target},
};
use super::{authority::Authority, seeds, server::Shared, token_request::Fields};

/// Every address under `/graph/{version}/`.
pub(super) async fn answer(
    authority: Shared,
    method: Method,
    Path((version, path)): Path<(String, String)>,
    Query(query): Query<Fields>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Request {
        authority: &authority,
        method: &method,
        version: &version,
        query: &query,
        headers: &headers,
        body: &body,
    };
    match request.answer(&path) {
        Ok(Answer::Json(value)) => {
            let headers = [
                (header::CONTENT_TYPE.as_str(), JSON.to_owned()),
                ("request-id", seeds::fresh_id().to_string()),
            ];
            (headers, value.to_string()).into_response()
        }
        Ok(Answer::Nothing) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response_at(&authority.base),
    }
}

/// One request, before it is known what it asks.
pub(super) struct Request<'a> {
    authority: &'a Authority,
    method: &'a Method,
    version: &'a str,
    query: &'a Fields,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

enum Answer {
    Json(Value),
    Nothing,
}

impl Request<'_> {
    fn answer(&self, path: &str) -> Result<Answer, GraphError> {
        let caller = Caller::of(self.authority, self.headers)?;
        if !matches!(self.version, "v1.0" | "beta") {
            return Err(GraphError::bad_request("Invalid version."));
        }
        let (target, action) = path::read(self.authority, &caller, path, self.version)?;
        if *self.method != action.method() {
            return Err(GraphError::method_not_allowed());
        }
        caller.may(action, &target)?;
        // Like Graph, it checks the permission before it checks that the account exists.
        let target = target?;
        match action {
            Action::CheckMemberGroups => memberships::check(self, &target, false),
            Action::CheckMemberObjects => memberships::check(self, &target, true),
            Action::GetMemberGroups => memberships::list(self, &target, false),
            Action::GetMemberObjects => memberships::list(self, &target, true),
            Action::TransitiveMemberOf { groups_only } => {
                memberships::page(self, path, &target, groups_only)
            }
            Action::Read => sessions::read(self, &target),
            Action::RevokeSignInSessions | Action::InvalidateAllRefreshTokens => {
                sessions::revoke(self, &target, action)
            }
        }
    }

    /// The JSON object in the body.
    fn object(&self) -> Result<serde_json::Map<String, Value>, GraphError> {
        serde_json::from_slice(self.body).map_err(|_| {
            GraphError::bad_request(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and \
                 payload is of valid JSON format.",
            )
        })
    }

    fn context(&self, of: &str) -> String {
        let base = &self.authority.base;
        format!("{base}/graph/{}/$metadata#{of}", self.version)
    }
}

impl Target<'_> {
    fn object_id(&self) -> &str {
        match self {
            Self::User(user) => &user.object_id,
            Self::ServicePrincipal(app) => &app.object_id,
        }
    }
}

const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;\
                    IEEE754Compatible=false;charset=utf-8";
