//! Who issues the tokens: the name of a tenant, and what the key `Authority` says in one address.

use url::{Host, Url};
use uuid::Uuid;

use super::forms::{guid, is_domain, is_policy};

/// A tenant as `TenantId` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TenantName {
    /// The tenant's id.
    Id(Uuid),
    /// One of the tenant's domains, in lower case; the id is read from the discovery document.
    Domain(String),
    /// Every organization and personal accounts.
    Common,
    /// Every organization.
    Organizations,
    /// Personal accounts.
    Consumers,
}

impl TenantName {
    /// Reads a tenant's name; the three words and domains in any letter case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(id) = guid(text) {
            return Some(Self::Id(id));
        }
        match text.to_ascii_lowercase().as_str() {
            "common" => Some(Self::Common),
            "organizations" => Some(Self::Organizations),
            "consumers" => Some(Self::Consumers),
            domain => is_domain(domain).then(|| Self::Domain(domain.to_owned())),
        }
    }

    /// Tokens of any tenant would be accepted: the accepted tenants must be named.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Common | Self::Organizations)
    }

    /// One tenant, as B2C needs it.
    pub(super) fn is_one(&self) -> bool {
        matches!(self, Self::Id(_) | Self::Domain(_))
    }
}

/// What an `Authority` says.
pub(super) struct Authority {
    pub(super) instance: Url,
    pub(super) tenant: TenantName,
    pub(super) policy: Option<String>,
}

impl Authority {
    /// What an `Authority` looks like, to follow the word "expected".
    pub(super) const EXPECTED: &str =
        "https://HOST/TENANT or https://HOST/TENANT/v2.0, for B2C https://HOST/TENANT/POLICY/v2.0";

    /// Takes `https://host/tenant[/v2.0]` apart, for B2C `https://host/[tfp/]tenant/policy[/v2.0]`.
    pub(super) fn split(url: &Url, b2c: bool) -> Option<Self> {
        let mut parts: Vec<&str> = url
            .path_segments()?
            .filter(|part| !part.is_empty())
            .collect();
        if parts
            .last()
            .is_some_and(|last| last.eq_ignore_ascii_case("v2.0"))
        {
            parts.pop();
        }
        if b2c
            && parts
                .first()
                .is_some_and(|first| first.eq_ignore_ascii_case("tfp"))
        {
            parts.remove(0);
        }
        let (tenant, policy) = match (parts.as_slice(), b2c) {
            ([], false) => (external_id_tenant(url)?, None),
            ([tenant], _) => (TenantName::parse(tenant)?, None),
            ([tenant, policy], true) if is_policy(policy) => {
                (TenantName::parse(tenant)?, Some((*policy).to_owned()))
            }
            _ => return None,
        };
        let mut instance = url.clone();
        instance.set_path("/");
        Some(Self {
            instance,
            tenant,
            policy,
        })
    }
}

/// `https://contoso.ciamlogin.com/` means the tenant `contoso.onmicrosoft.com`.
///
/// Source: Microsoft.Identity.Web, `AuthorityHelpers.BuildCiamAuthorityIfNeeded`.
fn external_id_tenant(url: &Url) -> Option<TenantName> {
    let Some(Host::Domain(host)) = url.host() else {
        return None;
    };
    let name = host
        .strip_suffix(".ciamlogin.com")
        .filter(|name| !name.contains('.'))?;
    Some(match guid(name) {
        Some(id) => TenantName::Id(id),
        None => TenantName::Domain(format!("{name}.onmicrosoft.com")),
    })
}
