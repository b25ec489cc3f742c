//! Receivers of events and sign-outs beside a store that answers, hangs or counts.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum_entra::{RedisStore, SecurityEventTransmitter, StoreFailurePolicy};
use entra_emulator::{CONTOSO, Emulator};
use serde_json::json;
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::replica::{Replica, account, eventually, now, object, token};
use crate::server::{Server, server};

const AUDIENCE: &str = "https://api.example/events";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

/// A replica that lets all tokens pass while it does not follow, and takes events.
fn listening(emulator: &Emulator, server: &Server) -> Replica {
    let signals = SecurityEventTransmitter::new(emulator.issuer(CONTOSO), AUDIENCE)
        .static_jwks(emulator.keys_document().to_string());
    let redis = RedisStore::new(server.url(), StoreFailurePolicy::DangerAllow);
    Replica::built(emulator, redis, |builder| {
        builder.security_event_transmitter(signals)
    })
}

/// One message about the accounts 1 and 2.
fn about_two(emulator: &Emulator) -> Request<Body> {
    let of = |number| {
        let (iss, sub) = (emulator.issuer(CONTOSO), object(number).to_string());
        json!({ "subject": { "format": "iss_sub", "iss": iss, "sub": sub } })
    };
    let events = json!({
        format!("{CAEP}session-revoked"): of(1),
        format!("{CAEP}credential-change"): of(2),
    });
    let message = emulator
        .token()
        .header("typ", "secevent+jwt")
        .issued_at(now())
        .audience(AUDIENCE)
        .without("sub")
        .claim("jti", "j-1")
        .claim("events", events)
        .mint();
    Request::post("/events")
        .header("content-type", "application/secevent+jwt")
        .body(Body::from(message))
        .unwrap()
}

async fn push(replica: &Replica, request: Request<Body>) -> u16 {
    let app = Router::new().route_service("/events", replica.entra.security_event_receiver());
    app.oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_sender_that_hangs_up_while_the_store_hangs_has_everything_done_here_and_later_there() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let one = listening(&emulator, &server);
    let other = listening(&emulator, &server);
    one.follows().await;
    other.follows().await;
    let (first, second) = (token(&emulator, 1, 60), token(&emulator, 2, 60));
    let third = token(&emulator, 3, 60);
    for token in [&first, &second, &third] {
        assert_eq!(one.reason(token).await, "in");
        assert_eq!(other.reason(token).await, "in");
    }
    server.freeze();
    let request = about_two(&emulator);
    let hung_up = timeout(Duration::from_millis(100), push(&one, request)).await;
    assert!(hung_up.is_err(), "the store does not answer");
    assert_eq!(one.reason(&first).await, "revoked");
    assert_eq!(one.reason(&second).await, "revoked");
    assert_eq!(one.reason(&third).await, "in");
    // A sender that stays is told to come again.
    assert_eq!(push(&one, about_two(&emulator)).await, 503);
    server.thaw();
    for token in [&first, &second] {
        eventually("told", async || other.reason(token).await == "revoked").await;
    }
    eventually("taken", async || {
        push(&one, about_two(&emulator)).await == 202
    })
    .await;
    assert_eq!(other.reason(&third).await, "in");
}

#[tokio::test]
async fn two_thousand_sign_outs_with_one_token_are_a_few_events() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let one = listening(&emulator, &server);
    one.follows().await;
    let token = token(&emulator, 1, 60);
    let app = Router::new()
        .route_service("/signout", one.entra.sign_out_service())
        .route_layer(one.entra.layer());
    let start = Instant::now();
    for _ in 0..2_000 {
        let request = Request::post("/signout").header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), 204);
    }
    let seconds = i64::try_from(start.elapsed().as_secs()).unwrap();
    let events = || match server.run(&["XLEN", "{axum-entra}:events"]) {
        redis::Value::Int(count) => count,
        other => panic!("{other:?}"),
    };
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    // Two in the first second and one in each that followed, begun ones too.
    assert!(
        (1..=seconds + 3).contains(&events()),
        "{} in {seconds} s",
        events()
    );
    assert_eq!(one.reason(&token).await, "in");
}

#[tokio::test]
async fn a_subject_that_one_replica_hears_of_is_refused_by_the_other_in_both_versions() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let [one, other] = Replica::pair(&emulator, &server.url(), StoreFailurePolicy::Deny).await;
    let of = |v1: bool, subject: &str| {
        let token = emulator.token().claim("sub", subject).without("oid");
        let token = token.issued_at(crate::replica::now() - 60);
        if v1 { token.v1() } else { token }.mint()
    };
    let claims = one.entra.validate(&of(false, "pairwise-1")).await.unwrap();
    one.entra
        .revoke_tokens(&claims.account_id().unwrap())
        .await
        .unwrap();
    let v1 = of(true, "pairwise-1");
    eventually("told", async || other.reason(&v1).await == "revoked").await;
    assert_eq!(one.reason(&v1).await, "revoked");
    assert_eq!(other.reason(&of(true, "pairwise-2")).await, "in");
    assert_ne!(claims.account_id(), Some(account(1)));
}
