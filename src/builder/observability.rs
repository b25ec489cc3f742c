//! What an [`Entra`] reports: why a token is refused, where to get one, and how it is counted.

use std::sync::Arc;

use super::{Entra, EntraBuilder};
use crate::claims::Claims;
use crate::clock::UnixTime;
use crate::middleware::{
    MetadataService, ProtectedResource, Pseudonyms, ResourceMetadata, ValidateError,
};
use crate::token::Explanation;

/// Where the clients of an API get tokens for it, at one authority. From
/// [`Entra::sign_in_endpoints`](crate::Entra::sign_in_endpoints).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignInEndpoint {
    /// The OAuth 2.0 authorization endpoint; the token endpoint is its neighbour `token`.
    pub authorization_endpoint: String,
    /// The App ID URI, which full scope names begin with.
    pub app_id_uri: String,
    /// Whether applications get tokens of their own there (client credentials). False for a B2C
    /// policy, which signs in users only.
    pub issues_app_tokens: bool,
}

impl Entra {
    /// Where clients of this API get their tokens: one entry for each authority, in the order of
    /// configuration.
    ///
    /// For documents that tell clients where to sign in, as OpenAPI documents do. Does not check
    /// that the registration exposes any scope.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
    /// # use axum_entra::{Entra, Tenant};
    /// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
    /// let endpoints: Vec<_> = entra.sign_in_endpoints().collect();
    /// assert_eq!(
    ///     endpoints[0].authorization_endpoint,
    ///     "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/oauth2/v2.0/authorize"
    /// );
    /// assert_eq!(endpoints[0].app_id_uri, "api://6e74172b-be56-4843-9ff4-e66a39bb12e3");
    /// # Ok(()) }
    /// ```
    pub fn sign_in_endpoints(&self) -> impl Iterator<Item = SignInEndpoint> {
        self.validator.trusts().map(move |trust| {
            let address = self.resources.first().map(|resource| resource.address());
            let uri = trust.app_id_uri(address).to_owned();
            SignInEndpoint {
                authorization_endpoint: trust.authorization_uri.clone(),
                app_id_uri: uri,
                issues_app_tokens: !trust.is_b2c(),
            }
        })
    }

    /// Says why a token is accepted or refused: every check, with what it expects and found.
    ///
    /// The verdict is [`validate`](Self::validate)'s, and the checks are the same functions. For
    /// the holder of the token, in development and support: do not log it, and do not serve it
    /// to unknown clients, since it shows what this API expects. Nothing is logged here.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
    /// # use axum_entra::{Entra, Tenant};
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
    /// let explanation = entra.explain("EwBwA8l6BAAU").await;
    /// assert_eq!(explanation.reason(), Some("malformed"));
    /// println!("{explanation}");
    /// # Ok(()) }
    /// ```
    pub async fn explain(&self, token: &str) -> Explanation {
        let verdict = self.validate(token).await;
        self.explained(token, self.edge.clock.seconds(), &verdict)
    }

