//! Signed HTTP requests: no text makes the reader panic, and what it accepts is one JWS.
//!
//! Input that has no dot is taken for a payload and signed, so that the members are reached.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum_entra::__fuzz::signed_request;
use base64_simd::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

static KEY: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if text.contains('.') && !text.contains('{') {
        if let Some((_, thumbprint, _)) = signed_request(text) {
            assert_eq!(text.split('.').count(), 3);
            assert_eq!(thumbprint.len(), 43);
        }
        return;
    }
    // The key is this target's, so that the signature can be right.
    let point = KEY.public_key().as_ref();
    let (x, y) = point[1..].split_at(32);
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
    let payload = text.replace("$jwk", &jwk.to_string());
    let header = encode(br#"{"typ":"pop","alg":"ES256"}"#);
    let input = format!("{header}.{}", encode(payload.as_bytes()));
    let signature = KEY.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
    let signed = format!("{input}.{}", encode(signature.as_ref()));
    if let Some((token, _, verifies)) = signed_request(&signed) {
        let members: Value = serde_json::from_str(&payload).unwrap();
        assert_eq!(members["at"], token.as_str());
        for needed in ["m", "u", "p"] {
            assert!(members[needed].is_string(), "{needed}");
        }
        assert!(members["ts"].is_number());
        // Another key may be shown; then nothing verifies.
        let is_own = members["cnf"]["jwk"] == jwk;
        assert_eq!(verifies, is_own || verifies && members["cnf"]["jwk"]["x"] == jwk["x"]);
        let mut other = signed.into_bytes();
        let last = other.len() - 3;
        other[last] = if other[last] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert!(signed_request(&other).is_none_or(|(.., verifies)| !verifies));
    }
});
