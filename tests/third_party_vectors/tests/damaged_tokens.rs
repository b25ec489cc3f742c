//! Good tokens with a few members changed at random, all of them well signed.

use axum_entra::{Authority, Clock, Entra, Tenant, UnixTime};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use super::oracle::Oracle;
use super::{AUDIENCE, TENANT, signer};

/// Values that readers have been known to take for others.
fn odd_value(issuer: &'static str, now: u64) -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!("")),
        Just(json!(issuer)),
        Just(json!([issuer])),
        Just(json!(AUDIENCE)),
        Just(json!([AUDIENCE, "x"])),
        Just(json!([["x"], AUDIENCE])),
        Just(json!(TENANT)),
        Just(json!("2.0")),
        Just(json!("RS256")),
        Just(json!("JWT")),
        (0..4_u64).prop_map(move |hours| json!(now + hours * 3_600 - 5_400)),
        (0..4_u64).prop_map(move |hours| json!((now + hours * 3_600 - 5_400).to_string())),
        (-4_000.0..4_000.0_f64).prop_map(move |apart| json!(now as f64 + apart)),
        any::<f64>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(|number| json!(number)),
        "[a-zA-Z0-9:/.=-]{0,12}".prop_map(Value::from),
    ]
}

fn changes(
    names: &'static [&'static str],
    issuer: &'static str,
    now: u64,
    most: usize,
) -> impl Strategy<Value = Vec<(&'static str, Option<Value>)>> {
    let change = (
        prop::sample::select(names),
        prop::option::weighted(0.8, odd_value(issuer, now)),
    );
    prop::collection::vec(change, 0..most)
}

fn changed(mut object: Map<String, Value>, changes: &[(&str, Option<Value>)]) -> String {
    for (name, value) in changes {
        match value {
            Some(value) => object.insert((*name).to_owned(), value.clone()),
            None => object.remove(*name),
        };
    }
    Value::Object(object).to_string()
}

const CLAIMS: [&str; 12] = [
    "iss", "aud", "tid", "exp", "nbf", "iat", "ver", "scp", "roles", "sub", "oid", "cnf",
];
/// Without `nonce`, `x5t` and `jwk`: the other library reads them into types of its own, this crate
/// leaves them alone, as contract §6 asks ("`x5t` is tolerated and never used for look-up").
const HEADER: [&str; 8] = ["alg", "kid", "typ", "crit", "b64", "zip", "enc", "cty"];

#[test]
fn what_we_accept_another_library_accepts_too() {
    const ISSUER: &str =
        "https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let now = Clock::system().now().as_secs();
    let jwks = signer::key(0).jwks("k");
    let authority = Authority::entra(Tenant::new(TENANT), AUDIENCE)
        .static_jwks(jwks.to_string())
        .danger_allow_tokens_without_permissions();
    let entra = Entra::builder_for(authority).build().unwrap();
    let oracle = Oracle::new(&jwks, ISSUER, AUDIENCE);
    let payload = json!({
        "iss": ISSUER, "aud": AUDIENCE, "tid": TENANT, "ver": "2.0", "exp": now + 3_600,
        "nbf": now - 10, "iat": now - 10, "scp": "Data.Read", "azp": "c", "sub": "s",
    });
    let header = json!({ "alg": "RS256", "kid": "k", "typ": "JWT" });
    let (payload, header) = (
        payload.as_object().unwrap().clone(),
        header.as_object().unwrap().clone(),
    );
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(600)
    };
    let seeded = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, seeded);
    let damaged = (
        changes(&CLAIMS, ISSUER, now, 3),
        changes(&HEADER, ISSUER, now, 2),
    );
    let counted = std::cell::Cell::new(0);
    runner
        .run(&damaged, |(claims, members)| {
            let token = signer::key(0).sign(
                &changed(header.clone(), &members),
                &changed(payload.clone(), &claims),
            );
            if entra.validate_at(&token, UnixTime::from_secs(now)).is_ok() {
                counted.set(counted.get() + 1);
                oracle.must_accept(&token);
            }
            Ok(())
        })
        .unwrap();
    let accepted = counted.get();
    println!("{accepted} of 600 accepted");
    assert!((50..550).contains(&accepted), "{accepted}");
}
