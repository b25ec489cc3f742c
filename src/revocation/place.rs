//! Places in the stream of events that replicas follow.

/// How far the stream has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamPosition {
    pub(super) epoch: String,
    pub(super) sequence: u64,
}

/// One event of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) place: StreamPosition,
    pub(super) mark: String,
    pub(super) at: u64,
}

/// Where to begin to follow.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) place: StreamPosition,
    /// The id of the last event.
    pub(super) last: String,
    /// The store's time, in seconds since 1970-01-01 UTC.
    pub(super) time: u64,
}
