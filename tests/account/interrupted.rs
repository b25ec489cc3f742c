//! Receivers that are interrupted: a sender that hangs up at any point, a hook that panics.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use axum::body::Body;
use axum::http::Request;
use entra_emulator::{ALICE, BOB, CONTOSO};
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;
use tower::ServiceExt as _;

use crate::house::{House, NOON};
use crate::told::{CAEP, event, listening, listening_with, routes};

/// One message about two accounts: each event has its own subject, as before the final framework.
fn about_two(house: &House) -> String {
    let of = |who: &str| {
        let iss = house.emulator.issuer(CONTOSO);
        json!({ "subject": { "format": "iss_sub", "iss": iss, "sub": who } })
    };
    let events = json!({
        format!("{CAEP}session-revoked"): of(ALICE),
        format!("{CAEP}credential-change"): of(BOB),
    });
    let message = event(house, "session-revoked", &Value::Null, &json!({}));
    message.without("sub_id").claim("events", events).mint()
}

/// A request whose body arrives in pieces, each after a pause.
fn in_pieces(text: &str) -> Request<Body> {
    let pieces: Vec<String> = text
        .as_bytes()
        .chunks(text.len() / 3 + 1)
        .map(|piece| String::from_utf8(piece.to_vec()).unwrap())
        .collect();
    let pieces = tokio_stream::iter(pieces).then(async |piece| {
        tokio::task::yield_now().await;
        Ok::<_, std::io::Error>(piece)
    });
    Request::post("/events")
        .header("content-type", "application/secevent+jwt")
        .body(Body::from_stream(pieces))
        .unwrap()
}

/// Polls so many times and drops what is left; the status if it came to an end.
async fn polled(house: &House, request: Request<Body>, times: usize) -> Option<u16> {
    let mut answer = pin!(routes(house).oneshot(request));
    for _ in 0..times {
        let polled = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
        if let Poll::Ready(answer) = polled {
            return Some(answer.unwrap().status().as_u16());
        }
        tokio::task::yield_now().await;
    }
    None
}

async fn are_revoked(house: &House) -> [bool; 2] {
    let reason = async |who: &str| {
        let token = house.token(NOON - 1).user(who).mint();
        house.get("/me", &token).await.of().1 == "revoked"
    };
    [reason("alice").await, reason("bob").await]
}

#[tokio::test]
async fn a_sender_that_hangs_up_anywhere_leaves_nothing_half_done() {
    let house = listening().await;
    let message = about_two(&house);
    let mut times = 0;
    loop {
        let told = polled(&house, in_pieces(&message), times).await;
        let revoked = are_revoked(&house).await;
        assert_eq!(revoked[0], revoked[1], "{times}");
        if let Some(status) = told {
            assert_eq!((status, revoked), (202, [true, true]));
            break;
        }
        times += 1;
        assert!(times < 1_000);
    }
    assert!(times > 2, "there are awaits to be interrupted at");
}

#[tokio::test]
async fn a_hook_that_panics_keeps_no_mark_from_being_set() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let house = listening_with(|builder| {
        builder
            .on_sign_out(|_| panic!("the application's own"))
            .on_sign_out(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
            })
    })
    .await;
    let message = about_two(&house);
    let told = polled(&house, in_pieces(&message), 1_000).await;
    assert_eq!(told, Some(202));
    assert_eq!(are_revoked(&house).await, [true, true]);
    assert!(
        calls.load(Ordering::SeqCst) >= 2,
        "the other hook is called"
    );
    // The endpoints go on.
    let told = polled(&house, in_pieces(&message), 1_000).await;
    assert_eq!(told, Some(202));
}
