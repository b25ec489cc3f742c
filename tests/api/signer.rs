//! RSA keys of the tests' own, so that tokens can be signed for real issuers too.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use serde_json::{Value, json};

/// A key pair without a name: the key id is given when it is used.
pub(crate) struct Key(KeyPair);

/// The keys of this process, made at their first use. Two numbers are two keys.
pub(crate) fn key(number: usize) -> &'static Key {
    static KEYS: [OnceLock<Key>; 4] = [const { OnceLock::new() }; 4];
    KEYS[number].get_or_init(|| Key(KeyPair::generate(KeySize::Rsa2048).unwrap()))
}

impl Key {
    /// The public half, as Entra's v1.0 documents have it: no `alg`, no `issuer`.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let components = DEFAULT_PROVIDER
            .key_utils
            .rsa_pub_components_from_public_key;
        let (n, e) = components(self.0.public_key().as_ref()).unwrap();
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": kid,
            "n": URL_SAFE_NO_PAD.encode_to_string(n),
            "e": URL_SAFE_NO_PAD.encode_to_string(e),
        })
    }

    /// A key document with this one key.
    pub(crate) fn jwks(&self, kid: &str) -> Value {
        json!({ "keys": [self.jwk(kid)] })
    }

    /// The public half in DER (RFC 8017 appendix A.1.1).
    pub(crate) fn public_der(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }

    /// An RS256 token of two texts, be they JSON or not.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        self.sign_bytes(header.as_bytes(), payload.as_bytes())
    }

    /// The same of bytes, be they text or not.
    pub(crate) fn sign_bytes(&self, header: &[u8], payload: &[u8]) -> String {
        let signed = unsigned(header, payload);
        let signature = self.sign_text(&signed);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode_to_string(signature))
    }

    /// The RS256 signature of a text.
    pub(crate) fn sign_text(&self, signed: &str) -> Vec<u8> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        signature
    }
}

/// Header and payload, encoded, without a signature.
pub(crate) fn unsigned(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode_to_string(header.as_ref()),
        URL_SAFE_NO_PAD.encode_to_string(payload.as_ref())
    )
}
