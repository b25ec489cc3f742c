//! How a developer describes the access to the directory.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::client::Connection;
use super::credential::ClientCredential;
use super::http::Graph;
use super::place::Place;
use super::shared_answers::{AnswerKey, SharedAnswers};
use super::token_endpoint::TokenEndpointClient;
use crate::authority::{Authority, Cloud, GraphHome, ResolvedAuthority, web_address};
use crate::bounds::Bounds;
use crate::config_error::ConfigError;
use crate::revocation::AnswerStore;

/// What this API may ask Microsoft Graph, and what it signs in with.
///
/// For [`Authority::graph`]: each authority has its own access to Graph, or none. Which permissions
/// each question needs is listed in
/// [`docs/directory.md`](https://github.com/axum-entra/axum-entra/blob/main/docs/directory.md).
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum_entra::graph::{ClientCredential, GraphConfig};
/// use axum_entra::{Authority, Entra, Tenant};
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// let employees = Authority::entra(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
/// let access = || GraphConfig::new(ClientCredential::secret("from the vault"));
/// assert!(Entra::builder_for(employees.clone().graph(access())).build().is_ok());
/// // Of a host that belongs to no known cloud it is not known where Graph is.
/// let elsewhere = employees.instance("https://login.contoso.example/");
/// assert!(Entra::builder_for(elsewhere.graph(access())).build().is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct GraphConfig {
    credential: ClientCredential,
    options: GraphOptions,
}

/// An [`Authority`] together with the access to Microsoft Graph for its callers.
///
/// Made by [`Authority::graph`], or by `From` for an authority without access: guards answer groups
/// overage with 403 `groups_overage` then, and handlers that ask get 503.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum_entra::graph::{AuthorityWithGraph, ClientCredential, GraphConfig};
/// use axum_entra::{Authority, Entra, Tenant};
///
/// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
/// let authority = Authority::entra(tenant, client_id);
/// let without: AuthorityWithGraph = authority.clone().into();
/// let with = authority.graph(GraphConfig::new(ClientCredential::secret("from the vault")));
/// assert!(Entra::builder_for(with).build().is_ok());
///
/// let entra = Entra::builder_for(without).build()?;
/// let scopes = ["https://graph.microsoft.com/.default"];
/// assert!(entra.graph().client_credentials_token(None, &scopes).await.is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct AuthorityWithGraph {
    pub(crate) authority: Authority,
    pub(crate) graph: Option<GraphConfig>,
}

impl Authority {
    /// Asks Microsoft Graph about callers of this authority: about groups that a token cannot
    /// list, about sessions, and for handlers.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::graph::{ClientCredential, GraphConfig};
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// // Employees are looked up in Graph, tokens of partners stand for themselves.
    /// let employees = Authority::entra(tenant, client_id)
    ///     .graph(GraphConfig::new(ClientCredential::secret("from the vault")));
    /// let partners = Authority::entra("22222222-2222-4222-8222-222222222222".parse()?, client_id);
    /// let entra = Entra::builder_for(employees).authority(partners).build()?;
    /// assert_eq!(entra.status().len(), 2);
    /// # Ok(()) }
    /// ```
    pub fn graph(self, access: GraphConfig) -> AuthorityWithGraph {
        AuthorityWithGraph {
            authority: self,
            graph: Some(access),
        }
    }
}

impl From<Authority> for AuthorityWithGraph {
    fn from(authority: Authority) -> Self {
        Self {
            authority,
            graph: None,
        }
    }
}

/// What Graph is asked, where, and how long its answers are kept.
#[derive(Debug, Clone)]
pub(crate) struct GraphOptions {
    pub(crate) graph: Option<String>,
    pub(crate) cache: Duration,
    pub(crate) resolve_groups: bool,
    pub(crate) check_sessions: bool,
    pub(crate) shared_answers_keys: Vec<AnswerKey>,
}

impl GraphOptions {
    /// In seconds.
    pub(crate) const CACHE: Bounds = Bounds::new(0..=86_400, 300);

    const fn new() -> Self {
        Self {
            graph: None,
            cache: Self::CACHE.seconds(),
            resolve_groups: true,
            check_sessions: false,
            shared_answers_keys: Vec::new(),
        }
    }
}

