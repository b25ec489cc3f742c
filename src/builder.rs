//! Puts the pieces together.

use std::fmt;
use std::sync::Arc;

use axum_core::response::Response;

use crate::authority::{Authority, Tenant, Trust};
use crate::claims::{Claims, Home};
use crate::clock::Clock;
use crate::config_error::ConfigError;
use crate::keys::refresh::Refresher;
#[cfg(feature = "settings")]
use crate::keys::remote::is_certificates;
use crate::keys::remote::{Remote, http_client};
use crate::keys::store::{KeyReader, fixed, key_store};
use crate::keys::{HttpClient, KeySet};
use crate::token::{AuthorityStatus, Explanation, Installed, Refusal, Validator, Verdict};
use crate::web::{
    Described, Edge, EntraLayer, MetadataService, Origin, Pseudonyms, Rejection, Resource,
    ResourceMetadata,
};

/// Validates access tokens of the authorities it was built for; cheap to clone.
///
/// The tasks that keep keys fresh end when the last clone and the last layer of it are gone.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{Entra, Tenant};
///
/// let entra = Entra::builder(
///     Tenant::id("11111111-1111-4111-8111-111111111111"),
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
    edge: Arc<Edge>,
    resource: Option<Arc<Resource>>,
}

impl Entra {
    /// Begins with a tenant of Entra ID and this API's client id; everything else has a default.
    pub fn builder(tenant: Tenant, client_id: impl Into<String>) -> Builder {
        Self::trusting(Authority::entra(tenant, client_id))
    }

    /// Begins with an authority that was described in detail.
    pub fn trusting(authority: Authority) -> Builder {
        Builder {
            authorities: vec![authority],
            most_bytes: 65_536,
            cache_bytes: 67_108_864,
            edge: Edge::default(),
            client: None,
            roots: Vec::new(),
            described: Described::default(),
        }
    }

    /// Builds from the sections `AzureAd` and `AzureAdB2C` of a settings file and the environment.
    ///
    /// # Errors
    /// [`ConfigError`], in one line, for the first setting that cannot be used; also if there is
    /// no such section at all.
    #[cfg(feature = "settings")]
    pub fn from_settings(file: impl AsRef<std::path::Path>) -> Result<Self, ConfigError> {
        Builder::from_settings(&crate::settings::Settings::load(Some(file.as_ref()))?)?.build()
    }

    /// The layer that protects routes.
    #[must_use]
    pub fn layer(&self) -> EntraLayer {
        EntraLayer::new(Arc::clone(&self.validator), Arc::clone(&self.edge))
    }

    /// Validates a token outside HTTP, by the same rules as the layer.
    ///
    /// Waits for a fetch, at most two seconds, if the token names a key that nobody has seen.
    ///
    /// # Errors
    /// [`Rejection`], with the reason; it is also an answer, for those who need one.
    pub async fn validate(&self, token: &str) -> Result<Claims, Rejection> {
        let verdict = self.validator.judge(token, self.edge.clock.now());
        let refusal = match verdict {
            Verdict::Valid(claims) => return Ok(claims),
            Verdict::Refused(refusal) => refusal,
            Verdict::Wait(awaited) => {
                let now = || self.edge.clock.now();
                match self.validator.judge_after(awaited, token, now).await {
                    Ok(claims) => return Ok(claims),
                    Err(refusal) => refusal,
                }
            }
        };
        Err(Rejection::outside_http(refusal))
    }

    /// Validates a token at a time (seconds since 1970-01-01 UTC) with the keys at hand.
    ///
    /// Waits for nothing: while there are no keys the answer is `keys_unavailable`.
    ///
    /// # Errors
    /// [`Rejection`], with the reason.
    pub fn validate_at(&self, token: &str, now: u64) -> Result<Claims, Rejection> {
        match self.validator.judge(token, now) {
            Verdict::Valid(claims) => Ok(claims),
            Verdict::Refused(refusal) => Err(Rejection::outside_http(refusal)),
            Verdict::Wait(_) => Err(Rejection::outside_http(Refusal::KeysUnavailable)),
        }
    }

