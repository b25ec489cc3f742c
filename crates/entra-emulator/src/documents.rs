//! The discovery and key documents, as Entra writes them.

use serde_json::{Map, Value, json};

use super::{
    authority::Authority,
    directory::Tenant,
    error::EmulatorError,
    key_ring::Realm,
    outage::{Endpoint, Fault},
    seeds,
};

/// The version of endpoints and tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// Whose documents are asked for.
#[derive(Debug, Clone)]
pub(super) enum Owner {
    Common,
    Organizations,
    Tenant(Tenant),
    Policy { tenant: Tenant, policy: String },
}

/// Which document of an owner is asked for, and by which spelling of the address.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) version: Version,
    pub(super) owner: Owner,
    /// The tenant as the address spells it, which the document's addresses repeat.
    pub(super) segment: String,
    /// The policy is in `?p=`, not in the path.
    pub(super) policy_in_query: bool,
    pub(super) app: Option<String>,
}

impl Request {
    /// `None` where the address names an unknown tenant or policy.
    pub(super) fn new(
        authority: &Authority,
        version: Version,
        segment: &str,
        policy: Option<&str>,
    ) -> Option<Self> {
        let tenant = || authority.directory.tenant(segment).cloned();
        let owner = match (segment.to_ascii_lowercase().as_str(), policy) {
            (_, Some(policy)) => {
                let tenant = tenant()?;
                let realm = Authority::realm_of_policy(&tenant.id, policy);
                if !authority.directory.has_policy(policy) && !authority.keys().exists(&realm) {
                    return None;
                }
                Owner::Policy {
                    tenant,
                    policy: policy.to_ascii_lowercase(),
                }
            }
            ("common", None) => Owner::Common,
            ("organizations", None) => Owner::Organizations,
            ("consumers", None) => {
                Owner::Tenant(authority.directory.tenant(seeds::CONSUMERS).cloned()?)
            }
            (_, None) => Owner::Tenant(tenant()?),
        };
        let segment = segment.to_owned();
        Some(Self {
            version,
            owner,
            segment,
            policy_in_query: false,
            app: None,
        })
    }

    /// The discovery document.
    pub(super) fn discovery(&self, authority: &Authority) -> Value {
        let Authority { base, options, .. } = authority;
        let query = self.query();
        let (prefix, version) = match (&self.owner, self.version) {
            (Owner::Policy { policy, .. }, _) if !self.policy_in_query => {
                (format!("{base}/{}/{policy}", self.segment), "/v2.0")
            }
            (_, Version::V2) => (format!("{base}/{}", self.segment), "/v2.0"),
            (_, Version::V1) => (format!("{base}/{}", self.segment), ""),
        };
        json!({
            "issuer": self.issuer(authority, Endpoint::Discovery),
            "authorization_endpoint": format!("{prefix}/oauth2{version}/authorize{query}"),
            "token_endpoint": format!("{prefix}/oauth2{version}/token{query}"),
            "device_authorization_endpoint": format!("{prefix}/oauth2{version}/devicecode{query}"),
            "end_session_endpoint": format!("{prefix}/oauth2{version}/logout{query}"),
            "jwks_uri": format!("{prefix}/discovery{version}/keys{query}"),
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "token_endpoint_auth_methods_supported":
                ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "claims_supported": [
                "sub", "iss", "cloud_instance_name", "cloud_instance_host_name",
                "cloud_graph_host_name", "msgraph_host", "aud", "exp", "iat", "auth_time", "acr",
                "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email",
            ],
            "request_uri_parameter_supported": false,
            "http_logout_supported": true,
            "frontchannel_logout_supported": true,
            "tenant_region_scope": match &self.owner {
                Owner::Common | Owner::Organizations => Value::Null,
                Owner::Tenant(_) | Owner::Policy { .. } => json!("EU"),
            },
            "cloud_instance_name": options.cloud_instance_name,
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
            "rbac_url": "https://pas.windows.net",
        })
    }