    /// The same at a time with the cached keys, waiting for nothing; the verdict is that of [`validate_at`](Self::validate_at).
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use axum_entra::{UnixTime, explain::Outcome};
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let claims = entra.validate(&token).await?;
    /// let explanation = entra.explain_at(&token, claims.expires_at() + Duration::from_secs(3_600));
    /// assert!(!explanation.is_accepted() && explanation.is_signature_verified());
    /// let failed = explanation.steps().iter().find(|step| step.outcome == Outcome::Failed);
    /// assert_eq!(failed.unwrap().check, "lifetime");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn explain_at(&self, token: &str, now: UnixTime) -> Explanation {
        let verdict = self.validate_at(token, now);
        self.explained(token, now.as_secs(), &verdict)
    }

    fn explained(
        &self,
        token: &str,
        now: u64,
        verdict: &Result<Claims, ValidateError>,
    ) -> Explanation {
        let verdict = verdict.as_ref().map_err(ValidateError::reason);
        self.validator.explain(token, now, verdict)
    }

    /// This API's protected-resource metadata (RFC 9728), of its first address; `None` without
    /// [`EntraBuilder::resource`].
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let builder = || Entra::builder(tenant.clone(), client_id);
    /// assert!(builder().build()?.resource_metadata().is_none());
    ///
    /// let entra = builder().resource("https://todo.example.com").build()?;
    /// let document = entra.resource_metadata().unwrap();
    /// assert_eq!(document.bearer_methods_supported, ["header"]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn resource_metadata(&self) -> Option<ResourceMetadata> {
        let resource = self.resources.first()?;
        Some(resource.document(&self.validator))
    }

    /// The paths that the metadata belongs under, and the service that answers there.
    ///
    /// Mount them outside the auth layer: clients fetch them before they have a token. Empty without
    /// [`EntraBuilder::resource`].
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request};
    /// use axum_entra::{Entra, Tenant};
    /// use tower::ServiceExt;
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id).resource("https://todo.example.com/mcp").build()?;
    /// let app = entra.metadata_routes().fold(Router::new(), |app: Router, (path, service)| {
    ///     app.route_service(&path, service)
    /// });
    /// let status = async |path: &str| {
    ///     app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap().status()
    /// };
    /// assert_eq!(status("/.well-known/oauth-protected-resource/mcp").await, 200);
    /// // The document of `https://todo.example.com/reports`, which is not this API's address.
    /// assert_eq!(status("/.well-known/oauth-protected-resource/reports").await, 404);
    /// # Ok(()) }
    /// ```
    pub fn metadata_routes(&self) -> impl Iterator<Item = (String, MetadataService)> {
        self.resources.iter().flat_map(|resource| {
            resource.paths().iter().map(|path| {
                let service =
                    MetadataService::new(Arc::clone(resource), Arc::clone(&self.validator));
                (path.clone(), service)
            })
        })
    }

    /// How long a token may be ([`EntraBuilder::max_token_size`]), for the server's own limit on the
    /// size of request headers: it has to be that and what the other headers take.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id).max_token_size(100_000).build()?;
    /// // hyper's own limit is 16 KiB over HTTP/2: a longer token would not get as far as the layer.
    /// let list_size = u32::try_from(entra.max_token_size() + 16 * 1_024)?;
    /// let mut server = hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new());
    /// server.max_header_list_size(list_size);
    /// # assert_eq!(list_size, 116_384);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn max_token_size(&self) -> usize {
        self.validator.most_bytes()
    }

    /// Sets the gauges that only time changes: how old keys are, how many are in use, and how far
    /// the shared revocations are behind.
    ///
    /// Call it before the application's metrics are read.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use http_body_util::BodyExt;
    /// use metrics_exporter_prometheus::PrometheusBuilder;
    /// use tower::ServiceExt;
    /// # let emulator = entra_emulator::Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    ///
    /// let recorder = PrometheusBuilder::new().install_recorder()?;
    /// # let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// # entra.validate(&token).await?;
    /// let app: Router = Router::new().route("/metrics", get(|| async move {
    ///     entra.update_metrics();
    ///     recorder.render()
    /// }));
    ///
    /// let page = app.oneshot(Request::get("/metrics").body(Body::empty())?).await?;
    /// let page = page.into_body().collect().await?.to_bytes();
    /// assert!(std::str::from_utf8(&page)?.contains("axum_entra_key_age_seconds"));
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "metrics")]
    pub fn update_metrics(&self) {
        for keys in self.status().iter().flat_map(|authority| &authority.jwks) {
            crate::metrics::key_age(&keys.metadata_url, keys.last_success_age, keys.key_count);
        }
        if let Some(lag) = self.edge.accounts.behind() {
            crate::metrics::revocations_behind(lag);
        }
    }
}