    /// Says why a token is accepted or refused: every check, with what it expects and found.
    ///
    /// The verdict is [`validate`](Self::validate)'s, and the checks are the same functions. For
    /// whoever holds the token, in development and support: do not log it, and do not serve it
    /// to strangers, since it tells what this API expects. Nothing is logged here.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
    /// # use axum_entra::{Entra, Tenant};
    /// # let tenant = Tenant::id("11111111-1111-4111-8111-111111111111");
    /// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
    /// let explanation = entra.explain("EwBwA8l6BAAU").await;
    /// assert_eq!(explanation.reason(), Some("malformed"));
    /// println!("{explanation}");
    /// # Ok(()) }
    /// ```
    pub async fn explain(&self, token: &str) -> Explanation {
        let verdict = self.validate(token).await;
        self.explained(token, self.edge.clock.now(), &verdict)
    }

    /// The same at a time (seconds since 1970-01-01 UTC) with the keys at hand, waiting for
    /// nothing; the verdict is that of [`validate_at`](Self::validate_at).
    #[must_use]
    pub fn explain_at(&self, token: &str, now: u64) -> Explanation {
        let verdict = self.validate_at(token, now);
        self.explained(token, now, &verdict)
    }

    fn explained(&self, token: &str, now: u64, verdict: &Result<Claims, Rejection>) -> Explanation {
        let verdict = verdict.as_ref().map_err(Rejection::reason);
        self.validator.explain(token, now, verdict)
    }

    /// This API's protected-resource metadata (RFC 9728); `None` without [`Builder::resource`].
    #[must_use]
    pub fn resource_metadata(&self) -> Option<ResourceMetadata> {
        let resource = self.resource.as_ref()?;
        Some(resource.document(&self.validator))
    }

    /// The paths that the metadata belongs under, and the service that answers there.
    ///
    /// Put them on the router outside the layer, for nobody has a token who asks; none without
    /// [`Builder::resource`].
    ///
    /// ```
    /// # use axum::Router;
    /// # fn with_metadata(entra: &axum_entra::Entra, mut app: Router) -> Router {
    /// for (path, service) in entra.metadata_routes() {
    ///     app = app.route_service(&path, service);
    /// }
    /// # app }
    /// ```
    pub fn metadata_routes(&self) -> impl Iterator<Item = (String, MetadataService)> {
        self.resource.iter().flat_map(|resource| {
            resource.paths().iter().map(|path| {
                let service =
                    MetadataService::new(Arc::clone(resource), Arc::clone(&self.validator));
                (path.clone(), service)
            })
        })
    }

    /// How fresh the keys are, authority by authority.
    #[must_use]
    pub fn status(&self) -> Vec<AuthorityStatus> {
        self.validator.status()
    }

    /// Sets the gauges that time alone changes: how old keys are, and how many are in use.
    ///
    /// Call it before the application's metrics are read.
    #[cfg(feature = "metrics")]
    pub fn record_key_age(&self) {
        for keys in self.status().iter().flat_map(|authority| &authority.keys) {
            crate::measure::key_age(&keys.address, keys.age, keys.count);
        }
    }

    /// Whether tokens of at least one authority can be validated: for a readiness probe.
    ///
    /// One authority out of reach does not stop the others, so it does not stop the process.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.status().iter().any(AuthorityStatus::is_usable)
    }
}

impl fmt::Debug for Entra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entra").finish_non_exhaustive()
    }
}

/// Describes an [`Entra`].
#[must_use]
pub struct Builder {
    authorities: Vec<Authority>,
    most_bytes: usize,
    cache_bytes: usize,
    edge: Edge,
    client: Option<HttpClient>,
    roots: Vec<u8>,
    described: Described,
}

