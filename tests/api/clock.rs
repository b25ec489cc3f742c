//! Time that moves by hand, while sockets work as ever.

use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Stops the runtime's clock; it moves only with [`pass`](Self::pass).
///
/// A paused clock jumps to the next timer as soon as every task waits, also for a socket, and then
/// every fetch would time out. It does not jump while a blocking task runs, so one runs.
#[derive(Debug)]
pub(crate) struct StoppedClock {
    _hold: mpsc::Sender<()>,
}

impl StoppedClock {
    /// Needs a current-thread runtime, which `#[tokio::test]` has.
    pub(crate) fn new() -> Self {
        let (hold, held) = mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || {
            let _ = held.recv();
        });
        tokio::time::pause();
        Self { _hold: hold }
    }

    /// Lets time pass at once. What was under way meanwhile is late; wait for it before.
    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::advance(time).await;
        settle().await;
    }

    /// Lets time pass in steps until something has come true.
    #[track_caller]
    pub(crate) fn pass_until(
        &self,
        what: &str,
        step: Duration,
        mut holds: impl FnMut() -> bool,
    ) -> impl Future<Output = ()> {
        let start = Instant::now();
        async move {
            while !holds() {
                assert!(
                    start.elapsed() < Duration::from_secs(10),
                    "timed out: {what}"
                );
                self.pass(step).await;
            }
        }
    }
}

/// Gives sockets and tasks a moment of real time.
pub(crate) async fn settle() {
    let moment = || std::thread::sleep(Duration::from_millis(2));
    tokio::task::spawn_blocking(moment).await.unwrap();
}

/// Waits, in real time and not for long, until something has come true.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let start = Instant::now();
    async move {
        while !holds() {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "timed out: {what}"
            );
            settle().await;
        }
    }
}
