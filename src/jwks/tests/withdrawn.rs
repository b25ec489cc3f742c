//! Keys that vanish from their document, and come back or do not.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, advance};

use super::{jwk, ordinary_document};
use crate::authority::issuer::IssuerPattern;
use crate::jwks::KeySet;
use crate::jwks::fetch_error::JwksFetchError;
use crate::jwks::snapshot::{Asked, KeyPublisher, KeyReader, refreshing};
use crate::{JwksRefresh, jwks::PublishedKey};

const GRACE: Duration = Duration::from_secs(7_200);
const SECOND: Duration = Duration::from_secs(1);

fn stating(issuer: &str, keys: &[Value]) -> KeySet {
    let json = json!({ "keys": keys }).to_string();
    let issuer = IssuerPattern::new(issuer);
    KeySet::read(json.as_bytes(), issuer, &ordinary_document()).unwrap()
}

fn keys(ids: &[&str]) -> KeySet {
    let listed: Vec<Value> = ids.iter().map(|kid| jwk(kid, 0xfe)).collect();
    stating("i", &listed)
}

/// A document whose answers the test gives.
struct Told {
    publisher: KeyPublisher,
    reader: KeyReader,
}

impl Told {
    fn with(keys: KeySet) -> Self {
        let (publisher, reader) = refreshing(&JwksRefresh::default());
        let told = Self { publisher, reader };
        told.answers(keys);
        told
    }

    fn answers(&self, keys: KeySet) -> Vec<String> {
        let began = self.publisher.forgets();
        let vanished = self.publisher.fetched(keys, GRACE, began).vanished;
        vanished.iter().map(ToString::to_string).collect()
    }

    fn is_unchanged(&self) {
        self.publisher.confirmed(self.publisher.forgets());
    }

    fn has(&self, kid: &str) -> bool {
        self.reader
            .keys()
            .is_some_and(|keys| !keys.with_id(kid).is_empty())
    }

    fn withdrawn(&self) -> usize {
        self.reader.keys().unwrap().withdrawn()
    }