impl Builder {
    /// Begins with what the settings say; the file that `CaFile` names is read.
    ///
    /// # Errors
    /// [`ConfigError`] if no authority is set, or `CaFile` cannot be used.
    #[cfg(feature = "settings")]
    pub fn from_settings(settings: &crate::settings::Settings) -> Result<Self, ConfigError> {
        let mut authorities = settings.authorities().into_iter();
        let first = authorities
            .next()
            .ok_or_else(|| ConfigError::missing("AzureAd", "at least TenantId and ClientId"))?;
        let mut builder = authorities.fold(Entra::trusting(first), Self::authority);
        // A token is measured before it is known whose it is.
        if let Some(most) = settings
            .sections()
            .map(|section| section.max_token_bytes)
            .max()
        {
            builder = builder.max_token_bytes(most);
        }
        if let Some(resource) = settings.sections().find_map(|own| own.resource.as_ref()) {
            builder = builder.resource(resource.as_str());
        }
        // One cache for all authorities.
        if let Some(most) = settings
            .sections()
            .map(|section| section.token_cache_bytes)
            .max()
        {
            builder = builder.token_cache_bytes(most);
        }
        for file in settings
            .sections()
            .filter_map(|section| section.ca_file.as_ref())
        {
            let unreadable = || {
                ConfigError::value(
                    "CaFile",
                    file.display(),
                    "a readable file of PEM certificates",
                )
            };
            let pem = std::fs::read(file).map_err(|_| unreadable())?;
            if !is_certificates(&pem) {
                return Err(unreadable());
            }
            builder = builder.root_certificates(pem);
        }
        Ok(builder)
    }

    /// Accepts the tokens of a further authority, each under its own issuer, keys and audiences.
    pub fn authority(mut self, authority: Authority) -> Self {
        self.authorities.push(authority);
        self
    }

    /// Refuses longer tokens before anything is decoded: 1 KiB to 256 KiB, 64 KiB by default.
    pub fn max_token_bytes(mut self, most: usize) -> Self {
        self.most_bytes = most;
        self
    }

    /// Keeps tokens that were verified within so many bytes of memory: 64 MiB by default, 0 for not
    /// at all.
    ///
    /// A token that is known costs a look-up in place of a signature. It is held against the clock,
    /// the keys and the revocations each time all the same. One of Entra's usual tokens takes about
    /// 3.5 kB, so 64 MiB are enough for some 18,000 of them.
    pub fn token_cache_bytes(mut self, most: usize) -> Self {
        self.cache_bytes = most;
        self
    }

