//! The store of one process: no replicas to notify, and never unavailable.

use std::sync::Arc;

use super::cutoffs::Revocations;
use super::event::RevocationKey;
use super::replay_cache::Replays;
use super::store::{Answer, Single, Store, StoreFailurePolicy, StoreStatus};

/// Serves one replica, or several that need not agree.
#[derive(Debug)]
pub(super) struct Memory {
    local: Arc<Revocations>,
    replays: Replays,
    requests: Replays,
}

impl Memory {
    pub(super) fn new(local: Arc<Revocations>) -> Self {
        Self {
            local,
            replays: Replays::default(),
            requests: Replays::of_requests(),
        }
    }
}

impl Store for Memory {
    fn publish(&self, _: &RevocationKey, _: u64, _: bool) -> Answer<()> {
        Answer::Now(Ok(()))
    }

    fn first_use(&self, kind: Single, id: &str, until: u64, now: u64) -> Answer<bool> {
        let replays = match kind {
            Single::Token => &self.replays,
            Single::Request => &self.requests,
        };
        Answer::Now(replays.first_use(id, until, now))
    }

    fn lost(&self) -> Option<StoreFailurePolicy> {
        None
    }

    fn status(&self) -> StoreStatus {
        StoreStatus {
            is_shared: false,
            connected: true,
            failure_policy: None,
            revocation_count: self.local.len(),
            last_error: None,
            clock_offset_seconds: None,
        }
    }
}
