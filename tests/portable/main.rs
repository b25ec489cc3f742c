//! The portable corpus (`tests/vectors/portable`): this library gives each token the expected answer.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it measured"
)]

mod corpus;
mod page;

use std::collections::{BTreeMap, BTreeSet};

use axum_entra::{AllowedTenants, Authority, Clock, Entra, Tenant, TokenVersion, UnixTime, Uuid};
use corpus::{Case, Settings, read};

/// What a case needs of a library, from the least to the most particular.
const LEVELS: [&str; 9] = [
    "jwt",
    "at",
    "id",
    "bound",
    "scope",
    "app",
    "entra",
    "tenants",
    "key_issuer",
];

fn entra(settings: &Settings) -> Entra {
    let tenants = settings
        .tenants
        .iter()
        .map(|tenant| tenant.parse().unwrap());
    let tenants: Vec<Uuid> = tenants.collect();
    let tenant = match tenants[..] {
        [_] => Tenant::new(&settings.tenants[0]),
        _ => Tenant::Organizations,
    };
    let versions = settings
        .token_versions
        .iter()
        .map(|version| match &**version {
            "1.0" => TokenVersion::V1,
            "2.0" => TokenVersion::V2,
            other => panic!("version {other}"),
        });
    let mut authority = Authority::entra(tenant.clone(), settings.client_id())
        .token_versions(versions)
        .static_jwks(settings.jwks.to_string());
    if tenant == Tenant::Organizations {
        authority = authority.allowed_tenants(AllowedTenants::only(tenants));
    }
    for audience in &settings.audiences {
        authority = authority.audience(audience);
    }
    let now = settings.now;
    Entra::builder_for(authority)
        .clock(Clock::from_fn(move || UnixTime::from_secs(now)))
        .build()
        .unwrap()
}

#[tokio::test]
async fn every_token_gets_the_expected_answer() {
    let (settings, cases) = read();
    let entras: BTreeMap<&str, (Entra, UnixTime)> = settings
        .iter()
        .map(|one| (&*one.id, (entra(one), UnixTime::from_secs(one.now))))
        .collect();
    let mut different = Vec::new();
    for case in &cases {
        let (entra, now) = &entras[&*case.settings];
        let answer = entra.validate_at(&case.token, *now);
        if answer.is_ok() != case.is_good() {
            let reason = answer.map_or_else(|refused| refused.reason(), |_| "accepted");
            different.push(format!("{}: {reason}", case.id));
        }
    }
    assert_eq!(different, [""; 0]);
    let good = cases.iter().filter(|case| case.is_good()).count();
    println!(
        "{good} accepted, {} refused, 0 different",
        cases.len() - good
    );
}

/// So that neither half of the corpus gets lost: settings under which tokens are refused have
/// accepted ones too.
#[test]
fn the_corpus_is_whole() {
    let (settings, cases) = read();
    assert!(cases.len() >= 214, "{}", cases.len());
    let ids: BTreeSet<&str> = cases.iter().map(|case| &*case.id).collect();
    assert_eq!(ids.len(), cases.len(), "a name is there twice");
    for case in &cases {
        assert!(LEVELS.contains(&&*case.level), "{}", case.id);
        assert!(
            settings.iter().any(|one| one.id == case.settings),
            "{}",
            case.id
        );
        assert!(case.why.len() > 10 && case.source.len() > 8, "{}", case.id);
        assert!(matches!(&*case.expect, "accept" | "refuse"), "{}", case.id);
        // Can be sent as a header's value as it is.
        assert!(
            case.token.bytes().all(|byte| byte.is_ascii_graphic()),
            "{}",
            case.id
        );
    }
    for one in &settings {
        let of_it = |good: bool| {
            let mut those = cases.iter().filter(|case| case.settings == one.id);
            those.any(|case: &Case| case.is_good() == good)
        };
        assert!(of_it(true) && of_it(false), "{} has both", one.id);
    }
}
