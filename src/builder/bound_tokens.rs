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
    /// # use axum_entra::{Entra, PopTokens, Tenant};
    /// # fn build() -> axum_entra::EntraBuilder {
    /// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").pop_tokens(PopTokens::Accept)
    /// # }
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
    pub fn pop_nonce(mut self, key: impl AsRef<[u8]>, lifetime: Duration) -> Self {
        self.edge.bound.nonces = Some(Nonces::keyed(key.as_ref(), lifetime));
        self
    }

    /// Reads at most so many bytes of a body whose hash is signed (`b`): 2 MiB by default. A
    /// longer one is 401 `proof`. Other bodies are not read.
    pub fn pop_max_body_size(mut self, most: usize) -> Self {
        self.edge.bound.most_body = most;
        self
    }

    /// Believes some headers of some reverse proxies; see [`TrustedProxies`].
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
