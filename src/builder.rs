//! Puts the pieces together.

mod bound_tokens;
mod build;
#[cfg(feature = "settings")]
mod from_settings;
mod observability;
mod readiness;
mod revocation;
mod wiring;

pub use observability::SignInEndpoint;

use std::fmt;
use std::sync::Arc;

use axum_core::response::Response;

use crate::authority::{Authority, SecurityEventTransmitter, Tenant};
use crate::claims::{AccountId, Claims};
use crate::clock::{Clock, UnixTime};
#[cfg(feature = "settings")]
use crate::config_error::ConfigError;
use crate::graph::{AuthorityWithGraph, Connection, GraphConfig, LastFailure};
use crate::middleware::{
    CallerToken, EntraLayer, GraphClient, LayerContext, Rejection, ReplayProtectionLayer, Resource,
    ResourceConfig, ServiceState, ValidateError, check_sessions,
};
#[cfg(feature = "redis")]
use crate::revocation::RedisStore;
use crate::scope_hierarchy::ScopeHierarchy;
use crate::token::{
    AuthorityStatus, MAX_TOKEN_BYTES, Possession, TOKEN_CACHE_BYTES, TokenDecryptionKey,
    ValidationFailure, Validator, Verdict,
};
use crate::transport::HttpClientBuilder;

pub use revocation::RevokeError;

type Hook = Box<dyn Fn(&AccountId) + Send + Sync>;

/// Validates access tokens of the authorities it was built for; cheap to clone.
///
/// The tasks that keep keys fresh end when the last clone and the last layer of it are gone.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{Entra, Tenant};
///
/// let entra = Entra::builder(
///     Tenant::new("11111111-1111-4111-8111-111111111111"),
///     "6e74172b-be56-4843-9ff4-e66a39bb12e3",
/// )
/// .build()?;
/// let refused = entra.validate("not a token").await.unwrap_err();
/// assert_eq!(refused.reason(), "malformed");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Entra {
    validator: Arc<Validator>,
    edge: Arc<LayerContext>,
    state: Arc<ServiceState>,
    connections: Arc<[Arc<Connection>]>,
    /// By authority; `None` where Graph is not asked.
    graph_failures: Arc<[Option<LastFailure>]>,
    resources: Arc<[Arc<Resource>]>,
    scope_hierarchy: Arc<ScopeHierarchy>,
}

impl Entra {
    /// Begins with a tenant of Entra ID and this API's client id; everything else has a default.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant};
    ///
    /// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// let entra = Entra::builder(tenant.clone(), "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
    /// // The client id is a GUID; the App ID URI is an audience.
    /// let refused = Entra::builder(tenant, "api://6e74172b-be56-4843-9ff4-e66a39bb12e3").build();
    /// assert!(refused.unwrap_err().to_string().starts_with("ClientId"));
    /// # Ok(()) }
    /// ```
    pub fn builder(tenant: Tenant, client_id: impl Into<String>) -> EntraBuilder {
        Self::builder_for(Authority::entra(tenant, client_id))
    }

    /// Begins with an authority that was described in detail.
    ///
    /// With access to Microsoft Graph: [`Authority::graph`].
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{AllowedTenants, Authority, Entra, Tenant};
    ///
    /// let many = Authority::entra(Tenant::Organizations, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
    /// // Which of the many tenants are accepted has to be said.
    /// let refused = Entra::builder_for(many.clone()).build().unwrap_err();
    /// assert!(refused.to_string().starts_with("AllowedTenants"));
    /// let entra = Entra::builder_for(many.allowed_tenants(AllowedTenants::Any)).build()?;
    /// # Ok(()) }
    /// ```
    pub fn builder_for(authority: impl Into<AuthorityWithGraph>) -> EntraBuilder {
        EntraBuilder {
            authorities: vec![authority.into()],
            most_bytes: MAX_TOKEN_BYTES.size(),
            cache_bytes: TOKEN_CACHE_BYTES.size(),
            edge: LayerContext::default(),
            client: None,
            roots: Vec::new(),
            hooks: Vec::new(),
            signals: Vec::new(),
            resources: ResourceConfig::default(),
            scope_hierarchy: ScopeHierarchy::default(),
            decryption_keys: Vec::new(),
            #[cfg(feature = "redis")]
            redis: None,
        }
    }

