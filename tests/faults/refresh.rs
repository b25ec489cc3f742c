//! Trouble in the background: old keys stay, for a bounded time.

use std::time::Duration;

use axum_entra::{Entra, KeyFreshness};

use crate::authority::{Authority, BOTH, Document, FAULTS, Fault, outcome};
use crate::clockwork::{StoppedClock, settle};

fn keys(entra: &Entra) -> usize {
    entra.status()[0].keys[0].count
}

fn has_failed(entra: &Entra) -> bool {
    entra.status()[0].keys[0].last_error.is_some()
}

/// Lets seconds pass until something has come true.
async fn until(clock: &StoppedClock, what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        clock.pass(Duration::from_millis(500)).await;
    }
    panic!("in vain: {what}");
}

async fn is_refreshed_with(clock: &StoppedClock, fault: Fault, document: Document) {
    let what = format!("{fault:?} of {document:?}");
    let authority = Authority::start().await;
    let freshness = KeyFreshness::default().max_stale(Duration::from_secs(7_200));
    let entra = authority.entra(freshness);
    let token = authority.first_token();
    until(clock, &what, || keys(&entra) == 1).await;
    assert_eq!(outcome(&entra, &token).await, "in", "{what}");

    authority.fault(fault, document);
    clock.pass(Duration::from_secs(3_960)).await;
    until(clock, &what, || has_failed(&entra)).await;
    assert_eq!(
        outcome(&entra, &token).await,
        "in",
        "{what}: the old keys stay"
    );

    clock.pass(Duration::from_secs(7_200)).await;
    until(clock, &what, || keys(&entra) == 0).await;
    let answer = entra.validate_at(&token, 1_800_000_000).unwrap_err();
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
            if (fault, document) != (Fault::OtherTenant, Document::Keys) {
                is_refreshed_with(&clock, fault, document).await;
                survived += 1;
            }
        }
    }
    settle().await;
    println!("{survived} faults in the background survived");
    assert_eq!(survived, 33);
}
