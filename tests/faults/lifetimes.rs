//! Clients that leave, runtimes that end, clocks that jump.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum_entra::{Clock, Entra, JwksRefresh, UnixTime};
use tokio::time::timeout;

use crate::authority::{Authority, BadAnswer, Document, in_the_end, outcome};

fn quick() -> JwksRefresh {
    JwksRefresh::default()
        .timeout(Duration::from_millis(600))
        .unknown_kid_cooldown(Duration::from_secs(1))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_leave_while_they_wait_cost_the_others_nothing() {
    let authority = Authority::start().await;
    let entra = authority.entra(quick());
    in_the_end(&entra, &authority.first_token(), "in", "the start").await;
    authority.roll_over();
    authority.fault(BadAnswer::Hang, Document::Keys);
    let asked = authority.asked();
    let token = authority.second_token();
    let mut waiting = Vec::new();
    for _ in 0..200 {
        let (entra, token) = (entra.clone(), token.clone());
        waiting.push(tokio::spawn(async move { outcome(&entra, &token).await }));
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let rest = waiting.split_off(150);
    for left in waiting {
        left.abort();
    }
    for stays in rest {
        assert_eq!(stays.await.unwrap(), "keys_unavailable");
    }
    // One fetch for all: its discovery document and its key document.
    assert!(
        authority.asked() <= asked + 3,
        "{}",
        authority.asked() - asked
    );
    authority.repair();
    in_the_end(&entra, &token, "in", "after those who left").await;
}

#[test]
fn one_thread_is_enough() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let authority = Authority::start().await;
        let entra = authority.entra(quick());
        in_the_end(&entra, &authority.first_token(), "in", "one thread").await;
        authority.roll_over();
        in_the_end(&entra, &authority.second_token(), "in", "a rollover").await;
    });
}

#[tokio::test]
async fn after_the_last_handle_is_dropped_nothing_is_fetched() {
    let authority = Authority::start().await;
    authority.fault(BadAnswer::Status500, Document::Discovery);
    // An authority that fails is asked again after one second.
    let entra = authority.entra(quick());
    let layer = entra.layer();
    let _ = outcome(&entra, &authority.first_token()).await;
    drop(entra);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let before = authority.asked();
    assert!(before >= 2, "the layer is a reader too: {before}");
    drop(layer);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = authority.asked();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(authority.asked(), before);
}

/// Keys that were fetched on a runtime that has ended, and the authority on one that has not.
fn after_its_runtime() -> (tokio::runtime::Runtime, Authority, Entra) {
    let first = tokio::runtime::Runtime::new().unwrap();
    let second = tokio::runtime::Runtime::new().unwrap();
    let authority = second.block_on(Authority::start());
    let entra = first.block_on(async {
        let entra = authority.entra(quick());
        in_the_end(&entra, &authority.first_token(), "in", "the start").await;
        entra
    });
    // Waits until its tasks are gone: a time limit would leave one that still listens.
    drop(first);
    (second, authority, entra)
}

#[test]
fn a_runtime_that_ends_takes_no_request_with_it() {
    let (second, authority, entra) = after_its_runtime();
    second.block_on(async {
        // The keys are good for as long as keys may be; no task can fetch others.
        assert_eq!(outcome(&entra, &authority.first_token()).await, "in");
        let start = Instant::now();
        let answer = outcome(&entra, &authority.second_token()).await;
        assert_eq!(answer, "unknown_key");
        assert!(start.elapsed() < Duration::from_secs(1), "a stuck request");
    });
}

/// 503 and never 401, by which a client throws a token away.
#[test]
fn keys_that_are_too_old_and_without_their_task_decide_on_no_token() {
    let (_second, authority, entra) = after_its_runtime();
    let later = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    later.block_on(async {
        tokio::time::advance(Duration::from_secs(3 * 86_400)).await;
        let (good, unknown) = (authority.first_token(), authority.second_token());
        let (signed, _) = good.rsplit_once('.').unwrap();
        let (_, signature) = unknown.rsplit_once('.').unwrap();
        let forged = format!("{signed}.{signature}");
        for token in [good, unknown, forged] {
            assert_eq!(outcome(&entra, &token).await, "keys_unavailable");
        }
    });
}

#[test]
fn a_runtime_that_ends_while_requests_wait_answers_them() {
    let first = tokio::runtime::Runtime::new().unwrap();
    let second = tokio::runtime::Runtime::new().unwrap();
    let authority = second.block_on(Authority::start());
    authority.fault(BadAnswer::Hang, Document::Discovery);
    let slow_fetch = Duration::from_secs(60);
    let slow = JwksRefresh::default().timeout(slow_fetch);
    let entra = first.block_on(async { authority.entra(slow) });
    let token = authority.first_token();
    let waits = second.spawn({
        let (entra, token) = (entra.clone(), token.clone());
        async move { outcome(&entra, &token).await }
    });
    // The fetch that the request waits for is under way.
    while authority.asked() == 0 {
        std::thread::yield_now();
    }
    drop(first);
    // Neither the fetch's minute nor for ever.
    let answer = second.block_on(async { timeout(slow_fetch / 2, waits).await });
    assert_eq!(
        answer.expect("a stuck request").unwrap(),
        "keys_unavailable"
    );
}

#[tokio::test]
async fn a_wall_clock_that_jumps_decides_on_tokens_and_not_on_keys() {
    let authority = Authority::start().await;
    let now = Arc::new(AtomicU64::new(1_800_000_000));
    let clock = Arc::clone(&now);
    let entra = Entra::builder_for(authority.described(quick()))
        .clock(Clock::from_fn(move || {
            UnixTime::from_secs(clock.load(Ordering::SeqCst))
        }))
        .build()
        .unwrap();
    let token = authority.first_token();
    in_the_end(&entra, &token, "in", "the start").await;
    let asked = authority.asked();
    for (jump, expected) in [
        (4_000_000_299, "in"),
        (4_000_000_300, "expired"),
        (1_800_000_000, "in"),
        (u64::MAX, "expired"),
        (0, "not_yet_valid"),
        (1_800_000_000, "in"),
    ] {
        now.store(jump, Ordering::SeqCst);
        assert_eq!(outcome(&entra, &token).await, expected, "{jump}");
    }
    assert_eq!(authority.asked(), asked, "no fetch for a jump");
    assert_eq!(entra.status()[0].jwks[0].key_count, 1);
}
