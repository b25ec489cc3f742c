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
use crate::jwks::HttpClientBuilder;
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
    pub fn builder(tenant: Tenant, client_id: impl Into<String>) -> EntraBuilder {
        Self::builder_for(Authority::entra(tenant, client_id))
    }

    /// Begins with an authority that was described in detail.
    ///
    /// With access to Microsoft Graph: [`Authority::graph`].
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
    /// # Errors
    /// [`ConfigError`], in one line, for the first setting that cannot be used; also if there is
    /// no such section at all.
    #[cfg(feature = "settings")]
    pub fn from_settings(file: impl AsRef<std::path::Path>) -> Result<Self, ConfigError> {
        EntraBuilder::from_settings(&crate::settings::Settings::load(Some(file.as_ref()))?)?.build()
    }

    /// The layer that protects routes.
    #[must_use]
    pub fn layer(&self) -> EntraLayer {
        EntraLayer::new(Arc::clone(&self.validator), Arc::clone(&self.edge))
    }

    /// The layer that accepts each token once; for routes inside of [`layer`](Self::layer).
    pub fn replay_protection(&self) -> ReplayProtectionLayer {
        ReplayProtectionLayer::new()
    }

    /// Validates a token outside HTTP, by the same rules as the layer.
    ///
    /// Waits for a fetch, at most two seconds, if the token names an unknown `kid`, and
    /// for the directory where the user's sessions are to be checked.
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
    /// # Errors
    /// As [`validate`](Self::validate).
    pub async fn validate_caller(&self, token: &str) -> Result<CallerToken, ValidateError> {
        Ok(CallerToken::new(self.validate(token).await?, token))
    }

    /// What only Microsoft Graph knows, and tokens for other APIs, for handlers.
    ///
    /// Without [`Authority::graph`] every question is answered with 503.
    #[must_use]
    pub fn graph(&self) -> GraphClient {
        GraphClient::new(Arc::clone(&self.connections))
    }

    /// Validates a token at a time with the cached keys.
    ///
    /// Waits for nothing: while there are no keys the answer is `keys_unavailable`, and the
    /// directory is not asked about the user's sessions.
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
    #[must_use]
    pub fn scope_hierarchy(&self) -> &ScopeHierarchy {
        &self.scope_hierarchy
    }

    /// How fresh the keys are, and whether Microsoft Graph answers, authority by authority.
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
    pub fn authority(mut self, authority: impl Into<AuthorityWithGraph>) -> Self {
        self.authorities.push(authority.into());
        self
    }

    /// Asks Microsoft Graph about callers of the authority that the builder began with, whichever
    /// others were named meanwhile: about groups that a token cannot list, about sessions, and for
    /// handlers. A further authority brings its own access ([`Authority::graph`]).
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
    pub fn max_token_size(mut self, most: usize) -> Self {
        self.most_bytes = most;
        self
    }

    /// Keeps tokens that were verified within so many bytes of memory: 64 MiB by default, 0 for not
    /// at all.
    ///
    /// A token that is known costs a look-up in place of a signature. It is checked against the
    /// clock, the keys and the revocations each time all the same. One of Entra's usual tokens takes about
    /// 3.5 kB, so 64 MiB are enough for some 18,000 of them.
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
    pub fn token_decryption_key(mut self, key: TokenDecryptionKey) -> Self {
        self.decryption_keys.push(key);
        self
    }

    /// Takes the time from another clock, in tests.
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
    pub fn http_client(mut self, client: HttpClientBuilder) -> Self {
        self.client = Some(client);
        self
    }

    /// Trusts these root certificates (PEM) for the authority, besides the system's.
    ///
    /// No use together with [`http_client`](Self::http_client), which has its own.
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.roots.extend_from_slice(pem.as_ref());
        self.roots.push(b'\n');
        self
    }

    /// Calls `forget` with every account that signs out or is revoked, on any replica: the place
    /// to drop what the application keeps of it. May be called more than once for one event.
    ///
    /// It must be quick, and must not own the [`Entra`] that calls it.
    pub fn on_sign_out(mut self, forget: impl Fn(&AccountId) + Send + Sync + 'static) -> Self {
        self.hooks.push(Box::new(forget));
        self
    }

    /// Believes the security events of a transmitter; see [`Entra::security_event_receiver`].
    pub fn security_event_transmitter(mut self, signals: SecurityEventTransmitter) -> Self {
        self.signals.push(signals);
        self
    }

    /// Shares revocations, sign-outs and replay records with other replicas.
    #[cfg(feature = "redis")]
    pub fn redis(mut self, redis: RedisStore) -> Self {
        self.redis = Some(redis);
        self
    }

    /// Changes the answers to rejected requests: gets the usual answer, gives another.
    ///
    /// Keep status and `WWW-Authenticate` as they are, since clients act on them.
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
