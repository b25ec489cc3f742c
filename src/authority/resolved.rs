//! An authority with every default resolved: what a token is checked against.

use std::sync::Arc;

use url::Url;
use uuid::Uuid;

use super::address::{POLICY, is_app_id_uri, is_domain};
use super::endpoints::{Base, Documents, checked_url, documents};
use super::issuer::IssuerPattern;
use super::{
    AllowedTenants, Authority, AuthorityClock, Backdate, CLOCK_SKEW, Cloud, Document, GraphHome,
    ISSUED_AT_BACKDATE, JwksRefresh, Kind, Purpose, Tenant,
};
use crate::config_error::ConfigError;
use crate::guid::{CONSUMERS_TENANT_ID, parse_guid};
use crate::scope_hierarchy::ScopeHierarchy;
use crate::token_version::TokenVersion;

/// One authority, checked and complete.
#[derive(Debug)]
pub(crate) struct ResolvedAuthority {
    pub(crate) documents: Vec<Document>,
    /// The v2.0 document that is read only for the tenants it binds v1.0 keys to.
    pub(crate) binding: Option<Document>,
    /// Whether v1.0 keys are in use only after the v2.0 document was read: it may bind them to one
    /// of many tenants.
    pub(crate) v1_keys_need_binding: bool,
    /// Issuers of a version that is switched off.
    pub(crate) disabled_issuers: Vec<(Purpose, IssuerPattern)>,
    /// Whether the tenant's id is read from its discovery documents.
    pub(crate) tenant_from_discovery: bool,
    pub(crate) audiences: Vec<String>,
    /// What full scope names begin with; at least one.
    app_id_uris: Vec<String>,
    pub(crate) clock_skew: u64,
    pub(crate) backdate: Arc<Backdate>,
    pub(crate) without_permissions: bool,
    pub(crate) accepts_id_tokens: bool,
    pub(crate) required_scopes: Vec<String>,
    /// Which scopes imply others, if the application declared any.
    pub(crate) scope_hierarchy: Option<Arc<ScopeHierarchy>>,
    pub(crate) client_id: String,
    /// Where a client sends its user for a new token.
    pub(crate) authorization_uri: String,
    /// What names the authority in `status()` and in logs.
    pub(crate) name: String,
    /// How far its clock is from the local one.
    pub(crate) clock: Arc<AuthorityClock>,
    pub(crate) freshness: JwksRefresh,
    pub(crate) static_jwks: Option<String>,
    /// Which Microsoft Graph its tenants are in.
    pub(crate) graph: GraphHome,
    is_b2c: bool,
    /// The one tenant, where it is configured by its id.
    tenant: Option<Uuid>,
    allowed_tenants: AllowedTenants,
    personal_accounts: bool,
}

impl ResolvedAuthority {
    /// Whether tokens of the authority's issuer are accepted from this tenant.
    pub(crate) fn allows_tenant(&self, tenant: Uuid) -> bool {
        if tenant == CONSUMERS_TENANT_ID {
            return self.personal_accounts;
        }
        self.allowed_tenants.allows(tenant)
    }

    /// Whether a tenant that was accepted once is still accepted: other lists do not change.
    #[inline]
    pub(crate) fn still_allows_tenant(&self, tenant: Option<Uuid>) -> bool {
        match &self.allowed_tenants {
            AllowedTenants::Any | AllowedTenants::Only(_) => true,
            AllowedTenants::Dynamic(_) => tenant.is_some_and(|tenant| self.allows_tenant(tenant)),
        }
    }

    /// Whether `https` addresses are asked, for documents or for tokens; `None` if none is asked.
    pub(crate) fn asks_over_https(&self, for_tokens: bool) -> Option<bool> {
        let asks = self.static_jwks.is_none() || for_tokens;
        // Keys may lie at the instance, or at its cloud.
        let https = || {
            self.name.starts_with("https:")
                || self
                    .documents
                    .iter()
                    .chain(&self.binding)
                    .any(|document| document.address.scheme() == "https")
        };
        asks.then(https)
    }

    /// What the full names of scopes begin with at an address of this API.
    pub(crate) fn app_id_uri(&self, resource: Option<&str>) -> &str {
        let same = |uri: &&String| resource.is_some_and(|resource| resource == **uri);
        let found = self.app_id_uris.iter().find(same);
        let found = found.or_else(|| self.app_id_uris.first());
        found.map(String::as_str).unwrap_or_default()
    }

    /// Where tokens are asked for, if no discovery document says so.
    pub(crate) fn token_endpoint(&self) -> Option<Url> {
        let start = self.authorization_uri.strip_suffix("authorize")?;
        Url::parse(&format!("{start}token")).ok()
    }

    /// Whether a tenant is the one that was configured; any is, where none was.
    pub(crate) fn is_tenant(&self, tenant: Uuid) -> bool {
        self.tenant.is_none_or(|own| own == tenant)
    }

    /// Whether the authority is configured for this one tenant, by its id.
    pub(crate) fn is_of(&self, tenant: Uuid) -> bool {
        self.tenant == Some(tenant)
    }

