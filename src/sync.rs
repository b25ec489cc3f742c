//! Locks, atomics and channels of the state that threads share, and the hasher that places it.
//!
//! This file is exchanged as a whole: `tests/models` compiles the library with one of its own,
//! whose locks and atomics try other interleavings each time. So what decides between threads
//! names these, and not the standard library's.

pub(crate) use std::hash::RandomState;
pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock, RwLock, atomic};
pub(crate) use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, mpsc, watch};

/// Numbers of this process that only have to differ: no thread waits for another by them.
pub(crate) mod numbering {
    pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize};
}
