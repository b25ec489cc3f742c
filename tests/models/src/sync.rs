// In place of `src/sync.rs`: locks and atomics of loom or shuttle, or such as count.

use std::cell::Cell;
use std::hash::{BuildHasher, DefaultHasher};

#[cfg(feature = "loom")]
mod base {
    pub(crate) use loom::future::block_on;
    pub(crate) use loom::sync::{Mutex, MutexGuard, RwLock, atomic};
    pub(crate) use loom::thread;
    pub(crate) use std::sync::Arc;
}

#[cfg(all(feature = "shuttle", not(feature = "loom")))]
mod base {
    pub(crate) use shuttle::future::block_on;
    pub(crate) use shuttle::sync::{Mutex, MutexGuard, RwLock, atomic};
    pub(crate) use shuttle::thread;
    pub(crate) use std::sync::Arc;
}

#[cfg(not(any(feature = "shuttle", feature = "loom")))]
#[path = "counted.rs"]
pub(crate) mod base;

#[path = "clock.rs"]
mod clock;
#[path = "stand_ins.rs"]
mod stand_ins;
#[path = "tasks.rs"]
mod tasks;

pub(crate) use base::{Arc, Mutex, MutexGuard, RwLock, atomic, block_on, thread};
pub(crate) use clock::{Instant, advance};
pub(crate) use stand_ins::{OnceLock, mpsc, timeout, timeout_at, watch};
pub(crate) use tasks::{AsyncMutex, OwnedMutexGuard, spawn};

pub(crate) mod numbering {
    pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize};
}

/// The same in every run: schedules must be repeatable.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RandomState;

impl RandomState {
    pub(crate) const fn new() -> Self {
        Self
    }
}

impl BuildHasher for RandomState {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        DefaultHasher::new()
    }
}

/// Whether the fault of this name is on.
pub(crate) fn fault(name: &str) -> bool {
    FAULT.get().is_some_and(|on| on == name)
}

pub(crate) static FAULT: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// The number of the thread, and that it is time for a sample of how hot a token is.
pub(crate) fn sample() -> (usize, bool) {
    (number(), true)
}

#[cfg(feature = "loom")]
loom::thread_local! { static NUMBER: Cell<usize> = Cell::new(0); }
#[cfg(all(feature = "shuttle", not(feature = "loom")))]
shuttle::thread_local! { static NUMBER: Cell<usize> = Cell::new(0) }
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
thread_local! { static NUMBER: Cell<usize> = const { Cell::new(0) } }

pub(crate) fn number() -> usize {
    NUMBER.with(Cell::get)
}

/// Starts a thread of that number.
pub(crate) fn thread<T: Send + 'static>(
    number: usize,
    run: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let named = move || {
        NUMBER.with(|own| own.set(number));
        run()
    };
    // loom's own threads have 32 KiB; its unit are words.
    #[cfg(feature = "loom")]
    return thread::Builder::new()
        .stack_size(1 << 16)
        .spawn(named)
        .expect("a thread");
    #[cfg(not(feature = "loom"))]
    thread::spawn(named)
}