    /// What the task does when its alarm rings.
    async fn pass(&self, time: Duration) {
        advance(time).await;
        self.publisher.end_grace(Instant::now());
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_vanishes_verifies_until_its_time_is_over() {
    let told = Told::with(keys(&["a", "b"]));
    let known: Vec<Arc<PublishedKey>> = told.reader.keys().unwrap().with_id("a").to_vec();
    let before = told.reader.generation();
    assert_eq!(told.answers(keys(&["b"])), ["a"]);
    assert!(told.has("a") && told.has("b"));
    assert!(told.reader.keys().unwrap().contains(&known[0]));
    assert_eq!(told.withdrawn(), 1);
    // Counted from the first answer without it, whatever comes in between.
    for _ in 0..3 {
        told.pass(GRACE / 4).await;
        assert!(told.answers(keys(&["b"])).is_empty(), "said once");
        told.is_unchanged();
        told.publisher.failed(JwksFetchError::UntrustedJwksUri);
        assert!(told.has("a"));
    }
    told.pass(GRACE / 4 - SECOND).await;
    assert!(told.has("a"));
    told.pass(SECOND).await;
    assert!(!told.has("a") && told.has("b"));
    assert!(!told.reader.keys().unwrap().contains(&known[0]));
    assert_ne!(told.reader.generation(), before, "the cache looks again");
}

#[tokio::test(start_paused = true)]
async fn a_return_ends_the_grace_and_the_next_absence_begins_another() {
    let told = Told::with(keys(&["a", "b"]));
    told.answers(keys(&["b"]));
    told.pass(GRACE - SECOND).await;
    assert!(told.answers(keys(&["a", "b"])).is_empty());
    assert_eq!(told.withdrawn(), 0);
    told.pass(GRACE).await;
    assert!(told.has("a"));
    assert_eq!(told.answers(keys(&["b"])), ["a"]);
    told.pass(GRACE - SECOND).await;
    assert!(told.has("a"));
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_in_the_new_document_has_no_grace() {
    let unusable = json!({ "kty": "EC", "kid": "a" });
    let of_another_issuer = {
        let mut key = jwk("a", 0xfe);
        key["issuer"] = json!("j");
        key
    };
    for (what, new) in [
        ("another key", jwk("a", 0xfd)),
        ("another issuer", of_another_issuer),
        ("a key that cannot be used", unusable),
    ] {
        let told = Told::with(keys(&["a", "b"]));
        let before = told.reader.keys().unwrap();
        let known = &before.with_id("a")[0];
        let vanished = told.answers(stating("i", &[new, jwk("b", 0xfe)]));
        assert!(vanished.is_empty(), "{what}");
        assert!(!told.reader.keys().unwrap().contains(known), "{what}");
        assert_eq!(told.withdrawn(), 0, "{what}");
    }
    // One of two keys with its id goes at once, too.
    let told = Told::with(stating("i", &[jwk("a", 0xfe), jwk("a", 0xfd)]));
    told.answers(stating("i", &[jwk("a", 0xfd)]));
    assert_eq!(told.reader.keys().unwrap().with_id("a").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_of_an_issuer_that_is_not_stated_any_more_have_no_grace() {
    let told = Told::with(keys(&["a", "b"]));
    assert!(told.answers(stating("j", &[jwk("b", 0xfe)])).is_empty());
    assert!(!told.has("a"));
}

#[tokio::test(start_paused = true)]
async fn without_grace_a_key_is_gone_with_the_first_answer_that_lacks_it() {
    let told = Told::with(keys(&["a", "b"]));
    let began = told.publisher.forgets();
    let change = told.publisher.fetched(keys(&["b"]), Duration::ZERO, began);
    assert!(change.vanished.is_empty());
    assert!(!told.has("a") && told.has("b"));
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_too_old_take_the_vanished_ones_with_them() {
    let told = Told::with(keys(&["a", "b"]));
    told.answers(keys(&["b"]));
    told.publisher.drop_stale();
    assert!(!told.has("a") && !told.has("b"));
    // The same document again: what was in use before is, but not beyond its time.
    told.is_unchanged();
    assert!(told.has("a") && told.has("b"));
    told.publisher.drop_stale();
    told.pass(GRACE).await;
    told.is_unchanged();
    assert!(!told.has("a") && told.has("b"));
    // A new document lends no time to what was out of use already.
    told.publisher.drop_stale();
    assert!(told.answers(keys(&["c"])).is_empty());
    assert!(!told.has("b"));
}

#[tokio::test(start_paused = true)]
async fn forgetting_ends_the_grace_at_once_and_for_the_next_answer() {
    let told = Told::with(keys(&["a", "b", "c"]));
    told.answers(keys(&["b", "c"]));
    // Begun before: its answer comes too late to be believed about the past.
    let early = told.publisher.forgets();
    told.reader.forget_withdrawn();
    assert!(!told.has("a") && told.has("b"));
    told.publisher.confirmed(early);
    assert!(!told.has("a"), "nor is it back with the same document");
    told.publisher.fetched(keys(&["c"]), GRACE, early);
    assert!(told.has("b"), "a fetch that knew of nothing");
    told.is_unchanged();
    assert!(!told.has("b"), "the fetch that was asked for");
    // From then on as ever.
    assert!(told.answers(keys(&["d"])) == ["c"] && told.has("c"));
    told.reader.forget_withdrawn();
    assert!(told.answers(keys(&["e"])).is_empty());
    assert!(!told.has("d") && told.has("e"));
}

#[tokio::test(start_paused = true)]
async fn forgetting_has_the_document_read_and_takes_no_request_its_fetch() {
    let mut told = Told::with(keys(&["a"]));
    told.publisher.answer(None, true);
    for _ in 0..5 {
        told.reader.forget_withdrawn();
    }
    assert!(matches!(told.reader.ask(), Asked::Wait(_)));
    let first = told.publisher.asked().await;
    told.publisher.answer(first, true);
    let second = told.publisher.asked().await;
    told.publisher.answer(second, true);
    assert!(second > first);
    // The other way round the request's own fetch will do.
    advance(Duration::from_secs(30)).await;
    assert!(matches!(told.reader.ask(), Asked::Wait(_)));
    told.reader.forget_withdrawn();
    assert!(told.publisher.asked().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn grace_ends_also_where_the_task_is_gone() {
    let told = Told::with(keys(&["a", "b"]));
    told.answers(keys(&["b"]));
    let Told { publisher, reader } = told;
    drop(publisher);
    let has = |kid: &str| !reader.keys().unwrap().with_id(kid).is_empty();
    advance(GRACE - SECOND).await;
    let before = reader.generation();
    assert!(has("a") && has("b"));
    advance(SECOND).await;
    assert_ne!(reader.generation(), before);
    assert!(!has("a") && has("b"));
}

#[tokio::test(start_paused = true)]
async fn vanished_keys_are_bounded_in_number() {
    let ids = |from: usize| {
        let listed = from..from + 600;
        listed.map(|n| format!("k{n}")).collect::<Vec<_>>()
    };
    let of = |ids: &[String]| keys(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let told = Told::with(of(&ids(0)));
    for round in 1..4 {
        told.answers(of(&ids(round * 600)));
    }
    let now = told.reader.keys().unwrap();
    assert_eq!((now.withdrawn(), now.len()), (1_000, 1_600));
}
