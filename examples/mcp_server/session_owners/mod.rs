//! MCP sessions belong to who began them: the account, by the client it began them with.
//!
//! The SDK knows a session only by its id, so a client that learns it could read and steer it with
//! a token of their own. From version 2026-07-28 of the protocol on there are no sessions; the
//! header is then taken off, so that the SDK cannot find one by it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use axum_entra::{AccountId, Claims};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;

use crate::problems;

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// The first version without sessions; versions are dates, so text compares as they do.
const WITHOUT_SESSIONS: &str = "2026-07-28";

/// An account and its client. A token without an account owns nothing.
type Owner = (AccountId, String);

/// Who began which session.
#[derive(Clone)]
pub(crate) struct SessionOwners {
    owners: Arc<Mutex<HashMap<String, Owner>>>,
    sessions: Arc<LocalSessionManager>,
}

impl SessionOwners {
    pub(crate) fn new(sessions: Arc<LocalSessionManager>) -> Self {
        Self {
            owners: Arc::default(),
            sessions,
        }
    }

    fn is_owner(&self, session: &str, caller: Option<&Owner>) -> bool {
        let owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        caller.is_some() && owners.get(session) == caller
    }

    /// Notes a session that began, and forgets those that have ended.
    async fn note(&self, session: String, owner: Owner) {
        let live = self.sessions.sessions.read().await;
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.retain(|known, _| live.contains_key(&**known));
        owners.insert(session, owner);
    }
}

/// Lets a request through to its own session only; goes inside the layer, around the SDK.
pub(crate) async fn own_sessions(
    State(owners): State<SessionOwners>,
    claims: Claims,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = claims.account_id().map(|account| {
        let client = claims.client_id().unwrap_or_default();
        (account, client.to_owned())
    });
    if has_no_sessions(request.headers()) {
        request.headers_mut().remove(SESSION_ID);
        return next.run(request).await;
    }
    let named: Vec<_> = request.headers().get_all(SESSION_ID).iter().collect();
    let is_own = named.iter().all(|value| {
        let session = value.to_str();
        session.is_ok_and(|session| owners.is_owner(session, caller.as_ref()))
    });
    if !is_own || named.len() > 1 {
        return problems::not_found();
    }
    let response = next.run(request).await;
    let begun = response.headers().get(SESSION_ID);
    let begun = begun.and_then(|value| value.to_str().ok());
    if let (Some(session), Some(owner)) = (begun, caller) {
        owners.note(session.to_owned(), owner).await;
    }
    response
}

fn has_no_sessions(headers: &HeaderMap) -> bool {
    let mut versions = headers.get_all(VERSION).iter();
    match (versions.next(), versions.next()) {
        (Some(version), None) => {
            let is_date = |text: &&str| text.len() == WITHOUT_SESSIONS.len();
            let version = version.to_str().ok().filter(is_date);
            version.is_some_and(|version| version >= WITHOUT_SESSIONS)
        }
        _ => false,
    }
}
