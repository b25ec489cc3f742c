//! What is known of one key: answers, or a failure, each for a while.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

use crate::graph::error::GraphError;

/// What a lookup finds, without a request to Graph.
#[derive(Debug)]
pub(crate) enum CacheLookup<T> {
    /// All that was asked for; of several questions in their order.
    Hit(T),
    /// Asking failed a moment ago.
    Failed(GraphError),
    /// A request has to be sent.
    Miss,
}

/// A good answer, and how long it is kept.
pub(in crate::graph) type Fresh<Q, A> = (Q, A, Duration);

pub(super) struct CacheEntry<Q, A> {
    answers: HashMap<Q, Kept<A>>,
    failure: Option<Kept<GraphError>>,
    /// Counts what was stored, so that those who waited take it whatever its age.
    stored: u64,
}

struct Kept<T> {
    value: T,
    until: Instant,
    stored: u64,
}

/// A guard of the application's own could name ever new groups.
const MOST_QUESTIONS: usize = 1_024;

impl<Q: Eq + Hash + Clone, A: Clone> CacheEntry<Q, A> {
    pub(super) fn new() -> Self {
        Self {
            answers: HashMap::new(),
            failure: None,
            stored: 0,
        }
    }

    /// How often something was stored.
    pub(super) fn stored(&self) -> u64 {
        self.stored
    }

    /// Answers that were good at a time, and those stored after `seen` whatever their age.
    pub(super) fn look(&self, questions: &[Q], now: Instant, seen: u64) -> CacheLookup<Vec<A>> {
        let answer = |question| {
            let kept = self.answers.get(question)?;
            kept.is_good(now, seen).then(|| kept.value.clone())
        };
        if let Some(answers) = questions.iter().map(answer).collect() {
            return CacheLookup::Hit(answers);
        }
        match &self.failure {
            Some(kept) if kept.is_good(now, seen) => {
                let rest = kept.until.saturating_duration_since(Instant::now());
                CacheLookup::Failed(kept.value.clone().with_rest(rest))
            }
            _ => CacheLookup::Miss,
        }
    }

    pub(super) fn open(&self, questions: &[Q], now: Instant, seen: u64) -> Vec<Q> {
        let is_open = |question: &&Q| {
            let kept = self.answers.get(question);
            !kept.is_some_and(|kept| kept.is_good(now, seen))
        };
        questions.iter().filter(is_open).cloned().collect()
    }

    pub(super) fn store(
        &mut self,
        outcome: Result<Vec<Fresh<Q, A>>, GraphError>,
        remembers: fn(&GraphError) -> Option<Duration>,
    ) -> Result<(), GraphError> {
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

    pub(super) fn is_good_at(&self, now: Instant) -> bool {
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
