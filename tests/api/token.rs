//! A token that is accepted, and ways to invalidate it.

use std::time::Duration;

use axum_entra::{Authority, Clock, Entra, Tenant, UnixTime};
use serde_json::{Map, Value, json};

use crate::signer::key;

pub(crate) const T0: u64 = 1_700_000_000;
pub(crate) const EXP: u64 = T0 + 3_600;
pub(crate) const KID: &str = "key-1";
pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const OTHER: &str = "22222222-2222-4222-8222-222222222222";
pub(crate) const API: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";

/// One tenant of the public cloud, both versions, with static keys and clocks that agree.
pub(crate) fn authority() -> Authority {
    Authority::entra(Tenant::new(TENANT), API)
        .static_jwks(json!({ "keys": [key(0).jwk(KID), key(1).jwk("key-2")] }).to_string())
        .clock_skew(Duration::ZERO)
}

pub(crate) fn built(authority: Authority) -> Entra {
    Entra::builder_for(authority)
        .clock(Clock::from_fn(|| UnixTime::from_secs(T0)))
        .build()
        .unwrap()
}

/// The claims of a token that is accepted.
pub(crate) fn good() -> Map<String, Value> {
    let claims = json!({
        "aud": API,
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "iat": T0 - 100,
        "nbf": T0 - 100,
        "exp": EXP,
        "azp": "75dbe77f-10a3-4e59-85fd-8c127544f17c",
        "azpacr": "0",
        "name": "Abe Lincoln",
        "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
        "scp": "access_as_user",
        "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
        "tid": TENANT,
        "ver": "2.0",
    });
    claims.as_object().unwrap().clone()
}

pub(crate) fn good_header() -> Map<String, Value> {
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": KID });
    header.as_object().unwrap().clone()
}

pub(crate) fn text(object: &Map<String, Value>) -> String {
    Value::Object(object.clone()).to_string()
}

pub(crate) fn mint(claims: &Map<String, Value>) -> String {
    key(0).sign(&text(&good_header()), &text(claims))
}

/// The good claims with these members set.
pub(crate) fn with(changes: Value) -> Map<String, Value> {
    let mut claims = good();
    claims.extend(changes.as_object().unwrap().clone());
    claims
}

pub(crate) fn without(names: &[&str]) -> Map<String, Value> {
    let mut claims = good();
    claims.retain(|name, _| !names.contains(&name.as_str()));
    claims
}

/// A signed payload in which one piece of text is another.
pub(crate) fn rewritten(from: &str, to: &str) -> String {
    let payload = text(&good());
    assert!(payload.contains(from), "{from} in {payload}");
    key(0).sign(&text(&good_header()), &payload.replacen(from, to, 1))
}

/// What a token brings: `in`, or the reason of its refusal.
pub(crate) fn outcome(entra: &Entra, token: &str) -> &'static str {
    match entra.validate_at(token, UnixTime::from_secs(T0)) {
        Ok(_) => "in",
        Err(rejection) => rejection.reason(),
    }
}
