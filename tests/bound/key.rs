//! Keys of clients: they sign requests, and show their public half.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256,
};
use serde_json::{Value, json};

/// A client's key pair.
pub(crate) enum Key {
    Rsa(Box<RsaPair>),
    Ec(EcdsaKeyPair, &'static str),
}

pub(crate) static RSA: LazyLock<Key> = LazyLock::new(|| rsa(KeySize::Rsa2048));
pub(crate) static OTHER_RSA: LazyLock<Key> = LazyLock::new(|| rsa(KeySize::Rsa2048));
pub(crate) static RSA_4096: LazyLock<Key> = LazyLock::new(|| rsa(KeySize::Rsa4096));
pub(crate) static EC: LazyLock<Key> = LazyLock::new(p256);
pub(crate) static P384: LazyLock<Key> = LazyLock::new(|| {
    Key::Ec(
        EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
        "P-384",
    )
});

pub(crate) fn named(name: &str) -> &'static Key {
    match name {
        "rsa" => &RSA,
        "other" => &OTHER_RSA,
        "rsa4096" => &RSA_4096,
        "ec" => &EC,
        "p384" => &P384,
        name => panic!("no key {name}"),
    }
}

fn rsa(size: KeySize) -> Key {
    Key::Rsa(Box::new(RsaPair::generate(size).unwrap()))
}

fn p256() -> Key {
    Key::Ec(
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        "P-256",
    )
}

impl Key {
    pub(crate) const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ec(..) => "ES256",
        }
    }

    /// The public half, with the members that MSAL.js shows.
    pub(crate) fn jwk(&self) -> Value {
        match self {
            Self::Rsa(pair) => {
                let numbers = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({
                    "alg": "RS256", "e": base64url(&numbers.e), "ext": true,
                    "key_ops": ["verify"], "kty": "RSA", "n": base64url(&numbers.n),
                })
            }
            Self::Ec(pair, curve) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at((point.len() - 1) / 2);
                json!({ "crv": curve, "kty": "EC", "x": base64url(x), "y": base64url(y) })
            }
        }
    }

    /// RFC 7638, by its own text.
    pub(crate) fn thumbprint(&self) -> String {
        let jwk = self.jwk();
        let text = |name: &str| jwk[name].as_str().unwrap().to_owned();
        let canonical = match self {
            Self::Rsa(_) => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text("e"), text("n")),
            Self::Ec(..) => format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                text("crv"),
                text("x"),
                text("y")
            ),
        };
        base64url(sha256(canonical.as_bytes()))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .unwrap();
                signature
            }
            Self::Ec(pair, _) => {
                let signature = pair.sign(&SystemRandom::new(), message).unwrap();
                signature.as_ref().to_vec()
            }
        }
    }

    /// PS256, which MSAL.NET can be configured for and this crate does not accept.
    pub(crate) fn sign_pss(&self, message: &[u8]) -> Vec<u8> {
        let Self::Rsa(pair) = self else {
            panic!("RSA only")
        };
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(
            &RSA_PSS_SHA256,
            &SystemRandom::new(),
            message,
            &mut signature,
        )
        .unwrap();
        signature
    }
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}
