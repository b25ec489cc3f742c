//! What stays open ends with its account's tokens: Server-Sent Events over an `TokenExpiry`.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::body::HttpBody as _;
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use axum::response::sse::{Event, Sse};
use axum::{Router, routing::get};
use axum_entra::{Claims, TokenExpiry};
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use tokio::time::timeout;
use tokio_stream::{once, pending};
use tower::ServiceExt as _;

use crate::house::{House, NOON, at};

/// Opens a stream of one event that would never end by itself, and reads the event.
pub(crate) async fn open(house: &House, token: &str) -> Body {
    let events = |claims: Claims| async move {
        let first = once(Ok::<_, Infallible>(Event::default().data("first")));
        Sse::new(first.chain(pending()).take_until(TokenExpiry::new(&claims)))
    };
    let app = Router::new()
        .route("/events", get(events))
        .route_layer(house.entra.layer());
    let request = Request::get("/events").header(AUTHORIZATION, format!("Bearer {token}"));
    let request = request.body(Body::empty()).unwrap();
    let mut body = app.oneshot(request).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.starts_with(b"data: first"));
    body
}

pub(crate) async fn ends(body: &mut Body) -> bool {
    let end = timeout(Duration::from_secs(5), body.frame()).await;
    end.expect("it stays open").is_none()
}

pub(crate) async fn stays(body: &mut Body) -> bool {
    tokio::task::yield_now().await;
    poll_fn(|context| Poll::Ready(Pin::new(&mut *body).poll_frame(context).is_pending())).await
}

#[tokio::test]
async fn a_revocation_ends_the_streams_of_its_account_only() {
    let house = House::open().await;
    let (alice, bob) = (
        house.token(NOON - 1).mint(),
        house.token(NOON - 1).user("bob").mint(),
    );
    let mut hers = open(&house, &alice).await;
    let mut his = open(&house, &bob).await;
    assert!(stays(&mut hers).await && stays(&mut his).await);
    let account = house.key_of(&alice).await;
    house
        .entra
        .revoke_tokens_issued_before(&account, at(NOON))
        .await
        .unwrap();
    assert!(ends(&mut hers).await);
    assert!(stays(&mut his).await);
}

#[tokio::test]
async fn a_cut_off_before_the_token_was_issued_ends_nothing() {
    let house = House::open().await;
    let token = house.token(NOON - 1).mint();
    let mut stream = open(&house, &token).await;
    let account = house.key_of(&token).await;
    house
        .entra
        .revoke_tokens_issued_before(&account, at(NOON - 2))
        .await
        .unwrap();
    assert!(stays(&mut stream).await);
    house
        .entra
        .revoke_tokens_issued_before(&account, at(NOON))
        .await
        .unwrap();
    assert!(ends(&mut stream).await);
}

#[tokio::test]
async fn a_sign_out_ends_what_was_open_and_not_what_is_opened_later() {
    let house = House::open().await;
    let (alice, bob) = (
        house.token(NOON - 1).mint(),
        house.token(NOON - 1).user("bob").mint(),
    );
    let mut hers = open(&house, &alice).await;
    let mut his = open(&house, &bob).await;
    let account = house.key_of(&alice).await;
    house.entra.remove_account(&account).await;
    assert!(ends(&mut hers).await);
    assert!(stays(&mut his).await);
    // A sign-out revokes nothing.
    let mut again = open(&house, &alice).await;
    assert!(stays(&mut again).await);
    // In the same second.
    house.entra.remove_account(&account).await;
    assert!(ends(&mut again).await);
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_streams() {
    let house = House::open().await;
    let of_session = |id: &str| house.token(NOON - 1).claim("sid", id).mint();
    let mut one = open(&house, &of_session("s-1")).await;
    let mut other = open(&house, &of_session("s-2")).await;
    let claims = house.entra.validate(&of_session("s-1")).await.unwrap();
    let tenant = claims.tenant_id().unwrap();
    house.entra.revoke_session(tenant, "s-1").await.unwrap();
    assert!(ends(&mut one).await);
    assert!(stays(&mut other).await);
}

#[tokio::test]
async fn what_was_revoked_before_its_stream_began_ends_at_once() {
    let house = House::open().await;
    let token = house.token(NOON - 1).mint();
    let claims = house.entra.validate(&token).await.unwrap();
    let account = claims.account_id().unwrap();
    house
        .entra
        .revoke_tokens_issued_before(&account, at(NOON))
        .await
        .unwrap();
    let items: Vec<i32> = tokio_stream::iter([1, 2])
        .take_until(TokenExpiry::new(&claims))
        .collect()
        .await;
    assert!(items.is_empty());
}
