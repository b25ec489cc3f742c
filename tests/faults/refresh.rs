//! Trouble in the background: old keys stay, for a bounded time.

use std::time::Duration;

use axum_entra::{Entra, JwksRefresh, Tenant, TokenVersion, UnixTime};
use entra_emulator::{API_ID, CONTOSO, Emulator, Endpoint, Fault};

use crate::authority::{Authority, BOTH, BadAnswer, Document, FAULTS, outcome};
use crate::clock::{StoppedClock, settle};

fn keys(entra: &Entra) -> usize {
    entra.status()[0].jwks[0].key_count
}

fn has_failed(entra: &Entra) -> bool {
    entra.status()[0].jwks[0].last_error.is_some()
}

/// Lets seconds pass until something has come true.
async fn until(clock: &StoppedClock, what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        clock.pass(Duration::from_millis(500)).await;
    }
    panic!("timed out: {what}");
}

async fn is_refreshed_with(clock: &StoppedClock, fault: BadAnswer, document: Document) {
    let what = format!("{fault:?} of {document:?}");
    let authority = Authority::start().await;
    let freshness = JwksRefresh::default().max_stale(Duration::from_secs(7_200));
    let entra = authority.entra(freshness);
    let token = authority.first_token();
    until(clock, &what, || keys(&entra) == 1).await;
    assert_eq!(outcome(&entra, &token).await, "in", "{what}");

    authority.fault(fault, document);
    clock.pass(Duration::from_secs(3_600)).await;
    until(clock, &what, || has_failed(&entra)).await;
    assert_eq!(
        outcome(&entra, &token).await,
        "in",
        "{what}: the old keys stay"
    );

    clock.pass(Duration::from_secs(7_200)).await;
    until(clock, &what, || keys(&entra) == 0).await;
    let answer = entra
        .validate_at(&token, UnixTime::from_secs(1_800_000_000))
        .unwrap_err();
    assert_eq!(answer.reason(), "keys_unavailable", "{what}: too old");

    authority.repair();
    until(clock, &what, || keys(&entra) == 1).await;
    assert_eq!(outcome(&entra, &token).await, "in", "{what}: back again");
}

#[tokio::test]
async fn an_authority_in_trouble_in_the_background_costs_nothing_until_the_keys_are_too_old() {
    // The clock stands still but for what is passed by hand; sockets work as ever.
    let clock = StoppedClock::new();
    let mut survived = 0;
    for fault in FAULTS {
        for document in BOTH {
            if (fault, document) != (BadAnswer::OtherTenant, Document::Keys) {
                is_refreshed_with(&clock, fault, document).await;
                survived += 1;
            }
        }
    }
    settle().await;
    println!("{survived} faults in the background survived");
    assert_eq!(survived, 33);
}

#[tokio::test]
async fn keys_that_become_too_old_while_a_fetch_hangs_are_withdrawn_at_that_moment() {
    let clock = StoppedClock::new();
    let minute = Duration::from_secs(60);
    let freshness = JwksRefresh::default()
        .interval(minute)
        .max_stale(2 * minute)
        .timeout(Duration::from_secs(600));
    for document in BOTH {
        let authority = Authority::start().await;
        let entra = authority.entra(freshness);
        let token = authority.first_token();
        until(&clock, "the start", || keys(&entra) == 1).await;
        authority.fault(BadAnswer::Hang, document);
        let asked = authority.asked();
        // Refreshed at nine tenths of a minute; that fetch hangs for ten.
        clock.pass(Duration::from_secs(57)).await;
        until(&clock, "the refresh", || authority.asked() > asked).await;
        assert_eq!(outcome(&entra, &token).await, "in", "{document:?}");
        clock.pass(Duration::from_secs(63)).await;
        until(&clock, "the withdrawal", || keys(&entra) == 0).await;
        assert!(!has_failed(&entra), "the fetch still hangs");
        assert_eq!(
            outcome(&entra, &token).await,
            "keys_unavailable",
            "{document:?}"
        );
        authority.repair();
        clock.pass(Duration::from_secs(1_200)).await;
        until(&clock, "good again", || keys(&entra) == 1).await;
        assert_eq!(outcome(&entra, &token).await, "in", "{document:?}");
    }
}

#[tokio::test]
async fn keys_that_were_withdrawn_while_the_authority_was_slow_to_say_unchanged_are_back() {
    let clock = StoppedClock::new();
    let minute = Duration::from_secs(60);
    let freshness = JwksRefresh::default()
        .interval(minute)
        .max_stale(2 * minute)
        .timeout(Duration::from_secs(600));
    let emulator = Emulator::start().await.unwrap();
    let authority = axum_entra::Authority::entra(Tenant::new(CONTOSO), API_ID)
        .instance(emulator.url())
        .token_versions([TokenVersion::V2])
        .jwks_refresh(freshness);
    let entra = Entra::builder_for(authority).build().unwrap();
    let token = emulator.token().scope("x").mint();
    until(&clock, "the start", || keys(&entra) > 0).await;
    let fetched = emulator.request_counts().keys;
    emulator.inject_fault_at(Endpoint::Keys, Fault::Slow(Duration::from_secs(90)));
    clock.pass(Duration::from_secs(57)).await;
    until(&clock, "the refresh", || {
        emulator.request_counts().keys > fetched
    })
    .await;
    until(&clock, "the withdrawal", || keys(&entra) == 0).await;
    assert_eq!(outcome(&entra, &token).await, "keys_unavailable");
    until(&clock, "the answer", || keys(&entra) > 0).await;
    assert_eq!(outcome(&entra, &token).await, "in");
    assert_eq!(
        emulator.request_counts().keys,
        fetched + 1,
        "by one answer, which was 304"
    );
}
