//! What loom and shuttle have no model of: a cell that is set once, and tokio's channels as they are documented.

use std::fmt;
use std::sync::{Arc, PoisonError};

use super::base::atomic::{AtomicBool, Ordering};
use super::base::{Mutex, MutexGuard};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Readers see that it is set by one acquiring read, as with the standard library's.
pub(crate) struct OnceLock<T> {
    setting: Mutex<()>,
    is_set: AtomicBool,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        Self {
            setting: Mutex::new(()),
            is_set: AtomicBool::new(false),
            value: std::sync::OnceLock::new(),
        }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.is_set
            .load(Ordering::Acquire)
            .then(|| self.value.get())
            .flatten()
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let _setting = lock(&self.setting);
        let set = self.value.set(value);
        if set.is_ok() {
            self.is_set.store(true, Ordering::Release);
        }
        set
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let _setting = lock(&self.setting);
        let value = self.value.get_or_init(make);
        self.is_set.store(true, Ordering::Release);
        value
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnceLock")
    }
}

/// No model waits for the clock: nothing is ever late.
pub(crate) async fn timeout_at<F: Future>(
    _: tokio::time::Instant,
    done: F,
) -> Result<F::Output, ()> {
    Ok(done.await)
}

pub(crate) async fn timeout<F: Future>(_: std::time::Duration, done: F) -> Result<F::Output, ()> {
    Ok(done.await)
}

/// The last value, and who waits for the next.
pub(crate) mod watch {
    use std::ops::Deref;
    use std::task::{Poll, Waker};

    use super::*;

    #[derive(Debug)]
    struct State<T> {
        value: T,
        version: u64,
        closed: bool,
        waiting: Vec<Waker>,
    }

    pub(crate) struct Sender<T>(Arc<Mutex<State<T>>>);

    pub(crate) struct Receiver<T> {
        state: Arc<Mutex<State<T>>>,
        seen: u64,
    }

    pub(crate) struct Ref<'r, T>(MutexGuard<'r, State<T>>);

    #[derive(Debug)]
    pub(crate) struct Closed;

    pub(crate) fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
        let sender = Sender::new(value);
        let receiver = sender.subscribe();
        (sender, receiver)
    }

    impl<T> Sender<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Arc::new(Mutex::new(State {
                value,
                version: 0,
                closed: false,
                waiting: Vec::new(),
            })))
        }

        pub(crate) fn send_modify(&self, change: impl FnOnce(&mut T)) {
            let mut state = lock(&self.0);
            change(&mut state.value);
            state.version += 1;
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_iter().for_each(Waker::wake);
        }

        pub(crate) fn send_replace(&self, value: T) {
            self.send_modify(|own| *own = value);
        }

        pub(crate) fn subscribe(&self) -> Receiver<T> {
            let seen = lock(&self.0).version;
            Receiver {
                state: Arc::clone(&self.0),
                seen,
            }
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                return;
            }
            let mut state = lock(&self.0);
            state.closed = true;
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    impl<T> Clone for Receiver<T> {
        fn clone(&self) -> Self {
            Self {
                state: Arc::clone(&self.state),
                seen: self.seen,
            }
        }
    }

    impl<T> Receiver<T> {
        pub(crate) fn borrow(&self) -> Ref<'_, T> {
            Ref(lock(&self.state))
        }

        pub(crate) async fn wait_for(
            &mut self,
            mut good: impl FnMut(&T) -> bool,
        ) -> Result<Ref<'_, T>, Closed> {
            let own = &*self;
            std::future::poll_fn(move |context| {
                let mut state = lock(&own.state);
                if good(&state.value) {
                    return Poll::Ready(Ok(Ref(state)));
                }
                if state.closed {
                    return Poll::Ready(Err(Closed));
                }
                state.waiting.push(context.waker().clone());
                Poll::Pending
            })
            .await
        }

        pub(crate) async fn changed(&mut self) -> Result<(), Closed> {
            std::future::poll_fn(|context| {
                let mut state = lock(&self.state);
                if state.version != self.seen {
                    self.seen = state.version;
                    return Poll::Ready(Ok(()));
                }
                if state.closed {
                    return Poll::Ready(Err(Closed));
                }
                state.waiting.push(context.waker().clone());
                Poll::Pending
            })
            .await
        }
    }

    impl<T> Deref for Ref<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0.value
        }
    }

    impl<T> fmt::Debug for Sender<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Sender")
        }
    }

    impl<T> fmt::Debug for Receiver<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Receiver")
        }
    }
}

