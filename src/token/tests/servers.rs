//! Who is said to issue tokens for this API.

use std::sync::Arc;

use tokio::time::Instant;

use crate::authority::Authority;
use crate::authority::issuer::IssuerPattern;
use crate::jwks::KeySet;
use crate::jwks::snapshot::{Snapshot, key_store};
use crate::token::{AuthorityState, Validator};
use crate::{AllowedTenants, Tenant, TokenVersion};

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const API: &str = "aaaaaaaa-1111-4111-8111-111111111111";
const KEYS: &str = include_str!("../../../fuzz/seeds/key_document/one");

/// The servers that are named once each document has stated an issuer, or none has.
fn servers(authority: Authority, stated: Option<&str>) -> Vec<String> {
    let trust = authority.resolve().unwrap();
    let mut readers = Vec::new();
    for document in &trust.documents {
        let (publisher, reader) = key_store(std::time::Duration::from_secs(1));
        let keys = |issuer| KeySet::read(KEYS.as_bytes(), IssuerPattern::new(issuer), document);
        publisher.publish(Snapshot {
            keys: stated.map(|issuer| Arc::new(keys(issuer).unwrap())),
            confirmed: Some(Instant::now()),
            last_error: None,
        });
        readers.push(reader);
    }
    let installed = AuthorityState {
        readers,
        binding: None,
        tenant_from_discovery: trust.tenant_from_discovery,
        trust,
        discovered_tenant: Arc::default(),
        context: None,
    };
    let validator = Validator::new(vec![installed], 65_536, Arc::default(), 0).unwrap();
    assert_eq!(validator.status()[0].is_ready(), stated.is_some());
    validator.authorization_servers()
}

fn v2(segment: &str) -> String {
    format!("https://login.microsoftonline.com/{segment}/v2.0")
}

fn entra(tenant: &str) -> Authority {
    Authority::entra(Tenant::new(tenant), API).allowed_tenants(AllowedTenants::Any)
}

#[test]
fn a_tenant_is_named_by_its_issuer_whatever_it_was_configured_by() {
    assert_eq!(servers(entra(TENANT), None), [v2(TENANT)]);
    assert_eq!(servers(entra(TENANT), Some(&v2(TENANT))), [v2(TENANT)]);
    let domain = "contoso.onmicrosoft.com";
    assert_eq!(
        servers(entra(domain), None),
        [v2(domain)],
        "not resolved yet"
    );
    assert_eq!(servers(entra(domain), Some(&v2(TENANT))), [v2(TENANT)]);
}

#[test]
fn an_authority_for_many_tenants_is_named_by_its_address() {
    let template = v2("{tenantid}");
    assert_eq!(servers(entra("common"), None), [v2("common")]);
    assert_eq!(servers(entra("common"), Some(&template)), [v2("common")]);
}

#[test]
fn where_only_version_1_is_on_its_authority_is_named_all_the_same() {
    let old = |tenant| entra(tenant).token_versions([TokenVersion::V1]);
    let stated = format!("https://sts.windows.net/{TENANT}/");
    assert_eq!(servers(old(TENANT), Some(&stated)), [v2(TENANT)]);
    assert_eq!(servers(old("common"), None), [v2("common")]);
}
