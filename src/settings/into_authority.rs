//! From a section to the authority it describes.

use super::section::{AllowedTenants as Tenants, Section};
use super::{Settings, TenantName};
use crate::authority::{AllowedTenants, Authority, JwksRefresh, Tenant};
use crate::token_version::TokenVersion;

impl Settings {
    /// The authorities of both sections, `AzureAd` first.
    pub(crate) fn authorities(&self) -> Vec<Authority> {
        let entra = self.entra.iter().map(|section| section.trusted(false));
        let b2c = self.b2c.iter().map(|section| section.trusted(true));
        entra.chain(b2c).collect()
    }

    /// Both sections, `AzureAd` first: where a setting is one for the whole process, it counts.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &Section> {
        self.entra.iter().chain(&self.b2c)
    }
}

impl Section {
    fn trusted(&self, is_b2c: bool) -> Authority {
        let tenant = self.tenant.as_ref().map(tenant);
        let mut authority = if is_b2c {
            let named = match (&self.domain, &tenant) {
                (Some(domain), _) => Tenant::new(domain),
                (None, Some(tenant)) => tenant.clone(),
                // Reading the section made sure of one of both.
                (None, None) => Tenant::Domain(String::new()),
            };
            let instance = self
                .instance
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let mut authority =
                Authority::b2c(instance, named, &self.client_id, self.policies.clone());
            if let Some(tenant @ Tenant::Id(_)) = tenant {
                authority = authority.tenant_id(tenant);
            }
            authority
        } else {
            let tenant = tenant.unwrap_or(Tenant::Domain(String::new()));
            let authority = Authority::entra(tenant, &self.client_id);
            match &self.instance {
                Some(instance) => authority.instance(instance.as_str()),
                None => authority,
            }
        };
        for audience in &self.audiences {
            authority = authority.audience(audience);
        }
        for uri in &self.app_id_uris {
            authority = authority.app_id_uri(uri);
        }
        if let Some(allowed) = &self.allowed_tenants {
            authority = authority.allowed_tenants(match allowed {
                Tenants::Any => AllowedTenants::Any,
                Tenants::Only(tenants) => AllowedTenants::Only(tenants.clone()),
            });
        }
        for scope in &self.lists.needed {
            authority = authority.required_scope(scope);
        }
        if let Some(issuer) = &self.issuer {
            authority = authority.issuer(issuer);
        }
        if let Some(address) = &self.metadata_address {
            authority = authority.metadata_address(address);
        }
        if let Some(address) = &self.metadata_address_v1 {
            authority = authority.metadata_address_v1(address);
        }
        if let Some(address) = &self.sts_instance {
            authority = authority.sts_instance(address.as_str());
        }
        if self.allow_personal_accounts {
            authority = authority.allow_personal_accounts();
        }
        if self.application_signing_keys {
            authority = authority.application_signing_keys();
        }
        if self.allow_acl {
            authority = authority.danger_allow_tokens_without_permissions();
        }
        let versions = [
            (self.token_versions.v1, TokenVersion::V1),
            (self.token_versions.v2, TokenVersion::V2),
        ];
        authority
            .token_versions(
                versions
                    .into_iter()
                    .filter(|(on, _)| *on)
                    .map(|(_, version)| version),
            )
            .clock_skew(self.clock_skew)
            .issued_at_backdate(self.issued_at_backdate)
            .jwks_refresh(
                JwksRefresh::default()
                    .refresh(self.keys.refresh)
                    .cooldown(self.keys.cooldown)
                    .max_stale(self.keys.max_stale)
                    .withdrawal_grace(self.keys.withdrawal_grace)
                    .timeout(self.keys.timeout)
                    .max_bytes(self.keys.max_bytes),
            )
    }
}

fn tenant(name: &TenantName) -> Tenant {
    match name {
        TenantName::Id(id) => Tenant::Id(*id),
        TenantName::Domain(domain) => Tenant::Domain(domain.clone()),
        TenantName::Common => Tenant::Common,
        TenantName::Organizations => Tenant::Organizations,
        TenantName::Consumers => Tenant::Consumers,
    }
}
