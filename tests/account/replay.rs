//! Each token once: what it is known by, and when it is spent.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use axum::routing::get;

use crate::house::{House, NOON};

#[tokio::test]
async fn replay_protection_without_the_layer_or_a_token_fails_closed() {
    let house = House::open().await;
    let token = house.token(NOON).mint();
    let request = |token: &str| {
        let request = Request::get("/").header(AUTHORIZATION, format!("Bearer {token}"));
        request.body(Body::empty()).unwrap()
    };
    let route = || Router::new().route("/", get(|| async { "in" }));
    let bare = route().route_layer(house.entra.replay_protection());
    let answer = house.send(bare, request(&token)).await;
    assert_eq!(answer.of(), (500, "not_configured"));
    let optional = || {
        route()
            .route_layer(house.entra.replay_protection())
            .route_layer(house.entra.layer().optional())
    };
    let anonymous = Request::get("/").body(Body::empty()).unwrap();
    let answer = house.send(optional(), anonymous).await;
    assert_eq!(answer.of(), (401, "missing_token"));
    let answer = house.send(optional(), request(&token)).await;
    assert_eq!(answer.of(), (200, "in"));
}

#[tokio::test]
async fn the_header_nonce_is_good_once() {
    let house = House::open().await;
    let first = house.token(NOON).header("nonce", "n1").mint();
    assert_eq!(house.get("/replay", &first).await.of(), (200, "in"));
    let again = house.get("/replay", &first).await;
    assert_eq!(again.of(), (401, "replay"));
    assert!(again.challenge().contains(r#"error="invalid_token""#));
    // The token is good for what may be repeated.
    assert_eq!(house.get("/me", &first).await.of(), (200, "in"));
    // Another token with the same nonce counts as the same.
    let same = house.token(NOON - 1).header("nonce", "n1").mint();
    assert_eq!(house.get("/replay", &same).await.of(), (401, "replay"));
    let other = house.token(NOON).header("nonce", "n2").mint();
    assert_eq!(house.get("/replay", &other).await.of(), (200, "in"));
}

#[tokio::test]
async fn without_a_nonce_uti_counts_and_without_that_jti() {
    let house = House::open().await;
    let bare = || house.token(NOON).without("uti").without("jti");
    let by_uti = |uti: &str, jti: &str| bare().claim("uti", uti).claim("jti", jti).mint();
    assert_eq!(
        house.get("/replay", &by_uti("u1", "j1")).await.of(),
        (200, "in")
    );
    assert_eq!(
        house.get("/replay", &by_uti("u1", "j2")).await.of(),
        (401, "replay")
    );
    assert_eq!(
        house.get("/replay", &by_uti("u2", "j1")).await.of(),
        (200, "in")
    );
    let by_jti = |jti: &str| bare().claim("jti", jti).mint();
    assert_eq!(house.get("/replay", &by_jti("u1")).await.of(), (200, "in"));
    assert_eq!(
        house.get("/replay", &by_jti("u1")).await.of(),
        (401, "replay")
    );
}

#[tokio::test]
async fn a_token_that_is_known_by_nothing_is_refused() {
    let house = House::open().await;
    let long = "x".repeat(4_097);
    for token in [
        house.token(NOON).without("uti").without("jti").mint(),
        house.token(NOON).claim("uti", "").without("jti").mint(),
        house.token(NOON).claim("uti", long).without("jti").mint(),
        // The claim of that name is another thing.
        house.token(NOON).without("uti").claim("nonce", "n").mint(),
    ] {
        let answer = house.get("/replay", &token).await;
        assert_eq!(answer.of(), (403, "replay"));
        assert_eq!(answer.body["error"], "forbidden");
    }
}

#[tokio::test]
async fn the_record_lasts_as_long_as_the_token() {
    let house = House::open().await;
    let token = house.token(NOON).mint();
    assert_eq!(house.get("/replay", &token).await.of(), (200, "in"));
    // Expired, and within the skew.
    house.at(NOON + 3_600 + 299);
    assert_eq!(house.get("/replay", &token).await.of(), (401, "replay"));
    house.at(NOON + 3_600 + 300);
    assert_eq!(house.get("/replay", &token).await.of(), (401, "expired"));
}

#[tokio::test]
async fn one_request_uses_a_token_once_however_many_layers_ask() {
    let house = House::open().await;
    let token = house.token(NOON).mint();
    assert_eq!(house.get("/twice", &token).await.of(), (200, "in"));
    assert_eq!(house.get("/twice", &token).await.of(), (401, "replay"));
    assert_eq!(house.get("/replay", &token).await.of(), (401, "replay"));
}

#[tokio::test]
async fn a_token_that_a_guard_outside_refuses_is_not_used_up() {
    let house = House::open().await;
    let token = house.token(NOON).mint();
    for _ in 0..2 {
        let answer = house.get("/guard-outside", &token).await;
        assert_eq!(answer.of(), (403, "role"));
    }
    assert_eq!(house.get("/replay", &token).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_permit_in_the_signature_is_asked_after_the_token_is_used_up() {
    let house = House::open().await;
    let token = house.token(NOON).mint();
    let answer = house.get("/guard-inside", &token).await;
    assert_eq!(answer.of(), (403, "role"));
    assert_eq!(house.get("/replay", &token).await.of(), (401, "replay"));
}

#[tokio::test]
async fn of_many_requests_one_passes() {
    let house = House::open().await;
    let token = house.token(NOON).mint();
    let mut passed = 0;
    for _ in 0..50 {
        passed += usize::from(house.get("/replay", &token).await.of() == (200, "in"));
    }
    assert_eq!(passed, 1);
}
