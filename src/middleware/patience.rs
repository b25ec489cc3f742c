//! How long one request waits for the directory in all.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Extensions;
use tokio::time::Instant;

use crate::graph::{Connection, GraphError, GraphRequestError};

/// The time that a request may still wait for the directory: for what the layer, its guards and
/// its handler ask together. It is in the request's extensions after the first call.
#[derive(Debug, Clone)]
pub struct Patience(Arc<Rest>);

#[derive(Debug)]
struct Rest {
    whole: Duration,
    left: Mutex<Left>,
}

#[derive(Debug, Clone, Copy)]
struct Left {
    time: Duration,
    /// When the last wait ended.
    since: Instant,
}

impl Patience {
    pub(super) fn new(whole: Duration) -> Self {
        let left = Mutex::new(Left {
            time: whole,
            since: Instant::now(),
        });
        Self(Arc::new(Rest { whole, left }))
    }

    /// What is left of a request's, or the whole.
    pub(super) fn of(extensions: &Extensions, connection: &Connection) -> Self {
        let begun = extensions.get::<Self>().cloned();
        begun.unwrap_or_else(|| Self::new(connection.longest()))
    }

    /// Waits for an answer as long as there is time left.
    ///
    /// A handler that has asked nothing for as long as a request may wait begins anew, since a
    /// connection can stay open for hours.
    ///
    /// # Errors
    /// What the question came to, or `Unavailable` when the time is over.
    pub(super) async fn wait<T>(
        &self,
        asking: impl Future<Output = Result<T, GraphError>>,
    ) -> Result<T, GraphError> {
        let began = Instant::now();
        let time = {
            let mut left = self.0.left.lock().unwrap_or_else(PoisonError::into_inner);
            if began.saturating_duration_since(left.since) >= self.0.whole {
                left.time = self.0.whole;
            }
            left.time
        };
        let answer = tokio::time::timeout(time, asking).await;
        let mut left = self.0.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.time = left.time.saturating_sub(began.elapsed());
        left.since = Instant::now();
        drop(left);
        answer.unwrap_or_else(|_| Err(GraphRequestError::too_long(self.0.whole).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asks(patience: &Patience, millis: u64) -> bool {
        let answer = patience.wait(async {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            Ok(())
        });
        answer.await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn all_questions_of_a_request_share_one_limit() {
        let patience = Patience::new(Duration::from_secs(1));
        let began = Instant::now();
        assert!(asks(&patience.clone(), 400).await);
        assert!(asks(&patience, 400).await);
        assert!(!asks(&patience, 400).await);
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        assert!(!asks(&patience, 1).await);
        // A client that retries much later is not rejected because of an old wait.
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(asks(&patience, 900).await);
    }
}
