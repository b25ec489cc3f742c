//! One writer of keys and its readers; one fetch for many requests.

use std::sync::Arc;
use std::time::Duration;

use super::KeySet;
use super::snapshot::{Asked, FetchOutcome, Forgets, KeyPublisher, KeyReader, key_store, patience};
use crate::property::{Property, hold};
use crate::sync::{block_on, thread};
use crate::token::models::cache::key_set;

const GRACE: Duration = Duration::from_secs(3_600);

pub(crate) fn properties() -> Vec<Property> {
    vec![
        Property {
            name: "a-reader-sees-whole-snapshots",
            model: whole,
            faults: &["generation-before-keys"],
        },
        Property {
            name: "no-change-of-the-keys-is-lost",
            model: no_change_lost,
            faults: &["snapshot-read-unlocked"],
        },
        Property {
            name: "withdrawn-keys-that-were-forgotten-do-not-come-back",
            model: forgotten_keys,
            faults: &["forget-honoured-early", "forget-without-fetch"],
        },
        Property {
            name: "one-fetch-within-the-cooldown",
            model: one_in_cooldown,
            faults: &["asked-in-two-steps", "cooldown-not-begun"],
        },
        Property {
            name: "at-most-one-fetch-is-asked-for-at-a-time",
            model: one_in_flight,
            faults: &["asked-in-two-steps"],
        },
        Property {
            name: "a-request-that-waits-is-answered",
            model: answered,
            faults: &["answer-not-told"],
        },
        Property {
            name: "no-more-requests-wait-than-there-are-seats",
            model: seats,
            faults: &["seat-taken-in-two-steps", "seat-not-left"],
        },
    ]
}

/// The first document, and the second, which lacks the first one's key.
fn documents() -> &'static [KeySet; 2] {
    static DOCUMENTS: std::sync::OnceLock<[KeySet; 2]> = std::sync::OnceLock::new();
    DOCUMENTS.get_or_init(|| [&["old", "both"], &["new", "both"]].map(|kids| key_set(kids)))
}

fn has(reader: &KeyReader, kid: &str) -> bool {
    let snapshot = reader.load();
    snapshot
        .keys
        .as_deref()
        .is_some_and(|keys| !keys.with_id(kid).is_empty())
}

/// A store with the first document.
fn store(cooldown: Duration) -> (KeyPublisher, KeyReader) {
    let (publisher, reader) = key_store(cooldown);
    publisher.fetched(documents()[0].clone(), GRACE, publisher.forgets());
    (publisher, reader)
}

/// A new document comes, and then the keys are too old.
fn whole() {
    let (publisher, reader) = store(Duration::MAX);
    let [first, second] = documents();
    let writing = thread(1, move || {
        publisher.fetched(second.clone(), Duration::ZERO, Forgets::default());
        publisher.drop_stale();
        publisher
    });
    let generation = reader.generation();
    let snapshot = reader.load();
    if let (Some(generation), Some(keys)) = (generation, &snapshot.keys) {
        hold!(
            keys.generation().0 >= generation.0,
            "older keys than their number says"
        );
        let (own, other) = if keys.generation() == first.generation() {
            ("old", "new")
        } else {
            ("new", "old")
        };
        hold!(
            !keys.with_id(own).is_empty() && keys.with_id(other).is_empty(),
            "parts of two documents"
        );
    }
    drop(writing.join().unwrap());
}

/// Withdrawn keys are forgotten by a request while the task publishes a document.
fn no_change_lost() {
    let (publisher, reader) = store(Duration::MAX);
    let reader = Arc::new(reader);
    let forgetting = Arc::clone(&reader);
    let forgetting = thread(1, move || forgetting.forget_withdrawn());
    publisher.fetched(documents()[1].clone(), GRACE, publisher.forgets());
    forgetting.join().unwrap();
    hold!(
        has(&reader, "new"),
        "the document that was published is lost"
    );
    hold!(has(&reader, "both"), "a key of both documents is lost");
}

/// The same, and then the task does what it was asked for.
fn forgotten_keys() {
    let (mut publisher, reader) = store(Duration::MAX);
    let reader = Arc::new(reader);
    let forgetting = Arc::clone(&reader);
    let forgetting = thread(1, move || forgetting.forget_withdrawn());
    let fetch = |publisher: &KeyPublisher| {
        let began = publisher.forgets();
        publisher.fetched(documents()[1].clone(), GRACE, began);
    };
    fetch(&publisher);
    forgetting.join().unwrap();
    while publisher.asked_now().is_some() {
        fetch(&publisher);
    }
    hold!(
        !has(&reader, "old"),
        "a key that was to be forgotten verifies"
    );
}

