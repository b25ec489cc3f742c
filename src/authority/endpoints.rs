//! Where an authority's documents are, and what they may state.

use url::Url;

use super::address::{POLICY, is_policy_name, web_address};
use super::document::{Document, Purpose, host_and_port};
use super::issuer::{IssuerPattern, TENANT_PLACEHOLDER};
use super::{Authority, Cloud, Kind};
use crate::config_error::ConfigError;
use crate::token_version::TokenVersion;

/// The parts every address of an authority is made of.
pub(super) struct Base {
    pub(super) instance: Url,
    pub(super) cloud: Option<Cloud>,
}

impl Base {
    pub(super) fn of(authority: &Authority) -> Result<Self, ConfigError> {
        let instance = match &authority.instance {
            Some(text) => checked_url("Instance", text)?,
            None => authority
                .cloud
                .unwrap_or(Cloud::Public)
                .instance()
                .map_err(|_| ConfigError::missing("Instance", "a URL"))?,
        };
        let cloud = authority
            .cloud
            .or_else(|| instance.host_str().and_then(Cloud::of_host));
        Ok(Self { instance, cloud })
    }

    /// A cloud's host with a path, which would become a part of every address, is refused.
    pub(super) fn check_path(&self) -> Result<(), ConfigError> {
        let is_cloud = self.instance.host_str().and_then(Cloud::of_host).is_some();
        match is_cloud && !self.instance.path().trim_end_matches('/').is_empty() {
            false => Ok(()),
            true => Err(ConfigError::value(
                "Instance",
                &self.instance,
                "the address of a cloud, without a path: TenantId names the tenant",
            )),
        }
    }

    /// The instance without a slash at its end.
    pub(super) fn text(&self) -> &str {
        self.instance.as_str().trim_end_matches('/')
    }

    /// What v2.0 issuers begin with: the cloud's own host, whatever alias was configured.
    fn v2_issuer(&self) -> String {
        match (self.cloud, self.instance.host_str()) {
            (Some(cloud), Some(host)) if cloud.has_host(host) => {
                format!(
                    "https://{}/{TENANT_PLACEHOLDER}/v2.0",
                    cloud.authority_host()
                )
            }
            (_, Some(host)) if is_external_id(host) => {
                format!("https://{TENANT_PLACEHOLDER}.ciamlogin.com/{TENANT_PLACEHOLDER}/v2.0")
            }
            _ => format!("{}/{TENANT_PLACEHOLDER}/v2.0", self.text()),
        }
    }
}

/// Issuers of a version that is switched off: their tokens are refused for that reason, not as
/// unknown.
pub(super) type SwitchedOff = Vec<(Purpose, IssuerPattern)>;

/// The documents of an authority.
#[derive(Default)]
pub(super) struct Documents {
    /// v1.0 and v2.0, or one for each policy.
    pub(super) used: Vec<Document>,
    pub(super) off: SwitchedOff,
    /// The v2.0 document of an authority of many tenants whose v2.0 tokens are switched off: read
    /// only for what it says about the v1.0 keys.
    pub(super) binding: Option<Document>,
}

pub(super) fn documents(authority: &Authority, base: &Base) -> Result<Documents, ConfigError> {
    match &authority.kind {
        Kind::Entra { tenant } => {
            let Documents {
                used: mut documents,
                mut off,
                mut binding,
            } = Documents::default();
            for version in [TokenVersion::V1, TokenVersion::V2] {
                match version_document(authority, base, tenant, version)? {
                    Some(document) if authority.versions.contains(&version) => {
                        documents.push(document);
                    }
                    Some(document) => {
                        let issuers = document.issuers.iter().cloned();
                        off.extend(issuers.map(|issuer| (document.purpose.clone(), issuer)));
                        if version == TokenVersion::V2 && tenant.is_many() {
                            binding = Some(document);
                        }
                    }
                    None => {}
                }
            }
            if documents.is_empty() {
                return Err(ConfigError::missing(
                    "TokenVersions",
                    "a version that this authority issues: 2.0, or 1.0 with StsInstance",
                ));
            }
            Ok(Documents {
                used: documents,
                off,
                binding,
            })
        }
        Kind::B2c {
            tenant,
            tenant_id,
            policies,
        } => policies
            .iter()
            .map(|policy| {
                let segment = tenant.segment();
                let known = tenant_id.as_ref().unwrap_or(tenant);
                let id = match known {
                    super::Tenant::Id(id) => id.hyphenated().to_string(),
                    _ => TENANT_PLACEHOLDER.to_owned(),
                };
                policy_document(authority, base, &segment, &id, policy)
            })
            .collect::<Result<_, _>>()
            .map(|used| Documents {
                used,
                ..Documents::default()
            }),
    }
}

