//! When an event happened: what it ends, and what a repetition of it ends.

use serde_json::{Value, json};

use crate::house::{House, NOON};
use crate::open_streams::{ends, open, stays};
use crate::told::{event, listening, log_out, logout, push};

use entra_emulator::{ALICE, CONTOSO};

fn alice(house: &House) -> Value {
    json!({ "format": "iss_sub", "iss": house.emulator.issuer(CONTOSO), "sub": ALICE })
}

#[tokio::test]
async fn the_time_of_an_event_is_its_own_else_its_messages() {
    const T: u64 = NOON - 1_000;
    let table = [
        (
            "its own",
            json!({ "event_timestamp": T }),
            Some(NOON - 50),
            T,
        ),
        ("of the message", json!({}), Some(T), T),
        ("null", json!({ "event_timestamp": null }), Some(T), T),
        ("no time at all", json!({}), None, NOON),
        (
            "after its message",
            json!({ "event_timestamp": NOON + 300 }),
            None,
            NOON + 300,
        ),
        (
            "too far ahead",
            json!({ "event_timestamp": NOON + 301 }),
            None,
            NOON,
        ),
        (
            "milliseconds",
            json!({ "event_timestamp": NOON * 1_000 }),
            None,
            NOON,
        ),
    ];
    for (name, body, toe, cut_off) in table {
        let house = listening().await;
        let mut message = event(&house, "session-revoked", &alice(&house), &body);
        if let Some(toe) = toe {
            message = message.claim("toe", toe);
        }
        assert_eq!(push(&house, message).await.status, 202, "{name}");
        let before = house.token(cut_off - 1).mint();
        let at = house.token(cut_off.min(NOON + 300)).mint();
        assert_eq!(
            house.get("/me", &before).await.of(),
            (401, "revoked"),
            "{name}"
        );
        assert_eq!(house.get("/me", &at).await.of(), (200, "in"), "{name}");
    }
}

#[tokio::test]
async fn an_event_that_comes_again_ends_nothing_newer() {
    for body in [json!({}), json!({ "event_timestamp": NOON + 100_000 })] {
        let house = listening().await;
        let message = event(&house, "session-revoked", &alice(&house), &body);
        let old = house.token(NOON - 1).mint();
        let mut stream = open(&house, &old).await;
        assert_eq!(push(&house, message.clone()).await.status, 202);
        assert!(ends(&mut stream).await, "as it comes first");
        house.at(NOON + 1_000);
        let new = house.token(NOON + 1_000).mint();
        let mut stream = open(&house, &new).await;
        for _ in 0..3 {
            assert_eq!(push(&house, message.clone()).await.status, 202);
            assert!(stays(&mut stream).await);
            assert_eq!(house.get("/me", &new).await.of(), (200, "in"));
        }
        assert_eq!(house.get("/me", &old).await.of(), (401, "revoked"));
    }
}

#[tokio::test]
async fn an_event_of_last_year_ends_nothing_here() {
    // Nothing is known of it any more, or not yet: the process began after it.
    let house = listening().await;
    let long_ago = NOON - 365 * 86_400;
    let message = event(&house, "session-revoked", &alice(&house), &json!({}));
    let message = message.claim("iat", long_ago);
    let token = house.token(NOON - 1).mint();
    let mut stream = open(&house, &token).await;
    for _ in 0..2 {
        assert_eq!(push(&house, message.clone()).await.status, 202);
        assert!(stays(&mut stream).await);
    }
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_logout_ends_its_own_session_s_streams_each_time_and_no_others() {
    let house = House::open().await;
    let of = |sid: &str| house.token(NOON - 1).claim("sid", sid).mint();
    let mut own = open(&house, &of("s-1")).await;
    let mut other = open(&house, &of("s-2")).await;
    for _ in 0..2 {
        assert_eq!(log_out(&house, logout(&house)).await.status, 200);
        assert!(stays(&mut other).await);
    }
    assert!(ends(&mut own).await);
}

#[tokio::test]
async fn a_logout_token_was_issued_later_than_it_says() {
    let emulator = entra_emulator::Emulator::start().await.unwrap();
    let house = House::described(emulator, |authority| authority, |builder| builder).await;
    let issued = |time: u64| house.token(time - 300).expires_at(time + 3_600);
    let (before, after) = (issued(NOON - 101).mint(), issued(NOON - 100).mint());
    let token = logout(&house).without("sid").claim("iat", NOON - 400);
    assert_eq!(log_out(&house, token).await.status, 200);
    assert_eq!(house.get("/me", &before).await.of(), (401, "revoked"));
    assert_eq!(house.get("/me", &after).await.of(), (200, "in"));
}
