//! In place of tokio's tasks, and of its lock that is waited for, which goes to those who wait in their order.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use super::base::{Mutex, MutexGuard, block_on};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) use task::spawn;

/// A task is a thread, and goes on when its handle is dropped.
#[cfg(not(feature = "loom"))]
mod task {
    use super::*;

    /// What a task leaves, and who waits for it.
    type Left<T> = Arc<Mutex<(Option<T>, Option<Waker>)>>;

    pub(crate) struct JoinHandle<T>(Left<T>);

    pub(crate) fn spawn<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let left = Arc::new(Mutex::new((None, None::<Waker>)));
        let own = Arc::clone(&left);
        drop(crate::sync::thread(crate::sync::number(), move || {
            let output = block_on(future);
            let mut left = lock(&own);
            left.0 = Some(output);
            let waiting = left.1.take();
            drop(left);
            waiting.into_iter().for_each(Waker::wake);
        }));
        JoinHandle(left)
    }

    impl<T> Future for JoinHandle<T> {
        type Output = Result<T, ()>;

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            let mut left = lock(&self.0);
            match left.0.take() {
                Some(output) => Poll::Ready(Ok(output)),
                None => {
                    left.1 = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        }
    }
}

/// A thread for each is too much for every order. Who waits for a task does nothing else, so the task takes its
/// steps there, and gets a thread of its own when its handle is dropped.
#[cfg(feature = "loom")]
mod task {
    use super::*;

    pub(crate) struct JoinHandle<T: 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

    pub(crate) fn spawn<T>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        JoinHandle(Some(Box::pin(future)))
    }

    impl<T> Future for JoinHandle<T> {
        type Output = Result<T, ()>;

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            let Some(future) = &mut self.0 else {
                return Poll::Ready(Err(()));
            };
            let output = std::task::ready!(future.as_mut().poll(context));
            self.0 = None;
            Poll::Ready(Ok(output))
        }
    }

    impl<T> Drop for JoinHandle<T> {
        fn drop(&mut self) {
            if let Some(rest) = self.0.take().filter(|_| !std::thread::panicking()) {
                drop(crate::sync::thread(crate::sync::number(), move || {
                    drop(block_on(rest));
                }));
            }
        }
    }
}

#[derive(Default)]
struct Queue {
    is_held: bool,
    /// Whose turn it is, of those who waited; it holds the lock already.
    turn: Option<u64>,
    waiting: VecDeque<(u64, Waker)>,
    last: u64,
}

impl Queue {
    /// Gives the lock to the first who waits.
    fn release(&mut self) -> Option<Waker> {
        let first = self.waiting.pop_front();
        self.is_held = first.is_some();
        self.turn = first.as_ref().map(|(number, _)| *number);
        first.map(|(_, waker)| waker)
    }
}

/// Nothing is in it: it only keeps others away.
pub(crate) struct AsyncMutex<T> {
    queue: Mutex<Queue>,
    nothing: std::marker::PhantomData<T>,
}

pub(crate) struct OwnedMutexGuard<T>(Arc<AsyncMutex<T>>);

/// A place among those who wait, which is left when the future is dropped.
struct Place<'m, T> {
    mutex: &'m AsyncMutex<T>,
    number: Option<u64>,
}

impl<T> AsyncMutex<T> {
    pub(crate) async fn lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        let mut place = Place {
            mutex: &self,
            number: None,
        };
        poll_fn(|context| place.poll(context)).await;
        drop(place);
        OwnedMutexGuard(self)
    }

    fn release(&self) {
        let next = lock(&self.queue).release();
        next.into_iter().for_each(Waker::wake);
    }
}

impl<T> Place<'_, T> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut queue = lock(&self.mutex.queue);
        match self.number {
            Some(own) if queue.turn == Some(own) => {
                queue.turn = None;
                self.number = None;
                Poll::Ready(())
            }
            Some(own) => {
                let mut waiting = queue.waiting.iter_mut();
                if let Some((_, waker)) = waiting.find(|(number, _)| *number == own) {
                    *waker = context.waker().clone();
                }
                Poll::Pending
            }
            None if !queue.is_held => {
                queue.is_held = true;
                Poll::Ready(())
            }
            None => {
                queue.last += 1;
                let own = queue.last;
                queue.waiting.push_back((own, context.waker().clone()));
                self.number = Some(own);
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        let Some(own) = self.number.filter(|_| !std::thread::panicking()) else {
            return;
        };
        let mut queue = lock(&self.mutex.queue);
        queue.waiting.retain(|(number, _)| *number != own);
        let has_turn = queue.turn == Some(own);
        drop(queue);
        if has_turn {
            self.mutex.release();
        }
    }
}

impl<T> Drop for OwnedMutexGuard<T> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.0.release();
        }
    }
}

impl<T> Default for AsyncMutex<T> {
    fn default() -> Self {
        Self {
            queue: Mutex::new(Queue::default()),
            nothing: std::marker::PhantomData,
        }
    }
}

impl<T> fmt::Debug for AsyncMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsyncMutex")
    }
}

impl<T> fmt::Debug for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnedMutexGuard")
    }
}
