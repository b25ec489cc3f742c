//! Putting the emulator out of order, and counting what it was asked.

use super::{
    Emulator,
    outage::{Endpoint, Fault, GraphCall, RequestCounts},
};

impl Emulator {
    /// Puts the discovery and the key documents out of order, until [`clear_faults`](Self::clear_faults).
    pub fn inject_fault(&self, outage: Fault) {
        let mut condition = self.authority().condition();
        condition.set(Endpoint::Discovery, Some(outage.clone()));
        condition.set(Endpoint::Keys, Some(outage));
    }

    /// Puts one kind of address out of order.
    pub fn inject_fault_at(&self, endpoint: Endpoint, outage: Fault) {
        self.authority().condition().set(endpoint, Some(outage));
    }

    /// Ends every outage. Requests that hang already go on hanging.
    pub fn clear_faults(&self) {
        let mut condition = self.authority().condition();
        for endpoint in ENDPOINTS {
            condition.set(endpoint, None);
        }
    }

    /// How many requests arrived since the start or the last reset.
    #[must_use]
    pub fn request_counts(&self) -> RequestCounts {
        self.authority().condition().fetches
    }

    /// Path and query of the requests that arrived, oldest first; the last 4,096 are kept.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let condition = self.authority().condition();
        condition.requests.iter().cloned().collect()
    }

    /// The requests to Microsoft Graph, oldest first; the last 4,096 are kept.
    ///
    /// Those that an outage kept from an answer are among them.
    #[must_use]
    pub fn graph_calls(&self) -> Vec<GraphCall> {
        let condition = self.authority().condition();
        condition.graph_calls.iter().cloned().collect()
    }

    /// Sets the counters to zero and forgets the requests seen.
    pub fn reset_request_counts(&self) {
        let mut condition = self.authority().condition();
        condition.fetches = RequestCounts::default();
        condition.requests.clear();
        condition.graph_calls.clear();
    }
}

const ENDPOINTS: [Endpoint; 4] = [
    Endpoint::Discovery,
    Endpoint::Keys,
    Endpoint::Token,
    Endpoint::Graph,
];
