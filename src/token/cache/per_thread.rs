//! Copies of the claims of hot tokens, so that cores do not fight for one reference count.
//!
//! A daemon's token may arrive on all cores a hundred thousand times a second. One reference
//! count would then travel from core to core with every request (measured: 31 ns become 120 ns
//! with two cores). So a token that is asked for very often gets one copy of its claims for each
//! thread. The copies are the entry's: they are gone when it is.

use std::cell::Cell;
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;

use crate::claims::Claims;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{OnceLock, numbering};

/// Every so many hits a thread looks whether the token is hot.
const SAMPLE: usize = 64;

/// So many samples of one token in one second, from all threads, make it hot.
const HOT: u64 = 32;

/// Bytes for copies, and what is left of them.
#[derive(Debug, Clone)]
pub(in crate::token) struct ByteBudget(Arc<AtomicUsize>);

/// Bytes that are taken until this is dropped.
struct Reservation {
    bytes: usize,
    room: ByteBudget,
}

impl ByteBudget {
    pub(super) fn of(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    #[cfg(test)]
    pub(super) fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> Option<Reservation> {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes)
            })
            .ok()?;
        Some(Reservation {
            bytes,
            room: self.clone(),
        })
    }
}

impl Reservation {
    /// Gives some of it back.
    fn give_back(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.room.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.room.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// One thread's copy, and the room it takes.
type Copy = OnceLock<(Claims, Reservation)>;

/// The copies of one token's claims; none for most tokens.
#[derive(Default)]
pub(super) struct PerThreadClaims {
    by_thread: OnceLock<Box<[Copy]>>,
    /// The second of the last sample, and how many there were in it.
    samples: AtomicU64,
}

impl PerThreadClaims {
    /// One of the claims: this thread's own where the token is hot.
    #[inline]
    pub(super) fn clone_claims(&self, claims: &Claims, room: &ByteBudget, now: u64) -> Claims {
        let (thread, sample) = sample();
        if let Some(copies) = self.by_thread.get()
            && let Some(copy) = copies.get(thread & copies.len().saturating_sub(1))
            && let Some((own, _)) = copy.get()
        {
            return own.clone();
        }
        if sample && self.is_hot(now) {
            self.copy(claims, room, thread);
        }
        claims.clone()
    }

    #[cold]
    fn is_hot(&self, now: u64) -> bool {
        const COUNT: u64 = 0xffff;
        let before = self.samples.load(Ordering::Relaxed);
        let second = now.wrapping_mul(COUNT + 1);
        let count = if before & !COUNT == second {
            (before & COUNT).saturating_add(1).min(COUNT)
        } else {
            1
        };
        // Two threads may count as one; a hot token does not mind.
        self.samples.store(second | count, Ordering::Relaxed);
        count >= HOT
    }

    /// What a place for each thread takes.
    pub(super) fn table_bytes() -> usize {
        THREADS.saturating_mul(size_of::<Copy>())
    }

    #[cold]
    fn copy(&self, claims: &Claims, room: &ByteBudget, thread: usize) {
        let place = thread & THREADS.saturating_sub(1);
        let copies = self.by_thread.get();
        if copies.is_some_and(|copies| copies.get(place).is_none_or(|copy| copy.get().is_some())) {
            return;
        }
        // The thread that makes the first copy allocates the table; room for it may be taken by several.
        let table = match copies {
            Some(_) => 0,
            None => Self::table_bytes(),
        };
        let Some(mut taken) = room.take(claims.bytes().saturating_add(table)) else {
            return;
        };
        let mut allocates = false;
        let copies = self.by_thread.get_or_init(|| {
            allocates = true;
            std::iter::repeat_with(OnceLock::new)
                .take(*THREADS)
                .collect()
        });
        if !allocates {
            taken.give_back(table);
        }
        if let Some(copy) = copies.get(place) {
            // Another thread of this number may have been quicker.
            let _ = copy.set((claims.duplicate(), taken));
        }
    }
}

/// Room for the numbers of twice as many threads as run at the same time.
static THREADS: LazyLock<usize> = LazyLock::new(|| {
    let cores = available_parallelism().map_or(1, usize::from);
    cores.clamp(1, 128).next_power_of_two().saturating_mul(2)
});

/// This thread's number, and whether it is time for a sample.
#[inline]
fn sample() -> (usize, bool) {
    thread_local! {
        static HITS: Cell<usize> = const { Cell::new(0) };
        static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    let hits = HITS.get().wrapping_add(1);
    HITS.set(hits);
    let mut number = NUMBER.get();
    if number == usize::MAX {
        static NEXT: numbering::AtomicUsize = numbering::AtomicUsize::new(0);
        number = NEXT.fetch_add(1, Ordering::Relaxed) & (usize::MAX >> 1);
        NUMBER.set(number);
    }
    (number, hits.is_multiple_of(SAMPLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_their_table_take_room_and_give_it_back() {
        let claims = crate::testing::claims().build();
        let most = claims.bytes() + PerThreadClaims::table_bytes();
        let left = |room: &ByteBudget| room.0.load(Ordering::Relaxed);
        for (bytes, copied) in [(0, false), (most - 1, false), (most, true)] {
            let room = ByteBudget::of(bytes);
            let copies = PerThreadClaims::default();
            copies.copy(&claims, &room, 0);
            copies.copy(&claims, &room, 0);
            assert_eq!(copies.by_thread.get().is_some(), copied, "{bytes}");
            assert_eq!(left(&room), if copied { 0 } else { bytes });
            drop(copies);
            assert_eq!(left(&room), bytes);
        }
    }
}