impl Default for GraphOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl GraphConfig {
    /// Answers groups overage, and hands out tokens to handlers that ask for them.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::graph::{ClientCredential, GraphConfig};
    /// use axum_entra::{Entra, guard::RequireGroup};
    /// use entra_emulator::{API_SECRET, Emulator};
    /// use tower::ServiceExt;
    ///
    /// let emulator = Emulator::start().await?;
    /// emulator.set_memberships("alice", ["aaaaaaaa-0000-4000-8000-000000000001"]);
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let access = GraphConfig::new(ClientCredential::secret(API_SECRET)).graph_url(emulator.graph_url());
    /// let entra = Entra::builder_for(authority.graph(access)).build()?;
    /// let app: Router = Router::new()
    ///     .route("/", get(|| async { "milk" }))
    ///     .route_layer(RequireGroup("aaaaaaaa-0000-4000-8000-000000000001"))
    ///     .route_layer(entra.layer());
    /// // Tokens that cannot list all groups of their users: Graph is asked.
    /// for (user, status) in [("alice", 200), ("bob", 403)] {
    ///     let token = emulator.token().user(user).scope("Todo.Read").groups_overage().mint();
    ///     let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    ///     assert_eq!(app.clone().oneshot(request.body(Body::empty())?).await?.status(), status);
    /// }
    /// # Ok(()) }
    /// ```
    pub const fn new(credential: ClientCredential) -> Self {
        Self {
            credential,
            options: GraphOptions::new(),
        }
    }

    #[cfg(feature = "settings")]
    pub(crate) const fn with(credential: ClientCredential, options: GraphOptions) -> Self {
        Self {
            credential,
            options,
        }
    }

