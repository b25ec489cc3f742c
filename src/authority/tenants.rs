//! Which tenants are accepted.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use super::address::is_domain;
use crate::guid::parse_guid;

/// The tenant an authority speaks for: one, or one of the three that stand for many.
///
/// ```
/// use axum_entra::Tenant;
///
/// assert_eq!(Tenant::new("common"), Tenant::Common);
/// assert_eq!("contoso.example".parse(), Ok(Tenant::Domain("contoso.example".to_owned())));
/// assert!("not a tenant".parse::<Tenant>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tenant {
    /// One tenant, by its id.
    Id(Uuid),
    /// One tenant, by a verified domain name. Its id is read from the first valid discovery
    /// document and fixed from then on; until then its tokens are answered with 503.
    Domain(String),
    /// Work, school and personal accounts of every tenant.
    Common,
    /// Work and school accounts of every tenant.
    Organizations,
    /// Personal accounts.
    Consumers,
}

impl Tenant {
    /// Reads a tenant id, a domain name, or `common`, `organizations`, `consumers`.
    ///
    /// What it cannot read becomes a domain that no authority knows, and is refused by
    /// [`build`](crate::EntraBuilder::build).
    ///
    /// ```
    /// use axum_entra::Tenant;
    ///
    /// let id = "11111111-1111-4111-8111-111111111111";
    /// assert_eq!(Tenant::new(id), Tenant::Id(id.parse().unwrap()));
    /// assert_eq!(Tenant::new("Organizations"), Tenant::Organizations);
    /// assert_eq!(Tenant::new("contoso.example").to_string(), "contoso.example");
    /// // `parse` refuses at once what `new` leaves to `build`.
    /// assert_eq!(Tenant::new("contoso"), Tenant::Domain("contoso".to_owned()));
    /// assert!("contoso".parse::<Tenant>().is_err());
    /// ```
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        text.parse()
            .unwrap_or_else(|_| Self::Domain(text.to_owned()))
    }

    /// As it is written in a URL.
    pub(crate) fn segment(&self) -> String {
        match self {
            Self::Id(id) => id.hyphenated().to_string(),
            Self::Domain(domain) => domain.clone(),
            Self::Common => "common".to_owned(),
            Self::Organizations => "organizations".to_owned(),
            Self::Consumers => "consumers".to_owned(),
        }
    }

    /// Whether this is one tenant, as a B2C tenant is.
    pub(crate) const fn is_one(&self) -> bool {
        matches!(self, Self::Id(_) | Self::Domain(_))
    }

    /// Whether tokens of many tenants come from here, so that a choice of tenants must be made.
    pub(crate) const fn is_many(&self) -> bool {
        matches!(self, Self::Common | Self::Organizations)
    }
}

/// A text that names no tenant.
///
/// ```
/// use axum_entra::{ParseTenantError, Tenant};
///
/// assert_eq!("https://contoso.example".parse::<Tenant>(), Err(ParseTenantError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant is a GUID, a domain name, `common`, `organizations` or `consumers`")]
pub struct ParseTenantError;

impl FromStr for Tenant {
    type Err = ParseTenantError;

    fn from_str(text: &str) -> Result<Self, ParseTenantError> {
        if let Some(id) = parse_guid(text) {
            return Ok(Self::Id(id));
        }
        match text.to_ascii_lowercase().as_str() {
            "common" => Ok(Self::Common),
            "organizations" => Ok(Self::Organizations),
            "consumers" => Ok(Self::Consumers),
            domain if is_domain(domain) => Ok(Self::Domain(domain.to_owned())),
            _ => Err(ParseTenantError),
        }
    }
}

/// Which tenants' tokens are accepted, where an authority speaks for many.
///
/// There is no default: an API that takes `common` or `organizations` has to choose.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{AllowedTenants, Authority, Entra, Tenant, Uuid};
///
/// let many = || Authority::entra(Tenant::Common, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
/// let partner = Uuid::from_u128(0x22222222_2222_4222_8222_222222222222);
/// assert!(Entra::builder_for(many().allowed_tenants(AllowedTenants::only([partner]))).build().is_ok());
/// // Without a choice there is no program.
/// assert!(Entra::builder_for(many()).build().is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllowedTenants {
    /// Every tenant. Anyone can create a tenant: restrict tenants elsewhere, or accept that.
    Any,
    /// These and no others.
    Only(HashSet<Uuid>),
    /// Those that the application names at the time of the request: made by
    /// [`from_fn`](Self::from_fn).
    Dynamic(TenantFilter),
}

