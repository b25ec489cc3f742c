//! What all answers of one layer have in common.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use axum_core::response::Response;

use crate::authority::{Backdate, full_scope_name};
use crate::claims::{Attached, Claims, ToClaims};
use crate::clock::Clock;
use crate::graph::Connection;
use crate::revocation::RevocationState;
use crate::token::Validator;

use super::pop::BoundTokens;
use super::pseudonym::Pseudonyms;
use super::rejection::Rejection;
use super::resources::Resources;

/// Changes the answer to a rejected request: gets the usual answer and gives another.
pub(crate) type RejectionMap = Arc<dyn Fn(&Rejection, Response) -> Response + Send + Sync>;

/// The edge between a layer and the outside: one for each [`Entra`](crate::Entra).
#[derive(Clone, Default)]
pub(crate) struct LayerContext {
    pub(crate) clock: Clock,
    pub(crate) map_rejection: Option<RejectionMap>,
    /// What challenges say, by the address that a route is under.
    pub(crate) resources: Resources,
    /// How accounts are named in the log, if the application asked for it.
    pub(crate) pseudonyms: Option<Pseudonyms>,
    /// Whether the span of a request records its caller, if the application asked for it.
    pub(crate) records_caller: bool,
    /// Weak, since its claims lead back here.
    pub(crate) validator: OnceLock<Weak<Validator>>,
    pub(crate) accounts: Arc<RevocationState>,
    /// What is accepted beside bearer tokens.
    pub(crate) bound: BoundTokens,
}

impl fmt::Debug for LayerContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerContext")
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// What claims carry with them: the edge they came through, and their authority's sign-in page.
#[derive(Debug)]
pub(crate) struct AuthorityContext {
    pub(crate) edge: Arc<LayerContext>,
    pub(crate) authorization_uri: String,
    /// How much earlier than its issue time a token of the authority says it was issued.
    pub(crate) backdate: Arc<Backdate>,
    /// What full scope names begin with, for each of the edge's resources.
    pub(crate) app_id_uris: Vec<String>,
    /// How long behind `exp` a token is good, in seconds.
    pub(crate) clock_skew: u64,
    /// What only the directory knows can be asked here.
    pub(crate) directory: Option<Arc<Connection>>,
}

impl Attached for ToClaims {
    type Context = AuthorityContext;
}

impl AuthorityContext {
    /// Where these claims came from; `None` for claims that no layer admitted.
    pub(crate) fn of(claims: &Claims) -> Option<&Self> {
        claims.context().map(|context| &**context)
    }

    /// When the token of these claims was issued, which `iat` may be earlier than.
    pub(crate) fn issue_time(claims: &Claims) -> Option<u64> {
        let issued_at = claims.issued_at().map(|time| time.as_secs());
        match Self::of(claims) {
            Some(origin) => origin.backdate.issue_time(issued_at),
            None => issued_at,
        }
    }

    /// Short names of scopes, with spaces between, as full ones for a resource of the edge.
    pub(super) fn full_scope_names(&self, scopes: &str, resource: usize) -> String {
        let uris = &self.app_id_uris;
        let Some(uri) = uris.get(resource).or_else(|| uris.first()) else {
            return scopes.to_owned();
        };
        let names = scopes.split(' ').filter(|name| !name.is_empty());
        let full: Vec<String> = names.map(|name| full_scope_name(uri, name)).collect();
        full.join(" ")
    }

    /// Whether a user's tokens are asked about at the directory.
    pub(super) fn checks_sessions(&self) -> bool {
        let connection = self.directory.as_ref();
        connection.is_some_and(|connection| connection.checks_sessions())
    }
}

/// Stands in the request extensions where the optional layer let a request without token pass.
#[derive(Debug, Clone)]
pub(super) struct Anonymous(pub(super) Arc<LayerContext>);
