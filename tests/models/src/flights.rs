//! One question to Graph for many requests.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::*;
use crate::property::{Property, hold};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{block_on, thread};

pub(crate) fn properties() -> Vec<Property> {
    vec![
        Property {
            name: "one-question-is-asked-once",
            model: asked_once,
            faults: &["flight-not-held", "waiter-does-not-look-again"],
        },
        Property {
            name: "who-waits-takes-the-answer-however-short-it-is-kept",
            model: waiting,
            faults: &["seen-read-late"],
        },
        Property {
            name: "a-question-outlives-its-request-and-is-not-asked-beside-itself",
            model: given_up,
            faults: &["flight-left-with-its-request"],
        },
        Property {
            name: "an-answer-from-before-a-forget-is-not-kept",
            model: forgotten,
            faults: &["forgotten-in-place", "answer-put-back"],
        },
        Property {
            name: "what-is-being-asked-is-not-evicted",
            model: evicted,
            faults: &["evicted-in-use"],
        },
    ]
}

const ACCOUNT: u8 = 1;
const QUESTION: u8 = 7;
const HOUR: Duration = Duration::from_secs(3_600);

/// Answers with the number of its state.
struct Directory {
    answers: SingleFlightCache<u8, u8, usize>,
    keep: Duration,
    /// No two calls at a time.
    alone: bool,
    /// A call is not over at once.
    slow: bool,
    state: AtomicUsize,
    in_flight: AtomicUsize,
    calls: std::sync::atomic::AtomicUsize,
}

impl Directory {
    fn new() -> Self {
        Self {
            answers: SingleFlightCache::new("model", 10, HOUR),
            keep: HOUR,
            alone: true,
            slow: false,
            state: AtomicUsize::new(1),
            in_flight: AtomicUsize::new(0),
            calls: std::sync::atomic::AtomicUsize::new(0),
        }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    async fn call(&self, open: Vec<u8>) -> Vec<Fresh<u8, usize>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.alone {
            let others = self.in_flight.fetch_add(1, Ordering::SeqCst);
            hold!(others == 0, "one question is asked twice at a time");
        }
        let state = self.state.load(Ordering::SeqCst);
        if self.slow {
            once_pending().await;
        }
        if self.alone {
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
        }
        let answer = |question| (question, state, self.keep);
        open.into_iter().map(answer).collect()
    }

    /// `begun` is called where this request itself has to ask.
    async fn request(self: Arc<Self>, begun: impl FnOnce()) -> usize {
        let asked = Arc::clone(&self);
        let ask = |open| {
            begun();
            async move { Ok(asked.call(open).await) }
        };
        let answers = self.answers.resolve(&ACCOUNT, &[QUESTION], ask).await;
        hold!(answers.is_ok(), "a request has no answer");
        answers.unwrap()[0]
    }

    fn ask(self: &Arc<Self>) -> usize {
        block_on(Arc::clone(self).request(|| ()))
    }
}

async fn once_pending() {
    let mut is_late = false;
    poll_fn(|context| {
        if std::mem::replace(&mut is_late, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// Two requests with one question.
fn asked_once() {
    let directory = Arc::new(Directory::new());
    let other = Arc::clone(&directory);
    let other = thread(1, move || other.ask());
    let answers = [directory.ask(), other.join().unwrap()];
    hold!(answers == [1, 1], "a request has another answer");
    hold!(directory.calls() == 1, "{} calls", directory.calls());
}

/// A request waits for another's answer, which is kept for no time.
fn waiting() {
    let directory = Arc::new(Directory {
        keep: Duration::ZERO,
        ..Directory::new()
    });
    let other = Arc::clone(&directory);
    let other = thread(1, move || other.ask());
    let asks = std::sync::atomic::AtomicBool::new(false);
    let has_asked = || asks.load(Ordering::SeqCst);
    block_on(async {
        let own = Arc::clone(&directory).request(|| asks.store(true, Ordering::SeqCst));
        let mut own = pin!(own);
        let first = poll_fn(|context| Poll::Ready(own.as_mut().poll(context))).await;
        if first.is_pending() {
            // Another's call, whose answer is still to come.
            let known = directory.answers.entry(&ACCOUNT);
            let waits = !has_asked() && lock(&known.known).stored() == 0;
            drop(known);
            own.await;
            hold!(!waits || !has_asked(), "a request that waited asks too");
        }
    });
    other.join().unwrap();
}

/// A request is given up after its first step, whatever that was.
fn given_up() {
    let directory = Arc::new(Directory {
        slow: true,
        ..Directory::new()
    });
    let other = Arc::clone(&directory);
    let impatient = thread(1, move || {
        block_on(async {
            let mut request = pin!(other.request(|| ()));
            let _ = poll_fn(|context| Poll::Ready(request.as_mut().poll(context))).await;
        });
    });
    let _ = directory.ask();
    impatient.join().unwrap();
    hold!(directory.calls() == 1, "{} calls", directory.calls());
}

/// The directory changes, and what is known is forgotten while a request asks.
fn forgotten() {
    let directory = Arc::new(Directory {
        alone: false,
        ..Directory::new()
    });
    let other = Arc::clone(&directory);
    let other = thread(1, move || other.ask());
    // Random schedules hardly ever let the other one come so far: requests about another account come before.
    for _ in 0..OTHER_REQUESTS {
        let _ = directory.answers.look(&(ACCOUNT + 1), &[QUESTION]);
    }
    directory.state.store(2, Ordering::SeqCst);
    directory.answers.forget(&ACCOUNT);
    hold!(directory.ask() == 2, "a later request has an older answer");
    other.join().unwrap();
    let kept = directory.answers.look(&ACCOUNT, &[QUESTION]);
    hold!(
        matches!(kept, CacheLookup::Hit(state) if state == [2]),
        "an older answer is kept"
    );
}

const OTHER_REQUESTS: usize = if cfg!(feature = "loom") { 0 } else { 20 };

/// There is room for one account, and another one comes.
fn evicted() {
    let directory = Arc::new(Directory {
        answers: SingleFlightCache::new("model", 1, HOUR),
        ..Directory::new()
    });
    let other = Arc::clone(&directory);
    let other = thread(1, move || other.ask());
    drop(directory.answers.entry(&(ACCOUNT + 1)));
    let answers = [directory.ask(), other.join().unwrap()];
    hold!(answers == [1, 1], "a request has another answer");
}
