//! Requests with an unknown `kid`: which ones ask, which ones wait, and the answer they get.

use std::time::Duration;

use tokio::time::{Instant, advance};

use crate::JwksRefresh;
use crate::jwks::snapshot::{Asked, FetchOutcome, patience, refreshing};

const COOLDOWN: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn within_the_cooldown_the_last_fetch_decides_what_is_answered() {
    let (publisher, reader) = refreshing(&JwksRefresh::default());
    publisher.answer(None, true);
    assert!(matches!(reader.ask(), Asked::Wait(_)));
    publisher.answer(Some(1), true);
    assert!(matches!(reader.ask(), Asked::Unknown));
    // A fetch in the background that fails counts, and one that succeeds again.
    publisher.answer(None, false);
    assert!(matches!(reader.ask(), Asked::Undecided));
    publisher.answer(None, true);
    assert!(matches!(reader.ask(), Asked::Unknown));
    advance(COOLDOWN).await;
    assert!(matches!(reader.ask(), Asked::Wait(_)));
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_asks_to_be_left_alone_is_not_asked() {
    let (mut publisher, reader) = refreshing(&JwksRefresh::default());
    publisher.answer(None, true);
    assert!(matches!(reader.ask(), Asked::Wait(_)));
    let ticket = publisher.asked().await;
    publisher.ended(ticket, true, Some(Duration::from_secs(100)));
    advance(Duration::from_secs(99)).await;
    assert!(matches!(reader.ask(), Asked::Undecided));
    advance(Duration::from_secs(1)).await;
    assert!(matches!(reader.ask(), Asked::Wait(_)));
    let ticket = publisher.asked().await;
    publisher.ended(ticket, true, Some(Duration::from_secs(100)));
    // A good answer in between ends it; the cooldown itself is over long since.
    advance(COOLDOWN).await;
    publisher.answer(None, true);
    assert!(matches!(reader.ask(), Asked::Wait(_)));
}

#[tokio::test(start_paused = true)]
async fn so_many_wait_and_no_more_and_who_leaves_makes_room() {
    let (publisher, reader) = refreshing(&JwksRefresh::default());
    let mut first: Vec<_> = std::iter::from_fn(|| reader.first_attempt())
        .take(500)
        .collect();
    assert_eq!(first.len(), 256);
    first.pop();
    assert!(reader.first_attempt().is_some(), "a place is free");
    drop(first);
    publisher.answer(None, true);
    let asked = || (0..500).map(|_| reader.ask()).collect::<Vec<_>>();
    let waiting = |asked: &[Asked]| asked.iter().filter(|a| matches!(a, Asked::Wait(_))).count();
    let all = asked();
    assert_eq!(waiting(&all), 256);
    assert!(matches!(all[256], Asked::Undecided));
    drop(all);
    assert_eq!(waiting(&asked()), 256);
}

#[tokio::test(start_paused = true)]
async fn one_request_waits_two_seconds_whatever_it_waits_for() {
    let (publisher, reader) = refreshing(&JwksRefresh::default());
    let start = Instant::now();
    let deadline = patience();
    let first = reader.first_attempt().unwrap();
    assert!(first.is_first());
    let (arrival, ()) = tokio::join!(first.arrival(deadline), async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        publisher.answer(None, true);
    });
    assert_eq!(arrival, FetchOutcome::Updated);
    let Asked::Wait(next) = reader.ask() else {
        panic!("a fetch is allowed");
    };
    assert!(!next.is_first());
    assert_eq!(next.arrival(deadline).await, FetchOutcome::Failed);
    assert_eq!(start.elapsed(), Duration::from_secs(2));
}
