//! An API with decryption keys, of a tenant whose signing key is the test's own.

use std::time::Duration;

use axum_entra::{Authority, Clock, Entra, EntraBuilder, Tenant, TokenDecryptionKey, UnixTime};
use serde_json::{Map, Value, json};

use crate::jwe::Recipient;
use crate::signer::key;

pub(crate) const T0: u64 = 1_700_000_000;
pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const API: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";

/// The description of an API without decryption keys.
pub(crate) fn plain() -> EntraBuilder {
    let authority = Authority::entra(Tenant::new(TENANT), API)
        .static_jwks(key(0).jwks("key-1").to_string())
        .clock_skew(Duration::ZERO);
    Entra::builder_for(authority).clock(Clock::from_fn(|| UnixTime::from_secs(T0)))
}

/// An API that decrypts with these keys.
pub(crate) fn decrypting(keys: &[&Recipient]) -> Entra {
    let keys = keys.iter().map(|key| TokenDecryptionKey::bytes(key.pem()));
    let builder = keys.fold(plain(), |builder, key| builder.token_decryption_key(key));
    builder.build().unwrap()
}

/// Claims that are accepted.
pub(crate) fn claims() -> Map<String, Value> {
    let claims = json!({
        "aud": API,
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "iat": T0 - 100,
        "nbf": T0 - 100,
        "exp": T0 + 3_600,
        "azp": "75dbe77f-10a3-4e59-85fd-8c127544f17c",
        "azpacr": "0",
        "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
        "scp": "access_as_user",
        "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
        "tid": TENANT,
        "ver": "2.0",
    });
    claims.as_object().unwrap().clone()
}

/// A signed token that is accepted.
pub(crate) fn signed() -> String {
    signed_with(
        &json!({ "typ": "JWT", "alg": "RS256", "kid": "key-1" }),
        &claims().into(),
    )
}

pub(crate) fn signed_with(header: &Value, claims: &Value) -> String {
    key(0).sign(&header.to_string(), &claims.to_string())
}

/// `in`, or the reason of the refusal.
pub(crate) fn outcome(entra: &Entra, token: &str) -> &'static str {
    match entra.validate_at(token, UnixTime::from_secs(T0)) {
        Ok(_) => "in",
        Err(rejection) => rejection.reason(),
    }
}
