//! Who issues the tokens: the keys that name an authority, which have to agree with each other.

use url::Url;

use super::authority_url::AuthorityUrl;
use super::error::SettingsError;
use super::reader::Reader;
use super::schema;
use super::section::add_new;
use crate::authority::{Authority, Cloud, Tenant};

/// What `Instance`, `TenantId`, `Domain`, the policies and `Authority` say together.
pub(super) struct Issuing {
    instance: Option<Url>,
    tenant: Option<Tenant>,
    domain: Option<String>,
    /// `SignUpSignInPolicyId`, then `Policies`, each once whatever its letter case.
    pub(super) policies: Vec<String>,
}

impl Issuing {
    pub(super) fn read(from: &Reader<'_>, b2c: bool) -> Result<Self, SettingsError> {
        let first = from.one_or_empty(&schema::SIGN_UP_SIGN_IN_POLICY_ID)?;
        let mut policies: Vec<String> = first.into_iter().collect();
        let more = from.list(&schema::POLICIES)?;
        add_new(&mut policies, more, |a, b| a.eq_ignore_ascii_case(b));
        let mut issuing = Self {
            instance: from.one(&schema::INSTANCE)?,
            tenant: from.one(&schema::TENANT_ID)?,
            domain: match b2c {
                true => from.one_or_empty(&schema::DOMAIN)?,
                // It decides nothing here, so a placeholder that was left is no mistake.
                false => from.one_or_empty(&schema::DOMAIN).unwrap_or_default(),
            },
            policies,
        };
        issuing.follow_authority(from, b2c)?;
        Ok(issuing)
    }

    /// The authority of the section, with the defaults of everything else.
    pub(super) fn authority(
        &self,
        from: &Reader<'_>,
        b2c: bool,
    ) -> Result<Authority, SettingsError> {
        let client_id = || from.need(&schema::CLIENT_ID);
        if !b2c {
            let missing = || from.missing(&schema::TENANT_ID);
            let tenant = self.tenant.clone().ok_or_else(missing)?;
            let authority = Authority::entra(tenant, client_id()?);
            return Ok(match &self.instance {
                Some(instance) => authority.instance(instance.as_str()),
                None => authority,
            });
        }
        let missing = || from.missing(&schema::INSTANCE);
        let instance = self.instance.as_ref().ok_or_else(missing)?;
        let domain = self.domain.as_deref().map(Tenant::new);
        let (tenant, id) = match (domain, self.tenant.clone()) {
            (Some(domain), id) => (domain, id),
            (None, Some(tenant)) => (tenant, None),
            (None, None) => return Err(from.missing(&schema::DOMAIN)),
        };
        let authority = Authority::b2c(
            instance.as_str(),
            tenant,
            client_id()?,
            self.policies.clone(),
        );
        Ok(match id {
            Some(id) => authority.tenant_id(id),
            None => authority,
        })
    }

    /// `Authority` fills in `Instance`, `TenantId` and the policy, or agrees with them.
    fn follow_authority(&mut self, from: &Reader<'_>, b2c: bool) -> Result<(), SettingsError> {
        let (Some(url), Some(node)) = (
            from.one(&schema::AUTHORITY)?,
            from.node(schema::AUTHORITY.path),
        ) else {
            return Ok(());
        };
        let wrong =
            |expected: String| Err(from.wrong(schema::AUTHORITY.path, node, false, expected));
        let Some(authority) = AuthorityUrl::split(&url, b2c) else {
            return wrong(AuthorityUrl::EXPECTED.to_owned());
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
            .is_some_and(|domain| domain.parse().as_ref() == Ok(&authority.tenant));
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
}

/// Two addresses of one host, or two hosts of one cloud.
fn is_same_authority(one: &Url, other: &Url) -> bool {
    let cloud = |url: &Url| url.host_str().and_then(Cloud::of_host);
    one.origin() == other.origin()
        || (cloud(one).is_some() && cloud(one) == cloud(other) && one.port() == other.port())
}