    /// Whether tokens are distinguished by policy, and carry `ver` 1.0 whatever their issuer says.
    pub(crate) const fn is_b2c(&self) -> bool {
        self.is_b2c
    }

    /// Whether a text is an issuer of this tenant's, in the form of either version, with or without
    /// the slash at its end.
    ///
    /// For `idp`, never for `iss`. Hosts are those of this authority and its cloud: a partner's own
    /// provider may have any address, also one with this tenant's id in it.
    pub(crate) fn issues_as(&self, text: &str, tenant: Uuid) -> bool {
        let text = text.strip_suffix('/').unwrap_or(text);
        let is = |issuer: &str| issuer.strip_suffix('/').unwrap_or(issuer) == text;
        let on = self.documents.iter().flat_map(|document| &document.issuers);
        let off = self.disabled_issuers.iter().map(|(_, issuer)| issuer);
        if on
            .chain(off)
            .any(|issuer| is(issuer.for_tenant(tenant).as_str()))
        {
            return true;
        }
        let cloud = self.documents.first().and_then(|document| document.cloud);
        let v1 = cloud.unwrap_or(Cloud::Public).v1_issuers();
        v1.iter().any(|start| is(&format!("{start}{tenant}")))
            || cloud.is_some_and(|cloud| {
                let host = cloud.authority_host();
                is(&format!("https://{host}/{tenant}/v2.0"))
            })
    }

    /// The place of the document for a version's tokens, if that version is on.
    pub(crate) fn version(&self, version: TokenVersion) -> Option<usize> {
        self.documents
            .iter()
            .position(|document| document.purpose == Purpose::Version(version))
    }

    /// The place of the document for a policy's tokens, the name in any letter case.
    pub(crate) fn policy(&self, name: &str) -> Option<usize> {
        self.documents
            .iter()
            .position(|document| match &document.purpose {
                Purpose::Policy(policy) => policy.eq_ignore_ascii_case(name),
                Purpose::Version(_) => false,
            })
    }
}

impl Authority {
    /// Works everything out, or says which setting cannot be used.
    pub(crate) fn resolve(mut self) -> Result<ResolvedAuthority, ConfigError> {
        let tenant_from_discovery = self.check()?;
        // As Entra writes it: audiences are compared byte for byte.
        self.client_id.make_ascii_lowercase();
        let mut base = Base::of(&self)?;
        let is_b2c = matches!(self.kind, Kind::B2c { .. });
        if is_b2c {
            // Older samples write the instance of B2C with `/tfp/` at its end.
            if let Some(start) = base.text().strip_suffix("/tfp") {
                base.instance = checked_url("Instance", start)?;
            }
        }
        base.check_path()?;
        self.check_policy_places()?;
        let Documents {
            used: documents,
            off: disabled_issuers,
            binding,
        } = documents(&self, &base)?;
        let graph = GraphHome::of(&self, base.instance.host_str(), base.cloud);
        let (segment, policy) = match &self.kind {
            Kind::Entra { tenant } => (tenant.segment(), String::new()),
            Kind::B2c {
                tenant, policies, ..
            } => (
                tenant.segment(),
                policies
                    .first()
                    .map(|policy| format!("{policy}/"))
                    .unwrap_or_default(),
            ),
        };
        let allowed_tenants = match (&self.allowed_tenants, &self.kind) {
            (Some(allowed), _) => allowed.clone(),
            (None, Kind::Entra { tenant }) if tenant.is_many() => {
                return Err(ConfigError::missing(
                    "AllowedTenants",
                    "a list of GUIDs, or \"any\", since TenantId stands for many tenants",
                ));
            }
            // The issuer says which tenant it is.
            (None, _) => AllowedTenants::Any,
        };
        let tenant = match &self.kind {
            Kind::Entra {
                tenant: Tenant::Id(id),
            } => Some(*id),
            Kind::Entra {
                tenant: Tenant::Consumers,
            } => Some(CONSUMERS_TENANT_ID),
            Kind::Entra { .. } => None,
            Kind::B2c {
                tenant, tenant_id, ..
            } => match tenant_id.as_ref().unwrap_or(tenant) {
                Tenant::Id(id) => Some(*id),
                _ => None,
            },
        };
        let personal_accounts = self.personal_accounts
            || matches!(
                &self.kind,
                Kind::Entra {
                    tenant: Tenant::Consumers | Tenant::Id(CONSUMERS_TENANT_ID)
                }
            );
        if self.app_id_uris.is_empty() {
            self.app_id_uris.push(self.usual_app_id_uri());
        }
        if self.audiences.is_empty() {
            self.audiences = vec![self.client_id.clone(), format!("api://{}", self.client_id)];
        }
        let name = format!("{}/{segment}", base.text());
        let clock_skew = self.clock_skew.as_secs();
        Ok(ResolvedAuthority {
            documents,
            binding,
            v1_keys_need_binding: matches!(&self.kind, Kind::Entra { tenant } if tenant.is_many()),
            disabled_issuers,
            tenant_from_discovery,
            clock_skew,
            backdate: Arc::new(Backdate::of_seconds(match self.issued_at_backdate {
                Some(backdate) => backdate.as_secs(),
                None if is_b2c => 0,
                None => ISSUED_AT_BACKDATE.default,
            })),
            without_permissions: self.without_permissions,
            accepts_id_tokens: self.id_tokens,
            required_scopes: self.required_scopes,
            scope_hierarchy: None,
            authorization_uri: format!("{}/{segment}/{policy}oauth2/v2.0/authorize", base.text()),
            clock: Arc::new(AuthorityClock::new(name.as_str(), clock_skew)),
            name,
            audiences: self.audiences,
            app_id_uris: self.app_id_uris,
            client_id: self.client_id,
            freshness: self.freshness,
            graph,
            static_jwks: self.static_jwks,
            is_b2c,
            tenant,
            allowed_tenants,
            personal_accounts,
        })
    }

