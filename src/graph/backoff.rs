//! How often a token endpoint is asked that refuses this API itself.
//!
//! An expired secret fails every caller's question alike, and no retry of theirs mends it. One of
//! them asks at a time, after a pause that doubles; the others get what it got.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::error::GraphError;
use super::request_error::GraphRequestError;
use crate::sync::{AsyncMutex, Mutex, MutexGuard, OwnedMutexGuard};

/// The pauses of one token endpoint: one for the credential, one for each tenant and set of scopes.
///
/// Apart, since a tenant where this API is not installed must not stop the others.
#[derive(Debug, Default)]
pub(super) struct Backoffs {
    pub(super) credential: Backoff,
    requests: Mutex<HashMap<Wanted, Arc<Backoff>>>,
}

/// A tenant and scopes.
type Wanted = (Option<Uuid>, String);

impl Backoffs {
    /// The pause of one kind of request.
    pub(super) fn of(&self, tenant: Option<Uuid>, scopes: &str) -> Arc<Backoff> {
        let mut requests = lock(&self.requests);
        let wanted = (tenant, scopes.to_owned());
        if let Some(backoff) = requests.get(&wanted) {
            return Arc::clone(backoff);
        }
        if requests.len() >= MOST {
            // Not one that a request holds: another would try beside it.
            let is_held = |backoff: &Arc<Backoff>| Arc::strong_count(backoff) > 1;
            requests.retain(|_, backoff| is_held(backoff) || backoff.is_refused());
            if requests.len() >= MOST {
                requests.retain(|_, backoff| is_held(backoff));
            }
        }
        Arc::clone(requests.entry(wanted).or_default())
    }
}

/// Whether something may be asked for, and after which pause.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    state: Mutex<State>,
    /// Held by the one who tries.
    trial: Arc<AsyncMutex<()>>,
}

#[derive(Debug, Default)]
enum State {
    /// Not tried yet: one tries, the others wait for what comes of it.
    #[default]
    Untried,
    /// It was not refused the last time.
    Open,
    Refused {
        times: u32,
        until: Instant,
        failure: Arc<GraphRequestError>,
    },
}

impl Backoff {
    /// Waits until it may be asked for; what comes back is kept until the answer is there.
    ///
    /// # Errors
    /// The last refusal, during the pause after it.
    pub(super) async fn pass(&self) -> Result<Option<OwnedMutexGuard<()>>, GraphError> {
        if let Some(known) = self.known() {
            return known.map(|()| None);
        }
        let trial = Arc::clone(&self.trial).lock_owned().await;
        // Another request may have tried meanwhile.
        match self.known() {
            Some(known) => known.map(|()| None),
            None => Ok(Some(trial)),
        }
    }

    /// It was not refused.
    pub(super) fn opened(&self) {
        *lock(&self.state) = State::Open;
    }

    /// There was no answer, so the outcome is unknown. What was refused before stays so.
    pub(super) fn untold(&self) {
        let mut state = lock(&self.state);
        if matches!(*state, State::Untried) {
            *state = State::Open;
        }
    }

    /// It was refused. Of calls that were made at the same time the first counts.
    pub(super) fn refused(
        &self,
        failure: GraphRequestError,
        retry_after: Option<Duration>,
    ) -> GraphError {
        let now = Instant::now();
        let mut state = lock(&self.state);
        let before = match &*state {
            State::Refused { until, failure, .. } if *until > now => {
                return unavailable(*until, now, failure);
            }
            State::Refused { times, .. } => *times,
            State::Untried | State::Open => 0,
        };
        tracing::error!(
            error = %failure,
            "the token endpoint refuses this API: credentials, permissions or scopes are wrong"
        );
        let doubled = SHORTEST.saturating_mul(1_u32.checked_shl(before).unwrap_or(u32::MAX));
        let pause = doubled.min(LONGEST).max(retry_after.unwrap_or_default());
        let until = now.checked_add(pause.min(LONGEST_ASKED)).unwrap_or(now);
        let failure = Arc::new(failure);
        let error = unavailable(until, now, &failure);
        *state = State::Refused {
            times: before.saturating_add(1),
            until,
            failure,
        };
        error
    }

