//! The only file that imports `arc_swap`: values that are published whole and read without a lock.

/// One value at a time for all readers; a store publishes the new value.
pub(crate) use arc_swap::ArcSwap as Published;

/// A place for one value, which may be empty.
pub(crate) use arc_swap::ArcSwapOption as Slot;

/// A value while it is looked at; what is published meanwhile does not change it.
pub(crate) use arc_swap::Guard as Loaded;
