//! Answers that are kept for a while, and asked for by one for all.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::DirectoryError;
use super::failure::CallFailure;

/// What is known by key (an account) and question (a group); bounded in size.
pub(super) struct Answers<K, Q, A> {
    kind: &'static str,
    most: usize,
    /// How long a failure is kept; others who wait do not share one that is not.
    remembers: fn(&DirectoryError) -> Option<Duration>,
    entries: Mutex<HashMap<K, Arc<Entry<Q, A>>>>,
}

/// What a look finds, without asking anybody.
#[derive(Debug)]
pub(crate) enum Look<T> {
    /// All that was asked for; of several questions in their order.
    Known(T),
    /// Asking failed a moment ago.
    Failed(DirectoryError),
    /// Somebody has to be asked.
    Open,
}

/// A good answer, and how long it is kept.
pub(super) type Fresh<Q, A> = (Q, A, Duration);

struct Entry<Q, A> {
    /// Held by the one who asks.
    flight: Arc<tokio::sync::Mutex<()>>,
    known: Mutex<Known<Q, A>>,
}

struct Known<Q, A> {
    answers: HashMap<Q, Kept<A>>,
    failure: Option<Kept<DirectoryError>>,
    /// Counts what was stored, so that those who waited take it whatever its age.
    stored: u64,
}

struct Kept<T> {
    value: T,
    until: Instant,
    stored: u64,
}

