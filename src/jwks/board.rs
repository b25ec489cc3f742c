//! What the writer publishes and the readers see.

use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::fetch_error::JwksFetchError;
use super::key_set::KeySet;
use crate::snapshot::{Loaded, Published};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, OnceLock, mpsc, numbering};

/// What readers see.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    /// Keys that may be used; `None` before the first good fetch and when they are too old.
    pub(crate) keys: Option<Arc<KeySet>>,
    /// When the keys were last confirmed.
    pub(crate) confirmed: Option<Instant>,
    /// Why the last fetch failed, if it did.
    pub(crate) last_error: Option<Arc<JwksFetchError>>,
}

/// Distinguishes one key set of this process from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(pub(crate) u64);

impl Generation {
    /// A number that no other key set has; the first is 1.
    pub(super) fn next() -> Self {
        static LAST: numbering::AtomicU64 = numbering::AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed).saturating_add(1))
    }
}

/// The place where snapshots of one document's keys are published.
#[derive(Debug, Default)]
pub(super) struct SharedState {
    snapshot: Published<Snapshot>,
    /// That of the snapshot's keys; 0 for none.
    generation: AtomicU64,
    /// Held by who changes the snapshot: the task, and who forgets withdrawn keys.
    state: Mutex<State>,
    /// The v2.0 document of the same authority, which says whose tokens these v1.0 keys verify.
    bound_by: OnceLock<Binding>,
    /// The v1.0 document of the same authority.
    binds: OnceLock<Weak<Self>>,
}

/// The v2.0 document that binds the keys of a v1.0 document to tenants.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) document: Weak<SharedState>,
    /// Asks for the document to be read again.
    pub(super) ask: mpsc::WeakSender<u64>,
    /// Whether the v1.0 keys are in use only after the document was read once.
    pub(super) required: bool,
}

impl Binding {
    /// The last good keys of the document, also while they are too old to be used.
    fn known(&self) -> Option<Arc<KeySet>> {
        let document = self.document.upgrade()?;
        let state = document.state.lock();
        state.unwrap_or_else(PoisonError::into_inner).known.clone()
    }

    /// Has the document read again where the v1.0 document has keys that it cannot have spoken of
    /// when it was read last.
    fn read_again_for(&self, keys: &KeySet, before: Option<&KeySet>) {
        let Some(known) = self.known().filter(|_| self.required) else {
            return;
        };
        let is_new = |kid: &str| {
            known.with_id(kid).is_empty() && before.is_none_or(|keys| keys.with_id(kid).is_empty())
        };
        if keys.ids().any(is_new)
            && let Some(ask) = self.ask.upgrade()
            && ask.capacity() == ask.max_capacity()
        {
            let _ = ask.try_send(NO_TICKET);
        }
    }
}

/// The number of a request for a fetch that no request waits for.
pub(super) const NO_TICKET: u64 = 0;

/// What is known besides the snapshot.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The last good keys, also while they are too old to be used.
    known: Option<Arc<KeySet>>,
    /// How often withdrawn keys were to be forgotten.
    forgets: Forgets,
    /// Up to which of these a fetch was begun and ended well since.
    honoured: Forgets,
}

/// How often withdrawn keys were to be forgotten, at some moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Forgets(u64);

