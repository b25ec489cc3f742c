//! Tokens that were used, each once, kept until they would be refused for their age.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::sync::{Arc, PoisonError};

use super::monotonic_clock::MonotonicWallClock;
use super::store::StoreUnavailable;
use crate::sync::Mutex;

/// A bounded record. When it is full, newcomers are refused: forgetting one of those it holds
/// would let that one be used again.
#[derive(Debug)]
pub(super) struct Replays {
    used: Mutex<Used>,
    most: usize,
    ageing: MonotonicWallClock,
}

#[derive(Debug, Default)]
struct Used {
    ids: HashSet<Arc<str>>,
    /// The first to end on top.
    by_end: BinaryHeap<Reverse<(u64, Arc<str>)>>,
}

/// With ids of a few dozen bytes beside their issuer, about 100 MB.
const MOST: usize = 500_000;

/// With ids of 43 bytes, about 150 MB. Each is kept for ten minutes and the clock skew at most, so
/// that there is room for 1,100 signed requests a second.
const MOST_REQUESTS: usize = 1_000_000;

impl Default for Replays {
    fn default() -> Self {
        Self::holding(MOST)
    }
}

impl Replays {
    /// For signed HTTP requests, of which every request brings a new one.
    pub(super) fn of_requests() -> Self {
        Self::holding(MOST_REQUESTS)
    }

    fn holding(most: usize) -> Self {
        Self {
            used: Mutex::default(),
            most,
            ageing: MonotonicWallClock::default(),
        }
    }

    /// Whether an id was used before, as far as is known here.
    #[cfg(feature = "redis")]
    pub(super) fn has(&self, id: &str) -> bool {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.ids.contains(id)
    }

    /// The time by which records are old.
    #[cfg(feature = "redis")]
    pub(super) fn aged(&self, now: u64) -> u64 {
        self.ageing.now(now)
    }

    /// Whether this is the first use of an id, which is taken note of until that time.
    ///
    /// # Errors
    /// [`StoreUnavailable`] when there is no room.
    pub(super) fn first_use(
        &self,
        id: &str,
        until: u64,
        now: u64,
    ) -> Result<bool, StoreUnavailable> {
        let now = self.ageing.now(now);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(Reverse((end, _))) = used.by_end.peek()
            && *end < now
        {
            if let Some(Reverse((_, id))) = used.by_end.pop() {
                used.ids.remove(&id);
            }
        }
        if used.ids.contains(id) {
            return Ok(false);
        }
        if used.ids.len() >= self.most {
            tracing::error!(
                records = self.most,
                "no room for further records of used tokens"
            );
            return Err(StoreUnavailable);
        }
        let id: Arc<str> = id.into();
        used.ids.insert(Arc::clone(&id));
        used.by_end.push(Reverse((until, id)));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Goes on to a second of the clock.
    async fn until(second: u64, from: u64) {
        tokio::time::advance(Duration::from_secs(second - from)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_is_good_once_until_its_end() {
        let replays = Replays::holding(10);
        assert_eq!(replays.first_use("a", 100, 1), Ok(true));
        assert_eq!(replays.first_use("a", 100, 2), Ok(false));
        assert_eq!(replays.first_use("b", 100, 2), Ok(true));
        until(100, 1).await;
        assert_eq!(replays.first_use("a", 100, 100), Ok(false));
        until(101, 100).await;
        assert_eq!(replays.first_use("a", 200, 101), Ok(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_jumps_ahead_and_comes_back_makes_nothing_good_again() {
        let replays = Replays::holding(10);
        assert_eq!(replays.first_use("a", 100, 1), Ok(true));
        assert_eq!(replays.first_use("b", 2_000_000, 1_000_000), Ok(true));
        assert_eq!(replays.first_use("a", 100, 2), Ok(false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_record_refuses_newcomers_and_forgets_no_entry() {
        let replays = Replays::holding(2);
        assert_eq!(replays.first_use("a", 100, 1), Ok(true));
        assert_eq!(replays.first_use("b", 50, 1), Ok(true));
        assert_eq!(replays.first_use("c", 100, 1), Err(StoreUnavailable));
        assert_eq!(replays.first_use("a", 100, 1), Ok(false));
        until(51, 1).await;
        assert_eq!(replays.first_use("c", 100, 51), Ok(true));
        assert_eq!(replays.first_use("a", 100, 51), Ok(false));
    }

    #[test]
    fn of_many_at_once_one_is_the_first() {
        let replays = Replays::default();
        let firsts = std::thread::scope(|scope| {
            let uses: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| replays.first_use("a", 100, 1)))
                .collect();
            uses.into_iter()
                .map(|used| used.join().unwrap())
                .filter(|first| *first == Ok(true))
                .count()
        });
        assert_eq!(firsts, 1);
    }
}
