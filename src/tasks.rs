//! Tasks of this crate's own: where one panics, its owner goes on.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// A future that did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Waits for a future, and catches what it panics with: code of the application (a clock, a hook, a
/// `tracing` subscriber) can run in it, and a refresh that ended for good would be an outage.
///
/// What the future left half done is its owner's affair; its locks must not stay poisoned.
pub(crate) async fn unwinding<T>(
    name: &'static str,
    future: impl Future<Output = T>,
) -> Result<T, Panicked> {
    let mut future = pin!(future);
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            #[cfg(test)]
            injected::at_a_poll(name);
            future.as_mut().poll(context)
        }));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(_) => {
                // The subscriber may be what panics.
                let report = || tracing::error!(task = name, "a task panicked");
                let _ = catch_unwind(report);
                Poll::Ready(Err(Panicked))
            }
        }
    })
    .await
}

/// Panics that tests put where a task waits.
#[cfg(test)]
pub(crate) mod injected {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    #[derive(Default)]
    struct Plan {
        /// Panics at that poll of tasks of that name, the first being 1.
        at: Option<(&'static str, u64)>,
        polls: BTreeMap<&'static str, u64>,
        panics: u64,
    }

    thread_local! {
        static PLAN: RefCell<Plan> = RefCell::default();
    }

    /// Counts from now on, and panics there.
    pub(crate) fn begin(at: Option<(&'static str, u64)>) {
        let plan = Plan {
            at,
            ..Plan::default()
        };
        PLAN.with(|own| *own.borrow_mut() = plan);
    }

    /// How often tasks of a name were polled since, and how often one panicked.
    pub(crate) fn counted(name: &'static str) -> (u64, u64) {
        PLAN.with(|own| {
            let plan = own.borrow();
            (
                plan.polls.get(name).copied().unwrap_or_default(),
                plan.panics,
            )
        })
    }

    pub(super) fn at_a_poll(name: &'static str) {
        let is_due = PLAN.with(|own| {
            let mut plan = own.borrow_mut();
            let before = plan.polls.get(name).copied().unwrap_or_default();
            let polls = before.saturating_add(1);
            plan.polls.insert(name, polls);
            let is_due = plan.at == Some((name, polls));
            plan.panics = plan.panics.saturating_add(u64::from(is_due));
            is_due
        });
        assert!(!is_due, "injected");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_a_result_is_handed_on() {
        assert_eq!(unwinding("one", async { 7 }).await, Ok(7));
        let waits = async {
            tokio::task::yield_now().await;
            panic!("the application's own")
        };
        let ended: Result<(), Panicked> = unwinding("two", waits).await;
        assert_eq!(ended, Err(Panicked));
    }
}
