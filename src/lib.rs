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
//!     .route_layer(RequireScope("access_as_user"))
//!     .route_layer(entra.layer());
//! # Ok(()) }
//! ```
//!
//! [`Entra`] validates; [`EntraLayer`] lets requests with a valid token through and attaches
//! [`Claims`]; the [`guard`]s judge them per route, as layers or as [`Permit`] in a handler's
//! signature; [`Rejection`] is every answer to a rejected request.
//!
//! It never fails open: what is not configured is refused, and what cannot be decided is 503.
//! It checks tokens, not connections: TLS is the deployment's part.
//!
//! [docs/design.md](https://github.com/axum-entra/axum-entra/blob/main/docs/design.md) says why
//! things are as they are, [docs/errors.md](https://github.com/axum-entra/axum-entra/blob/main/docs/errors.md)
//! what each refusal means.
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
#[cfg(any(test, feature = "test-util"))]
pub mod testing;
mod token;
mod token_version;

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
pub use jwks::{HttpClient, HttpClientBuilder, JwksFetchError};
#[cfg(feature = "redis")]
pub use revocation::RedisStore;
pub use revocation::{StoreError, StoreFailurePolicy, StoreStatus};
pub use scope_hierarchy::ScopeHierarchy;
pub use token::{AuthorityStatus, InvalidToken, JwksStatus, PopTokens, TokenDecryptionKey};
/// Why a token is accepted or refused, check by check.
pub mod explain {
    pub use crate::token::{Explanation, Outcome, Step};
}
/// Model Context Protocol servers: a guard for each tool.
pub mod mcp {
    pub use crate::middleware::{AnyToken, ToolGuards, ToolGuardsService};
}
pub use middleware::{
    CallerToken, ClientCertificate, EntraLayer, GraphClient, GuardLayer, Permit, Rejection,
    ResourceDescription, TokenExpiry, TokenSource, TrustedProxies, ValidateError,
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
}

/// For `fuzz/` alone.
#[cfg(fuzzing)]
#[doc(hidden)]
#[path = "fuzzing.rs"]
pub mod __fuzz;

#[doc(hidden)]
pub mod __private {
    pub use crate::middleware::tell_mistakes;
    pub use tower_layer::Layer;
}
