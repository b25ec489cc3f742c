//! Putting the emulator out of order, and counting what it was asked.

use super::{
    Emulator,
    outage::{Endpoint, Fetches, GraphCall, Outage},
};

impl Emulator {
    /// Puts the discovery and the key documents out of order, until [`recover`](Self::recover).
    pub fn outage(&self, outage: Outage) {
        let mut condition = self.authority().condition();
        condition.set(Endpoint::Discovery, Some(outage.clone()));
        condition.set(Endpoint::Keys, Some(outage));
    }

    /// Puts one kind of address out of order.
    pub fn outage_of(&self, endpoint: Endpoint, outage: Outage) {
        self.authority().condition().set(endpoint, Some(outage));
    }

    /// Ends every outage. Requests that hang already go on hanging.
    pub fn recover(&self) {
        let mut condition = self.authority().condition();
        for endpoint in ENDPOINTS {
            condition.set(endpoint, None);
        }
    }

    /// How many requests arrived since the start or the last reset.
    #[must_use]
    pub fn fetches(&self) -> Fetches {
        self.authority().condition().fetches
    }

    /// Path and query of the requests that arrived, oldest first; the last 4,096 are kept.
    #[must_use]
    pub fn requests_seen(&self) -> Vec<String> {
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
    pub fn reset_fetches(&self) {
        let mut condition = self.authority().condition();
        condition.fetches = Fetches::default();
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