fn version_document(
    authority: &Authority,
    base: &Base,
    tenant: &super::Tenant,
    version: TokenVersion,
) -> Result<Option<Document>, ConfigError> {
    let segment = tenant.segment();
    let (setting, given, path) = match version {
        TokenVersion::V1 => ("MetadataAddressV1", &authority.metadata_v1, ""),
        TokenVersion::V2 => ("MetadataAddress", &authority.metadata, "v2.0/"),
    };
    // External ID issues only v2.0 tokens, under a domain of the customer's own too; of an
    // instance outside the known clouds the v1.0 issuer is unknown.
    let told = authority.sts_instance.is_some() || given.is_some();
    let known = base
        .cloud
        .is_some_and(|cloud| !cloud.v1_issuers().is_empty());
    if version == TokenVersion::V1 && !told && !known {
        return Ok(None);
    }
    let address = match given {
        Some(text) => checked_url(setting, text)?,
        None => checked_url(
            "TenantId",
            &format!(
                "{}/{segment}/{path}.well-known/openid-configuration",
                base.text()
            ),
        )?,
    };
    let templates = match version {
        TokenVersion::V2 => {
            vec![authority.issuer.clone().unwrap_or_else(|| base.v2_issuer())]
        }
        TokenVersion::V1 => match (&authority.sts_instance, base.cloud) {
            (Some(text), _) => vec![checked_url("StsInstance", text)?.to_string()],
            (None, cloud) => cloud
                .filter(|cloud| !cloud.v1_issuers().is_empty())
                .unwrap_or(Cloud::Public)
                .v1_issuers()
                .iter()
                .map(|&text| text.to_owned())
                .collect(),
        }
        .iter()
        .map(|start| format!("{}/{TENANT_PLACEHOLDER}/", start.trim_end_matches('/')))
        .collect(),
    };
    let issuers = templates
        .into_iter()
        .map(|template| {
            let pattern = IssuerPattern::new(template);
            match tenant {
                super::Tenant::Id(id) => pattern.for_tenant(*id),
                super::Tenant::Consumers => pattern.for_tenant(crate::guid::CONSUMERS_TENANT_ID),
                _ => pattern,
            }
        })
        .collect();
    let many = tenant.is_many() || matches!(tenant, super::Tenant::Consumers);
    Ok(Some(Document {
        purpose: Purpose::Version(version),
        key_hosts: key_hosts(&address, base),
        address: with_app_id(address, authority),
        issuers,
        cloud: base.cloud,
        stated_cloud: None,
        keys_name_issuer: version == TokenVersion::V2 && many,
        app_id: authority
            .application_signing_keys
            .then(|| authority.client_id.clone()),
    }))
}

fn policy_document(
    authority: &Authority,
    base: &Base,
    segment: &str,
    id: &str,
    policy: &str,
) -> Result<Document, ConfigError> {
    if !is_policy_name(policy) {
        return Err(ConfigError::value(
            "Policies",
            policy,
            "a policy's name: letters, digits, `_`, `-` and `.`",
        ));
    }
    let address = match &authority.metadata {
        Some(text) => checked_url("MetadataAddress", &text.replace(POLICY, policy))?,
        None => checked_url(
            "Domain",
            &format!(
                "{}/{segment}/{policy}/v2.0/.well-known/openid-configuration",
                base.text()
            ),
        )?,
    };
    let lower = policy.to_ascii_lowercase();
    let mut issuers: Vec<IssuerPattern> = match &authority.issuer {
        Some(issuer) => vec![IssuerPattern::new(issuer.as_str())],
        None => [
            format!("{}/{id}/v2.0/", base.text()),
            format!("{}/tfp/{id}/{policy}/v2.0/", base.text()),
            format!("{}/tfp/{id}/{lower}/v2.0/", base.text()),
        ]
        .map(IssuerPattern::new)
        .into(),
    };
    issuers.dedup();
    Ok(Document {
        purpose: Purpose::Policy(lower),
        key_hosts: key_hosts(&address, base),
        address: with_app_id(address, authority),
        issuers,
        cloud: base.cloud,
        stated_cloud: None,
        keys_name_issuer: false,
        app_id: authority
            .application_signing_keys
            .then(|| authority.client_id.clone()),
    })
}

fn is_external_id(host: &str) -> bool {
    host.ends_with(".ciamlogin.com")
}

/// Whether an issuer is an External ID tenant's; also behind a custom domain it is on this host.
pub(crate) fn is_external_id_issuer(issuer: &str) -> bool {
    issuer.split('/').nth(2).is_some_and(is_external_id)
}