impl<K, Q, A> Answers<K, Q, A>
where
    K: Eq + Hash + Clone,
    Q: Eq + Hash + Clone + Send + 'static,
    A: Clone + Send + 'static,
{
    pub(super) fn new(kind: &'static str, most: usize) -> Self {
        Self {
            kind,
            most,
            remembers: DirectoryError::is_anybodys_for,
            entries: Mutex::new(HashMap::new()),
        }
    }

    /// Keeps failures by a rule of its own.
    pub(super) fn remembering(
        mut self,
        remembers: fn(&DirectoryError) -> Option<Duration>,
    ) -> Self {
        self.remembers = remembers;
        self
    }

    /// What is known by now.
    pub(super) fn look(&self, key: &K, questions: &[Q]) -> Look<Vec<A>> {
        let entry = lock(&self.entries).get(key).cloned();
        entry.map_or(Look::Open, |entry| {
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
    ) -> Result<Vec<A>, DirectoryError>
    where
        F: Future<Output = Result<Vec<Fresh<Q, A>>, DirectoryError>> + Send + 'static,
    {
        let entry = self.entry(key);
        // What was good when the request came is good for it until the end.
        let (came, seen) = (Instant::now(), lock(&entry.known).stored);
        let flight = Arc::clone(&entry.flight).lock_owned().await;
        let open = {
            let known = lock(&entry.known);
            match known.look(questions, came, seen) {
                Look::Known(answers) => return Ok(answers),
                Look::Failed(error) => return Err(error),
                Look::Open => known.open(questions, came, seen),
            }
        };
        let asking = ask(open);
        let (kind, remembers, asked) = (self.kind, self.remembers, Arc::clone(&entry));
        let task = tokio::spawn(async move {
            let outcome = asking.await;
            if let Err(error) = &outcome {
                error.log(kind);
            }
            let outcome = lock(&asked.known).store(outcome, remembers);
            drop(flight);
            outcome
        });
        task.await
            .unwrap_or_else(|_| Err(CallFailure::GivenUp.into()))?;
        match lock(&entry.known).look(questions, came, seen) {
            Look::Known(answers) => Ok(answers),
            Look::Failed(error) => Err(error),
            // Not every question was answered.
            Look::Open => Err(CallFailure::GivenUp.into()),
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
            make_room(&mut entries, self.most);
        }
        let entry = Arc::new(Entry {
            flight: Arc::default(),
            known: Mutex::new(Known {
                answers: HashMap::new(),
                failure: None,
                stored: 0,
            }),
        });
        entries.insert(key.clone(), Arc::clone(&entry));
        entry
    }
}

/// Drops what is over, else a sixteenth at random, so that the next newcomers find room too.
fn make_room<K: Eq + Hash, Q: Eq + Hash + Clone, A: Clone>(
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

impl<Q: Eq + Hash + Clone, A: Clone> Known<Q, A> {
    /// Answers that were good at a time, and those stored after `seen` whatever their age.
    fn look(&self, questions: &[Q], now: Instant, seen: u64) -> Look<Vec<A>> {
        let answer = |question| {
            let kept = self.answers.get(question)?;
            kept.is_good(now, seen).then(|| kept.value.clone())
        };
        if let Some(answers) = questions.iter().map(answer).collect() {
            return Look::Known(answers);
        }
        match &self.failure {
            Some(kept) if kept.is_good(now, seen) => {
                let rest = kept.until.saturating_duration_since(Instant::now());
                Look::Failed(kept.value.clone().with_rest(rest))
            }
            _ => Look::Open,
        }
    }

    fn open(&self, questions: &[Q], now: Instant, seen: u64) -> Vec<Q> {
        let is_open = |question: &&Q| {
            let kept = self.answers.get(question);
            !kept.is_some_and(|kept| kept.is_good(now, seen))
        };
        questions.iter().filter(is_open).cloned().collect()
    }

    fn store(
        &mut self,
        outcome: Result<Vec<Fresh<Q, A>>, DirectoryError>,
        remembers: fn(&DirectoryError) -> Option<Duration>,
    ) -> Result<(), DirectoryError> {
        let now = Instant::now();
        self.stored = self.stored.saturating_add(1);
        let stored = self.stored;
        let until = |keep| now.checked_add(keep).unwrap_or(now);
        match outcome {
            Ok(fresh) => {
                self.failure = None;
                if self.answers.len() > MOST_QUESTIONS {
                    self.answers.clear();
                }
                for (question, value, keep) in fresh {
                    let kept = Kept {
                        value,
                        until: until(keep),
                        stored,
                    };
                    self.answers.insert(question, kept);
                }
                Ok(())
            }
            Err(error) => {
                self.failure = remembers(&error).map(|keep| Kept {
                    until: until(keep),
                    value: error.clone(),
                    stored,
                });
                Err(error)
            }
        }
    }

    fn is_good_at(&self, now: Instant) -> bool {
        let failure = self.failure.as_ref().map(|kept| kept.until);
        let answers = self.answers.values().map(|kept| kept.until);
        failure.into_iter().chain(answers).any(|until| until > now)
    }
}

impl<T> Kept<T> {
    fn is_good(&self, now: Instant, seen: u64) -> bool {
        self.until > now || self.stored > seen
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A guard of the application's own could name ever new groups.
const MOST_QUESTIONS: usize = 1_024;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    type Numbers = Answers<u8, u8, u8>;

    fn unavailable(seconds: u64) -> DirectoryError {
        DirectoryError::unavailable(CallFailure::GivenUp, Some(Duration::from_secs(seconds)))
    }

    async fn ask(
        answers: &Numbers,
        questions: &[u8],
        calls: &Arc<AtomicUsize>,
        keep: u64,
    ) -> Result<Vec<u8>, DirectoryError> {
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
        let (answers, calls) = (Numbers::new("test", 10), Arc::default());
        assert_eq!(ask(&answers, &[1, 2], &calls, 60).await.unwrap(), [2, 3]);
        assert_eq!(
            ask(&answers, &[1, 2, 3], &calls, 60).await.unwrap(),
            [2, 3, 4]
        );
        assert_eq!(calls.load(Ordering::SeqCst), 3);
        assert!(matches!(answers.look(&1, &[3]), Look::Known(known) if known == [4]));
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(matches!(answers.look(&1, &[3]), Look::Open));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_share_an_answer_that_is_kept_for_no_time() {
        let (answers, calls) = (Arc::new(Numbers::new("test", 10)), Arc::default());
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
        let answers = Numbers::new("test", 10);
        let failed = answers
            .resolve(&1, &[1], |_| async { Err(unavailable(7)) })
            .await;
        assert!(failed.is_err());
        tokio::time::advance(Duration::from_secs(5)).await;
        let Look::Failed(DirectoryError::Unavailable { retry_after, .. }) = answers.look(&1, &[1])
        else {
            panic!("the failure is not remembered")
        };
        assert_eq!(retry_after, Duration::from_secs(2));
        assert!(matches!(answers.look(&2, &[1]), Look::Open));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert!(matches!(answers.look(&1, &[1]), Look::Open));
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_survives_the_request_that_asked_it() {
        let (answers, calls) = (Arc::new(Numbers::new("test", 10)), Arc::default());
        let impatient =
            tokio::time::timeout(Duration::from_millis(1), ask(&answers, &[1], &calls, 60));
        assert!(impatient.await.is_err());
        assert_eq!(ask(&answers, &[1], &calls, 60).await.unwrap(), [2]);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_never_more_keys_than_allowed() {
        let answers: Answers<u32, (), u32> = Answers::new("test", 32);
        for key in 0..1_000 {
            let fresh = async move { Ok(vec![((), key, Duration::from_secs(60))]) };
            answers.resolve(&key, &[()], |_| fresh).await.unwrap();
            assert!(lock(&answers.entries).len() <= 32);
        }
        assert!(matches!(answers.look(&999, &[()]), Look::Known(_)));
        answers.forget(&999);
        assert!(matches!(answers.look(&999, &[()]), Look::Open));
    }
}
