//! The task that keeps one document's keys fresh.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::fetch::{Fetched, Remote};
use super::fetch_error::JwksFetchError;
use super::schedule::{LONGEST_RETRY_AFTER, Schedule};
use super::snapshot::{Change, Forgets, KeyPublisher};
use crate::authority::JwksRefresh;
use crate::tasks::{Panicked, unwinding};

/// Fetches until the last reader is gone.
pub(crate) struct Refresher {
    name: String,
    remote: Remote,
    publisher: KeyPublisher,
    schedule: Schedule,
    max_stale: Duration,
    grace: Duration,
    failures: u32,
    /// The request for a fetch that is being answered.
    ticket: Option<u64>,
}

impl Refresher {
    pub(crate) fn new(
        name: String,
        remote: Remote,
        publisher: KeyPublisher,
        freshness: &JwksRefresh,
    ) -> Self {
        Self {
            name,
            remote,
            publisher,
            schedule: Schedule::new(freshness),
            max_stale: freshness.most_stale(),
            grace: freshness.withdrawal_grace,
            failures: 0,
            ticket: None,
        }
    }

    /// Runs: on schedule, when a request asks, and only until the last reader is dropped.
    ///
    /// Where something panics, a `tracing` subscriber for one, it begins again: keys that no task
    /// refreshes would be too old one day, and no key that is new would ever be found.
    pub(crate) async fn run(mut self) {
        while unwinding("refresh", self.turn()).await == Err(Panicked) {
            self.failures = self.failures.saturating_add(1);
            // The request that asked for it would wait for nothing, and all that come later.
            self.publisher.ended(self.ticket.take(), true, None);
            let pause = self
                .schedule
                .after_failure(self.failures, None, fastrand::f64());
            sleep(pause).await;
        }
        tracing::debug!(authority = self.name, "the last reader of the keys is gone");
    }

    async fn turn(&mut self) {
        let mut next = self.refresh(None).await;
        loop {
            let due = self.due();
            let ticket = tokio::select! {
                biased;
                asked = self.publisher.asked() => match asked {
                    Some(ticket) => Some(ticket),
                    None => break,
                },
                // Before the keys are withdrawn there is one more attempt.
                () = sleep_until(next) => None,
                () = sleep_until(due.unwrap_or(next)), if due.is_some() => {
                    self.age();
                    continue;
                }
            };
            next = self.refresh(ticket).await;
        }
    }

    /// Fetches once and says when to fetch next.
    async fn refresh(&mut self, ticket: Option<u64>) -> Instant {
        self.ticket = ticket;
        let chance = fastrand::f64();
        let began = self.publisher.forgets();
        let (wait, quiet) = match self.fetch().await {
            Ok(fetched) => {
                crate::metrics::keys_fetched(&self.name, fetched.kind());
                self.failures = 0;
                let max_age = self.publish(fetched, began);
                let keys = self.publisher.current().keys.clone();
                let withdrawn = keys.is_some_and(|keys| keys.withdrawn() > 0);
                let wait = self.schedule.after_success(max_age, withdrawn, chance);
                (wait, None)
            }
            Err(error) => {
                crate::metrics::keys_fetched(&self.name, error.kind());
                self.failures = self.failures.saturating_add(1);
                let quiet = error
                    .retry_after()
                    .map(|time| time.min(LONGEST_RETRY_AFTER));
                let has_keys = self.publisher.current().keys.is_some();
                if !has_keys {
                    self.remote.last = None;
                }
                self.report(error);
                // Without keys the next attempt is at most a minute away, whatever is asked for.
                let asked = quiet.filter(|_| has_keys);
                let wait = self.schedule.after_failure(self.failures, asked, chance);
                (wait, quiet)
            }
        };
        self.publisher.ended(ticket, self.failures > 0, quiet);
        self.ticket = None;
        #[allow(
            clippy::arithmetic_side_effects,
            reason = "a day at most; a moment that cannot be told would be a storm"
        )]
        let next = Instant::now() + wait;
        next
    }

    /// Fetches in a task of its own: a panic there is a failed fetch, not the end of refreshing.
    ///
    /// Keys that become too old meanwhile are withdrawn meanwhile, however long the fetch hangs.
    async fn fetch(&mut self) -> Result<Fetched, JwksFetchError> {
        let mut remote = self.remote.clone();
        let mut fetching = tokio::spawn(async move {
            let fetched = unwinding("fetch", remote.fetch()).await;
            (remote, fetched)
        });
        let fetched = loop {
            let due = self.due();
            tokio::select! {
                biased;
                fetched = &mut fetching => break fetched,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.age(),
            }
        };
        match fetched {
            Ok((remote, Ok(fetched))) => {
                self.remote = remote;
                fetched
            }
            Ok((_, Err(Panicked))) => Err(JwksFetchError::Panicked("the fetch panicked".into())),
            Err(error) => Err(JwksFetchError::Panicked(Box::new(error))),
        }
    }

    fn publish(&self, fetched: Fetched, began: Forgets) -> Option<Duration> {
        let (keys, max_age) = match fetched {
            Fetched::Unchanged { max_age } => {
                self.publisher.confirmed(began);
                return max_age;
            }
            Fetched::Keys { keys, max_age } => (keys, max_age),
        };
        let skipped = keys.skipped();
        let Change {
            before,
            after,
            vanished,
        } = self.publisher.fetched(keys, self.grace, began);
        if before != after {
            tracing::info!(
                authority = self.name,
                keys = after,
                skipped,
                "signing keys loaded"
            );
        }
        if !vanished.is_empty() {
            tracing::warn!(
                authority = self.name,
                kids = ?vanished,
                grace_seconds = self.grace.as_secs(),
                "signing keys have vanished from the document and verify for a while"
            );
        }
        max_age
    }

    /// Keeps the last good keys and says so.
    fn report(&self, error: JwksFetchError) {
        let before = self.publisher.current();
        tracing::warn!(
            authority = self.name,
            error = %error.with_causes(),
            failures = self.failures,
            keys_kept = before.keys.as_ref().map_or(0, |keys| keys.len()),
            "signing keys could not be refreshed"
        );
        self.publisher.failed(error);
    }

    fn stale_at(&self) -> Option<Instant> {
        let current = self.publisher.current();
        current
            .keys
            .as_ref()
            .and(current.confirmed)?
            .checked_add(self.max_stale)
    }

    /// When keys go out of use next: all of them, or the first that has vanished.
    fn due(&self) -> Option<Instant> {
        let keys = self.publisher.current().keys.clone();
        let ends = keys.and_then(|keys| keys.next_end());
        self.stale_at().into_iter().chain(ends).min()
    }

    /// Takes keys out of use whose time is over.
    fn age(&mut self) {
        let now = Instant::now();
        if self.stale_at().is_some_and(|end| end <= now) {
            self.drop_stale();
        }
        let ended = self.publisher.end_grace(now);
        if ended > 0 {
            tracing::info!(
                authority = self.name,
                keys = ended,
                "signing keys that had vanished are no longer used"
            );
        }
    }

    fn drop_stale(&mut self) {
        tracing::warn!(
            authority = self.name,
            "signing keys are too old and no longer used"
        );
        // All of the document is read again.
        self.remote.last = None;
        self.publisher.drop_stale();
    }
}