impl EntraBuilder {
    /// Serves protected-resource metadata (RFC 9728) for this address of the API, and names it in
    /// every challenge.
    ///
    /// May be called more than once, for an API with several addresses: each has its own document,
    /// and a challenge names that of the address whose path is the longest that the request's own
    /// path begins with, or else of the first. The layer looks at the path that it sees: put it
    /// outside of `nest`, which shortens the path for what is inside. The document itself is on the
    /// router once [`Entra::metadata_routes`] is.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let builder = || Entra::builder(tenant.clone(), client_id).resource("https://example.com/mcp");
    /// let entra = builder().resource("https://example.com/reports/mcp").build()?;
    /// assert_eq!(entra.metadata_routes().count(), 2);
    /// // Which of them is a request to `/mcp` for?
    /// assert!(builder().resource("https://www.example.com/mcp").build().is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`build`](Self::build) refuses what is no address, and two addresses with the same path.
    pub fn resource(mut self, resource: impl Into<ProtectedResource>) -> Self {
        self.resources.given.push(resource.into());
        self
    }

    /// The same, unless an address is given by [`resource`](Self::resource) or the setting
    /// `Resource`: what a program knows of itself and of its own listener.
    ///
    /// A given address takes over the name, the scopes and the metadata address that it does not have
    /// itself: those of the default resource with the same path, or of the only one.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
    /// use axum_entra::{Entra, ProtectedResource, Tenant};
    ///
    /// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
    ///     .default_resource(ProtectedResource::new("http://127.0.0.1:3000").name("To-do lists"))
    ///     .resource("https://todo.example.com")
    ///     .build()?;
    /// let document = entra.resource_metadata().unwrap();
    /// assert_eq!(document.resource, "https://todo.example.com");
    /// assert_eq!(document.resource_name.as_deref(), Some("To-do lists"));
    /// # Ok(()) }
    /// ```
    pub fn default_resource(mut self, resource: impl Into<ProtectedResource>) -> Self {
        self.resources.default.push(resource.into());
        self
    }

    /// Records the caller and the reason of a rejection on the request's span: `entra.tenant`,
    /// `entra.client`, `entra.agent`, `entra.blueprint`, `entra.reason`, for a bound token
    /// `entra.binding` (`key`, `certificate` or `key_and_certificate`), and with
    /// [`account_pseudonym_key`](Self::account_pseudonym_key) the pseudonym as `entra.account`. No
    /// field names a person.
    ///
    /// A span takes only the fields that it was made with:
    ///
    /// ```
    /// use http::Request;
    /// use tower_http::trace::TraceLayer;
    /// use tracing::field::Empty;
    ///
    /// # fn traced(entra: &axum_entra::Entra) -> axum::Router {
    /// let trace = TraceLayer::new_for_http().make_span_with(|request: &Request<_>| {
    ///     tracing::info_span!(
    ///         "request", method = %request.method(), path = request.uri().path(),
    ///         entra.tenant = Empty, entra.client = Empty,
    ///         entra.agent = Empty, entra.blueprint = Empty,
    ///         entra.account = Empty, entra.reason = Empty, entra.binding = Empty,
    ///     )
    /// });
    /// axum::Router::new().layer(entra.layer()).layer(trace)
    /// # }
    /// ```
    pub fn record_span_fields(mut self) -> Self {
        self.edge.records_caller = true;
        self
    }

    /// Names the account of every admitted request in the log (at `debug`), under a pseudonym: a
    /// hash of its identity with this key. Without the key, nothing in the log names an account.
    ///
    /// The holder of the key and a list of accounts can identify the account; replicas with one key
    /// write one pseudonym. Use 32 random bytes.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant};
    ///
    /// # fn key_from_the_vault() -> [u8; 32] { [7; 32] }
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id)
    ///     .record_span_fields()
    ///     .account_pseudonym_key(key_from_the_vault())
    ///     .build()?;
    /// # let _: axum_entra::EntraLayer = entra.layer();
    /// # Ok(()) }
    /// ```
    pub fn account_pseudonym_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.edge.pseudonyms = Some(Pseudonyms::keyed(key.as_ref()));
        self
    }
}
