//! Which tokens an [`Entra`](crate::Entra) accepts beside bearer tokens, and how it knows what a
//! request was before a proxy or a router changed it.

use std::sync::Arc;
use std::time::Duration;

use http::{Extensions, Uri};

use super::{Entra, EntraBuilder};
use crate::middleware::{Nonces, TrustedProxies};
use crate::token::PopTokens;

impl Entra {
    /// Whether signed HTTP requests (`Authorization: PoP`) are accepted, or nothing else.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, PopTokens, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let builder = || Entra::builder(tenant.clone(), client_id);
    /// assert_eq!(builder().build()?.pop_tokens(), PopTokens::Refuse);
    /// let entra = builder().pop_tokens(PopTokens::Require).build()?;
    /// assert_eq!(entra.pop_tokens(), PopTokens::Require);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn pop_tokens(&self) -> PopTokens {
        self.edge.bound.pop
    }
}

impl EntraBuilder {
    /// Accepts signed HTTP requests (`Authorization: PoP`), or nothing else; the setting
    /// `PopTokens`.
    ///
    /// A client signs method, host, path and time of each request with the key that its token is
    /// bound to, so that a stolen token is worth nothing without the key, and a stolen request
    /// nothing elsewhere and nothing twice. The proof is verified for every request, also where
    /// the token is known. A body is covered only where the client signs its hash (`b`), which
    /// MSAL does not; see `docs/bound_tokens.md`.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::{Entra, PopTokens};
    /// use entra_emulator::Emulator;
    /// use tower::ServiceExt;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let entra = Entra::builder_for(authority).pop_tokens(PopTokens::Require).build()?;
    /// let app: Router = Router::new().route("/", get(|| async { "milk" })).route_layer(entra.layer());
    ///
    /// // A valid token, which a thief could have sent just as well.
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let bearer = Request::get("/").header("authorization", format!("Bearer {token}"));
    /// let refused = app.oneshot(bearer.body(Body::empty())?).await?;
    /// assert_eq!(refused.status(), 401);
    /// assert!(refused.headers()["www-authenticate"].to_str()?.starts_with("PoP"));
    /// # Ok(()) }
    /// ```
    pub fn pop_tokens(mut self, pop: PopTokens) -> Self {
        self.edge.bound.pop = pop;
        self
    }

    /// Asks for a nonce of this API in signed HTTP requests: one that a `PoP` challenge has given
    /// out at most `lifetime` ago. A request that was signed in advance is refused then.
    ///
    /// A client's first request is answered with 401 `proof` and a challenge that holds a nonce
    /// (`PoP nonce="…"`; MSAL.js takes it as `shrNonce`). Replicas that share the key accept each
    /// other's. Use 32 random bytes. Without it the client's own nonce is not looked at.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::{Entra, PopTokens, Tenant};
    /// use tower::ServiceExt;
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// # fn key_from_the_vault() -> [u8; 32] { [7; 32] }
    /// let entra = Entra::builder(tenant, client_id)
    ///     .pop_tokens(PopTokens::Require)
    ///     .pop_nonce(key_from_the_vault(), Duration::from_secs(300))
    ///     .build()?;
    /// let app: Router = Router::new().route("/", get(|| async { "milk" })).layer(entra.layer());
    /// let refused = app.oneshot(Request::get("/").body(Body::empty())?).await?;
    /// let mut challenges = refused.headers().get_all("www-authenticate").iter();
    /// assert!(challenges.any(|challenge| challenge.to_str().unwrap().contains("nonce=\"")));
    /// # Ok(()) }
    /// ```
    pub fn pop_nonce(mut self, key: impl AsRef<[u8]>, lifetime: Duration) -> Self {
        self.edge.bound.nonces = Some(Nonces::keyed(key.as_ref(), lifetime));
        self
    }

    /// Reads at most so many bytes of a body whose hash is signed (`b`): 2 MiB by default. A
    /// longer one is 401 `proof`. Other bodies are not read.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, PopTokens, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// // For clients that sign uploads.
    /// let entra = Entra::builder(tenant, client_id)
    ///     .pop_tokens(PopTokens::Accept)
    ///     .pop_max_body_size(16 << 20)
    ///     .build()?;
    /// assert_eq!(entra.pop_tokens(), PopTokens::Accept);
    /// # Ok(()) }
    /// ```
    pub fn pop_max_body_size(mut self, most: usize) -> Self {
        self.edge.bound.most_body = most;
        self
    }

    /// Believes some headers of some reverse proxies; see [`TrustedProxies`].
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::net::SocketAddr;
    /// use axum::extract::ConnectInfo;
    /// use axum_entra::{Entra, Tenant, TrustedProxies};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let peer = |extensions: &http::Extensions| {
    ///     Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip())
    /// };
    /// let ingress = TrustedProxies::new(["10.0.0.0/8"], peer)?.forward_host();
    /// let entra = Entra::builder(tenant, client_id).trusted_proxies(ingress).build()?;
    /// # let _ = entra;
    ///
    /// assert!(TrustedProxies::new(["ingress.example.com"], peer).is_err());
    /// # Ok(()) }
    /// ```
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.edge.bound.proxies = Some(proxies);
        self
    }

    /// Says where the whole address of a request is if a router has shortened it: for a layer
    /// inside of axum's `nest`, which takes the prefix off the path. A layer outside of it needs
    /// nothing. Without it a signed path does not fit there, and the request is 401 `proof`.
    ///
    /// ```
    /// use axum::extract::OriginalUri;
    ///
    /// # fn build(builder: axum_entra::EntraBuilder) -> axum_entra::EntraBuilder {
    /// builder.original_uri(|extensions| Some(extensions.get::<OriginalUri>()?.0.clone()))
    /// # }
    /// ```
    pub fn original_uri(
        mut self,
        find: impl Fn(&Extensions) -> Option<Uri> + Send + Sync + 'static,
    ) -> Self {
        self.edge.bound.original_uri = Some(Arc::new(find));
        self
    }
}
