//! How a developer describes the access to the directory.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::client::{Connection, Options};
use super::credential::ClientCredential;
use super::http::Graph;
use super::place::Place;
use super::token_endpoint::TokenEndpointClient;
use crate::authority::{Cloud, GraphHome, ResolvedAuthority, is_allowed_address};
use crate::config_error::ConfigError;

/// What this API may ask Microsoft Graph, and what it signs in with.
///
/// For [`EntraBuilder::directory`](crate::EntraBuilder::directory). Which permissions each question needs
/// stands in
/// [`docs/directory.md`](https://github.com/axum-entra/axum-entra/blob/main/docs/directory.md).
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::graph::{ClientCredential, GraphConfig};
/// use axum_entra::{Entra, Tenant};
///
/// let entra = Entra::builder(
///     Tenant::new("11111111-1111-4111-8111-111111111111"),
///     "6e74172b-be56-4843-9ff4-e66a39bb12e3",
/// )
/// .directory(GraphConfig::new(ClientCredential::secret("from the vault")))
/// .build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct GraphConfig {
    credential: ClientCredential,
    graph: Option<String>,
    cache: Duration,
    resolve_groups: bool,
    check_sessions: bool,
}

impl GraphConfig {
    /// Answers groups overage, and hands out tokens to handlers that ask for them.
    pub const fn new(credential: ClientCredential) -> Self {
        Self {
            credential,
            graph: None,
            cache: Duration::from_secs(300),
            resolve_groups: true,
            check_sessions: false,
        }
    }

    /// Where Microsoft Graph is, version included; that of the authority's cloud by default.
    ///
    /// Needed where the authority's address does not tell the cloud.
    pub fn graph_url(mut self, address: impl Into<String>) -> Self {
        self.graph = Some(address.into());
        self
    }

    /// How long an answer of Graph is kept: up to a day, five minutes by default.
    pub const fn cache(mut self, keep: Duration) -> Self {
        self.cache = keep;
        self
    }

    /// Whether guards may have groups overage answered by Graph; they may by default.
    pub const fn resolve_groups(mut self, resolve: bool) -> Self {
        self.resolve_groups = resolve;
        self
    }

    /// Whether tokens of users are refused that were issued before the user's sessions were
    /// revoked (`signInSessionsValidFromDateTime`). Off by default: it costs a question to Graph
    /// for each user and while of the cache, and no answer means 503.
    pub const fn check_sessions(mut self, check: bool) -> Self {
        self.check_sessions = check;
        self
    }

    pub(crate) fn credential(&self) -> &ClientCredential {
        &self.credential
    }

    /// Whether Graph is asked over `https`: everywhere but on this machine.
    pub(crate) fn asks_over_https(&self) -> bool {
        let address = self.graph.as_deref().map(Url::parse);
        address.is_none_or(|url| url.is_ok_and(|url| url.scheme() == "https"))
    }

    /// Makes the connection to the Graph of an authority, or says which setting cannot be used.
    pub(crate) fn connect(
        self,
        trust: &ResolvedAuthority,
        desk: TokenEndpointClient,
    ) -> Result<Connection, ConfigError> {
        let place = match (&self.graph, trust.graph) {
            (Some(address), home) => known(address, home, &desk)?,
            (None, GraphHome::Cloud(cloud)) => known(cloud.graph_url(), trust.graph, &desk)?,
            (None, GraphHome::NamedAmong(among)) if trust.static_jwks.is_none() => Place::Named {
                door: desk.door.clone(),
                endpoints: desk.endpoints.clone(),
                among,
            },
            (None, GraphHome::NamedAmong(_) | GraphHome::Unknown) => {
                return Err(ConfigError::missing(
                    "Graph:BaseUrl",
                    "the URL of the tenant's Microsoft Graph, since Instance does not tell its cloud",
                ));
            }
        };
        if self.cache > LONGEST {
            return Err(ConfigError::value(
                "Graph:CacheSeconds",
                self.cache.as_secs(),
                "0 to 86400",
            ));
        }
        let options = Options {
            cache: self.cache,
            resolve_groups: self.resolve_groups,
            check_sessions: self.check_sessions,
            clock_skew: trust.clock_skew,
        };
        Ok(Connection::new(place, desk, options))
    }
}

fn known(address: &str, home: GraphHome, desk: &TokenEndpointClient) -> Result<Place, ConfigError> {
    let base = Url::parse(address)
        .ok()
        .filter(is_allowed_address)
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .ok_or_else(|| {
            ConfigError::value(
                "Graph:BaseUrl",
                address,
                "an https URL, or an http URL with a loopback address",
            )
        })?;
    Ok(Place::CacheEntry(Arc::new(Graph {
        door: desk.door.clone(),
        scope: scope(&base, home),
        base,
    })))
}

/// Graph's own scope in its cloud, also where it is reached by another address.
fn scope(base: &Url, home: GraphHome) -> String {
    let own = Cloud::ALL.into_iter().find(|cloud| {
        let own = Url::parse(cloud.graph_url());
        own.is_ok_and(|own| own.host_str() == base.host_str())
    });
    match (own, home) {
        (Some(cloud), _) | (None, GraphHome::Cloud(cloud)) => cloud.graph_scope(),
        // A cloud of its own names its Graph by its address, as all of them do.
        _ if base.scheme() == "https" => {
            format!("{}/.default", base.origin().ascii_serialization())
        }
        _ => Cloud::Public.graph_scope(),
    }
}

const LONGEST: Duration = Duration::from_secs(86_400);