/// A bounded queue with one end that reads.
pub(crate) mod mpsc {
    use std::collections::VecDeque;
    use std::task::{Poll, Waker};

    use super::*;

    struct Queue<T> {
        items: VecDeque<T>,
        senders: usize,
        waiting: Option<Waker>,
    }

    struct Shared<T> {
        queue: Mutex<Queue<T>>,
        /// The reading end is gone.
        closed: AtomicBool,
        most: usize,
    }

    pub(crate) struct Sender<T>(Arc<Shared<T>>);
    pub(crate) struct WeakSender<T>(Arc<Shared<T>>);
    pub(crate) struct Receiver<T>(Arc<Shared<T>>);

    pub(crate) fn channel<T>(most: usize) -> (Sender<T>, Receiver<T>) {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                items: VecDeque::new(),
                senders: 1,
                waiting: None,
            }),
            closed: AtomicBool::new(false),
            most,
        });
        (Sender(Arc::clone(&shared)), Receiver(shared))
    }

    impl<T> Sender<T> {
        pub(crate) fn try_send(&self, item: T) -> Result<(), T> {
            let mut queue = lock(&self.0.queue);
            if self.is_closed() || queue.items.len() >= self.0.most {
                return Err(item);
            }
            queue.items.push_back(item);
            let waiting = queue.waiting.take();
            drop(queue);
            waiting.into_iter().for_each(Waker::wake);
            Ok(())
        }

        pub(crate) fn capacity(&self) -> usize {
            self.0.most - lock(&self.0.queue).items.len()
        }

        pub(crate) fn max_capacity(&self) -> usize {
            self.0.most
        }

        pub(crate) fn is_closed(&self) -> bool {
            self.0.closed.load(Ordering::Acquire)
        }

        pub(crate) fn downgrade(&self) -> WeakSender<T> {
            WeakSender(Arc::clone(&self.0))
        }
    }

    impl<T> WeakSender<T> {
        pub(crate) fn upgrade(&self) -> Option<Sender<T>> {
            let mut queue = lock(&self.0.queue);
            (queue.senders > 0).then(|| {
                queue.senders += 1;
                Sender(Arc::clone(&self.0))
            })
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                return;
            }
            let mut queue = lock(&self.0.queue);
            queue.senders -= 1;
            let waiting = queue.waiting.take();
            drop(queue);
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    impl<T> Receiver<T> {
        pub(crate) async fn recv(&mut self) -> Option<T> {
            std::future::poll_fn(|context| {
                let mut queue = lock(&self.0.queue);
                if let Some(item) = queue.items.pop_front() {
                    return Poll::Ready(Some(item));
                }
                if queue.senders == 0 {
                    return Poll::Ready(None);
                }
                queue.waiting = Some(context.waker().clone());
                Poll::Pending
            })
            .await
        }

        pub(crate) fn try_recv(&mut self) -> Option<T> {
            lock(&self.0.queue).items.pop_front()
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                self.0.closed.store(true, Ordering::Release);
            }
        }
    }

    impl<T> fmt::Debug for Sender<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Sender")
        }
    }

    impl<T> fmt::Debug for WeakSender<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("WeakSender")
        }
    }

    impl<T> fmt::Debug for Receiver<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Receiver")
        }
    }
}
