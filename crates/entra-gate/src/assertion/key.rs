//! The key that signs assertions: P-256 made at start, or RSA or P-256 from a file.

use std::fmt;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use serde_json::{Value, json};

/// A private key with the public half that services fetch.
pub(crate) struct SigningKey {
    pair: Pair,
    id: String,
    jwk: Value,
}

enum Pair {
    Rsa(rsa::KeyPair),
    P256(EcdsaKeyPair),
}

/// Why a file is no key; the text names what is expected.
#[derive(Debug)]
pub(crate) enum KeyError {
    Unreadable(std::io::Error),
    Form,
    Weak,
    Make,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "expected a file that can be read: {error}"),
            Self::Form => f.write_str(
                "expected a private key in PKCS#8 (PEM `BEGIN PRIVATE KEY`, or DER), RSA or P-256",
            ),
            Self::Weak => f.write_str("expected an RSA key of 2048 to 8192 bits"),
            Self::Make => f.write_str("no key could be made"),
        }
    }
}

impl SigningKey {
    /// A new P-256 key, for ES256.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self::of_p256(pair.map_err(|_| KeyError::Make)?)
    }

    /// A key from a file, PEM or DER.
    pub(crate) fn load(file: &Path) -> Result<Self, KeyError> {
        let bytes = std::fs::read(file).map_err(KeyError::Unreadable)?;
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let decoded;
        let der = match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN") => {
                decoded = from_pem(text).ok_or(KeyError::Form)?;
                &decoded
            }
            _ => bytes,
        };
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
            return Self::of_p256(pair);
        }
        Self::of_rsa(rsa::KeyPair::from_pkcs8(der).map_err(|_| KeyError::Form)?)
    }

    fn of_p256(pair: EcdsaKeyPair) -> Result<Self, KeyError> {
        // SEC 1, section 2.3.3: 4, then both coordinates.
        let Some((4, point)) = pair
            .public_key()
            .as_ref()
            .split_first()
            .map(|(f, p)| (*f, p))
        else {
            return Err(KeyError::Form);
        };
        let (x, y) = point.split_at_checked(32).ok_or(KeyError::Form)?;
        let (x, y) = (base64url(x), base64url(y));
        // RFC 7638: the required members in the order of their names.
        let id = thumbprint(&format!(
            r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#
        ));
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "x": x, "y": y,
            "use": "sig", "alg": "ES256", "kid": id,
        });
        Ok(Self {
            pair: Pair::P256(pair),
            id,
            jwk,
        })
    }

    fn of_rsa(pair: rsa::KeyPair) -> Result<Self, KeyError> {
        if !(256..=1_024).contains(&pair.public_modulus_len()) {
            return Err(KeyError::Weak);
        }
        let components = DEFAULT_PROVIDER
            .key_utils
            .rsa_pub_components_from_public_key;
        let (n, e) = components(pair.public_key().as_ref()).map_err(|_| KeyError::Form)?;
        let (n, e) = (base64url(&n), base64url(&e));
        let id = thumbprint(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#));
        let jwk = json!({
            "kty": "RSA", "n": n, "e": e,
            "use": "sig", "alg": "RS256", "kid": id,
        });
        Ok(Self {
            pair: Pair::Rsa(pair),
            id,
            jwk,
        })
    }

    pub(crate) const fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
        }
    }

    /// The RFC 7638 thumbprint, which is the same wherever the key is.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) const fn jwk(&self) -> &Value {
        &self.jwk
    }

    pub(crate) fn sign(&self, input: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, input, &mut signature)
                    .ok()?;
                Some(signature)
            }
            Pair::P256(pair) => Some(pair.sign(&random, input).ok()?.as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

fn thumbprint(members: &str) -> String {
    base64url(digest(&SHA256, members.as_bytes()).as_ref())
}

/// The one key of a PEM text (RFC 7468).
fn from_pem(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode_to_vec(body).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    };

    use super::*;

    fn pem(der: &[u8]) -> String {
        let body = STANDARD.encode_to_string(der);
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
    }

    #[test]
    fn a_key_of_either_kind_is_read_and_signs() {
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let p256 = p256.to_pkcs8v1().unwrap().as_ref().to_vec();
        let rsa = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let rsa: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
        let rsa = rsa.as_ref().to_vec();
        for (der, algorithm) in [(p256, "ES256"), (rsa, "RS256")] {
            let key = SigningKey::parse(&der).unwrap();
            let same = SigningKey::parse(pem(&der).as_bytes()).unwrap();
            assert_eq!(key.id(), same.id());
            assert_eq!(key.algorithm(), algorithm);
            assert_eq!(key.jwk()["kid"], key.id());
            assert!(key.jwk().get("d").is_none());
            let signature = key.sign(b"input").unwrap();
            let verified = match &key.pair {
                Pair::P256(pair) => {
                    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())
                        .verify(b"input", &signature)
                }
                Pair::Rsa(pair) => {
                    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())
                        .verify(b"input", &signature)
                }
            };
            assert!(verified.is_ok(), "{algorithm}");
        }
    }

    #[test]
    fn what_is_no_private_key_in_pkcs8_is_refused() {
        let p384 = EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P384_SHA384_FIXED_SIGNING);
        let p384 = p384.unwrap().to_pkcs8v1().unwrap().as_ref().to_vec();
        for bytes in [
            Vec::new(),
            b"secret".to_vec(),
            p384.clone(),
            pem(&p384).into_bytes(),
            pem(b"").into_bytes(),
            b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----".to_vec(),
            b"-----BEGIN PRIVATE KEY-----\nnot base64!\n-----END PRIVATE KEY-----".to_vec(),
        ] {
            assert!(matches!(SigningKey::parse(&bytes), Err(KeyError::Form)));
        }
    }
}
