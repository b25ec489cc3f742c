//! Cut-offs are times of the authority's clock, wherever the local one is.

use std::time::{SystemTime, UNIX_EPOCH};

use axum_entra::{Clock, UnixTime};

use crate::house::House;

/// The authority's clock is this machine's; the API's is off by some seconds.
async fn off_by(seconds: i64) -> House {
    let clock =
        Clock::from_fn(move || UnixTime::from_secs(system().saturating_add_signed(seconds)));
    let house = House::open_with(|builder| builder.clock(clock)).await;
    // The first request waits for the keys, whose answer tells the authority's time.
    let token = house.token(system() - 60).user("bob").mint();
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
    let status = house.entra.status();
    let offset = status[0].clock_offset_seconds.unwrap();
    assert!((offset + seconds).abs() <= 3, "{offset}");
    house
}

fn system() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

#[tokio::test]
async fn a_local_clock_that_is_behind_does_not_keep_a_revocation_from_taking_effect() {
    let house = off_by(-120).await;
    let (before, after) = (system() - 1, system() + 20);
    let (before, after) = (house.token(before).mint(), house.token(after).mint());
    assert_eq!(house.get("/me", &before).await.of(), (200, "in"));
    let account = house.key_of(&before).await;
    house.entra.revoke_tokens(&account).await.unwrap();
    assert_eq!(house.get("/me", &before).await.of(), (401, "revoked"));
    assert_eq!(house.get("/me", &after).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_local_clock_that_is_ahead_does_not_refuse_a_new_sign_in() {
    let house = off_by(120).await;
    let (before, after) = (system() - 1, system() + 20);
    let (before, after) = (house.token(before).mint(), house.token(after).mint());
    let account = house.key_of(&before).await;
    house.entra.revoke_tokens(&account).await.unwrap();
    assert_eq!(house.get("/me", &before).await.of(), (401, "revoked"));
    assert_eq!(house.get("/me", &after).await.of(), (200, "in"));
}

#[tokio::test]
async fn an_authority_that_is_behind_by_more_than_the_skew_moves_no_cut_off() {
    let house = off_by(400).await;
    let (before, within) = (system() - 1, system() + 20);
    let (before, within) = (house.token(before).mint(), house.token(within).mint());
    let account = house.key_of(&before).await;
    house.entra.revoke_tokens(&account).await.unwrap();
    // By the local clock both were issued before the revocation.
    for token in [&before, &within] {
        assert_eq!(house.get("/me", token).await.of(), (401, "revoked"));
    }
    let after = house.token(system() + 410).mint();
    assert_eq!(house.get("/me", &after).await.of(), (200, "in"));
}
