//! Each token once: what it is known by, and when it is spent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use axum::routing::get;
use axum_entra::Guarded;
use axum_entra::guard::{Caller, Denied, Guard, OncePerToken};

use crate::house::{House, NOON};

/// A guard that says no twice, and then yes.
#[derive(Clone, Default)]
struct ChangesItsMind(Arc<AtomicUsize>);

impl Guard for ChangesItsMind {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => OncePerToken.check(caller),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_use_that_was_not_the_first_is_no_proof_for_a_further_guard() {
    let house = House::open().await;
    let token = house.token(NOON).header("nonce", "n1").mint();
    assert_eq!(house.get("/replay", &token).await.of(), (200, "in"));
    let app = Router::new()
        .route("/", get(|| async { "in" }))
        .route_layer(OncePerToken)
        .route_layer(Guarded(ChangesItsMind::default()))
        .route_layer(house.entra.layer());
    let request = Request::get("/").header(AUTHORIZATION, format!("Bearer {token}"));
    let answer = house.send(app, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.of(), (401, "replay"));
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
        for path in ["/replay", "/permit", "/once-or-nothing"] {
            let answer = house.get(path, &token).await;
            assert_eq!(answer.status, 403, "{path}");
        }
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
async fn one_request_spends_a_token_once_however_many_guards_ask() {
    let house = House::open().await;
    let token = house.token(NOON).mint();
    assert_eq!(house.get("/twice", &token).await.of(), (200, "in"));
    assert_eq!(house.get("/twice", &token).await.of(), (401, "replay"));
    let token = house.token(NOON).mint();
    assert_eq!(house.get("/permit", &token).await.of(), (200, "in"));
    assert_eq!(house.get("/replay", &token).await.of(), (401, "replay"));
}

#[tokio::test]
async fn a_token_is_not_spent_in_vain() {
    let house = House::open().await;
    let token = house.token(NOON).mint();
    assert_eq!(
        house.get("/once-and-role", &token).await.of(),
        (403, "role")
    );
    assert_eq!(house.get("/once-or-scope", &token).await.of(), (200, "in"));
    assert_eq!(house.get("/once-or-scope", &token).await.of(), (200, "in"));
    assert_eq!(house.get("/replay", &token).await.of(), (200, "in"));
    assert_eq!(
        house.get("/once-and-role", &token).await.of(),
        (403, "role")
    );

    let token = house.token(NOON).mint();
    assert_eq!(
        house.get("/once-or-nothing", &token).await.of(),
        (200, "in")
    );
    // The answer names the alternative that has scopes.
    assert_eq!(
        house.get("/once-or-nothing", &token).await.of(),
        (403, "scope")
    );
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