    /// What needs no trial; `None` where a request has to try.
    fn known(&self) -> Option<Result<(), GraphError>> {
        let now = Instant::now();
        match &*lock(&self.state) {
            State::Open => Some(Ok(())),
            State::Refused { until, failure, .. } if *until > now => {
                Some(Err(unavailable(*until, now, failure)))
            }
            State::Untried | State::Refused { .. } => None,
        }
    }

    fn is_refused(&self) -> bool {
        matches!(*lock(&self.state), State::Refused { until, .. } if until > Instant::now())
    }
}

fn unavailable(until: Instant, now: Instant, failure: &Arc<GraphRequestError>) -> GraphError {
    GraphError::Unavailable {
        retry_after: until.saturating_duration_since(now),
        failure: Arc::clone(failure),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One call for each pause, which doubles from a second to a minute.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// The longest pause that a `Retry-After` may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(3_600);

/// Tenants times sets of scopes.
const MOST: usize = 4_096;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn refusal() -> GraphRequestError {
        GraphRequestError::Refused {
            call: "token endpoint",
            code: "invalid_client AADSTS7000222".to_owned(),
        }
    }

    async fn ask(backoff: Arc<Backoff>, calls: Arc<AtomicUsize>, refused: bool) -> bool {
        let Ok(_trial) = backoff.pass().await else {
            return false;
        };
        calls.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(10)).await;
        match refused {
            true => drop(backoff.refused(refusal(), None)),
            false => backoff.opened(),
        }
        !refused
    }

    async fn all(backoff: &Arc<Backoff>, calls: &Arc<AtomicUsize>, refused: bool) -> usize {
        let all: Vec<_> = (0..50)
            .map(|_| tokio::spawn(ask(Arc::clone(backoff), Arc::clone(calls), refused)))
            .collect();
        let mut good = 0;
        for one in all {
            good += usize::from(one.await.unwrap());
        }
        good
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_costs_one_call_for_each_pause_and_pauses_double_to_a_minute() {
        let (backoff, calls) = (Arc::default(), Arc::default());
        for (round, pause) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
            assert_eq!(all(&backoff, &calls, true).await, 0);
            assert_eq!(calls.load(Ordering::SeqCst), round + 1);
            let before = Duration::from_secs(pause) - Duration::from_millis(20);
            tokio::time::advance(before).await;
            assert_eq!(all(&backoff, &calls, true).await, 0);
            assert_eq!(calls.load(Ordering::SeqCst), round + 1, "pause {pause}");
            tokio::time::advance(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_refused_is_asked_by_all_at_once_and_a_mended_secret_ends_the_pause() {
        let (backoff, calls) = (Arc::default(), Arc::default());
        assert_eq!(all(&backoff, &calls, false).await, 50);
        assert_eq!(calls.load(Ordering::SeqCst), 50);
        assert_eq!(all(&backoff, &calls, true).await, 0);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(all(&backoff, &calls, false).await, 50);
        // The next refusal begins with a second again.
        assert_eq!(all(&backoff, &calls, true).await, 0);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(backoff.known().is_none());
    }

    #[test]
    fn there_are_never_more_pauses_than_allowed() {
        let backoffs = Backoffs::default();
        for number in 0..3 * MOST {
            backoffs.of(None, &number.to_string());
            assert!(lock(&backoffs.requests).len() <= MOST);
        }
    }

    #[test]
    fn a_pause_that_is_waited_for_is_not_forgotten_for_newcomers() {
        for refused in [false, true] {
            let backoffs = Backoffs::default();
            let tried = backoffs.of(None, "tried");
            for number in 0..3 * MOST {
                let other = backoffs.of(None, &number.to_string());
                if refused {
                    drop(other.refused(refusal(), None));
                }
            }
            assert!(Arc::ptr_eq(&tried, &backoffs.of(None, "tried")));
        }
    }
}