    /// Several policies need their place in a metadata address, and none has one.
    fn check_policy_places(&self) -> Result<(), ConfigError> {
        let policies = match &self.kind {
            Kind::Entra { .. } => 0,
            Kind::B2c { policies, .. } => policies.len(),
        };
        for (setting, address) in [
            ("MetadataAddress", &self.metadata),
            ("MetadataAddressV1", &self.metadata_v1),
        ] {
            let Some(address) = address else {
                continue;
            };
            let expected = match (address.contains(POLICY), policies) {
                (false, 2..) => "an address with {policy} in it, since there are several policies",
                (true, 0) => "an address without {policy}, since there is no policy",
                _ => continue,
            };
            return Err(ConfigError::value(setting, address, expected));
        }
        Ok(())
    }

    /// The default App ID URI of a registration.
    fn usual_app_id_uri(&self) -> String {
        let mut given = self.audiences.iter();
        match (given.find(|name| name.contains("://")), &self.kind) {
            (Some(uri), _) => uri.clone(),
            (
                None,
                Kind::B2c {
                    tenant: Tenant::Domain(domain),
                    ..
                },
            ) => format!("https://{domain}/{}", self.client_id),
            (None, _) => format!("api://{}", self.client_id),
        }
    }

    /// Checks every value by itself; returns whether discovery has to resolve the tenant's id.
    fn check(&self) -> Result<bool, ConfigError> {
        if parse_guid(&self.client_id).is_none() {
            return Err(ConfigError::value("ClientId", &self.client_id, "a GUID"));
        }
        CLOCK_SKEW.check("ClockSkewSeconds", self.clock_skew.as_secs())?;
        if let Some(backdate) = self.issued_at_backdate {
            ISSUED_AT_BACKDATE.check("IssuedAtBackdateSeconds", backdate.as_secs())?;
        }
        self.freshness.check()?;
        if self.audiences.iter().any(String::is_empty) {
            return Err(ConfigError::value(
                "Audience",
                "",
                "a text that is not empty",
            ));
        }
        if let Some(bad) = self.app_id_uris.iter().find(|uri| !is_app_id_uri(uri)) {
            return Err(ConfigError::value(
                "AppIdUri",
                bad,
                "an identifier URI of the application like api://{client id}",
            ));
        }
        if self.versions.is_empty() {
            return Err(ConfigError::value(
                "TokenVersions",
                "[]",
                "\"1.0\", \"2.0\" or both",
            ));
        }
        if matches!(&self.allowed_tenants, Some(AllowedTenants::Only(tenants)) if tenants.is_empty())
        {
            return Err(ConfigError::value(
                "AllowedTenants",
                "[]",
                "tenant GUIDs or \"any\"",
            ));
        }
        let from_discovery = match &self.kind {
            Kind::Entra { tenant } => check_tenant("TenantId", tenant)?,
            Kind::B2c {
                tenant,
                tenant_id,
                policies,
            } => {
                if policies.is_empty() {
                    return Err(ConfigError::missing(
                        "SignUpSignInPolicyId",
                        "a policy like B2C_1_susi (or several in Policies)",
                    ));
                }
                if let Some(many) = [Some(tenant), tenant_id.as_ref()]
                    .into_iter()
                    .flatten()
                    .find(|tenant| !tenant.is_one())
                {
                    return Err(ConfigError::value(
                        "TenantId",
                        many,
                        "a GUID or a domain, since a B2C tenant is one",
                    ));
                }
                check_tenant("Domain", tenant)? && !matches!(tenant_id, Some(Tenant::Id(_)))
            }
        };
        if from_discovery && self.static_jwks.is_some() {
            return Err(ConfigError::value(
                "TenantId",
                "a domain",
                "a GUID, since static keys do not tell a domain's tenant",
            ));
        }
        Ok(from_discovery)
    }
}

/// Whether discovery has to resolve the tenant's id.
fn check_tenant(setting: &str, tenant: &Tenant) -> Result<bool, ConfigError> {
    match tenant {
        Tenant::Domain(domain) if !is_domain(domain) => Err(ConfigError::value(
            setting,
            domain,
            "a GUID, a domain, `common`, `organizations` or `consumers`",
        )),
        Tenant::Domain(_) => Ok(true),
        _ => Ok(false),
    }
}
