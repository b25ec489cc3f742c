//! Ways to be out of order, and a count of who asked for what.

use std::{collections::VecDeque, time::Duration};

use serde_json::Value;

/// The kinds of address that can be out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// The discovery documents.
    Discovery,
    /// The key documents.
    Keys,
    /// The token endpoints.
    Token,
    /// Microsoft Graph, every address of it.
    Graph,
}

impl Endpoint {
    /// The kind a path belongs to, `None` for the front page and unknown paths.
    pub(super) fn of(path: &str) -> Option<Self> {
        if path.starts_with("/graph/") {
            Some(Self::Graph)
        } else if path.ends_with("/.well-known/openid-configuration") {
            Some(Self::Discovery)
        } else if path.contains("/discovery/") && path.ends_with("/keys") {
            Some(Self::Keys)
        } else if path.contains("/oauth2/") && path.ends_with("/token") {
            Some(Self::Token)
        } else {
            None
        }
    }
}

/// A way for an endpoint to be out of order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Answers with this status and an HTML page; Graph with its JSON.
    Status(u16),
    /// Answers 429 with this many seconds in `Retry-After`.
    Throttle(u64),
    /// Never answers.
    Hang,
    /// Closes the connection with no answer.
    CloseConnection,
    /// Answers 200 with an HTML page.
    NotJson,
    /// Answers 200 with `{"keys":[]}`; discovery documents stay good.
    EmptyKeys,
    /// Answers 200 with two mebibytes of a good JSON document.
    Oversized,
    /// Answers 302; where that leads, the good document is.
    Redirect,
    /// Documents name `https://wrong-issuer.example` as the issuer, also on the keys.
    WrongIssuer,
    /// Answers well, but only after this long.
    Slow(Duration),
    /// Answers with this status and this JSON: a token endpoint's or Graph's own refusal.
    Answer(u16, Value),
}

/// How many requests of each kind arrived since the start or the last reset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestCounts {
    /// Requests for discovery documents.
    pub discovery: usize,
    /// Requests for key documents, those answered 304 too.
    pub keys: usize,
    /// Requests to token endpoints.
    pub token: usize,
    /// Requests to Microsoft Graph.
    pub graph: usize,
}

/// One request that Microsoft Graph received.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraphCall {
    /// `GET`, `POST`, ….
    pub method: String,
    /// Path and query, with the `/graph/v1.0` in front.
    pub target: String,
    /// The JSON body, null if there was none.
    pub body: Value,
}

/// The outages in force, and what has been asked for.
#[derive(Debug, Default)]
pub(super) struct Condition {
    discovery: Option<Fault>,
    keys: Option<Fault>,
    token: Option<Fault>,
    graph: Option<Fault>,
    pub(super) fetches: RequestCounts,
    pub(super) requests: VecDeque<String>,
    pub(super) graph_calls: VecDeque<GraphCall>,
}

impl Condition {
    pub(super) fn set(&mut self, endpoint: Endpoint, outage: Option<Fault>) {
        match endpoint {
            Endpoint::Discovery => self.discovery = outage,
            Endpoint::Keys => self.keys = outage,
            Endpoint::Token => self.token = outage,
            Endpoint::Graph => self.graph = outage,
        }
    }

    pub(super) fn inject_fault(&self, endpoint: Endpoint) -> Option<&Fault> {
        match endpoint {
            Endpoint::Discovery => self.discovery.as_ref(),
            Endpoint::Keys => self.keys.as_ref(),
            Endpoint::Token => self.token.as_ref(),
            Endpoint::Graph => self.graph.as_ref(),
        }
    }

    /// Counts one request and says what is wrong with its endpoint.
    pub(super) fn arrived(&mut self, endpoint: Option<Endpoint>, target: String) -> Option<Fault> {
        if self.requests.len() == REMEMBERED_REQUESTS {
            self.requests.pop_front();
        }
        self.requests.push_back(target);
        let endpoint = endpoint?;
        match endpoint {
            Endpoint::Discovery => self.fetches.discovery += 1,
            Endpoint::Keys => self.fetches.keys += 1,
            Endpoint::Token => self.fetches.token += 1,
            Endpoint::Graph => self.fetches.graph += 1,
        }
        self.inject_fault(endpoint).cloned()
    }

    /// Remembers one request to Graph.
    pub(super) fn graph_called(&mut self, call: GraphCall) {
        if self.graph_calls.len() == REMEMBERED_REQUESTS {
            self.graph_calls.pop_front();
        }
        self.graph_calls.push_back(call);
    }
}

// Enough for a test; an emulator that runs for weeks must not grow.
const REMEMBERED_REQUESTS: usize = 4096;
