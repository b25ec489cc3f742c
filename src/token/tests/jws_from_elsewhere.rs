//! The JWS vectors, through this crate's own key reader, JOSE header and signature check.
//!
//! Their payloads are no JSON objects, so the whole pipeline would refuse every one before its
//! signature is looked at (which `tests/third_party_vectors` asserts). Here the payload's form
//! is left out, and nothing else is.

use serde_json::Value;

use crate::jwks::jwk::Jwk;
use crate::jwks::tests::{elsewhere, ordinary_document};
use crate::token::header::{Header, TokenKind};

/// Whether the header is accepted and a key of the set made the signature.
fn verifies(jwks: &Value, token: &str) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return false;
    };
    let decode = |part: &str| base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part);
    let (Ok(header), Ok(_), Ok(signature)) = (decode(header), decode(payload), decode(signature))
    else {
        return false;
    };
    let Ok(header) = Header::read(&header) else {
        return false;
    };
    if header.check_algorithm().is_err() || header.check_kind(TokenKind::Access).is_err() {
        return false;
    }
    let signed = &token[..token.rfind('.').unwrap()];
    let document = ordinary_document();
    jwks["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|key| {
            // Eight cases name no key at all; an Entra token and an Entra key always do.
            let mut key = key.clone();
            if key.get("kid").is_none() {
                key["kid"] = header.kid().unwrap_or("nameless").into();
            }
            Jwk::read(&key, &document).ok()
        })
        .filter(|jwk| header.kid().is_none_or(|kid| kid == jwk.kid))
        .any(|jwk| jwk.key.verifies(signed.as_bytes(), &signature))
}

#[test]
fn of_455_signed_tokens_made_elsewhere_11_verify() {
    let Some(cases) = elsewhere::lines("jws_cases.jsonl") else {
        return;
    };
    assert_eq!(cases.len(), 455);
    let mut verified = 0;
    for case in &cases {
        let accepted = verifies(&case["jwks"], case["token"].as_str().unwrap());
        assert_eq!(
            accepted,
            case["accept_rs256_only"].as_bool().unwrap(),
            "{}: {}",
            case["id"],
            case["comment"]
        );
        verified += usize::from(accepted);
    }
    assert_eq!(verified, 11);
}
