//! Microsoft's clouds: hosts, aliases, issuers, and the names on their keys.

use std::time::Duration;

use axum_entra::{Authority, Cloud, Entra, Tenant, UnixTime};
use serde_json::json;

use super::{has_all_keys, together};
use crate::documents::Documents;
use crate::signer::key;
use crate::token::{API, KID, T0, TENANT, mint, with};

fn outcome(entra: &Entra, version: &str, issuer: &str) -> &'static str {
    let token = mint(&with(
        json!({ "ver": version, "iss": format!("{issuer}/{TENANT}{}", match version {
        "1.0" => "/",
        _ => "/v2.0",
    }) }),
    ));
    match entra.validate_at(&token, UnixTime::from_secs(T0)) {
        Ok(_) => "in",
        Err(rejection) => rejection.reason(),
    }
}

const PUBLIC: &str = "https://login.microsoftonline.com";
const US: &str = "https://login.microsoftonline.us";
const CHINA: &str = "https://login.partner.microsoftonline.cn";

/// Documents of a cloud on loopback, which state these issuers.
async fn served(documents: &Documents, cloud: &str, v1: &str) {
    let keys = key(0).jwks(KID);
    documents.put_authority("/v2", &format!("{cloud}/{TENANT}/v2.0"), &keys);
    documents.put_authority("/v1", &format!("{v1}/{TENANT}/"), &keys);
}

fn described(documents: &Documents) -> Authority {
    Authority::entra(Tenant::new(TENANT), API)
        .metadata_address(documents.discovery("/v2"))
        .metadata_address_v1(documents.discovery("/v1"))
        .clock_skew(Duration::ZERO)
}

#[tokio::test]
async fn a_clouds_issuers_are_its_own_and_have_no_aliases() {
    let table = [
        (Cloud::Public, PUBLIC, "https://sts.windows.net"),
        (Cloud::UsGovernment, US, "https://sts.windows.net"),
        (Cloud::UsGovernment, US, US),
        (Cloud::UsGovernmentDod, US, US),
        (Cloud::China, CHINA, "https://sts.chinacloudapi.cn"),
    ];
    let v2_hosts = [
        PUBLIC,
        US,
        CHINA,
        "https://login.windows.net",
        "https://login.microsoft.com",
        "https://login.usgovcloudapi.net",
        "https://login.chinacloudapi.cn",
    ];
    let v1_hosts = [
        "https://sts.windows.net",
        US,
        PUBLIC,
        "https://sts.chinacloudapi.cn",
        "https://sts.microsoftonline.us",
    ];
    for (cloud, host, sts) in table {
        let documents = Documents::start().await;
        served(&documents, host, sts).await;
        let entra = together([described(&documents).cloud(cloud)]);
        has_all_keys(&entra).await;
        assert_eq!(cloud.authority_host(), host.trim_start_matches("https://"));
        for other in v2_hosts {
            let expected = if other == host { "in" } else { "issuer" };
            assert_eq!(outcome(&entra, "2.0", other), expected, "{cloud:?} {other}");
        }
        for other in v1_hosts {
            let expected = if other == sts { "in" } else { "issuer" };
            assert_eq!(
                outcome(&entra, "1.0", other),
                expected,
                "{cloud:?} {sts}: {other}"
            );
        }
    }
}

#[tokio::test]
async fn an_alias_of_an_authority_brings_the_clouds_own_issuers() {
    for (alias, host) in [
        ("https://login.windows.net/", PUBLIC),
        ("https://login.microsoft.com", PUBLIC),
        ("https://login.usgovcloudapi.net/", US),
        ("https://login.chinacloudapi.cn/", CHINA),
    ] {
        let keys = key(0).jwks(KID).to_string();
        let authority = Authority::entra(Tenant::new(TENANT), API)
            .instance(alias)
            .static_jwks(keys);
        let entra = together([authority]);
        assert_eq!(outcome(&entra, "2.0", host), "in", "{alias}");
        assert_eq!(
            outcome(&entra, "2.0", alias.trim_end_matches('/')),
            "issuer",
            "{alias}"
        );
    }
}

/// External ID: documents at the host by name, tokens of the host by id.
#[tokio::test]
async fn external_id_has_its_issuer_on_the_host_of_its_id() {
    let keys = key(0).jwks(KID).to_string();
    let entra =
        together([Authority::external_id("contoso", Tenant::new(TENANT), API).static_jwks(keys)]);
    let by_id = format!("https://{TENANT}.ciamlogin.com");
    assert_eq!(outcome(&entra, "2.0", &by_id), "in");
    assert_eq!(
        outcome(&entra, "2.0", "https://contoso.ciamlogin.com"),
        "issuer"
    );
    assert_eq!(outcome(&entra, "2.0", PUBLIC), "issuer");
    let other = "https://22222222-2222-4222-8222-222222222222.ciamlogin.com";
    assert_eq!(outcome(&entra, "2.0", other), "issuer");
}

#[tokio::test]
async fn documents_are_read_over_tls_or_on_this_machine() {
    let build = |authority: Authority| Entra::builder_for(authority).build().is_ok();
    let tenant = || Authority::entra(Tenant::new(TENANT), API);
    for (address, good) in [
        ("https://login.example/", true),
        ("http://127.0.0.1:8080/", true),
        ("http://localhost:8080", true),
        ("http://[::1]:8080", true),
        ("http://login.example/", false),
        ("http://127.0.0.1.evil.example/", false),
        ("http://localhost.evil.example/", false),
        ("ftp://127.0.0.1/", false),
        ("https://user:password@login.example/", false),
        ("no address", false),
    ] {
        assert_eq!(build(tenant().instance(address)), good, "{address}");
        assert_eq!(build(tenant().metadata_address(address)), good, "{address}");
        assert_eq!(
            build(tenant().metadata_address_v1(address)),
            good,
            "{address}"
        );
        assert_eq!(build(tenant().sts_instance(address)), good, "{address}");
    }
}

/// B2C: the old host, its own host and a domain of the tenant's own.
#[tokio::test]
async fn b2c_has_its_issuers_on_the_host_that_was_described() {
    let hosts = [
        PUBLIC,
        "https://contoso.b2clogin.com",
        "https://login.contoso.example",
    ];
    for host in hosts {
        let keys = key(0).jwks(KID).to_string();
        let authority =
            Authority::b2c(host, Tenant::new(TENANT), API, ["B2C_1_susi"]).static_jwks(keys);
        let entra = together([authority]);
        let at = |issuer: String| {
            let claims = json!({ "ver": "1.0", "iss": issuer, "tfp": "B2C_1_susi" });
            match entra.validate_at(&mint(&with(claims)), UnixTime::from_secs(T0)) {
                Ok(_) => "in",
                Err(rejection) => rejection.reason(),
            }
        };
        for other in hosts {
            let expected = if other == host { "in" } else { "issuer" };
            let issuer = format!("{other}/{TENANT}/v2.0/");
            assert_eq!(at(issuer.clone()), expected, "{other}");
            assert_eq!(
                at(issuer.trim_end_matches('/').to_owned()),
                "issuer",
                "{other}"
            );
        }
    }
}
