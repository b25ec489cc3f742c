//! Answers that are kept for a while, and asked for by one for all.

mod known;

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::GraphError;
use super::request_error::GraphRequestError;
use crate::sync::{AsyncMutex, Mutex, MutexGuard};

use known::CacheEntry;
pub(crate) use known::CacheLookup;
pub(super) use known::Fresh;

/// What is known by key (an account) and question (a group); bounded in size.
pub(super) struct SingleFlightCache<K, Q, A> {
    kind: &'static str,
    most: usize,
    /// How long one question may take, with everything that it needs.
    longest: Duration,
    /// How long a failure is kept; others who wait do not share one that is not.
    remembers: fn(&GraphError) -> Option<Duration>,
    entries: Mutex<HashMap<K, Arc<Entry<Q, A>>>>,
}

struct Entry<Q, A> {
    /// Held by the one who asks.
    flight: Arc<AsyncMutex<()>>,
    known: Mutex<CacheEntry<Q, A>>,
}

impl<K, Q, A> SingleFlightCache<K, Q, A>
where
    K: Eq + Hash + Clone,
    Q: Eq + Hash + Clone + Send + 'static,
    A: Clone + Send + 'static,
{
    pub(super) fn new(kind: &'static str, most: usize, longest: Duration) -> Self {
        Self {
            kind,
            most,
            longest,
            remembers: GraphError::account_backoff,
            entries: Mutex::new(HashMap::new()),
        }
    }

    /// Keeps failures by a rule of its own.
    pub(super) fn remembering(mut self, remembers: fn(&GraphError) -> Option<Duration>) -> Self {
        self.remembers = remembers;
        self
    }

    /// What is known by now.
    pub(super) fn look(&self, key: &K, questions: &[Q]) -> CacheLookup<Vec<A>> {
        let entry = lock(&self.entries).get(key).cloned();
        entry.map_or(CacheLookup::Miss, |entry| {
            lock(&entry.known).look(questions, Instant::now(), u64::MAX)
        })
    }

    /// What is known, or else what `ask` brings for the questions that are open.
    ///
    /// Of many who come at a time one asks, and goes on asking when its request is given up.
    pub(super) async fn resolve<F>(
        &self,
        key: &K,
        questions: &[Q],
        ask: impl FnOnce(Vec<Q>) -> F,
    ) -> Result<Vec<A>, GraphError>
    where
        F: Future<Output = Result<Vec<Fresh<Q, A>>, GraphError>> + Send + 'static,
    {
        let entry = self.entry(key);
        // What was good when the request came is good for it until the end.
        let (came, seen) = (Instant::now(), lock(&entry.known).stored());
        let flight = Arc::clone(&entry.flight).lock_owned().await;
        let open = {
            let known = lock(&entry.known);
            match known.look(questions, came, seen) {
                CacheLookup::Hit(answers) => return Ok(answers),
                CacheLookup::Failed(error) => return Err(error),
                CacheLookup::Miss => known.open(questions, came, seen),
            }
        };
        let asking = ask(open);
        let (kind, remembers, asked) = (self.kind, self.remembers, Arc::clone(&entry));
        let longest = self.longest;
        let task = tokio::spawn(async move {
            let outcome = tokio::time::timeout(longest, asking).await;
            let outcome =
                outcome.unwrap_or_else(|_| Err(GraphRequestError::too_long(longest).into()));
            if let Err(error) = &outcome {
                error.log(kind);
            }
            let outcome = lock(&asked.known).store(outcome, remembers);
            drop(flight);
            outcome
        });
        task.await
            .unwrap_or_else(|_| Err(GraphRequestError::Cancelled.into()))?;
        match lock(&entry.known).look(questions, came, seen) {
            CacheLookup::Hit(answers) => Ok(answers),
            CacheLookup::Failed(error) => Err(error),
            // Not every question was answered.
            CacheLookup::Miss => Err(GraphRequestError::Cancelled.into()),
        }
    }

    /// Forgets one key; what is asked at the moment is not kept for later either.
    pub(super) fn forget(&self, key: &K) {
        lock(&self.entries).remove(key);
    }

    /// Forgets every key that `whose` recognises.
    pub(super) fn forget_all(&self, whose: impl Fn(&K) -> bool) {
        lock(&self.entries).retain(|key, _| !whose(key));
    }

    fn entry(&self, key: &K) -> Arc<Entry<Q, A>> {
        let mut entries = lock(&self.entries);
        if let Some(entry) = entries.get(key) {
            return Arc::clone(entry);
        }
        if entries.len() >= self.most {
            evict(&mut entries, self.most);
        }
        let entry = Arc::new(Entry {
            flight: Arc::default(),
            known: Mutex::new(CacheEntry::new()),
        });
        entries.insert(key.clone(), Arc::clone(&entry));
        entry
    }
}

