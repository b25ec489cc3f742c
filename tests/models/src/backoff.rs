//! A token endpoint that refuses this API, and who asks it again.

use super::*;
use crate::property::{Property, hold};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{advance, block_on, thread};

pub(crate) fn properties() -> Vec<Property> {
    vec![
        Property {
            name: "a-refusal-costs-one-call",
            model: one_call,
            faults: &["trial-not-held", "waiter-tries-too", "pause-not-kept"],
        },
        Property {
            name: "a-refused-endpoint-is-not-asked-before-its-pause-ends",
            model: pause,
            faults: &["waiter-tries-too", "pause-not-kept"],
        },
        Property {
            name: "calls-refused-at-one-time-count-once",
            model: together,
            faults: &["refusals-of-one-time-counted-twice"],
        },
        Property {
            name: "no-answer-ends-no-pause",
            model: no_answer,
            faults: &["no-answer-opens"],
        },
        Property {
            name: "a-trial-that-is-given-up-is-anothers",
            model: given_up,
            faults: &["trial-not-given-back"],
        },
        Property {
            name: "one-kind-of-request-has-one-pause",
            model: one_pause,
            faults: &["pause-looked-up-apart"],
        },
        Property {
            name: "a-pause-in-use-is-not-forgotten",
            model: in_use,
            faults: &["pause-in-use-forgotten"],
        },
    ]
}

/// An endpoint, and how often it was asked.
#[derive(Default)]
struct Endpoint {
    backoff: Backoff,
    calls: std::sync::atomic::AtomicUsize,
}

impl Endpoint {
    /// A request that is refused, in what way ever.
    fn ask(&self) {
        let Ok(trial) = block_on(self.backoff.pass()) else {
            return;
        };
        // A trial is one at a time; a request that was let through may be refused beside another.
        if let (Some(_), State::Refused { until, .. }) = (&trial, &*lock(&self.backoff.state)) {
            let now = Instant::now();
            hold!(*until <= now, "a call before the pause ends");
        }
        self.calls.fetch_add(1, Ordering::SeqCst);
        let _ = self.backoff.refused(GraphRequestError::Cancelled, None);
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// How often it was refused, as the pause counts.
    fn refusals(&self) -> u32 {
        match &*lock(&self.backoff.state) {
            State::Refused { times, .. } => *times,
            State::Untried | State::Open => 0,
        }
    }
}

/// Two requests at an endpoint that was never asked.
fn one_call() {
    let endpoint = Arc::<Endpoint>::default();
    let other = Arc::clone(&endpoint);
    let other = thread(1, move || other.ask());
    endpoint.ask();
    other.join().unwrap();
    hold!(endpoint.calls() == 1, "{} calls", endpoint.calls());
}

/// Two requests, while the pause after the first refusal ends.
fn pause() {
    let endpoint = Arc::<Endpoint>::default();
    endpoint.ask();
    let other = Arc::clone(&endpoint);
    let other = thread(1, move || other.ask());
    advance(SHORTEST.as_secs());
    endpoint.ask();
    other.join().unwrap();
    hold!(endpoint.calls() == 2, "{} calls", endpoint.calls());
}

/// Two requests that were let through together.
fn together() {
    let endpoint = Arc::<Endpoint>::default();
    endpoint.backoff.opened();
    let other = Arc::clone(&endpoint);
    let other = thread(1, move || other.ask());
    endpoint.ask();
    other.join().unwrap();
    hold!(
        endpoint.refusals() == 1,
        "{} refusals",
        endpoint.refusals()
    );
}

/// The same, and one of them gets no answer.
fn no_answer() {
    let endpoint = Arc::<Endpoint>::default();
    endpoint.backoff.opened();
    let other = Arc::clone(&endpoint);
    let other = thread(1, move || {
        if block_on(other.backoff.pass()).is_ok() {
            other.backoff.untold();
        }
    });
    endpoint.ask();
    other.join().unwrap();
    hold!(endpoint.refusals() == 1, "the pause is gone");
}

/// A request that tries goes away without an outcome; another one waits, for ever where nothing wakes it.
fn given_up() {
    let endpoint = Arc::<Endpoint>::default();
    let other = Arc::clone(&endpoint);
    let other = thread(1, move || drop(block_on(other.backoff.pass())));
    endpoint.ask();
    other.join().unwrap();
    hold!(endpoint.calls() == 1, "{} calls", endpoint.calls());
}

/// Two requests with the same tenant and scopes.
fn one_pause() {
    let pauses = Arc::<Backoffs>::default();
    let other = Arc::clone(&pauses);
    let other = thread(1, move || other.of(None, "scope"));
    let own = pauses.of(None, "scope");
    hold!(
        Arc::ptr_eq(&own, &other.join().unwrap()),
        "each has a pause of its own"
    );
}

/// There is room for two pauses; two others come while one is tried.
fn in_use() {
    let (pauses, trying) = (Arc::<Backoffs>::default(), Arc::<AtomicUsize>::default());
    let request = |pauses: &Backoffs, trying: &AtomicUsize| {
        let backoff = pauses.of(None, "scope");
        if let Ok(Some(_trial)) = block_on(backoff.pass()) {
            let others = trying.fetch_add(1, Ordering::SeqCst);
            hold!(others == 0, "two try at a time");
            trying.fetch_sub(1, Ordering::SeqCst);
            backoff.opened();
        }
    };
    let other = (Arc::clone(&pauses), Arc::clone(&trying));
    let other = thread(1, move || request(&other.0, &other.1));
    for scopes in ["second", "third"] {
        drop(pauses.of(None, scopes));
    }
    request(&pauses, &trying);
    other.join().unwrap();
}
