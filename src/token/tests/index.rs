//! Which issuer leads to which authority.

use std::sync::Arc;

use crate::authority::Authority;
use crate::jwks::snapshot::key_store;
use crate::token::AuthorityState;
use crate::token::issuer_index::{Index, Lookup};
use crate::{AllowedTenants, ConfigError, Tenant, TokenVersion};

const T1: &str = "11111111-1111-4111-8111-111111111111";
const T2: &str = "22222222-2222-4222-8222-222222222222";
const API: &str = "aaaaaaaa-1111-4111-8111-111111111111";
const B2C: &str = "https://contoso.b2clogin.com";

fn installed(authority: Authority) -> AuthorityState {
    let trust = authority.resolve().unwrap();
    let reader = |_: &_| key_store(std::time::Duration::from_secs(1)).1;
    AuthorityState {
        readers: trust.documents.iter().map(reader).collect(),
        binding: None,
        tenant_from_discovery: trust.tenant_from_discovery,
        trust,
        discovered_tenant: Arc::default(),
        context: None,
    }
}

fn entra(tenant: &str) -> Authority {
    Authority::entra(Tenant::new(tenant), API)
}

fn many(word: &str) -> Authority {
    entra(word).allowed_tenants(AllowedTenants::Any)
}

fn b2c(tenant: &str, policies: &[&str]) -> Authority {
    Authority::b2c(B2C, Tenant::new(tenant), API, policies.iter().copied())
}

