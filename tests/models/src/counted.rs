//! Locks and atomics of the standard library that count who reads and who writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LockResult, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

pub(crate) use std::thread;

/// Who touched an object while it was counted.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    pub(crate) kind: &'static str,
    pub(crate) readers: BTreeSet<usize>,
    pub(crate) writers: BTreeSet<usize>,
    pub(crate) writes: usize,
}

impl Touched {
    /// Written by one thread and used by another: its cache line travels.
    pub(crate) fn is_shared_write(&self) -> bool {
        !self.writers.is_empty() && self.readers.union(&self.writers).count() > 1
    }
}

type Objects = BTreeMap<usize, Touched>;

static OBJECTS: std::sync::Mutex<Option<Objects>> = std::sync::Mutex::new(None);

/// Counts from here on.
pub(crate) fn begin() {
    *OBJECTS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Objects::new());
}

/// What was counted.
pub(crate) fn end() -> Objects {
    OBJECTS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .unwrap_or_default()
}

fn touch<T>(object: &T, kind: &'static str, writes: bool) {
    let mut objects = OBJECTS.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(objects) = objects.as_mut() else {
        return;
    };
    let own = objects
        .entry(std::ptr::from_ref(object).addr())
        .or_default();
    own.kind = kind;
    let thread = crate::sync::number();
    if writes {
        own.writes += 1;
        own.writers.insert(thread);
    } else {
        own.readers.insert(thread);
    }
}

/// A lock is written by everyone who takes it.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);
pub(crate) use std::sync::MutexGuard;

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        touch(self, "Mutex", true);
        self.0.lock()
    }
}

/// The same: readers are counted in the lock itself.
#[derive(Debug, Default)]
pub(crate) struct RwLock<T>(std::sync::RwLock<T>);

impl<T> RwLock<T> {
    pub(crate) fn read(&self) -> LockResult<std::sync::RwLockReadGuard<'_, T>> {
        touch(self, "RwLock", true);
        self.0.read()
    }

    pub(crate) fn write(&self) -> LockResult<std::sync::RwLockWriteGuard<'_, T>> {
        touch(self, "RwLock", true);
        self.0.write()
    }
}

/// A count of references, which each clone and each drop writes.
#[derive(Debug)]
pub(crate) struct Arc<T>(std::sync::Arc<T>);

impl<T> Arc<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(std::sync::Arc::new(value))
    }

    pub(crate) fn ptr_eq(one: &Self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&one.0, &other.0)
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        touch(&*self.0, "Arc", true);
        Self(std::sync::Arc::clone(&self.0))
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        touch(&*self.0, "Arc", true);
    }
}

impl<T> std::ops::Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

pub(crate) mod atomic {
    pub(crate) use std::sync::atomic::Ordering;

    use super::touch;

    macro_rules! atomics {
        ($($name:ident $of:ty { $($number:tt)* })*) => {$(
            #[derive(Debug, Default)]
            pub(crate) struct $name(std::sync::atomic::$name);

            impl $name {
                pub(crate) const fn new(value: $of) -> Self {
                    Self(std::sync::atomic::$name::new(value))
                }

                pub(crate) fn load(&self, order: Ordering) -> $of {
                    touch(self, stringify!($name), false);
                    self.0.load(order)
                }

                pub(crate) fn store(&self, value: $of, order: Ordering) {
                    touch(self, stringify!($name), true);
                    self.0.store(value, order);
                }

                pub(crate) fn swap(&self, value: $of, order: Ordering) -> $of {
                    touch(self, stringify!($name), true);
                    self.0.swap(value, order)
                }

                atomics! { @ $name $of { $($number)* } }
            }
        )*};
        (@ $name:ident $of:ty { }) => {};
        (@ $name:ident $of:ty { $($method:ident)+ }) => {
            $(pub(crate) fn $method(&self, value: $of, order: Ordering) -> $of {
                touch(self, stringify!($name), true);
                self.0.$method(value, order)
            })+

            pub(crate) fn fetch_update(
                &self, one: Ordering, other: Ordering, change: impl FnMut($of) -> Option<$of>,
            ) -> Result<$of, $of> {
                touch(self, stringify!($name), true);
                self.0.fetch_update(one, other, change)
            }
        };
    }

    atomics! {
        AtomicBool bool {}
        AtomicI64 i64 { fetch_add }
        AtomicU64 u64 { fetch_add fetch_max fetch_or }
        AtomicUsize usize { fetch_add fetch_sub fetch_max }
    }
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(std::sync::Arc::new(Unpark(thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