/// A function that says which tenants are accepted, in [`AllowedTenants::Dynamic`]. Two are equal
/// if they are clones of one.
#[derive(Clone)]
pub struct TenantFilter(Arc<dyn Fn(Uuid) -> bool + Send + Sync>);

impl AllowedTenants {
    /// These tenants and no others.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use axum_entra::{AllowedTenants, Authority, Entra, Tenant, Uuid};
    ///
    /// let partner = Uuid::from_u128(0x22222222_2222_4222_8222_222222222222);
    /// let build = |tenants: Vec<Uuid>| {
    ///     let authority = Authority::entra(Tenant::Organizations, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
    ///         .allowed_tenants(AllowedTenants::only(tenants));
    ///     Entra::builder_for(authority).build()
    /// };
    /// assert!(build(vec![partner]).is_ok());
    /// // An API that accepts no tenant is a mistake.
    /// assert!(build(vec![]).is_err());
    /// # }
    /// ```
    #[must_use]
    pub fn only(tenants: impl IntoIterator<Item = Uuid>) -> Self {
        Self::Only(tenants.into_iter().collect())
    }

    /// The tenants for which `allows` is true: a list that changes while the program runs.
    ///
    /// It is asked for every request, also with a token that was verified before, so a tenant that
    /// is taken off the list is refused from the next request on. It must be quick: it may read
    /// shared state, and must not wait for a database.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::{Arc, RwLock};
    /// use axum_entra::{AllowedTenants, Authority, Entra, Tenant, Uuid};
    /// use entra_emulator::{API_ID, CONTOSO, Emulator};
    ///
    /// /// Customers; an onboarding route adds to them.
    /// let customers: Arc<RwLock<Vec<Uuid>>> = Arc::default();
    /// let known = Arc::clone(&customers);
    /// let allowed = AllowedTenants::from_fn(move |tenant| {
    ///     known.read().is_ok_and(|known| known.contains(&tenant))
    /// });
    ///
    /// let emulator = Emulator::start().await?;
    /// let authority = Authority::entra(Tenant::Organizations, API_ID).allowed_tenants(allowed);
    /// let entra = Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// assert_eq!(entra.validate(&token).await.unwrap_err().reason(), "tenant_not_allowed");
    ///
    /// customers.write().unwrap().push(CONTOSO.parse()?);
    /// assert!(entra.validate(&token).await.is_ok());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn from_fn(allows: impl Fn(Uuid) -> bool + Send + Sync + 'static) -> Self {
        Self::Dynamic(TenantFilter(Arc::new(allows)))
    }

    pub(crate) fn allows(&self, tenant: Uuid) -> bool {
        match self {
            Self::Any => true,
            Self::Only(tenants) => tenants.contains(&tenant),
            Self::Dynamic(TenantFilter(allows)) => allows(tenant),
        }
    }
}

impl PartialEq for TenantFilter {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for TenantFilter {}

impl fmt::Debug for TenantFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantFilter")
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.segment())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_a_guid_a_domain_or_one_of_three_words() {
        let id = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
        assert_eq!(
            "11111111-1111-4111-8111-111111111111".parse(),
            Ok(Tenant::Id(id))
        );
        assert_eq!("Common".parse(), Ok(Tenant::Common));
        assert_eq!(
            "Contoso.onmicrosoft.com".parse(),
            Ok(Tenant::Domain("contoso.onmicrosoft.com".into()))
        );
        for bad in [
            "",
            "contoso",
            "a/b.c",
            "a..b",
            "../common",
            "contoso.com?x=1",
            "a b.c",
            "{tenantid}",
        ] {
            assert_eq!(bad.parse::<Tenant>(), Err(ParseTenantError), "{bad}");
        }
    }
}