fn key_hosts(address: &Url, base: &Base) -> Vec<String> {
    let mut hosts: Vec<String> = [address, &base.instance]
        .into_iter()
        .filter_map(host_and_port)
        .collect();
    hosts.dedup();
    hosts
}

fn with_app_id(mut address: Url, authority: &Authority) -> Url {
    if authority.application_signing_keys {
        append_app_id(&mut address, &authority.client_id);
    }
    address
}

/// Adds `appid` to an address that does not have it yet.
pub(crate) fn append_app_id(address: &mut Url, app_id: &str) {
    if !address.query_pairs().any(|(name, _)| name == "appid") {
        address.query_pairs_mut().append_pair("appid", app_id);
    }
}

pub(super) fn checked_url(setting: &str, text: &str) -> Result<Url, ConfigError> {
    web_address(text).ok_or_else(|| {
        ConfigError::value(
            setting,
            text,
            "an https URL, or an http URL with a loopback address",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::Tenant;
    use super::*;

    const TENANT: &str = "11111111-1111-4111-8111-111111111111";
    const API: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";

    fn addresses(authority: &Authority) -> Vec<String> {
        let base = Base::of(authority).unwrap();
        let documents = documents(authority, &base).unwrap().used;
        documents
            .iter()
            .map(|document| document.address.to_string())
            .collect()
    }

    #[test]
    fn each_version_has_its_own_document_where_microsofts_pages_say() {
        for (tenant, segment) in [
            (Tenant::new(TENANT), TENANT),
            (Tenant::Common, "common"),
            (Tenant::Organizations, "organizations"),
            (Tenant::Consumers, "consumers"),
        ] {
            let host = "https://login.microsoftonline.com";
            assert_eq!(
                addresses(&Authority::entra(tenant, API)),
                [
                    format!("{host}/{segment}/.well-known/openid-configuration"),
                    format!("{host}/{segment}/v2.0/.well-known/openid-configuration"),
                ]
            );
        }
        let one = Authority::entra(Tenant::new(TENANT), API).application_signing_keys();
        for address in addresses(&one) {
            assert!(address.ends_with(&format!("?appid={API}")), "{address}");
        }
    }

    #[test]
    fn there_is_no_v1_document_where_the_kind_has_none() {
        let external = |host: &str| Authority::entra(Tenant::new(TENANT), API).instance(host);
        let v2 = |host: &str| format!("{host}/{TENANT}/v2.0/.well-known/openid-configuration");
        let v1 = |host: &str| format!("{host}/{TENANT}/.well-known/openid-configuration");
        for host in [
            "https://contoso.ciamlogin.com",
            "https://login.contoso.example",
            "https://login.sovcloud-identity.fr",
        ] {
            assert_eq!(addresses(&external(host)), [v2(host)], "{host}");
            // Unless the settings say that there is one.
            let sts = external(host).sts_instance("https://sts.contoso.example");
            assert_eq!(addresses(&sts), [v1(host), v2(host)], "{host}");
            let told = external(host).metadata_address_v1("https://contoso.example/v1");
            assert_eq!(addresses(&told), ["https://contoso.example/v1", &v2(host)]);
        }
        for host in [
            "https://login.microsoftonline.us",
            "https://login.windows.net",
        ] {
            assert_eq!(addresses(&external(host)), [v1(host), v2(host)], "{host}");
        }
        let alone =
            external("https://login.contoso.example").token_versions([crate::TokenVersion::V1]);
        let refused = alone.resolve().unwrap_err().to_string();
        assert!(refused.contains("StsInstance"), "{refused}");
    }

    #[test]
    fn each_policy_has_its_own_document_in_the_path_or_where_the_settings_say() {
        let b2c =
            |instance| Authority::b2c(instance, Tenant::new(TENANT), API, ["B2C_1_a", "B2C_1_b"]);
        let path = |host, policy| {
            format!("{host}/{TENANT}/{policy}/v2.0/.well-known/openid-configuration")
        };
        for host in [
            "https://contoso.b2clogin.com",
            "https://login.contoso.example",
        ] {
            assert_eq!(
                addresses(&b2c(host)),
                [path(host, "B2C_1_a"), path(host, "B2C_1_b")]
            );
        }
        // The form of 2016, with the policy in the query.
        let old = "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration?p=";
        let authority =
            b2c("https://login.microsoftonline.com").metadata_address(format!("{old}{{policy}}"));
        assert_eq!(
            addresses(&authority),
            [format!("{old}B2C_1_a"), format!("{old}B2C_1_b")]
        );
    }
}