    /// Builds from the sections `AzureAd` and `AzureAdB2C` of a settings file and the environment.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::Entra;
    /// # let file = std::env::temp_dir().join(format!("from_settings-{}.json", std::process::id()));
    /// # let at = |text: &str| { std::fs::write(&file, text).unwrap(); &file };
    ///
    /// let appsettings = at(r#"{ "AzureAd": { "TenantId": "11111111-1111-4111-8111-111111111111",
    ///     "ClientId": "6e74172b-be56-4843-9ff4-e66a39bb12e3" } }"#);
    /// let entra = Entra::from_settings(appsettings)?;
    /// assert_eq!(entra.status().len(), 1);
    ///
    /// let misspelt = at(r#"{ "AzureAd": { "Tenantld": "11111111-1111-4111-8111-111111111111" } }"#);
    /// let refused = Entra::from_settings(misspelt).unwrap_err();
    /// assert!(refused.to_string().contains("TenantId"), "{refused}");
    /// # std::fs::remove_file(&file)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`], in one line, for the first setting that cannot be used; also if there is
    /// no such section at all.
    #[cfg(feature = "settings")]
    pub fn from_settings(file: impl AsRef<std::path::Path>) -> Result<Self, ConfigError> {
        EntraBuilder::from_settings(&crate::settings::Settings::load(Some(file.as_ref()))?)?.build()
    }