fn v2(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

fn v1(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

struct Indexed(Index, Vec<AuthorityState>);

fn of(authorities: impl IntoIterator<Item = Authority>) -> Result<Indexed, ConfigError> {
    let installed: Vec<_> = authorities.into_iter().map(installed).collect();
    Ok(Indexed(Index::new(&installed)?, installed))
}

impl Indexed {
    /// The authority's number, and the version whose form the issuer has.
    fn at(&self, issuer: &str) -> Option<(usize, Option<TokenVersion>)> {
        match self.0.find(issuer, &self.1) {
            Lookup::Match(place) => Some((place.authority, place.form)),
            Lookup::TenantPending(_) | Lookup::NoMatch => None,
        }
    }

    fn learn(&self, authority: usize, tenant: &str) {
        self.1[authority]
            .discovered_tenant
            .learn(tenant.parse().unwrap());
    }

    fn is_open(&self, issuer: &str) -> bool {
        matches!(self.0.find(issuer, &self.1), Lookup::TenantPending(_))
    }
}

fn are_refused(authorities: [Authority; 2]) -> bool {
    matches!(of(authorities), Err(ConfigError::DuplicateIssuer { .. }))
}

const V1: Option<TokenVersion> = Some(TokenVersion::V1);
const V2: Option<TokenVersion> = Some(TokenVersion::V2);

#[test]
fn an_exact_issuer_leads_to_its_authority_and_tells_its_version() {
    let two = of([entra(T1), entra(T2)]).unwrap();
    assert_eq!(two.at(&v2(T1)), Some((0, V2)));
    assert_eq!(two.at(&v1(T1)), Some((0, V1)));
    assert_eq!(two.at(&v2(T2)), Some((1, V2)));
    for unowned in [v2(API), v2("common"), v2(T1) + "/", v1(API), String::new()] {
        assert_eq!(two.at(&unowned), None, "{unowned}");
    }
}

#[test]
fn an_issuer_of_a_version_that_is_off_is_known_all_the_same() {
    let one = of([entra(T1).token_versions([TokenVersion::V2])]).unwrap();
    assert_eq!(one.at(&v1(T1)), Some((0, V1)));
}

#[test]
fn two_authorities_with_one_issuer_are_refused() {
    assert!(are_refused([entra(T1), entra(T1)]));
    let v2_only = |tenant| entra(tenant).token_versions([TokenVersion::V2]);
    assert!(are_refused([v2_only(T1), v2_only(T1)]));
    assert!(!are_refused([entra(T1), entra(T2)]));
    assert!(are_refused([many("common"), many("organizations")]));
    // One authority may have one issuer twice: two policies share their tenant's.
    assert!(of([b2c(T1, &["B2C_1_a", "B2C_1_b"])]).is_ok());
    assert!(are_refused([b2c(T1, &["B2C_1_a"]), b2c(T1, &["B2C_1_b"])]));
    assert!(!are_refused([b2c(T1, &["B2C_1_a"]), b2c(T2, &["B2C_1_a"])]));
}

#[test]
fn one_tenant_goes_before_many() {
    for pair in [[entra(T1), many("common")], [many("common"), entra(T1)]] {
        let one =
            usize::from(pair[0].clone().resolve().unwrap().documents[0].issuers[0].is_template());
        let both = of(pair).unwrap();
        assert_eq!(both.at(&v2(T1)), Some((one, V2)));
        assert_eq!(both.at(&v2(T2)), Some((1 - one, V2)));
    }
}

#[test]
fn the_tenant_of_a_domain_is_pending_until_it_is_resolved() {
    for domain in [0, 1] {
        let mut pair = vec![many("common")];
        pair.insert(domain, entra("contoso.onmicrosoft.com"));
        let both = of(pair).unwrap();
        // Until then it could be any of the many.
        for issuer in [v2(T1), v2(T2), v1(T1), v1(T2)] {
            assert!(both.is_open(&issuer), "{issuer}");
        }
        both.learn(domain, T1);
        assert_eq!(both.at(&v2(T1)), Some((domain, V2)), "{domain}");
        assert_eq!(both.at(&v2(T2)), Some((1 - domain, V2)), "{domain}");
    }
    let alone = of([entra("contoso.onmicrosoft.com")]).unwrap();
    assert!(alone.is_open(&v2(T1)) && alone.is_open(&v1(T2)));
    assert!(!alone.is_open(&v2("common")) && !alone.is_open("https://other.example/v2.0"));
    alone.learn(0, T1);
    assert_eq!(alone.at(&v2(T1)), Some((0, V2)));
    assert!(!alone.is_open(&v2(T2)) && alone.at(&v2(T2)).is_none());
}

#[test]
fn a_tenant_by_its_id_is_never_open() {
    let three = of([many("common"), entra(T1), entra("contoso.onmicrosoft.com")]).unwrap();
    assert_eq!(three.at(&v2(T1)), Some((1, V2)));
    assert!(three.is_open(&v2(T2)));
}

#[test]
fn two_domains_share_a_template_and_one_domain_twice_stays_apart() {
    let domains = ["contoso.onmicrosoft.com", "fabrikam.onmicrosoft.com"];
    let two = of(domains.map(entra)).unwrap();
    assert!(two.is_open(&v2(T1)));
    two.learn(1, T2);
    assert_eq!(two.at(&v2(T2)), Some((1, V2)));
    assert!(two.is_open(&v2(T1)), "the first may still match");
    // Two domains of one tenant: the first that was described.
    two.learn(0, T2);
    assert_eq!(two.at(&v2(T2)), Some((0, V2)));
    assert_eq!(two.at(&v2(T1)), None);
}

#[test]
fn issuers_of_b2c_are_found_in_each_form_and_tell_no_version() {
    let both = of([
        b2c(T1, &["B2C_1_Susi", "B2C_1_edit"]),
        b2c(T2, &["B2C_1_susi"]),
    ])
    .unwrap();
    for (authority, tenant) in [(0, T1), (1, T2)] {
        for issuer in [
            format!("{B2C}/{tenant}/v2.0/"),
            format!("{B2C}/tfp/{tenant}/B2C_1_Susi/v2.0/"),
            format!("{B2C}/tfp/{tenant}/b2c_1_susi/v2.0/"),
            // As a document may spell it; the claim check compares with what it states.
            format!("{B2C}/tfp/{tenant}/B2C_1_SUSI/v2.0/"),
        ] {
            assert_eq!(both.at(&issuer), Some((authority, None)), "{issuer}");
        }
    }
    for unowned in [
        format!("{B2C}/{API}/v2.0/"),
        format!("{B2C}/tfp/{API}/b2c_1_susi/v2.0/"),
        format!("{B2C}/{T1}/v2.0"),
        format!("{B2C}/tfp/{T1}/v2.0/"),
        format!("https://fabrikam.b2clogin.com/tfp/{T1}/b2c_1_susi/v2.0/"),
    ] {
        assert_eq!(both.at(&unowned), None, "{unowned}");
    }
}

#[test]
fn b2c_known_by_its_domain_is_pending_until_it_is_resolved() {
    let one = of([b2c("contoso.onmicrosoft.com", &["B2C_1_susi"])]).unwrap();
    let issuers = |tenant: &str| {
        [
            format!("{B2C}/{tenant}/v2.0/"),
            format!("{B2C}/tfp/{tenant}/B2C_1_SUSI/v2.0/"),
        ]
    };
    assert!(issuers(T1).iter().all(|issuer| one.is_open(issuer)));
    one.learn(0, T1);
    for issuer in issuers(T1) {
        assert_eq!(one.at(&issuer), Some((0, None)), "{issuer}");
    }
    for issuer in issuers(T2) {
        assert!(
            one.at(&issuer).is_none() && !one.is_open(&issuer),
            "{issuer}"
        );
    }
}

#[test]
fn a_tenant_in_capitals_is_no_issuers() {
    const LETTERS: &str = "abcdefab-1111-4111-8111-111111111111";
    let both = of([b2c(LETTERS, &["B2C_1_susi"]), entra(LETTERS)]).unwrap();
    let issuers = |tenant: &str| [format!("{B2C}/{tenant}/v2.0/"), v2(tenant), v1(tenant)];
    for issuer in issuers(LETTERS) {
        assert!(both.at(&issuer).is_some(), "{issuer}");
    }
    for issuer in issuers(&LETTERS.to_uppercase()) {
        assert!(
            both.at(&issuer).is_none() && !both.is_open(&issuer),
            "{issuer}"
        );
    }
}
