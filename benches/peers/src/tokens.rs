//! An authority to test with, and tokens of the size that Entra's have.

use entra_emulator::{API_ID, CONTOSO, Emulator};
use http::HeaderValue;
use serde_json::{Value, json};

/// The emulator, and what every contender has to know of it.
pub struct Authority {
    pub emulator: Emulator,
    pub issuer: String,
    pub audience: &'static str,
    /// Six keys, as Entra publishes; the one that signs is the last.
    pub jwks: Value,
}

impl Authority {
    pub async fn start() -> Self {
        let emulator = Emulator::start().await.expect("a free port");
        let issuer = emulator.issuer(CONTOSO);
        let mut jwks = emulator.keys_document();
        let id = emulator.signing_key_id();
        let keys = jwks["keys"].as_array().expect("keys");
        let own = keys.iter().find(|key| key["kid"] == *id);
        let own = own.expect("the key that signs").clone();
        let mut keys: Vec<Value> = (0..5).map(|number| decoy(&own, number)).collect();
        keys.push(own);
        jwks["keys"] = Value::Array(keys);
        emulator.set_key_document(Some(jwks.clone()));
        Self {
            emulator,
            issuer,
            audience: API_ID,
            jwks,
        }
    }

    /// A token like Entra's: 2,032 bytes, two scopes, three roles; another one for each number.
    pub fn token(&self, number: usize) -> String {
        self.with(number, |token| token)
    }

    /// The same, with one thing changed.
    pub fn with(
        &self,
        number: usize,
        change: impl FnOnce(entra_emulator::TokenBuilder) -> entra_emulator::TokenBuilder,
    ) -> String {
        let token = self
            .emulator
            .token()
            .user("alice")
            .scope("access_as_user Todo.Read")
            .roles(["Task Admin", "Todo.Read.All", "Reader"])
            .claim("oid", format!("690222be-ff1a-4d56-abd1-{number:012}"))
            .claim("sub", format!("HKZpfaHyWadeOouYlitjrI-KffTm222X5r{number:09}"))
            .claim("uti", format!("fqiBqXLPj0eQa82S{number:06}"))
            .claim("name", "Alice Example of Contoso")
            .claim("preferred_username", "alice.example@contoso.example")
            .claim("aio", "AWQAm/8TAAAAZqz3h2Pq8b5XcYp0nDsjYX1o2vF3Zb9GxT4kW7uLm1RrKcE0aVtQ9dSyJhB6wNfUiOpA5eC")
            .claim("rh", "0.AXQAvkqvGfz6bEO-6pvG5WtxAy4XdG6-VkNOmf_05mrjI7zAAAA.")
            .claim("sid", "0012f3b8-4c5d-4e6f-8a9b-0c1d2e3f4a5b")
            .claim("jti", format!("a2c4e6f8-0b1d-4f3a-9c5e-{number:012}"))
            // What axum-keycloak-auth and aliri ask for, which Entra's tokens do not have.
            .claim("typ", "Bearer")
            .claim("email", "alice@contoso.example")
            .claim("email_verified", true)
            .claim("scope", "access_as_user Todo.Read")
            .claim("exp", json!(4_000_000_000_u64));
        let token = change(token);
        let length = token.clone().claim("x", "").mint().len();
        let filler = "a".repeat(2_032_usize.saturating_sub(length) * 3 / 4);
        token.claim("x", filler).mint()
    }
}

/// A key of the same form that signed nothing.
fn decoy(own: &Value, number: usize) -> Value {
    let mut key = own.clone();
    let mut modulus = own["n"].as_str().expect("an RSA key").to_owned();
    let digit = if modulus.as_bytes()[100 + number] == b'A' {
        "B"
    } else {
        "A"
    };
    modulus.replace_range(100 + number..101 + number, digit);
    key["n"] = json!(modulus);
    key["kid"] = json!(format!("decoy-{number}-HyWadeOouYlitjrI-KffTm222X5rrV"));
    key
}

/// Header values, as hyper makes them: bytes that are shared, not copied.
pub fn headers(tokens: impl IntoIterator<Item = String>) -> Vec<HeaderValue> {
    tokens
        .into_iter()
        .map(|token| HeaderValue::try_from(format!("Bearer {token}")).expect("visible ASCII"))
        .collect()
}