    /// The layer that protects routes.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use entra_emulator::Emulator;
    /// use tower::ServiceExt;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let app: Router = Router::new()
    ///     .route("/todos", get(|| async { "milk" }))
    ///     .route_layer(entra.layer());
    ///
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let valid = Request::get("/todos").header("authorization", format!("Bearer {token}"));
    /// assert_eq!(app.clone().oneshot(valid.body(Body::empty())?).await?.status(), 200);
    /// let without = Request::get("/todos").body(Body::empty())?;
    /// assert_eq!(app.oneshot(without).await?.status(), 401);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn layer(&self) -> EntraLayer {
        EntraLayer::new(Arc::clone(&self.validator), Arc::clone(&self.edge))
    }

    /// The layer that accepts each token once; for routes inside of [`layer`](Self::layer).
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::post};
    /// use axum_entra::Rejection;
    /// use entra_emulator::Emulator;
    /// use tower::ServiceExt;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let app: Router = Router::new()
    ///     .route("/transfer", post(|| async { "done" }))
    ///     .route_layer(entra.replay_protection())
    ///     .route_layer(entra.layer());
    ///
    /// let token = emulator.token().user("alice").scope("Pay").claim("uti", "k3Zx").mint();
    /// let request = || {
    ///     let authorized = Request::post("/transfer").header("authorization", format!("Bearer {token}"));
    ///     authorized.body(Body::empty())
    /// };
    /// assert_eq!(app.clone().oneshot(request()?).await?.status(), 200);
    /// let again = app.oneshot(request()?).await?;
    /// assert_eq!(again.status(), 401);
    /// assert_eq!(again.extensions().get::<Rejection>().unwrap().reason(), "replay");
    /// # Ok(()) }
    /// ```
    pub fn replay_protection(&self) -> ReplayProtectionLayer {
        ReplayProtectionLayer::new()
    }

    /// Validates a token outside HTTP, by the same rules as the layer.
    ///
    /// Waits for a fetch, at most two seconds, if the token names an unknown `kid`, and
    /// for the directory where the user's sessions are to be checked.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read");
    /// let claims = entra.validate(&token.clone().mint()).await?;
    /// assert!(claims.has_scope("Todo.Read"));
    ///
    /// let refused = entra.validate(&token.expired().mint()).await.unwrap_err();
    /// assert_eq!(refused.reason(), "expired");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ValidateError`], with the reason; in a handler `?` makes a [`Rejection`] of it.
    pub async fn validate(&self, token: &str) -> Result<Claims, ValidateError> {
        let verdict = self.validator.validate(token, self.edge.clock.seconds());
        let judged = match verdict {
            Verdict::Valid(claims) => Ok(claims),
            Verdict::Refused(refusal) => Err(refusal),
            Verdict::Wait(awaited) => {
                let now = || self.edge.clock.seconds();
                self.validator
                    .validate_after_fetch(awaited, token, &Possession::default(), now)
                    .await
            }
        };
        let claims = judged.map_err(|failure| ValidateError::of_token(failure, &self.edge))?;
        match check_sessions(&claims).resolve(&claims, token).await {
            Ok(_) => Ok(claims),
            Err(failure) => Err(ValidateError::of_session(failure, claims, &self.edge)),
        }
    }

    /// Validates a token outside HTTP and keeps it, to call other APIs on the caller's behalf.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let access = axum_entra::graph::GraphConfig::new(axum_entra::graph::ClientCredential::secret(entra_emulator::API_SECRET));
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url()).graph(access.graph_url(emulator.graph_url()));
    /// # let entra = axum_entra::Entra::builder_for(authority).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let caller = entra.validate_caller(&token).await?;
    /// let scopes = ["https://graph.microsoft.com/User.Read"];
    /// let for_graph = entra.graph().on_behalf_of(&caller, &scopes).await?;
    /// assert_ne!(for_graph.expose_secret(), token);
    ///
    /// assert_eq!(entra.validate_caller("not a token").await.unwrap_err().reason(), "malformed");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub async fn validate_caller(&self, token: &str) -> Result<CallerToken, ValidateError> {
        Ok(CallerToken::new(self.validate(token).await?, token))
    }

    /// What only Microsoft Graph knows, and tokens for other APIs, for handlers.
    ///
    /// Without [`Authority::graph`] every question is answered with 503.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::{Emulator, GROUP_ID};
    ///
    /// let emulator = Emulator::start().await?;
    /// # let access = axum_entra::graph::GraphConfig::new(axum_entra::graph::ClientCredential::secret(entra_emulator::API_SECRET));
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url()).graph(access.graph_url(emulator.graph_url()));
    /// # let entra = axum_entra::Entra::builder_for(authority).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let caller = entra.validate_caller(&token).await?;
    /// let groups = entra.graph().member_groups(&caller).await?;
    /// assert!(groups.contains(&GROUP_ID.to_owned()));
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let without = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    ///
    /// // An `Entra` without access to Graph.
    /// let caller = without.validate_caller(&token).await?;
    /// let refused = without.graph().member_groups(&caller).await.unwrap_err();
    /// assert_eq!(refused.status(), 503);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn graph(&self) -> GraphClient {
        GraphClient::new(Arc::clone(&self.connections))
    }

    /// Validates a token at a time with the cached keys.
    ///
    /// Waits for nothing: while there are no keys the answer is `keys_unavailable`, and the
    /// directory is not asked about the user's sessions.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let claims = entra.validate(&token).await?;
    ///
    /// // The clock skew of five minutes counts.
    /// let end = claims.expires_at();
    /// assert!(entra.validate_at(&token, end + Duration::from_secs(299)).is_ok());
    /// let refused = entra.validate_at(&token, end + Duration::from_secs(301)).unwrap_err();
    /// assert_eq!(refused.reason(), "expired");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ValidateError`], with the reason.
    pub fn validate_at(&self, token: &str, now: UnixTime) -> Result<Claims, ValidateError> {
        match self.validator.validate_at(token, now.as_secs()) {
            Verdict::Valid(claims) => Ok(claims),
            Verdict::Refused(refusal) => Err(ValidateError::of_token(refusal, &self.edge)),
            Verdict::Wait(_) => Err(ValidateError::of_token(
                ValidationFailure::KeysUnavailable,
                &self.edge,
            )),
        }
    }

    /// Which scopes imply others, as given to [`EntraBuilder::scope_hierarchy`].
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, ScopeHierarchy, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let scopes = ScopeHierarchy::new().implies("Todo.ReadWrite", "Todo.Read");
    /// let entra = Entra::builder(tenant, client_id).scope_hierarchy(scopes).build()?;
    /// assert!(entra.scope_hierarchy().includes("Todo.ReadWrite", "Todo.Read"));
    /// assert!(!entra.scope_hierarchy().includes("Todo.Read", "Todo.ReadWrite"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn scope_hierarchy(&self) -> &ScopeHierarchy {
        &self.scope_hierarchy
    }

    /// How fresh the keys are, and whether Microsoft Graph answers, authority by authority.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// entra.validate(&token).await?;
    ///
    /// let status = entra.status();
    /// let v2 = status[0].jwks.iter().find(|document| document.name == "2.0").unwrap();
    /// assert!(v2.key_count > 0 && v2.last_error.is_none());
    /// assert!(status[0].graph_last_error.is_none(), "Graph is not asked");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn status(&self) -> Vec<AuthorityStatus> {
        let mut status = self.validator.status();
        for (authority, failure) in status.iter_mut().zip(&*self.graph_failures) {
            authority.graph_last_error = failure.as_ref().and_then(LastFailure::text);
        }
        status
    }

    /// Whether every authority is ready ([`AuthorityStatus::is_ready`]): for a readiness probe, whose
    /// answer is [`readiness`](Self::readiness).
    ///
    /// One authority out of reach does not stop the others; tokens of theirs are validated
    /// meanwhile. Keys that were good before stay in use, so an authority that fails later makes
    /// this false only once they are too old.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::{Emulator, Fault};
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let new = || axum_entra::Entra::builder_for(authority.clone().instance(emulator.url())).build();
    /// let entra = new()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// entra.validate(&token).await?;
    /// assert!(entra.is_ready());
    ///
    /// // A program that starts while the authority is down.
    /// emulator.inject_fault(Fault::Status(503));
    /// let entra = new()?;
    /// assert!(!entra.is_ready());
    /// assert!(entra.validate(&token).await.unwrap_err().is_unavailable());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.status().iter().all(AuthorityStatus::is_ready)
    }

    /// Refuses the tokens of keys that have vanished from an authority's document, at once and also
    /// where their grace ([`JwksRefresh::withdrawal_grace`](crate::JwksRefresh::withdrawal_grace))
    /// is not over: for a key that is known to be stolen.
    ///
    /// Has the documents read again as well; a key that this answer lacks has no grace. A key that
    /// the authority still publishes stays in use.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let stolen = emulator.token().user("alice").scope("Todo.Read").mint();
    /// entra.validate(&stolen).await?;
    /// emulator.rotate_keys();
    /// emulator.retire_old_keys();
    ///
    /// // The document that brings the new key lacks the old one, which has two hours of grace.
    /// let new = emulator.token().user("alice").scope("Todo.Read").mint();
    /// entra.validate(&new).await?;
    /// assert!(entra.validate(&stolen).await.is_ok());
    ///
    /// entra.forget_withdrawn_keys();
    /// assert_eq!(entra.validate(&stolen).await.unwrap_err().reason(), "unknown_key");
    /// # Ok(()) }
    /// ```
    pub fn forget_withdrawn_keys(&self) {
        self.validator.forget_withdrawn_keys();
        for transmitter in &self.state.transmitters {
            transmitter.reader.forget_withdrawn();
        }
    }
}

