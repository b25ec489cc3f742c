//! Checks of the application's own that need more than the token.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum_entra::guard::{Denied, RequireScope};
use axum_entra::middleware::{CheckError, check_fn, check_fn_with_state};
use axum_entra::{Claims, Clock, Entra, Rejection, UnixTime, Uuid};
use serde_json::json;

use crate::service::{Answer, Runs, fetch, fetch_grpc};
use crate::token::{T0, authority, built, good, mint, with};

/// The object id of each list's owner.
type Owners = Arc<BTreeMap<u64, Uuid>>;

const OWNER: &str = "690222be-ff1a-4d56-abd1-7e4f7d38e474";

async fn owns_list(
    claims: Claims,
    Path(list): Path<u64>,
    State(owners): State<Owners>,
) -> Result<(), Rejection> {
    // A database would be awaited here.
    tokio::task::yield_now().await;
    match owners.get(&list) {
        Some(owner) if claims.object_id() == Some(*owner) => Ok(()),
        Some(_) => Err(Rejection::forbidden(&claims, "not_the_owner")),
        None => Err(Rejection::undecided(&claims, "database_unavailable")),
    }
}

fn lists(entra: &Entra, runs: &Runs) -> Router {
    let owners = Arc::new(BTreeMap::from([
        (1, OWNER.parse().unwrap()),
        (2, Uuid::nil()),
    ]));
    Router::new()
        .route("/lists/{id}", runs.any_handler())
        .route_layer(check_fn_with_state(owners, owns_list))
        .route_layer(RequireScope("access_as_user"))
        .route_layer(entra.layer())
}

#[tokio::test]
async fn a_check_decides_by_claims_path_and_state() {
    let (entra, runs) = (built(authority()), Runs::default());
    let app = lists(&entra, &runs);
    let token = mint(&good());
    assert_eq!(
        fetch(&app, "/lists/1", &token).await.brief(),
        (200, "in".into())
    );
    let refused = fetch(&app, "/lists/2", &token).await;
    assert_eq!(refused.brief(), (403, "not_the_owner".into()));
    let undecided = fetch(&app, "/lists/3", &token).await;
    assert_eq!(undecided.brief(), (503, "database_unavailable".into()));
    assert_eq!(undecided.member("error"), "temporarily_unavailable");
    assert_eq!(
        (undecided.header("retry-after"), undecided.challenge()),
        (Some("5"), None)
    );
    // What an extractor refuses is answered as it says.
    assert_eq!(
        fetch(&app, "/lists/x", &token).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_check_comes_after_the_token_and_the_guards() {
    let (entra, runs) = (built(authority()), Runs::default());
    let app = lists(&entra, &runs);
    assert_eq!(
        fetch(&app, "/lists/2", "").await.brief(),
        (401, "missing_token".into())
    );
    let other = mint(&with(json!({ "scp": "other" })));
    assert_eq!(
        fetch(&app, "/lists/2", &other).await.brief(),
        (403, "scope".into())
    );
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn a_check_without_claims_fails_closed() {
    async fn anyone() -> Result<(), Rejection> {
        Ok(())
    }
    let (entra, runs) = (built(authority()), Runs::default());
    let checked = || {
        Router::new()
            .route("/", runs.handler())
            .route_layer(check_fn(anyone))
    };
    let token = mint(&good());
    let answer = fetch(&checked(), "/", &token).await;
    assert_eq!(answer.brief(), (500, "not_configured".into()));
    let optional = checked().route_layer(entra.layer().optional());
    assert_eq!(
        fetch(&optional, "/", "").await.brief(),
        (401, "missing_token".into())
    );
    assert_eq!(runs.count(), 0);
    assert_eq!(fetch(&optional, "/", &token).await.status, 200);
}

/// What a refusal of a built-in guard and one of the application have in common.
fn form(answer: &Answer) -> (u16, String, Option<&str>, Option<&str>, Option<&str>) {
    (
        answer.status.as_u16(),
        answer.member("error"),
        answer.challenge(),
        answer.header("content-type"),
        answer.header("x-hook"),
    )
}

#[tokio::test]
async fn a_refusal_of_ones_own_has_the_form_of_a_guards_refusal() {
    let entra = Entra::builder_for(authority())
        .clock(Clock::from_fn(|| UnixTime::from_secs(T0)))
        .resource("https://api.example.com/a")
        .resource("https://api.example.com/b")
        .map_rejection(|rejection, mut response| {
            let reason = rejection.reason().parse().unwrap();
            response.headers_mut().append("x-hook", reason);
            response
        })
        .build()
        .unwrap();
    async fn by_rejection(claims: Claims) -> Result<(), Rejection> {
        Err(Rejection::forbidden(&claims, "closed"))
    }
    async fn by_denied() -> Result<(), Denied<'static>> {
        Err(Denied::custom("closed"))
    }
    async fn by_response() -> Result<(), CheckError> {
        Err(StatusCode::IM_A_TEAPOT.into_response().into())
    }
    let closed = axum_entra::guard::from_fn(|_| Err(Denied::custom("closed")));
    let ok = || async { "in" };
    let handler = |claims: Claims| async move { Rejection::forbidden(&claims, "closed") };
    let routes = Router::new()
        .route("/guard", get(ok).post(ok).layer(closed))
        .route("/rejection", get(ok).post(ok).layer(check_fn(by_rejection)))
        .route("/denied", get(ok).post(ok).layer(check_fn(by_denied)))
        .route("/handler", get(handler))
        .route("/response", get(ok).layer(check_fn(by_response)));
    let app = Router::new()
        .nest("/a", routes.clone())
        .nest("/b", routes)
        .route_layer(entra.layer());
    let token = mint(&good());
    for resource in ["/a", "/b"] {
        let guard = fetch(&app, &format!("{resource}/guard"), &token).await;
        assert_eq!(guard.header("x-hook"), Some("closed"));
        assert!(
            guard
                .challenge()
                .unwrap()
                .contains(&format!("{resource}\"")),
            "{guard:?}"
        );
        for path in ["/rejection", "/denied"] {
            let own = fetch(&app, &format!("{resource}{path}"), &token).await;
            assert_eq!(
                (form(&own), own.body()),
                (form(&guard), guard.body()),
                "{path}"
            );
            assert!(own.rejection.is_some());
            let (grpc, expected) = (
                fetch_grpc(
                    &app,
                    &format!("{resource}{path}"),
                    "application/grpc",
                    &token,
                )
                .await,
                fetch_grpc(
                    &app,
                    &format!("{resource}/guard"),
                    "application/grpc",
                    &token,
                )
                .await,
            );
            assert_eq!(grpc.header("grpc-status"), Some("7"));
            assert_eq!(form(&grpc), form(&expected));
        }
    }
    let guard = fetch(&app, "/a/guard", &token).await;
    let handler = fetch(&app, "/a/handler", &token).await;
    assert_eq!(
        (form(&handler), handler.body()),
        (form(&guard), guard.body())
    );
    let response = fetch(&app, "/a/response", &token).await;
    assert_eq!(response.status, StatusCode::IM_A_TEAPOT);
    assert!(!response.headers.contains_key(header::WWW_AUTHENTICATE));
}
