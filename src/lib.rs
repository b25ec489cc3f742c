//! Authorization middleware for axum and tower: Microsoft Entra ID access tokens.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod authority;
mod builder;
mod claims;
mod clock;
mod config_error;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod guard;
mod guards_macro;
mod guid;
mod keys;
#[cfg(feature = "settings")]
pub mod settings;
mod token;
mod token_version;
mod web;

#[cfg(feature = "redis")]
pub use account::Redis;
pub use account::{OnLoss, StoreStatus};
pub use authority::{AllowedTenants, Authority, Cloud, KeyFreshness, NotATenant, Tenant};
pub use builder::{Builder, Entra};
pub use claims::{
    AuthenticationMethod, Claims, ClientAuth, DisplayNames, GroupIds, Groups, Principal, UserKey,
};
pub use clock::Clock;
pub use config_error::ConfigError;
pub use guid::PERSONAL_ACCOUNTS_TENANT;
pub use keys::{FetchError, HttpClient};
pub use token::{AuthorityStatus, InvalidToken, KeysStatus};
pub use token_version::TokenVersion;
pub use web::{EntraLayer, EntraService, GuardLayer, GuardService, Guarded, Permit, Rejection};

#[doc(hidden)]
pub mod __private {
    pub use tower_layer::Layer;
}