/// Drops what is over, else a sixteenth at random, so that the next newcomers find room too.
fn evict<K: Eq + Hash, Q: Eq + Hash + Clone, A: Clone>(
    entries: &mut HashMap<K, Arc<Entry<Q, A>>>,
    most: usize,
) {
    let now = Instant::now();
    let in_use = |entry: &Arc<Entry<Q, A>>| Arc::strong_count(entry) > 1;
    entries.retain(|_, entry| in_use(entry) || lock(&entry.known).is_good_at(now));
    let mut spare = most.saturating_sub(entries.len());
    entries.retain(|_, entry| {
        if spare > most / 16 || in_use(entry) {
            return true;
        }
        spare = spare.saturating_add(1);
        false
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    type Numbers = SingleFlightCache<u8, u8, u8>;

    const LONGEST: Duration = Duration::from_secs(10);

    fn unavailable(seconds: u64) -> GraphError {
        GraphError::unavailable(
            GraphRequestError::Cancelled,
            Some(Duration::from_secs(seconds)),
        )
    }

    async fn ask(
        answers: &Numbers,
        questions: &[u8],
        calls: &Arc<AtomicUsize>,
        keep: u64,
    ) -> Result<Vec<u8>, GraphError> {
        let calls = Arc::clone(calls);
        answers
            .resolve(&1, questions, |open| async move {
                calls.fetch_add(open.len(), Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(10)).await;
                let keep = Duration::from_secs(keep);
                Ok(open.into_iter().map(|q| (q, q + 1, keep)).collect())
            })
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_is_not_known_is_asked_and_only_until_it_is_too_old() {
        let (answers, calls) = (Numbers::new("test", 10, LONGEST), Arc::default());
        assert_eq!(ask(&answers, &[1, 2], &calls, 60).await.unwrap(), [2, 3]);
        assert_eq!(
            ask(&answers, &[1, 2, 3], &calls, 60).await.unwrap(),
            [2, 3, 4]
        );
        assert_eq!(calls.load(Ordering::SeqCst), 3);
        assert!(matches!(answers.look(&1, &[3]), CacheLookup::Hit(known) if known == [4]));
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(matches!(answers.look(&1, &[3]), CacheLookup::Miss));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_share_an_answer_that_is_kept_for_no_time() {
        let (answers, calls) = (Arc::new(Numbers::new("test", 10, LONGEST)), Arc::default());
        let all = (0..100).map(|_| {
            let (answers, calls) = (Arc::clone(&answers), Arc::clone(&calls));
            tokio::spawn(async move { ask(&answers, &[7], &calls, 0).await.unwrap() })
        });
        for one in all.collect::<Vec<_>>() {
            assert_eq!(one.await.unwrap(), [8]);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        ask(&answers, &[7], &calls, 0).await.unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_remembered_for_its_time_and_counts_down() {
        let answers = Numbers::new("test", 10, LONGEST);
        let failed = answers
            .resolve(&1, &[1], |_| async { Err(unavailable(7)) })
            .await;
        assert!(failed.is_err());
        tokio::time::advance(Duration::from_secs(5)).await;
        let CacheLookup::Failed(GraphError::Unavailable { retry_after, .. }) =
            answers.look(&1, &[1])
        else {
            panic!("the failure is not remembered")
        };
        assert_eq!(retry_after, Duration::from_secs(2));
        assert!(matches!(answers.look(&2, &[1]), CacheLookup::Miss));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert!(matches!(answers.look(&1, &[1]), CacheLookup::Miss));
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_survives_the_request_that_asked_it() {
        let (answers, calls) = (Arc::new(Numbers::new("test", 10, LONGEST)), Arc::default());
        let impatient =
            tokio::time::timeout(Duration::from_millis(1), ask(&answers, &[1], &calls, 60));
        assert!(impatient.await.is_err());
        assert_eq!(ask(&answers, &[1], &calls, 60).await.unwrap(), [2]);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_hangs_ends_and_the_next_one_is_asked_anew() {
        let answers = Numbers::new("test", 10, LONGEST);
        let began = Instant::now();
        let hung = answers.resolve(&1, &[1], |_| std::future::pending()).await;
        assert!(matches!(hung, Err(GraphError::Unavailable { .. })));
        assert_eq!(began.elapsed(), LONGEST);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(ask(&answers, &[1], &Arc::default(), 60).await.unwrap(), [2]);
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_never_more_keys_than_allowed() {
        let answers: SingleFlightCache<u32, (), u32> = SingleFlightCache::new("test", 32, LONGEST);
        for key in 0..1_000 {
            let fresh = async move { Ok(vec![((), key, Duration::from_secs(60))]) };
            answers.resolve(&key, &[()], |_| fresh).await.unwrap();
            assert!(lock(&answers.entries).len() <= 32);
        }
        assert!(matches!(answers.look(&999, &[()]), CacheLookup::Hit(_)));
        answers.forget(&999);
        assert!(matches!(answers.look(&999, &[()]), CacheLookup::Miss));
    }
}