impl SharedState {
    /// Changes the snapshot, and then what its keys bind.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Snapshot, &mut State) -> R) -> R {
        let result = self.change_alone(change);
        if let Some(first) = self.binds.get().and_then(Weak::upgrade) {
            first.change_alone(|_, _| ());
        }
        result
    }

    fn change_alone<R>(&self, change: impl FnOnce(&mut Snapshot, &mut State) -> R) -> R {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut snapshot = (**self.snapshot.load()).clone();
        let result = change(&mut snapshot, &mut state);
        let binding = self.bound_by.get();
        let second = binding.and_then(Binding::known);
        if let Some(keys) = &snapshot.keys {
            if let Some(bound) = second.as_deref().and_then(|second| keys.bound_by(second)) {
                snapshot.keys = Some(Arc::new(bound));
            }
            state.known.clone_from(&snapshot.keys);
        }
        // Keys that nothing binds yet are loaded and not in use.
        let is_pending = binding.is_some_and(|own| own.required && second.is_none());
        let in_use = snapshot.keys.as_ref().filter(|_| !is_pending);
        let generation = in_use.map_or(0, |keys| keys.generation().0);
        self.snapshot.store(Arc::new(snapshot));
        // After the keys: who reads the new number finds the new keys.
        self.generation.store(generation, Ordering::Release);
        result
    }

    /// Gives up withdrawn keys whose time is over, and says how many.
    pub(super) fn end_grace(&self, now: Instant) -> usize {
        self.change(|snapshot, _| {
            let ended = snapshot.keys.as_deref().and_then(|keys| keys.at(now));
            let before = snapshot.keys.as_ref().map_or(0, |keys| keys.len());
            if let Some(left) = ended {
                snapshot.keys = Some(Arc::new(left));
            }
            let after = snapshot.keys.as_ref().map_or(0, |keys| keys.len());
            before.saturating_sub(after)
        })
    }

    /// The v2.0 document of an authority says whose tokens the keys of its v1.0 document verify.
    pub(super) fn bind(first: &Arc<Self>, binding: Binding) {
        if let Some(second) = binding.document.upgrade() {
            let _ = second.binds.set(Arc::downgrade(first));
        }
        let _ = first.bound_by.set(binding);
    }

    pub(super) fn load(&self) -> Loaded<Arc<Snapshot>> {
        self.snapshot.load()
    }

    pub(super) fn load_full(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// That of the keys in use; 0 for none.
    #[inline]
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// To be called before a fetch begins.
    pub(super) fn forgets(&self) -> Forgets {
        let state = self.state.lock();
        state.unwrap_or_else(PoisonError::into_inner).forgets
    }

    /// A document came: its keys are in use, and for a while those that it lacks. Says which ids
    /// have just vanished, and how many keys there were and are.
    pub(super) fn fetched(&self, keys: KeySet, grace: Duration, began: Forgets) -> Change {
        let now = Instant::now();
        self.change(|snapshot, state| {
            // Keys that are out of use already have none, nor have those that are to be forgotten.
            let grace = match &snapshot.keys {
                Some(_) if began == state.honoured => grace,
                _ => Duration::ZERO,
            };
            state.honoured = began;
            if let Some(binding) = self.bound_by.get() {
                binding.read_again_for(&keys, state.known.as_deref());
            }
            let (keys, vanished) = match state.known.as_deref() {
                Some(before) => keys.following(before, grace, now),
                None => (keys, Vec::new()),
            };
            let change = Change {
                before: snapshot.keys.as_ref().map_or(0, |before| before.len()),
                after: keys.len(),
                vanished,
            };
            *snapshot = Snapshot {
                keys: Some(Arc::new(keys)),
                confirmed: Some(now),
                last_error: None,
            };
            change
        })
    }

    /// The document is the same as before.
    pub(super) fn confirmed(&self, began: Forgets) {
        let now = Instant::now();
        self.change(|snapshot, state| {
            let keys = state.known.clone();
            let left = keys.as_deref().and_then(|keys| {
                if began != state.honoured {
                    keys.without_withdrawn()
                } else {
                    keys.at(now)
                }
            });
            state.honoured = began;
            *snapshot = Snapshot {
                keys: left.map(Arc::new).or(keys),
                confirmed: Some(now),
                last_error: None,
            };
        });
    }

    /// Gives up all withdrawn keys; what the next fetch lacks that begins now has no grace.
    pub(super) fn forget_withdrawn(&self) {
        self.change(|snapshot, state| {
            state.forgets.0 = state.forgets.0.saturating_add(1);
            let without = |keys: &mut Option<Arc<KeySet>>| {
                let left = keys.as_deref().and_then(KeySet::without_withdrawn);
                if let Some(left) = left {
                    *keys = Some(Arc::new(left));
                }
            };
            without(&mut snapshot.keys);
            without(&mut state.known);
        });
    }
}

/// What a document changed.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) before: usize,
    pub(super) after: usize,
    pub(super) vanished: Vec<Box<str>>,
}
