//! The public key that a client signs requests with, as a JWK (RFC 7517).

use serde_json::{Map, Value};

use crate::jwks::{ClientPublicKey, has_private_member, sha256};

/// A key whose members have the right form; whether they make a key is known once it is used.
pub(crate) struct ClientKey {
    numbers: Numbers,
    thumbprint: String,
    algorithm: ShrAlgorithm,
}

/// How a signed HTTP request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShrAlgorithm {
    Rs256,
    Es256,
}

enum Numbers {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256 { x: Vec<u8>, y: Vec<u8> },
}

impl ShrAlgorithm {
    /// The algorithm that has this JOSE name (RFC 7518 section 3.1).
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

impl ClientKey {
    /// Reads a JWK: RSA, or P-256, for signatures, and without a private member.
    pub(crate) fn read(jwk: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        // A client that shows its private key has no key any more.
        if has_private_member(jwk) {
            return None;
        }
        let verifies = |ops: &Value| {
            let ops = ops.as_array();
            ops.is_some_and(|ops| ops.iter().any(|op| op == "verify"))
        };
        if jwk.get("use").is_some_and(|purpose| purpose != "sig")
            || !jwk.get("key_ops").is_none_or(verifies)
        {
            return None;
        }
        let number = |name: &str| {
            let text = text(name).filter(|text| !text.is_empty())?;
            base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok()
        };
        // RFC 7638 section 3.2: the required members, by name. Each is base64url by now, so that
        // nothing in it could be written in another way.
        let (numbers, canonical, algorithm) = match text("kty")? {
            "RSA" => {
                let (modulus, exponent) = (number("n")?, number("e")?);
                let canonical = format!(
                    r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
                    text("e")?,
                    text("n")?
                );
                let numbers = Numbers::Rsa { modulus, exponent };
                (numbers, canonical, ShrAlgorithm::Rs256)
            }
            "EC" if text("crv") == Some("P-256") => {
                let (x, y) = (number("x")?, number("y")?);
                let canonical = format!(
                    r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                    text("x")?,
                    text("y")?
                );
                (Numbers::P256 { x, y }, canonical, ShrAlgorithm::Es256)
            }
            _ => return None,
        };
        let own = jwk.get("alg").is_none_or(|alg| {
            let named = alg.as_str().and_then(ShrAlgorithm::of);
            named == Some(algorithm)
        });
        own.then(|| Self {
            numbers,
            thumbprint: base64url(&sha256(canonical.as_bytes())),
            algorithm,
        })
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638).
    pub(crate) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The one algorithm that fits the key.
    pub(crate) const fn algorithm(&self) -> ShrAlgorithm {
        self.algorithm
    }

    /// Whether this key made the signature. False also where the members make no key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = match &self.numbers {
            Numbers::Rsa { modulus, exponent } => ClientPublicKey::rsa(modulus, exponent),
            Numbers::P256 { x, y } => ClientPublicKey::p256(x, y),
        };
        key.is_ok_and(|key| key.verifies(message, signature))
    }
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ClientKey").field(&self.algorithm).finish()
    }
}

/// Base64url without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(jwk: &Value) -> Option<ClientKey> {
        ClientKey::read(jwk.as_object().unwrap())
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let jwk = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
            "alg": "RS256",
            "kid": "2011-04-29"
        });
        assert_eq!(
            read(&jwk).unwrap().thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn a_key_is_public_for_signatures_and_of_a_known_type() {
        let p256 = json!({ "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA" });
        assert_eq!(read(&p256).unwrap().algorithm(), ShrAlgorithm::Es256);
        let with = |name: &str, value: Value| {
            let mut jwk = p256.clone();
            jwk[name] = value;
            read(&jwk).is_some()
        };
        for (name, good) in [
            ("use", json!("sig")),
            ("alg", json!("ES256")),
            ("key_ops", json!(["verify"])),
            ("ext", json!(true)),
            ("kid", json!(1)),
        ] {
            assert!(with(name, good), "{name}");
        }
        for (name, bad) in [
            ("use", json!("enc")),
            ("use", json!(null)),
            ("alg", json!("RS256")),
            ("alg", json!(null)),
            ("key_ops", json!(["sign"])),
            ("key_ops", json!("verify")),
            ("d", json!("AAAA")),
            ("k", json!(null)),
            ("crv", json!("P-384")),
            ("kty", json!("OKP")),
            ("kty", json!("oct")),
            ("x", json!("")),
            ("x", json!("AAA=")),
            ("y", json!("A+/A")),
            ("y", json!(7)),
        ] {
            assert!(!with(name, bad.clone()), "{name} {bad}");
        }
    }
}
