//! Keys that no task refreshes any more.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, advance};

use super::ordinary_document;
use crate::authority::issuer::IssuerPattern;
use crate::jwks::KeySet;
use crate::jwks::snapshot::{KeyReader, Snapshot, fixed_set, key_store};

const DAY: Duration = Duration::from_secs(86_400);
const KEYS: &str = include_str!("../../../fuzz/seeds/key_document/one");

fn keys() -> KeySet {
    KeySet::read(
        KEYS.as_bytes(),
        IssuerPattern::new("i"),
        &ordinary_document(),
    )
    .unwrap()
}

fn following(keys: KeySet, before: &KeySet) -> KeySet {
    keys.following(before, Duration::ZERO, Instant::now()).0
}

fn is_ready(reader: &KeyReader) -> bool {
    assert_eq!(reader.generation().is_some(), reader.keys().is_some());
    reader.keys().is_some()
}

#[tokio::test(start_paused = true)]
async fn keys_without_their_task_are_used_until_they_are_too_old() {
    let (publisher, reader) = key_store(DAY);
    let reader = reader.with_max_stale(DAY);
    publisher.publish(Snapshot {
        keys: Some(Arc::new(keys())),
        confirmed: Some(Instant::now()),
        last_error: None,
    });
    advance(DAY * 2).await;
    assert!(is_ready(&reader), "the task decides, while there is one");
    publisher.publish(Snapshot {
        confirmed: Some(Instant::now()),
        ..(*publisher.current()).clone()
    });
    drop(publisher);
    assert!(is_ready(&reader));
    advance(DAY - Duration::from_secs(1)).await;
    assert!(is_ready(&reader));
    advance(Duration::from_secs(1)).await;
    assert!(!is_ready(&reader));
}

#[test]
fn keys_that_are_fetched_again_are_the_keys_that_were_there() {
    let (before, after) = (keys(), keys());
    let one = |keys: &KeySet| Arc::clone(&keys.with_id("k")[0]);
    assert!(!Arc::ptr_eq(&one(&before), &one(&after)));
    let after = following(after, &before);
    assert!(Arc::ptr_eq(&one(&before), &one(&after)));
    // Another issuer's key is another one, whatever its numbers.
    let other = IssuerPattern::new("j");
    let other = KeySet::read(KEYS.as_bytes(), other, &ordinary_document()).unwrap();
    let own = one(&other);
    assert!(Arc::ptr_eq(&own, &one(&following(other, &before))));
}

#[tokio::test(start_paused = true)]
async fn keys_that_the_application_brought_do_not_age() {
    let reader = fixed_set(keys());
    advance(DAY * 3_650).await;
    assert!(is_ready(&reader));
}
