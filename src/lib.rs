//! Authorization middleware for axum and tower: it protects an API with Microsoft Entra ID access
//! tokens.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use axum_entra::{Claims, Entra, Tenant, guard::RequireScope};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
//! let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
//! let app: Router = Router::new()
//!     .route("/me", get(|claims: Claims| async move { claims.issuer().to_owned() }))
//!     .layer(RequireScope("access_as_user"))
//!     .layer(entra.layer());
//! # Ok(()) }
//! ```
//!
//! [`Entra`] validates tokens; [`EntraLayer`] forwards requests with a valid token and attaches
//! [`Claims`]; the [`guard`]s check the claims per route, as layers or as [`Permit`] in a handler's
//! signature; [`Rejection`] is every answer to a rejected request.
//!
//! Nothing is open by default: what is not configured is refused, and what cannot be decided is 503.
//! Tokens are checked, connections are not: TLS is the deployment's part.
//!
//! # What is protected, and what is not
//!
//! A layer protects the routes that the router has when the layer is added, and `layer` also its
//! fallback. These answer without a token:
//!
//! * a route or a fallback that is added after the layer,
//! * the fallback of a router that has the layer by `route_layer`,
//! * a nested router's own fallback, where only the nested router has the layer,
//! * `post(b)` in `get(a).layer(guard).post(b)`: the guard is around `get` only.
//!
//! The layer exempts no method and no path; a CORS layer belongs outside of it and answers
//! preflights. `testing::assert_protected` (feature `test-util`) fails a test when a route answers
//! anything but 401 without a token and is not on a list.
//!
//! # Where to find what
//!
//! | for | see |
//! |---|---|
//! | rules on scopes, roles, tenants, groups, agents and more | [`guard`] |
//! | a rule that needs the path or a database | [`middleware::check_fn`] |
//! | a wider scope that includes a narrower one | [`ScopeHierarchy`] |
//! | settings of an `appsettings.json` and the environment | [`EntraBuilder`] (`from_settings`), feature `settings` |
//! | several authorities, B2C, External ID, clouds | [`Authority`] |
//! | Microsoft Graph, on-behalf-of, groups overage | [`graph`] |
//! | revocation, sign-out, logout and security events | [`Entra::revoke_tokens`], [`middleware`] |
//! | a guard for each tool of an MCP server | [`mcp::ToolGuards`] |
//! | encrypted tokens, signed requests, certificates | [`TokenDecryptionKey`], [`PopTokens`], [`guard::RequireBoundToken`] |
//! | why a token is refused, check by check | [`explain`], [`Entra::explain`] |
//! | tests without a network | `testing` (feature `test-util`) |
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `settings` (default) | the `AzureAd` section of a file and the environment |
//! | `azure` | credentials of the Azure SDK, such as managed identities |
//! | `redis`, `redis-tls` | revocations and replay records that replicas share; `rediss://` |
//! | `pkcs12` | PKCS#12 files for certificates and decryption keys |
//! | `metrics` | counters and gauges for the `metrics` facade |
//! | `test-util` | test claims and the audit of open routes |
//!
//! # Where to go next
//!
//! [The book](https://github.com/axum-entra/axum-entra/blob/main/docs/SUMMARY.md) has ten minutes
//! with the emulator, recipes, deployment and operation;
//! [errors](https://github.com/axum-entra/axum-entra/blob/main/docs/errors.md) what each refusal
//! means and who can correct it.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod authority;
mod bounds;
mod builder;
mod causes;
mod claims;
mod clock;
mod config_error;
pub mod graph;
pub mod guard;
mod guards_macro;
mod guid;
mod jwks;
mod key_file;
mod metrics;
pub mod middleware;
mod revocation;
mod scope_hierarchy;
#[cfg(feature = "settings")]
pub mod settings;
mod snapshot;
mod sync;
mod tasks;
#[cfg(any(test, feature = "test-util"))]
pub mod testing;
mod token;
mod token_version;
mod transport;

pub use authority::{
    AllowedTenants, Authority, Cloud, JwksRefresh, ParseTenantError, SecurityEventTransmitter,
    Tenant, TenantFilter, full_scope_name,
};
pub use builder::{Entra, EntraBuilder, RevokeError, SignInEndpoint};
pub use claims::{
    AccountId, Agent, AgentKind, AuthenticationMethod, Claims, ClientAuthMethod, Confirmation,
    GroupIds, Groups, ParseAccountIdError, Principal, ProfileClaims,
};
pub use clock::{Clock, UnixTime};
pub use config_error::ConfigError;
pub use guid::CONSUMERS_TENANT_ID;
pub use jwks::JwksFetchError;
#[cfg(feature = "redis")]
pub use revocation::RedisStore;
pub use revocation::{StoreFailurePolicy, StoreStatus};
pub use scope_hierarchy::ScopeHierarchy;
pub use token::{AuthorityStatus, InvalidToken, JwksStatus, PopTokens, TokenDecryptionKey};
pub use transport::{HttpClient, HttpClientBuilder, TransportError};
/// Why a token is accepted or refused, check by check.
pub mod explain {
    pub use crate::token::{Explanation, Outcome, Step};
}
/// Model Context Protocol servers: a guard for each tool.
pub mod mcp {
    pub use crate::middleware::{AnyToken, ToolGuards, ToolGuardsService};
}
pub use middleware::{
    CallerToken, ClientCertificate, EntraLayer, GraphClient, GuardLayer, Permit, ProtectedResource,
    Rejection, StoreError, TokenExpiry, TokenSource, TrustedProxies, ValidateError,
};
pub use token_version::TokenVersion;
/// Tenant, object and group ids.
pub use uuid::Uuid;

/// The documents' examples are compiled as tests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../docs/authorities.md")]
    mod authorities {}
    #[doc = include_str!("../docs/revocation.md")]
    mod revocation {}
    #[doc = include_str!("../docs/settings.md")]
    #[cfg(feature = "settings")]
    mod settings {}
    #[doc = include_str!("../docs/app_registration.md")]
    #[cfg(feature = "settings")]
    mod app_registration {}
    #[doc = include_str!("../docs/encrypted_tokens.md")]
    mod encrypted_tokens {}
    #[doc = include_str!("../docs/migration.md")]
    mod migration {}
    #[doc = include_str!("../docs/directory.md")]
    mod directory {}
    #[doc = include_str!("../docs/design.md")]
    #[cfg(feature = "test-util")]
    mod design {}
    #[doc = include_str!("../docs/mcp.md")]
    mod mcp {}
    #[doc = include_str!("../docs/agents.md")]
    mod agents {}
    #[doc = include_str!("../docs/operations.md")]
    mod operations {}
    #[doc = include_str!("../docs/performance.md")]
    mod performance {}
    #[doc = include_str!("../docs/bound_tokens.md")]
    mod bound_tokens {}
    #[doc = include_str!("../docs/deploy/container.md")]
    #[cfg(unix)]
    mod container {}
}

/// For `fuzz/` only.
#[cfg(fuzzing)]
#[doc(hidden)]
#[path = "fuzzing.rs"]
pub mod __fuzz;

#[doc(hidden)]
pub mod __private {
    pub use crate::middleware::tell_mistakes;
    pub use tower_layer::Layer;
}