/// Two requests with unknown key ids, and the task, which answers what it is asked for; how many fetches there were.
fn two_requests(cooldown: Duration) -> usize {
    let (mut publisher, reader) = store(cooldown);
    let reader = Arc::new(reader);
    let asking = [1, 2].map(|number| {
        let reader = Arc::clone(&reader);
        thread(number, move || reader.ask())
    });
    let mut fetches = fetch_once(&mut publisher);
    let asked = asking.map(|asking| asking.join().unwrap());
    let undecided = asked.iter().any(|asked| matches!(asked, Asked::Undecided));
    hold!(!undecided, "nothing failed, and there was a seat");
    let waits = asked.iter().any(|asked| matches!(asked, Asked::Wait(_)));
    hold!(waits, "no request waits for a fetch");
    fetches += fetch_once(&mut publisher);
    hold!(
        fetch_once(&mut publisher) == 0,
        "more fetches than requests"
    );
    fetches
}

/// One fetch, if one is asked for: nothing else is before its answer.
fn fetch_once(publisher: &mut KeyPublisher) -> usize {
    let Some(ticket) = publisher.asked_now() else {
        return 0;
    };
    hold!(
        publisher.asked_now().is_none(),
        "two fetches are asked for at a time"
    );
    publisher.ended(Some(ticket), false, None);
    1
}

fn one_in_cooldown() {
    let fetches = two_requests(Duration::MAX);
    hold!(fetches == 1, "{fetches} fetches");
}

fn one_in_flight() {
    let fetches = two_requests(Duration::ZERO);
    hold!((1..=2).contains(&fetches), "{fetches} fetches");
}

/// Requests that wait, and the task, which ends with the last reader: it never does where a wake-up is missed.
fn answered() {
    let (mut publisher, reader) = store(Duration::ZERO);
    let reader = Arc::new(reader);
    let asking: Vec<_> = (1..=REQUESTS)
        .map(|number| {
            let reader = Arc::clone(&reader);
            thread(number, move || match reader.ask() {
                Asked::Wait(pending) => {
                    let outcome = block_on(pending.arrival(patience()));
                    hold!(
                        outcome == FetchOutcome::Updated,
                        "a good fetch is called a failure"
                    );
                }
                Asked::Unknown | Asked::Undecided => hold!(false, "a request does not wait"),
            })
        })
        .collect();
    drop(reader);
    while let Some(ticket) = block_on(publisher.asked()) {
        publisher.ended(Some(ticket), false, None);
    }
    asking.into_iter().for_each(|asking| asking.join().unwrap());
}

/// Two are too many for every order.
const REQUESTS: usize = if cfg!(feature = "loom") { 1 } else { 2 };

/// One request waits already, two want the last seat, and all of them leave.
fn seats() {
    let (publisher, reader) = key_store(Duration::MAX);
    let reader = Arc::new(reader);
    let (sitting, most) = (
        Arc::new(crate::sync::atomic::AtomicUsize::new(1)),
        super::waiting::MOST_WAITING,
    );
    let first = reader.first_attempt();
    let asking = [1, 2].map(|number| {
        let (reader, sitting) = (Arc::clone(&reader), Arc::clone(&sitting));
        thread(number, move || sit(&reader, &sitting, most))
    });
    asking.map(|asking| asking.join().unwrap());
    drop(first);
    let again: Vec<_> = (0..most).map(|_| reader.first_attempt()).collect();
    hold!(
        again.iter().all(Option::is_some),
        "a seat is not given back"
    );
    hold!(reader.first_attempt().is_none(), "there is a seat too many");
    drop((again, publisher));
}

fn sit(reader: &KeyReader, sitting: &crate::sync::atomic::AtomicUsize, most: usize) {
    use crate::sync::atomic::Ordering::SeqCst;
    if let Some(pending) = reader.first_attempt() {
        hold!(
            sitting.fetch_add(1, SeqCst) < most,
            "more requests wait than there are seats"
        );
        sitting.fetch_sub(1, SeqCst);
        drop(pending);
    }
}
