// In place of `src/snapshot.rs`: a value behind a lock, in place of `arc_swap`.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, PoisonError};

use crate::sync::Mutex;

pub(crate) struct Cell<T>(Mutex<T>);

pub(crate) type Published<T> = Cell<Arc<T>>;
pub(crate) type Slot<T> = Cell<Option<Arc<T>>>;

#[derive(Debug)]
pub(crate) struct Loaded<T>(T);

impl<T: Clone> Cell<T> {
    pub(crate) fn load(&self) -> Loaded<T> {
        Loaded(self.load_full())
    }

    pub(crate) fn load_full(&self) -> T {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn store(&self, new: T) {
        drop(self.swap(new));
    }

    pub(crate) fn swap(&self, new: T) -> T {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut own, new)
    }
}

impl<T> Cell<Arc<T>> {
    pub(crate) fn from_pointee(value: T) -> Self {
        Self(Mutex::new(Arc::new(value)))
    }
}

impl<T: Default> Default for Cell<T> {
    fn default() -> Self {
        Self(Mutex::new(T::default()))
    }
}

impl<T> fmt::Debug for Cell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cell")
    }
}

impl<T> Deref for Loaded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