    /// Takes the time from another clock, in tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.edge.clock = clock;
        self
    }

    /// Fetches documents with the application's own client: its proxy, its certificates.
    ///
    /// Make it follow no redirects; an answer that was redirected is refused.
    pub fn http_client(mut self, client: HttpClient) -> Self {
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

    /// Serves protected-resource metadata (RFC 9728) for this address of the API, and names it in
    /// every challenge. It is not the audience.
    ///
    /// The document itself is on the router once [`Entra::metadata_routes`] is.
    pub fn resource(mut self, address: impl Into<String>) -> Self {
        self.described.address = Some(address.into());
        self
    }

    /// The same, unless an address was given: what a program knows of its own listener.
    pub fn default_resource(mut self, address: impl Into<String>) -> Self {
        self.described.listener = Some(address.into());
        self
    }

    /// A name for people in the metadata.
    pub fn resource_name(mut self, name: impl Into<String>) -> Self {
        self.described.name = Some(name.into());
        self
    }

    /// The scopes that the metadata offers. A short name gets the prefix `api://{client id}/`, or
    /// the first audience that is a URI; never list `offline_access`.
    pub fn resource_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.described
            .scopes
            .extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Names protected-resource metadata (RFC 9728) that is served elsewhere in every challenge.
    pub fn resource_metadata(mut self, url: impl Into<String>) -> Self {
        self.edge.resource_metadata = Some(url.into());
        self
    }

    /// Names the account of every admitted request in the log (at `debug`), under a pseudonym: a
    /// hash of its identity with this key. Nothing in the log names anybody without it.
    ///
    /// Whoever has the key and a list of accounts can tell who it was; replicas with one key
    /// write one pseudonym. Use 32 random bytes.
    pub fn log_accounts(mut self, key: impl AsRef<[u8]>) -> Self {
        self.edge.pseudonyms = Some(Pseudonyms::keyed(key.as_ref()));
        self
    }

    /// Checks everything and starts to fetch keys; does not wait for them.
    ///
    /// # Errors
    /// [`ConfigError`], for the first setting that cannot be used.
    pub fn build(self) -> Result<Entra, ConfigError> {
        if !(1_024..=262_144).contains(&self.most_bytes) {
            return Err(ConfigError::value(
                "MaxTokenBytes",
                self.most_bytes,
                "1024 to 262144",
            ));
        }
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| ConfigError::NoRuntime)?;
        let client = match self.client {
            Some(client) => client,
            None => http_client((!self.roots.is_empty()).then_some(&self.roots))
                .map_err(ConfigError::HttpClient)?,
        };
        let trusts = self.authorities.into_iter().map(Authority::resolve);
        let trusts: Vec<Trust> = trusts.collect::<Result<_, _>>()?;
        let resource = self.described.resolve(trusts.first())?;
        let mut edge = self.edge;
        if let (None, Some(resource)) = (&edge.resource_metadata, &resource) {
            edge.resource_metadata = Some(resource.metadata.clone());
        }
        let edge = Arc::new(edge);
        let mut installed = Vec::new();
        let mut refreshers = Vec::new();
        for trust in trusts {
            installed.push(install(trust, &client, &edge, &mut refreshers)?);
        }
        let validator = Arc::new(Validator::new(
            installed,
            self.most_bytes,
            self.cache_bytes,
        )?);
        crate::measure::describe();
        // Nothing is fetched for a description that turned out to be wrong.
        for refresher in refreshers {
            runtime.spawn(refresher.run());
        }
        Ok(Entra {
            validator,
            edge,
            resource: resource.map(Arc::new),
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("authorities", &self.authorities)
            .finish_non_exhaustive()
    }
}

/// Gives an authority its keys, or the task that will.
fn install(
    trust: Trust,
    client: &HttpClient,
    edge: &Arc<Edge>,
    refreshers: &mut Vec<Refresher>,
) -> Result<Installed, ConfigError> {
    let learns = trust.learns;
    let learnt = Arc::default();
    let mut readers: Vec<KeyReader> = Vec::new();
    for document in &trust.documents {
        if let Some(jwks) = &trust.static_keys {
            let issuer = document.issuers.first().cloned();
            let keys = issuer
                .ok_or_else(|| ConfigError::missing("Issuer", "the exact issuer"))
                .and_then(|issuer| {
                    KeySet::read(jwks.as_bytes(), issuer, document)
                        .map_err(|error| ConfigError::value("static_keys", error, "a JWK set"))
                })?;
            readers.push(fixed(keys));
            continue;
        }
        let (publisher, reader) = key_store(trust.freshness.cooldown);
        let remote = Remote {
            client: client.clone(),
            document: document.clone(),
            timeout: trust.freshness.timeout,
            max_bytes: trust.freshness.max_bytes,
            learns,
            learnt: Arc::clone(&learnt),
            last: None,
        };
        let name = document.address.to_string();
        refreshers.push(Refresher::new(name, remote, publisher, &trust.freshness));
        readers.push(reader);
    }
    let home = Home(Arc::new(Origin {
        edge: Arc::clone(edge),
        authorization_uri: trust.authorization_uri.clone(),
    }));
    Ok(Installed {
        trust,
        readers,
        learns,
        learnt,
        home: Some(home),
    })
}
