//! What must be answered, whatever happens at the same time.
//!
//! v1.0 and v2.0 tokens have a document each. A key that was seen to be known stays known until it is retired: its tokens get their one answer,
//! in an outage too. A key that was seen to be gone stays gone. A key in between may be known or
//! not, and then "unknown" and "no keys at the moment" are right as well.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::traffic::{Batch, Try};

pub(crate) struct Model(Mutex<State>);

struct State {
    batches: Vec<Arc<Batch>>,
    /// The last batch whose key may have been left out.
    retired: u64,
    keys: BTreeMap<(u64, Document), Key>,
}

/// Whose keys: those of v1.0 tokens or those of v2.0 tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Document {
    V1,
    V2,
}

/// What is known of the key of one batch in one document.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Key {
    seen: bool,
    retired: bool,
    gone: bool,
}

impl Model {
    pub(crate) fn new(first: Batch) -> Self {
        Self(Mutex::new(State {
            keys: BTreeMap::new(),
            batches: vec![Arc::new(first)],
            retired: 0,
        }))
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn publish(&self, batch: Batch) {
        self.with(|state| {
            state.batches.push(Arc::new(batch));
            // The tokens of keys long gone are dropped, with what is known of them.
            if state.batches.len() > 8 {
                let old = state.batches.remove(0);
                state.keys.retain(|(number, _), _| *number != old.number);
                state.retired = state.retired.max(old.number);
            }
        });
    }

    /// From here on the authority may leave out every key but the last.
    pub(crate) fn retire_old(&self) {
        self.with(|state| {
            let last = state.batches.last().map_or(0, |batch| batch.number);
            state.retired = last.saturating_sub(1);
        });
    }

    /// Some tokens.
    pub(crate) fn choose(&self, chances: &mut fastrand::Rng) -> Arc<Batch> {
        self.with(|state| Arc::clone(&state.batches[chances.usize(..state.batches.len())]))
    }

    /// What is known of their key.
    pub(crate) fn key(&self, number: u64, document: Document) -> Key {
        self.with(|state| {
            let key = state.keys.get(&(number, document)).copied();
            Key {
                retired: number <= state.retired,
                ..key.unwrap_or_default()
            }
        })
    }

    /// Whether an answer is right, and what follows from it.
    ///
    /// `before` is what was known of the key when the request was sent.
    pub(crate) fn judge(&self, what: &Try, number: u64, before: Key, answer: &str) -> bool {
        let right = answer == what.answer;
        if !what.needs_key {
            return right;
        }
        self.with(|state| {
            let key = state.keys.entry((number, what.document)).or_default();
            key.seen |= right;
            key.gone |= before.seen && answer == "unknown_key";
        });
        let unsure = matches!(answer, "unknown_key" | "keys_unavailable");
        if before.gone {
            return unsure;
        }
        if before.seen && !self.key(number, what.document).retired {
            return right;
        }
        right || unsure
    }
}
