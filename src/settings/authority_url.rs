//! What the key `Authority` says in one address: the instance, the tenant and the policy.

use url::{Host, Url};

use crate::authority::{Tenant, is_policy_name};
use crate::guid::parse_guid;

/// What an `Authority` says.
pub(super) struct AuthorityUrl {
    pub(super) instance: Url,
    pub(super) tenant: Tenant,
    pub(super) policy: Option<String>,
}

impl AuthorityUrl {
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
            ([tenant], _) => (tenant.parse().ok()?, None),
            ([tenant, policy], true) if is_policy_name(policy) => {
                (tenant.parse().ok()?, Some((*policy).to_owned()))
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
fn external_id_tenant(url: &Url) -> Option<Tenant> {
    let Some(Host::Domain(host)) = url.host() else {
        return None;
    };
    let name = host
        .strip_suffix(".ciamlogin.com")
        .filter(|name| !name.contains('.'))?;
    Some(match parse_guid(name) {
        Some(id) => Tenant::Id(id),
        None => Tenant::Domain(format!("{name}.onmicrosoft.com")),
    })
}