impl fmt::Debug for Entra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entra").finish_non_exhaustive()
    }
}

/// Describes an [`Entra`].
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{Entra, Tenant};
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// let entra = Entra::builder(tenant.clone(), "6e74172b-be56-4843-9ff4-e66a39bb12e3")
///     .max_token_size(16_384)
///     .token_cache_capacity(0)
///     .build()?;
/// // What cannot be used is named before the first request.
/// let refused = Entra::builder(tenant, "not a client id").build();
/// assert!(refused.is_err());
/// # Ok(()) }
/// ```
#[must_use]
pub struct EntraBuilder {
    authorities: Vec<AuthorityWithGraph>,
    most_bytes: usize,
    cache_bytes: usize,
    edge: LayerContext,
    client: Option<HttpClientBuilder>,
    roots: Vec<u8>,
    hooks: Vec<Hook>,
    signals: Vec<SecurityEventTransmitter>,
    resources: ResourceConfig,
    scope_hierarchy: ScopeHierarchy,
    decryption_keys: Vec<TokenDecryptionKey>,
    #[cfg(feature = "redis")]
    redis: Option<RedisStore>,
}

impl EntraBuilder {
    /// Accepts the tokens of a further authority, each under its own issuer, keys and audiences.
    ///
    /// With access to Microsoft Graph: [`Authority::graph`].
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Entra};
    /// use entra_emulator::{API_ID, CONTOSO, Emulator, FABRIKAM};
    ///
    /// let emulator = Emulator::start().await?;
    /// let of = |tenant: &str| Authority::entra(tenant.parse().unwrap(), API_ID).instance(emulator.url());
    /// let entra = Entra::builder_for(of(CONTOSO)).authority(of(FABRIKAM)).build()?;
    /// let token = |user| emulator.token().user(user).scope("Todo.Read").mint();
    /// for user in ["alice", "erin"] {
    ///     assert!(entra.validate(&token(user)).await.is_ok(), "{user}");
    /// }
    /// // A user of a third tenant.
    /// assert_eq!(entra.validate(&token("pat")).await.unwrap_err().reason(), "issuer");
    ///
    /// let twice = Entra::builder_for(of(CONTOSO)).authority(of(CONTOSO)).build();
    /// assert!(twice.is_err());
    /// # Ok(()) }
    /// ```
    pub fn authority(mut self, authority: impl Into<AuthorityWithGraph>) -> Self {
        self.authorities.push(authority.into());
        self
    }

    /// Asks Microsoft Graph about callers of the authority that the builder began with, whichever
    /// others were named meanwhile: about groups that a token cannot list, about sessions, and for
    /// handlers. A further authority brings its own access ([`Authority::graph`]).
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::graph::{ClientCredential, GraphConfig};
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let access = || GraphConfig::new(ClientCredential::secret("from the vault"));
    /// let entra = Entra::builder(tenant.clone(), client_id).graph(access()).build()?;
    ///
    /// // The host is of no known cloud, so where Graph is has to be said (`graph_url`).
    /// let other = Authority::entra(tenant, client_id).instance("https://login.contoso.example/");
    /// let refused = Entra::builder_for(other).graph(access()).build().unwrap_err();
    /// assert!(refused.to_string().starts_with("Graph:BaseUrl"));
    /// # Ok(()) }
    /// ```
    pub fn graph(mut self, access: GraphConfig) -> Self {
        if let Some(first) = self.authorities.first_mut() {
            first.graph = Some(access);
        }
        self
    }

    /// Declares which scopes imply others, for the tokens of all authorities.
    ///
    /// Guards on scopes, [`Claims::has_scope`] and the setting `Scopes` then accept a token with the
    /// wider scope, and challenges name the least scope. Without it no scope implies another.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
    /// use axum_entra::{Entra, ScopeHierarchy, Tenant};
    ///
    /// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// let scopes = ScopeHierarchy::new().implies("Todo.ReadWrite", "Todo.Read");
    /// let entra = Entra::builder(tenant.clone(), "6e74172b-be56-4843-9ff4-e66a39bb12e3")
    ///     .scope_hierarchy(scopes)
    ///     .build()?;
    ///
    /// let circle = ScopeHierarchy::new().implies("a", "b").implies("b", "a");
    /// let refused = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
    ///     .scope_hierarchy(circle)
    ///     .build();
    /// assert!(refused.is_err());
    /// # drop(entra); Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`build`](Self::build) refuses circles, and names that no token has.
    pub fn scope_hierarchy(mut self, hierarchy: ScopeHierarchy) -> Self {
        self.scope_hierarchy = hierarchy;
        self
    }

    /// Refuses longer tokens before anything is decoded: 1 KiB to 256 KiB, 64 KiB by default.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let builder = || Entra::builder(tenant.clone(), client_id);
    /// let entra = builder().max_token_size(1_024).build()?;
    /// let refused = entra.validate(&"a".repeat(1_025)).await.unwrap_err();
    /// assert_eq!(refused.reason(), "too_large");
    ///
    /// assert!(builder().max_token_size(1_023).build().is_err());
    /// # Ok(()) }
    /// ```
    pub fn max_token_size(mut self, most: usize) -> Self {
        self.most_bytes = most;
        self
    }

    /// Keeps tokens that were verified within so many bytes of memory: 0 for not at all, up to 1 TiB,
    /// 64 MiB by default.
    ///
    /// A token that is known costs a look-up in place of a signature. It is checked against the
    /// clock, the keys and the revocations each time all the same. One of Entra's usual tokens takes about
    /// 3.5 kB, so 64 MiB are enough for some 18,000 of them.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let builder = || Entra::builder(tenant.clone(), client_id);
    /// assert!(builder().token_cache_capacity(256 << 20).build().is_ok());
    /// // Every signature is verified each time.
    /// assert!(builder().token_cache_capacity(0).build().is_ok());
    /// // More than 1 TiB.
    /// assert!(builder().token_cache_capacity((1 << 40) + 1).build().is_err());
    /// # Ok(()) }
    /// ```
    pub fn token_cache_capacity(mut self, most: usize) -> Self {
        self.cache_bytes = most;
        self
    }

    /// Accepts tokens that are encrypted to this key (JWE, RFC 7516), besides plain ones. May be
    /// called more than once, for a change of keys.
    ///
    /// RSA-OAEP or RSA-OAEP-256, with A128CBC-HS256, A256CBC-HS512, A128GCM or A256GCM. The keys that
    /// a token names are tried first, then the others, four at most. What is inside must be signed, and
    /// is validated like every token. Without any key, an encrypted token is malformed.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant, TokenDecryptionKey};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let builder = || Entra::builder(tenant.clone(), client_id);
    /// # let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?;
    /// # let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, key.serialize_der());
    /// # let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    /// let key = TokenDecryptionKey::bytes(pem);
    /// assert!(builder().token_decryption_key(key).build().is_ok());
    ///
    /// let refused = builder().token_decryption_key(TokenDecryptionKey::bytes("no key")).build();
    /// assert!(refused.unwrap_err().to_string().starts_with("TokenDecryptionCredentials"));
    /// # Ok(()) }
    /// ```
    pub fn token_decryption_key(mut self, key: TokenDecryptionKey) -> Self {
        self.decryption_keys.push(key);
        self
    }

    /// Takes the time from another clock, in tests.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Clock, Entra, UnixTime};
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let entra = Entra::builder_for(authority.clone()).build()?;
    /// let claims = entra.validate(&token).await?;
    ///
    /// // The same token in 1970.
    /// let early = Clock::from_fn(|| UnixTime::from_secs(0));
    /// let entra = Entra::builder_for(authority).clock(early).build()?;
    /// assert_eq!(entra.validate(&token).await.unwrap_err().reason(), "not_yet_valid");
    /// # Ok(()) }
    /// ```
    pub fn clock(mut self, clock: Clock) -> Self {
        self.edge.clock = clock;
        self
    }

    /// Fetches documents, and asks Graph and token endpoints, with a client of the application's
    /// own making: its proxies, its certificates.
    ///
    /// Redirects are never followed, whatever the description says: they could take the client
    /// secret and callers' tokens elsewhere. Nothing else of it is changed, and
    /// `HTTPS_PROXY` is read as it reads it.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, HttpClient};
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let direct = HttpClient::builder().no_proxy();
    /// let entra = Entra::builder_for(authority.clone()).http_client(direct).build()?;
    /// assert!(entra.validate(&token).await.is_ok());
    ///
    /// // The client's own certificates count: this one trusts no host over https, and no http.
    /// let strict = HttpClient::builder().no_proxy().https_only(true).tls_certs_only([]);
    /// let entra = Entra::builder_for(authority).http_client(strict).build()?;
    /// assert_eq!(entra.validate(&token).await.unwrap_err().reason(), "keys_unavailable");
    /// # Ok(()) }
    /// ```
    pub fn http_client(mut self, client: HttpClientBuilder) -> Self {
        self.client = Some(client);
        self
    }

    /// Trusts these root certificates (PEM) for the authority, besides the system's.
    ///
    /// Without effect beside [`http_client`](Self::http_client), which has its own. May be called more
    /// than once. A text that holds no certificate adds none and is not refused.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::Entra;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::builder().tls().start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let ca = emulator.ca_pem().unwrap();
    /// let entra = Entra::builder_for(authority.clone()).root_certificates(ca).build()?;
    /// assert!(entra.validate(&token).await.is_ok());
    ///
    /// let broken = "-----BEGIN CERTIFICATE-----\nbWlsaw==\n-----END CERTIFICATE-----";
    /// assert!(Entra::builder_for(authority).root_certificates(broken).build().is_err());
    /// # Ok(()) }
    /// ```
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.roots.extend_from_slice(pem.as_ref());
        self.roots.push(b'\n');
        self
    }

    /// Calls `forget` with every account that signs out or is revoked, on any replica: the place
    /// to drop what the application keeps of it. May be called more than once for one event.
    ///
    /// It must be quick, and must not own the [`Entra`] that calls it.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::{Arc, Mutex};
    /// use axum_entra::{AccountId, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let carts = Arc::new(Mutex::new(vec!["milk"]));
    /// let forget = Arc::clone(&carts);
    /// let entra = Entra::builder(tenant, client_id)
    ///     .on_sign_out(move |_account| forget.lock().unwrap().clear())
    ///     .build()?;
    ///
    /// let text = "11111111-1111-4111-8111-111111111111.690222be-ff1a-4d56-abd1-7e4f7d38e474";
    /// let account: AccountId = text.parse()?;
    /// entra.remove_account(&account).await;
    /// assert!(carts.lock().unwrap().is_empty());
    /// # Ok(()) }
    /// ```
    pub fn on_sign_out(mut self, forget: impl Fn(&AccountId) + Send + Sync + 'static) -> Self {
        self.hooks.push(Box::new(forget));
        self
    }

    /// Believes the security events of a transmitter; see [`Entra::security_event_receiver`].
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, SecurityEventTransmitter, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let from = |issuer: &str| {
    ///     let signals = SecurityEventTransmitter::new(issuer, "https://api.example.com/events");
    ///     Entra::builder(tenant.clone(), client_id).security_event_transmitter(signals).build()
    /// };
    /// assert!(from("https://ssf.example.com/").is_ok());
    /// // Keys that come over http prove nothing.
    /// assert!(from("http://ssf.example.com/").is_err());
    /// # Ok(()) }
    /// ```
    pub fn security_event_transmitter(mut self, signals: SecurityEventTransmitter) -> Self {
        self.signals.push(signals);
        self
    }

    /// Shares revocations, sign-outs and replay records with other replicas.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, RedisStore, StoreFailurePolicy, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let with = |address: &str| {
    ///     let store = RedisStore::new(address, StoreFailurePolicy::Deny);
    ///     Entra::builder(tenant.clone(), client_id).redis(store).build()
    /// };
    /// // Built, also while Redis is out of reach; the policy holds until it is found.
    /// assert!(with("redis://127.0.0.1:1/")?.store_status().is_shared);
    /// assert!(with("https://127.0.0.1/").is_err());
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "redis")]
    pub fn redis(mut self, redis: RedisStore) -> Self {
        self.redis = Some(redis);
        self
    }

    /// Changes the answers to rejected requests: gets the usual answer, gives another.
    ///
    /// Keep status and `WWW-Authenticate` as they are, since clients act on them.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::{HeaderValue, Request}, routing::get};
    /// use axum_entra::{Entra, Tenant};
    /// use tower::ServiceExt;
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id)
    ///     .map_rejection(|rejection, mut answer| {
    ///         let reason = HeaderValue::from_static(rejection.reason());
    ///         answer.headers_mut().insert("x-reason", reason);
    ///         answer
    ///     })
    ///     .build()?;
    /// let app: Router = Router::new().route("/", get(|| async { "milk" })).layer(entra.layer());
    ///
    /// let answer = app.oneshot(Request::get("/").body(Body::empty())?).await?;
    /// assert_eq!(answer.status(), 401);
    /// assert_eq!(answer.headers()["x-reason"], "missing_token");
    /// # Ok(()) }
    /// ```
    pub fn map_rejection(
        mut self,
        map: impl Fn(&Rejection, Response) -> Response + Send + Sync + 'static,
    ) -> Self {
        self.edge.map_rejection = Some(Arc::new(map));
        self
    }
}

impl fmt::Debug for EntraBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authorities: Vec<_> = self.authorities.iter().map(|one| &one.authority).collect();
        f.debug_struct("EntraBuilder")
            .field("authorities", &authorities)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
