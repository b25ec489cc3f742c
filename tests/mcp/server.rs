//! A server that runs whatever reaches it, behind the layer.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum_entra::guard::RequireScope;
use axum_entra::mcp::{AnyToken, ToolGuards};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::token::{authority, built, mint, with};

/// The session id of the server, which the layer signs.
pub(crate) const INNER: &str = "inner-session.1";

/// What reached the server.
#[derive(Clone, Default)]
pub(crate) struct Reached(Arc<Mutex<Vec<(HeaderMap, String)>>>);

impl Reached {
    pub(crate) fn take(&self) -> Vec<(HeaderMap, String)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// The routes of the attacks.
pub(crate) fn router(reached: &Reached) -> Router {
    guarded(reached, guards())
}

pub(crate) fn guards() -> ToolGuards {
    ToolGuards::new()
        .tool("whoami", AnyToken)
        .tool("list_todos", RequireScope("Todo.Read"))
        .tool("delete_all", RequireScope("Todo.ReadWrite"))
}

pub(crate) fn guarded(reached: &Reached, guards: ToolGuards) -> Router {
    let reached = reached.clone();
    let handler = move |headers: HeaderMap, body: String| {
        reached.0.lock().unwrap().push((headers, body));
        async { [("mcp-session-id", INNER)].into_response() }
    };
    let entra = built(authority());
    Router::new()
        .route("/mcp", any(handler))
        .layer(guards)
        .layer(entra.layer())
}

/// A token of a person by a client, with the scope `Todo.Read`.
pub(crate) fn token_of(oid: &str, client: &str) -> String {
    mint(&with(
        json!({ "scp": "Todo.Read", "oid": oid, "azp": client }),
    ))
}

pub(crate) const ALICE: &str = "690222be-ff1a-4d56-abd1-7e4f7d38e474";
pub(crate) const BOB: &str = "690222be-ff1a-4d56-abd1-7e4f7d38e475";
pub(crate) const CLIENT: &str = "75dbe77f-10a3-4e59-85fd-8c127544f17c";
pub(crate) const OTHER_CLIENT: &str = "75dbe77f-10a3-4e59-85fd-8c127544f17d";

/// An answer as a client sees it.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self {
            status: head.status,
            headers: head.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }

    pub(crate) fn challenge(&self) -> Option<&str> {
        self.headers.get("www-authenticate")?.to_str().ok()
    }
}

pub(crate) fn request(method: &Method, token: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri("/mcp")
        .header("authorization", format!("Bearer {token}"))
        .body(body.into())
        .unwrap()
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    Answer::of(router.clone().oneshot(request).await.unwrap()).await
}