    /// Where Microsoft Graph is, version included; that of the authority's cloud by default.
    ///
    /// Needed where the authority's address does not tell the cloud.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::graph::{ClientCredential, GraphConfig};
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let build = |address: &str| {
    ///     let access = GraphConfig::new(ClientCredential::secret("from the vault")).graph_url(address);
    ///     Entra::builder_for(Authority::entra(tenant.clone(), client_id).graph(access)).build()
    /// };
    /// assert!(build("https://graph.contoso.example/v1.0").is_ok());
    /// // Tokens and memberships do not travel in the clear.
    /// assert!(build("http://graph.contoso.example/v1.0").is_err());
    /// # Ok(()) }
    /// ```
    pub fn graph_url(mut self, address: impl Into<String>) -> Self {
        self.options.graph = Some(address.into());
        self
    }

    /// How long an answer of Graph is kept: up to a day, five minutes by default.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use axum_entra::graph::{ClientCredential, GraphConfig};
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let build = |seconds| {
    ///     let access = GraphConfig::new(ClientCredential::secret("from the vault"))
    ///         .cache_ttl(Duration::from_secs(seconds));
    ///     Entra::builder_for(Authority::entra(tenant.clone(), client_id).graph(access)).build()
    /// };
    /// // Not at all, and a day.
    /// assert!(build(0).is_ok() && build(86_400).is_ok());
    /// assert!(build(86_401).is_err());
    /// # Ok(()) }
    /// ```
    pub const fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.options.cache = ttl;
        self
    }

    /// Whether guards may have groups overage answered by Graph; they may by default.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::graph::{ClientCredential, GraphConfig};
    /// use axum_entra::{Entra, Rejection, guard::RequireGroup};
    /// use entra_emulator::{API_SECRET, Emulator};
    /// use tower::ServiceExt;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let access = GraphConfig::new(ClientCredential::secret(API_SECRET))
    ///     .graph_url(emulator.graph_url())
    ///     .resolve_groups(false);
    /// let entra = Entra::builder_for(authority.graph(access)).build()?;
    /// let app: Router = Router::new()
    ///     .route("/", get(|| async { "milk" }))
    ///     .route_layer(RequireGroup("aaaaaaaa-0000-4000-8000-000000000001"))
    ///     .route_layer(entra.layer());
    /// let token = emulator.token().user("alice").scope("Todo.Read").groups_overage().mint();
    /// let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    /// let refused = app.oneshot(request.body(Body::empty())?).await?;
    /// assert_eq!(refused.extensions().get::<Rejection>().unwrap().reason(), "groups_overage");
    /// # Ok(()) }
    /// ```
    pub const fn resolve_groups(mut self, resolve: bool) -> Self {
        self.options.resolve_groups = resolve;
        self
    }

    /// Whether tokens of users are refused that were issued before the user's sessions were
    /// revoked (`signInSessionsValidFromDateTime`). Off by default: it costs a question to Graph
    /// for each user and while of the cache, and no answer means 503.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::graph::{ClientCredential, GraphConfig};
    /// use axum_entra::Entra;
    /// use entra_emulator::{API_SECRET, Emulator};
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let access = GraphConfig::new(ClientCredential::secret(API_SECRET))
    ///     .graph_url(emulator.graph_url())
    ///     .check_sessions(true);
    /// let entra = Entra::builder_for(authority.graph(access)).build()?;
    /// # let ten_minutes_ago = axum_entra::Clock::system().now().as_secs() - 600;
    /// let earlier = emulator.token().scope("Todo.Read").issued_at(ten_minutes_ago);
    /// let (alices, bobs) = (earlier.clone().user("alice").mint(), earlier.user("bob").mint());
    /// emulator.revoke_sessions("bob");
    /// assert!(entra.validate(&alices).await.is_ok());
    /// assert!(entra.validate(&bobs).await.is_err());
    /// # Ok(()) }
    /// ```
    pub const fn check_sessions(mut self, check: bool) -> Self {
        self.options.check_sessions = check;
        self
    }

    /// Shares what Graph answers about memberships with the other replicas of this API, over the Redis
    /// that they share revocations over: a fleet then asks about once for an account and
    /// [`cache_ttl`](Self::cache_ttl), and not once for each replica. Off by default.
    ///
    /// The key authenticates what is shared, so that the answer of another writer to the same Redis is
    /// not believed; have 32 random bytes or more made for it, the same for each replica. Named a second
    /// time, for a change of keys: the first one is what this replica writes with, both are accepted.
    ///
    /// It does not encrypt: who can read that Redis sees who is in which groups. An answer is not
    /// shared past a sign-out or a revocation of its account, and not while Redis cannot be followed.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::graph::{ClientCredential, GraphConfig};
    /// use axum_entra::{Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let build = |key: &[u8]| {
    ///     let access = GraphConfig::new(ClientCredential::secret("from the vault"));
    ///     let builder = Entra::builder(tenant.clone(), client_id);
    ///     let builder = builder.graph(access.shared_answers_key(key));
    ///     # #[cfg(feature = "redis")]
    ///     let builder = builder.redis(axum_entra::RedisStore::new("redis://127.0.0.1/", Default::default()));
    ///     builder.build()
    /// };
    /// # #[cfg(feature = "redis")]
    /// assert!(build(b"32 random bytes out of the vault").is_ok());
    /// assert!(build(b"too short").unwrap_err().to_string().starts_with("Graph:SharedAnswersKey"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`build`](crate::EntraBuilder::build) refuses keys of less than 32 bytes, more than two of them,
    /// and any of them without a shared store.
    pub fn shared_answers_key(mut self, key: impl AsRef<[u8]>) -> Self {
        let key = AnswerKey::new(key.as_ref());
        self.options.shared_answers_keys.push(key);
        self
    }

    pub(crate) fn credential(&self) -> &ClientCredential {
        &self.credential
    }

    /// Whether Graph is asked over `https`: everywhere but on this machine.
    pub(crate) fn asks_over_https(&self) -> bool {
        let address = self.options.graph.as_deref().map(Url::parse);
        address.is_none_or(|url| url.is_ok_and(|url| url.scheme() == "https"))
    }

    /// Makes the connection to the Graph of an authority, or says which setting cannot be used.
    pub(crate) fn connect(
        self,
        trust: &ResolvedAuthority,
        token_endpoint: TokenEndpointClient,
        answers: Option<Arc<dyn AnswerStore>>,
    ) -> Result<Connection, ConfigError> {
        let place = match (&self.options.graph, trust.graph) {
            (Some(address), home) => known(address, home, &token_endpoint)?,
            (None, GraphHome::Cloud(cloud)) => {
                known(cloud.graph_url(), trust.graph, &token_endpoint)?
            }
            (None, GraphHome::NamedAmong(among)) if trust.static_jwks.is_none() => Place::Named {
                transport: token_endpoint.transport.clone(),
                endpoints: token_endpoint.endpoints.clone(),
                among,
            },
            (None, GraphHome::NamedAmong(_) | GraphHome::Unknown) => {
                return Err(ConfigError::missing(
                    "Graph:BaseUrl",
                    "the URL of the tenant's Microsoft Graph, since Instance does not tell its cloud",
                ));
            }
        };
        GraphOptions::CACHE.check("Graph:CacheSeconds", self.options.cache.as_secs())?;
        let shared = SharedAnswers::new(
            &self.options.shared_answers_keys,
            answers,
            [&trust.name, &trust.client_id],
            self.options.cache,
            (&token_endpoint.clock, trust.clock_skew),
        )?;
        Ok(Connection::new(
            place,
            token_endpoint,
            self.options,
            trust.clock_skew,
            shared,
        ))
    }
}

fn known(
    address: &str,
    home: GraphHome,
    token_endpoint: &TokenEndpointClient,
) -> Result<Place, ConfigError> {
    let base = web_address(address)
        .filter(|url| url.query().is_none())
        .ok_or_else(|| {
            ConfigError::value(
                "Graph:BaseUrl",
                address,
                "an https URL, or an http URL with a loopback address",
            )
        })?;
    Ok(Place::CacheEntry(Arc::new(Graph {
        transport: token_endpoint.transport.clone(),
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
