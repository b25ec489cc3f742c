//! What the keys of a section must be together, which no key can know by itself.

use url::Url;

use super::authority_url::{Authority, TenantName};
use super::error::SettingsError;
use super::forms::ValueType;
use super::reader::Reader;
use super::schema;
use super::section::Section;
use crate::authority::Cloud;

impl Section {
    /// `Authority` fills in `Instance`, `TenantId` and the policy, or agrees with them.
    pub(super) fn follow_authority(
        &mut self,
        from: &Reader<'_>,
        b2c: bool,
    ) -> Result<(), SettingsError> {
        let (Some(url), Some(node)) = (
            from.one(&schema::AUTHORITY)?,
            from.node(schema::AUTHORITY.path),
        ) else {
            return Ok(());
        };
        let wrong =
            |expected: String| Err(from.wrong(schema::AUTHORITY.path, node, false, expected));
        let Some(authority) = Authority::split(&url, b2c) else {
            return wrong(Authority::EXPECTED.to_owned());
        };

        match &self.instance {
            Some(instance) if !is_same_authority(instance, &authority.instance) => {
                return wrong(format!("the host of Instance, {instance}"));
            }
            Some(_) => {}
            None => self.instance = Some(authority.instance),
        }
        let is_domain = self
            .domain
            .as_deref()
            .is_some_and(|domain| TenantName::parse(domain).as_ref() == Some(&authority.tenant));
        match &self.tenant {
            Some(tenant) if *tenant != authority.tenant && !is_domain => {
                return wrong("the tenant that TenantId names".to_owned());
            }
            Some(_) => {}
            None => self.tenant = Some(authority.tenant),
        }
        match authority.policy {
            Some(policy) if self.policies.is_empty() => self.policies.push(policy),
            Some(policy)
                if !self
                    .policies
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(&policy)) =>
            {
                return wrong("a policy that SignUpSignInPolicyId or Policies names".to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    /// What no key can know by itself.
    pub(super) fn check(&self, from: &Reader<'_>, b2c: bool) -> Result<(), SettingsError> {
        let wrong = |path: &str, expected: String| match from.node(path) {
            Some(node) => Err(from.wrong(path, node, false, expected)),
            None => Err(SettingsError::Missing {
                key: format!("{}:{path}", from.path()),
                expected,
            }),
        };
        if b2c && self.instance.is_none() {
            return Err(from.missing(&schema::INSTANCE));
        }
        if self
            .instance
            .as_ref()
            .is_some_and(|url| names_more(url, b2c))
        {
            return wrong(
                schema::INSTANCE.path,
                "the address of a cloud, without a path: TenantId names the tenant".to_owned(),
            );
        }
        match &self.tenant {
            None if b2c && self.domain.is_none() => return Err(from.missing(&schema::DOMAIN)),
            None if !b2c => return Err(from.missing(&schema::TENANT_ID)),
            Some(tenant) if b2c && !tenant.is_one() => {
                return wrong(
                    schema::TENANT_ID.path,
                    "a GUID or a domain, for a B2C tenant is one".to_owned(),
                );
            }
            Some(tenant) if tenant.is_open() && self.allowed_tenants.is_none() => {
                return Err(SettingsError::Missing {
                    key: format!("{}:{}", from.path(), schema::ALLOWED_TENANTS.path),
                    expected: format!(
                        "{}, for TenantId is common or organizations",
                        schema::ALLOWED_TENANTS.form.0.expected()
                    ),
                });
            }
            _ => {}
        }
        if self.client_id.is_empty() {
            return Err(from.missing(&schema::CLIENT_ID));
        }
        if b2c && self.policies.is_empty() {
            return Err(from.missing(&schema::SIGN_UP_SIGN_IN_POLICY_ID));
        }
        let least = self.keys.refresh.saturating_mul(2);
        if self.keys.max_stale < least {
            let expected = format!(
                "a whole number from {}, which is twice RefreshSeconds, to {}",
                least.as_secs(),
                schema::MAX_STALE_SECONDS.form.most
            );
            return wrong(schema::MAX_STALE_SECONDS.path, expected);
        }
        for (path, address) in [
            (schema::METADATA_ADDRESS.path, &self.metadata_address),
            (schema::METADATA_ADDRESS_V1.path, &self.metadata_address_v1),
        ] {
            let has_place = address.as_ref().map(|address| address.contains("{policy}"));
            match (has_place, self.policies.len()) {
                (Some(false), 2..) => {
                    return wrong(
                        path,
                        "an address with {policy} in it, for there are several policies".to_owned(),
                    );
                }
                (Some(true), 0) => {
                    return wrong(
                        path,
                        "an address without {policy}, for there is no policy".to_owned(),
                    );
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Two addresses of one host, or two hosts of one cloud.
fn is_same_authority(one: &Url, other: &Url) -> bool {
    let cloud = |url: &Url| url.host_str().and_then(Cloud::of_host);
    one.origin() == other.origin()
        || (cloud(one).is_some() && cloud(one) == cloud(other) && one.port() == other.port())
}

/// A cloud's host with a path, which would become a part of every address; of older B2C files `/tfp/`.
fn names_more(instance: &Url, b2c: bool) -> bool {
    let is_cloud = instance.host_str().and_then(Cloud::of_host).is_some();
    let path = instance.path().trim_end_matches('/');
    is_cloud && !path.is_empty() && !(b2c && path == "/tfp")
}