    /// The key document.
    pub(super) fn keys(&self, authority: &Authority) -> Result<Value, EmulatorError> {
        let mut keys = Vec::new();
        for (realm, issuer) in self.realms(authority) {
            let published = authority.keys().published(&realm)?;
            keys.extend(
                published
                    .iter()
                    .map(|key| self.with_issuer(authority, key.jwk(), &issuer)),
            );
        }
        Ok(json!({ "keys": keys }))
    }

    fn with_issuer(
        &self,
        authority: &Authority,
        mut key: Map<String, Value>,
        issuer: &str,
    ) -> Value {
        // v1.0 and B2C documents have neither member on keys.
        let has_issuer = matches!(
            (self.version, &self.owner),
            (
                Version::V2,
                Owner::Common | Owner::Organizations | Owner::Tenant(_)
            )
        );
        if has_issuer && authority.options.key_issuer {
            key.insert("issuer".to_owned(), json!(issuer));
            let cloud = json!(authority.options.cloud_instance_name);
            key.insert("cloud_instance_name".to_owned(), cloud);
        }
        Value::Object(key)
    }

    /// The realms whose keys the document shows, each with the issuer of its keys.
    fn realms(&self, authority: &Authority) -> Vec<(Realm, String)> {
        let issuer = self.issuer(authority, Endpoint::Keys);
        let consumers = || (Realm::Consumers, authority.issuer_v2(seeds::CONSUMERS));
        let ordinary = match &self.owner {
            Owner::Common => vec![(Realm::Workforce, issuer.clone()), consumers()],
            Owner::Organizations => vec![(Realm::Workforce, issuer.clone())],
            Owner::Tenant(tenant) => vec![(authority.realm_of(&tenant.id), issuer.clone())],
            Owner::Policy { tenant, policy } => {
                vec![(
                    Authority::realm_of_policy(&tenant.id, policy),
                    issuer.clone(),
                )]
            }
        };
        let Some(app) = self
            .app
            .as_ref()
            .and_then(|app| authority.directory.app(app))
        else {
            return ordinary;
        };
        let custom = (
            Realm::Custom {
                app: app.client_id.clone(),
            },
            issuer,
        );
        if app.custom_keys {
            return vec![custom];
        }
        std::iter::once(custom).chain(ordinary).collect()
    }

    fn issuer(&self, authority: &Authority, endpoint: Endpoint) -> String {
        let mistaken = authority.condition().inject_fault(endpoint) == Some(&Fault::WrongIssuer);
        let base = &authority.base;
        match (&self.owner, self.version) {
            (owner, version) if mistaken => {
                let tenant = owner.tenant_id();
                match version {
                    Version::V1 => format!("https://wrong-issuer.example/{tenant}/"),
                    Version::V2 => format!("https://wrong-issuer.example/{tenant}/v2.0"),
                }
            }
            (Owner::Common | Owner::Organizations, Version::V1) => format!("{base}/{{tenantid}}/"),
            (Owner::Common | Owner::Organizations, Version::V2) => {
                format!("{base}/{{tenantid}}/v2.0")
            }
            (Owner::Tenant(tenant), Version::V1) => authority.issuer_v1(&tenant.id),
            (Owner::Tenant(tenant), Version::V2) => authority.issuer_v2(&tenant.id),
            (Owner::Policy { tenant, policy }, _) => authority.issuer_b2c(&tenant.id, policy),
        }
    }

    fn query(&self) -> String {
        let policy = match &self.owner {
            Owner::Policy { policy, .. } if self.policy_in_query => Some(("p", policy.as_str())),
            _ => None,
        };
        let app = self.app.as_deref().map(|app| ("appid", app));
        let mut query = String::new();
        for (name, value) in policy.into_iter().chain(app) {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(name);
            query.push('=');
            query.push_str(value);
        }
        query
    }
}

impl Owner {
    fn tenant_id(&self) -> &str {
        match self {
            Self::Common | Self::Organizations => "{tenantid}",
            Self::Tenant(tenant) | Self::Policy { tenant, .. } => &tenant.id,
        }
    }
}
