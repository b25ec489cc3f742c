//! The task that keeps one document's keys fresh.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::fetch_error::FetchError;
use super::remote::{Fetched, Remote};
use super::schedule::Schedule;
use super::set::KeySet;
use super::store::{KeyPublisher, Snapshot};
use crate::authority::KeyFreshness;

/// Fetches until the last reader is gone.
pub(crate) struct Refresher {
    name: String,
    remote: Remote,
    publisher: KeyPublisher,
    schedule: Schedule,
    max_stale: Duration,
    failures: u32,
}

impl Refresher {
    pub(crate) fn new(
        name: String,
        remote: Remote,
        publisher: KeyPublisher,
        freshness: &KeyFreshness,
    ) -> Self {
        Self {
            name,
            remote,
            publisher,
            schedule: Schedule::new(freshness),
            max_stale: freshness.max_stale,
            failures: 0,
        }
    }

    /// Runs: on schedule, when a request asks, and not one moment longer than somebody reads.
    pub(crate) async fn run(mut self) {
        let mut next = self.refresh(None).await;
        loop {
            let stale_at = self.stale_at();
            let ticket = tokio::select! {
                biased;
                asked = self.publisher.asked() => match asked {
                    Some(ticket) => Some(ticket),
                    None => break,
                },
                // Before the keys are withdrawn there is one more attempt.
                () = sleep_until(next) => None,
                () = sleep_until(stale_at.unwrap_or(next)), if stale_at.is_some() => {
                    self.drop_stale();
                    continue;
                }
            };
            next = self.refresh(ticket).await;
        }
        tracing::debug!(authority = self.name, "the last reader of the keys is gone");
    }

    /// Fetches once and says when to fetch next.
    async fn refresh(&mut self, ticket: Option<u64>) -> Instant {
        let chance = fastrand::f64();
        let before = self.publisher.current().keys.clone();
        let wait = match self.fetch().await {
            Ok(fetched) => {
                crate::measure::keys_fetched(&self.name, fetched.kind());
                self.failures = 0;
                let max_age = self.publish(fetched, before);
                self.schedule.after_success(max_age, chance)
            }
            Err(error) => {
                crate::measure::keys_fetched(&self.name, error.kind());
                self.failures = self.failures.saturating_add(1);
                if self.publisher.current().keys.is_none() {
                    self.remote.last = None;
                }
                self.report(error);
                self.schedule.after_failure(self.failures, chance)
            }
        };
        self.publisher.answer(ticket, self.failures == 0);
        #[allow(
            clippy::arithmetic_side_effects,
            reason = "a day and a tenth at most; a moment that cannot be told would be a storm"
        )]
        let next = Instant::now() + wait;
        next
    }

    /// Fetches in a task of its own: a panic there is a failed fetch, not the end of refreshing.
    ///
    /// Keys that become too old meanwhile are withdrawn meanwhile, however long the fetch hangs.
    async fn fetch(&mut self) -> Result<Fetched, FetchError> {
        let mut remote = self.remote.clone();
        let mut fetching = tokio::spawn(async move {
            let fetched = remote.fetch().await;
            (remote, fetched)
        });
        let stale_at = self.stale_at();
        let fetched = tokio::select! {
            biased;
            fetched = &mut fetching => fetched,
            () = sleep_until(stale_at.unwrap_or_else(Instant::now)), if stale_at.is_some() => {
                self.drop_stale();
                fetching.await
            }
        };
        match fetched {
            Ok((remote, fetched)) => {
                self.remote = remote;
                fetched
            }
            Err(error) => {
                tracing::error!(authority = self.name, "the task that fetches keys panicked");
                Err(FetchError::Panicked(Box::new(error)))
            }
        }
    }

    /// `before` is what there was when the fetch began, which may be too old by its end.
    fn publish(&self, fetched: Fetched, before: Option<Arc<KeySet>>) -> Option<Duration> {
        let (keys, max_age) = match fetched {
            Fetched::Unchanged { max_age } => (before, max_age),
            Fetched::Keys { keys, max_age } => {
                if before.as_ref().is_none_or(|old| old.len() != keys.len()) {
                    tracing::info!(
                        authority = self.name,
                        keys = keys.len(),
                        skipped = keys.skipped(),
                        "signing keys loaded"
                    );
                }
                let keys = match before {
                    Some(old) => keys.sharing_with(&old),
                    None => keys,
                };
                (Some(Arc::new(keys)), max_age)
            }
        };
        self.publisher.publish(Snapshot {
            keys,
            confirmed: Some(Instant::now()),
            last_error: None,
        });
        max_age
    }

    /// Keeps the last good keys and says so.
    fn report(&self, error: FetchError) {
        let before = self.publisher.current();
        tracing::warn!(
            authority = self.name,
            error = %error.with_causes(),
            failures = self.failures,
            keys_kept = before.keys.as_ref().map_or(0, |keys| keys.len()),
            "signing keys could not be refreshed"
        );
        self.publisher.publish(Snapshot {
            last_error: Some(Arc::new(error)),
            ..(*before).clone()
        });
    }

    fn stale_at(&self) -> Option<Instant> {
        let current = self.publisher.current();
        current
            .keys
            .as_ref()
            .and(current.confirmed)?
            .checked_add(self.max_stale)
    }

    fn drop_stale(&mut self) {
        tracing::warn!(
            authority = self.name,
            "signing keys are too old and no longer used"
        );
        // A condition on keys that are gone would be answered with nothing.
        self.remote.last = None;
        let before = self.publisher.current();
        self.publisher.publish(Snapshot {
            keys: None,
            ..(*before).clone()
        });
    }
}
