//! The discovery document: whose it is, and where its keys are.

use std::fmt;
use std::sync::OnceLock;

use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::fetch_error::JwksFetchError;
use crate::authority::issuer::{IssuerPattern, TENANT_PLACEHOLDER, first_guid};
use crate::authority::{Document, Purpose};

/// The tenant of an authority that is known by its domain: read from discovery once, fixed from
/// then on.
#[derive(Default)]
pub(crate) struct DiscoveredTenant {
    tenant: OnceLock<Uuid>,
    inform: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl DiscoveredTenant {
    pub(crate) fn get(&self) -> Option<Uuid> {
        self.tenant.get().copied()
    }

    /// Learns the tenant, unless it is known; says which it is.
    pub(crate) fn learn(&self, tenant: Uuid) -> Uuid {
        if self.tenant.set(tenant).is_ok()
            && let Some(inform) = self.inform.get()
        {
            inform();
        }
        self.get().unwrap_or(tenant)
    }

    /// Calls `inform` once the tenant is known, at most once.
    pub(crate) fn when_resolved(&self, inform: impl Fn() + Send + Sync + 'static) {
        let _ = self.inform.set(Box::new(inform));
    }
}

impl fmt::Debug for DiscoveredTenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tenant.fmt(f)
    }
}

/// What a good discovery document says.
#[derive(Debug)]
pub(crate) struct Discovery {
    pub(crate) issuer: IssuerPattern,
    pub(crate) keys_address: Url,
    /// `None` where tokens are not asked for on the authority's host.
    pub(crate) endpoints: Option<Endpoints>,
    /// The cloud of the authority and of its keys, by Microsoft's name.
    pub(crate) cloud: Option<String>,
}

/// Where else an authority's documents say to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoints {
    /// Where tokens are asked for, on the authority's own host.
    pub(crate) token: Url,
    /// Which Microsoft Graph is the tenant's (`msgraph_host`), as the document states it.
    pub(crate) graph_host: Option<String>,
}

#[derive(Deserialize)]
struct Members {
    issuer: String,
    jwks_uri: String,
    // Of any type: keys are worth having without it.
    token_endpoint: Option<serde_json::Value>,
    msgraph_host: Option<serde_json::Value>,
    cloud_instance_name: Option<serde_json::Value>,
}

impl Discovery {
    /// Reads a discovery document (OpenID Connect Discovery 1.0 section 3) and holds it against
    /// what is expected.
    ///
    /// Does not check the other members: nothing is taken from them.
    pub(crate) fn read(
        json: &[u8],
        document: &Document,
        tenant_from_discovery: bool,
        discovered_tenant: &DiscoveredTenant,
    ) -> Result<Self, JwksFetchError> {
        const DOCUMENT: &str = "discovery document";
        let members: Members = serde_json::from_slice(json)
            .map_err(|_| JwksFetchError::InvalidJson { document: DOCUMENT })?;
        let issuer = Self::issuer(
            &members.issuer,
            document,
            tenant_from_discovery,
            discovered_tenant,
        )?;
        let keys_address = Url::parse(&members.jwks_uri)
            .ok()
            .filter(|url| document.allows_keys_at(url))
            .ok_or(JwksFetchError::UntrustedJwksUri)?;
        let text = |member: &Option<serde_json::Value>| {
            let text = member.as_ref().and_then(serde_json::Value::as_str);
            text.map(str::to_owned)
        };
        let endpoints = text(&members.token_endpoint)
            .and_then(|endpoint| Url::parse(&endpoint).ok())
            .filter(|url| document.allows_keys_at(url))
            .map(|url| Endpoints {
                token: in_second_version(url),
                graph_host: text(&members.msgraph_host),
            });
        Ok(Self {
            issuer,
            keys_address,
            endpoints,
            cloud: members
                .cloud_instance_name
                .and_then(|name| name.as_str().map(str::to_owned)),
        })
    }

    fn issuer(
        stated: &str,
        document: &Document,
        tenant_from_discovery: bool,
        discovered_tenant: &DiscoveredTenant,
    ) -> Result<IssuerPattern, JwksFetchError> {
        let expected =
            |pattern: &IssuerPattern| match (tenant_from_discovery, discovered_tenant.get()) {
                (true, Some(tenant)) => pattern.for_tenant(tenant),
                _ => pattern.clone(),
            };
        let fits = |pattern: &IssuerPattern| {
            let pattern = expected(pattern);
            // A tenant that discovery resolves must be stated; a template would be every tenant.
            let stated_one = !tenant_from_discovery || !stated.contains(TENANT_PLACEHOLDER);
            stated_one
                && match document.purpose {
                    Purpose::Version(_) => pattern.allows_statement(stated, tenant_from_discovery),
                    Purpose::Policy(_) => {
                        pattern.allows_policy_statement(stated, tenant_from_discovery)
                    }
                }
        };
        let Some(pattern) = document.issuers.iter().find(|pattern| fits(pattern)) else {
            return Err(JwksFetchError::WrongIssuer {
                found: stated.chars().take(200).collect(),
                expected: document
                    .issuers
                    .first()
                    .map(|first| expected(first).as_str().to_owned())
                    .unwrap_or_default(),
            });
        };
        if tenant_from_discovery && let Some((_, tenant)) = first_guid(stated) {
            // Another document of the same authority may have been quicker.
            let fixed_set = discovered_tenant.learn(tenant);
            if fixed_set != tenant {
                return Err(JwksFetchError::WrongIssuer {
                    found: stated.chars().take(200).collect(),
                    expected: pattern.for_tenant(fixed_set).as_str().to_owned(),
                });
            }
        }
        Ok(IssuerPattern::new(stated))
    }
}

/// The endpoint that takes scopes: v1.0 documents name the one that takes a resource.
///
/// Source: Microsoft, "OAuth 2.0 on-behalf-of flow", whose endpoint is `/oauth2/v2.0/token`.
fn in_second_version(mut endpoint: Url) -> Url {
    if let Some(start) = endpoint.path().strip_suffix("/oauth2/token") {
        let path = format!("{start}/oauth2/v2.0/token");
        endpoint.set_path(&path);
    }
    endpoint
}
