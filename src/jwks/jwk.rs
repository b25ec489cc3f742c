//! One key of a key document (RFC 7517), and what makes it unusable here; which RSA numbers are
//! accepted is checked in `crypto.rs` (`rsa_key`).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::crypto::VerifyingKey;
use crate::authority::Document;
use crate::authority::issuer::IssuerPattern;

/// Why a key of a document is left out; the others work all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skipped {
    NotAKey,
    NotRsa,
    PrivateMembers,
    NotForSignatures,
    OtherAlgorithm,
    BadNumbers,
    WithoutIssuer,
    TooMany,
}

/// A key and the id it is looked up by.
#[derive(Debug)]
pub(crate) struct Jwk {
    pub(crate) kid: String,
    pub(crate) key: VerifyingKey,
}

#[derive(Deserialize)]
struct Members {
    kty: String,
    kid: String,
    n: Option<String>,
    e: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    issuer: Option<String>,
    cloud_instance_name: Option<String>,
}

/// Members that only a private key has (RFC 7518 section 6.3.2), and a symmetric one (6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Whether a key shows what only its owner may know, or is a shared secret.
pub(crate) fn has_private_member(jwk: &Map<String, Value>) -> bool {
    PRIVATE.iter().any(|member| jwk.contains_key(*member))
}

impl Jwk {
    /// Reads one element of `keys`, by itself: one odd key must not cost the others.
    pub(crate) fn read(json: &Value, document: &Document) -> Result<Self, Skipped> {
        let object = json.as_object().ok_or(Skipped::NotAKey)?;
        if has_private_member(object) {
            return Err(Skipped::PrivateMembers);
        }
        let members = Members::deserialize(json).map_err(|_| Skipped::NotAKey)?;
        if members.kty != "RSA" {
            return Err(Skipped::NotRsa);
        }
        if members
            .purpose
            .as_deref()
            .is_some_and(|purpose| purpose != "sig")
            || members
                .key_ops
                .is_some_and(|ops| !ops.iter().any(|op| op == "verify"))
        {
            return Err(Skipped::NotForSignatures);
        }
        // Entra's keys have no `alg`; one that has is held to it.
        if members.alg.as_deref().is_some_and(|alg| alg != "RS256") {
            return Err(Skipped::OtherAlgorithm);
        }
        if members.issuer.is_none() && document.keys_name_issuer {
            return Err(Skipped::WithoutIssuer);
        }
        let number = |text: Option<&String>| {
            text.and_then(|text| {
                base64_simd::URL_SAFE_NO_PAD
                    .decode_to_vec(text.as_bytes())
                    .ok()
            })
            .ok_or(Skipped::BadNumbers)
        };
        let (modulus, exponent) = (number(members.n.as_ref())?, number(members.e.as_ref())?);
        let issuer = members.issuer.map(IssuerPattern::new);
        let mut key =
            VerifyingKey::rsa(&modulus, &exponent, issuer).map_err(|_| Skipped::BadNumbers)?;
        let cloud = members.cloud_instance_name.as_deref();
        if cloud.is_some_and(|name| document.is_another_cloud(name)) {
            key = key.of_another_cloud();
        }
        Ok(Self {
            kid: members.kid,
            key,
        })
    }
}
