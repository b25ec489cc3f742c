//! The gallery's routes that the table names, in this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::routing::get;
use axum_entra::guard::{
    DenyGuests, RequireAccountId, RequireAppOnly, RequireAuthContext, RequireClientAuthMethod,
    RequireGroup, RequireMaxAge, RequireMfa, RequireRole, RequireScope, RequireUser,
};
use axum_entra::{ClientAuthMethod, Entra};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::forge::Made;
use crate::row::Row;

#[derive(Clone, Default)]
pub(crate) struct Runs(Arc<AtomicUsize>);

impl Runs {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) fn router(entra: &Entra) -> (Router, Runs) {
    let runs = Runs::default();
    let counted = runs.clone();
    let me = move || {
        let runs = counted.clone();
        get(move || async move {
            runs.0.fetch_add(1, Ordering::SeqCst);
        })
    };
    let guarded = Router::new()
        .route("/me", me())
        .route("/scope", me().layer(RequireScope("access_as_user")))
        .route("/role", me().layer(RequireRole("Task Admin")))
        .route("/role-task", me().layer(RequireRole("Task")))
        .route(
            "/group",
            me().layer(RequireGroup("aaaaaaaa-0000-4000-8000-000000000001")),
        )
        .route("/user-only", me().layer(RequireUser))
        .route("/app-only", me().layer(RequireAppOnly))
        .route(
            "/confidential-client",
            me().layer(RequireClientAuthMethod(ClientAuthMethod::Secret)),
        )
        .route("/mfa", me().layer(RequireMfa))
        .route("/auth-context", me().layer(RequireAuthContext("c1")))
        .route("/no-guests", me().layer(DenyGuests))
        .route(
            "/fresh",
            me().layer(RequireMaxAge(Duration::from_secs(600))),
        )
        .route("/identity", me().layer(RequireAccountId))
        .route_layer(entra.layer());
    let optional = Router::new()
        .route("/optional", me())
        .route_layer(entra.layer().optional());
    (guarded.merge(optional), runs)
}

pub(crate) async fn send(router: &Router, made: &Made, row: &Row) -> Answer {
    let uri = format!("{}?{}", row.path, made.query);
    let mut request = Request::builder().uri(uri);
    for value in &made.headers {
        request = request.header(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
    }
    let request = request.body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8_lossy(&bytes).into_owned(),
    }
}
