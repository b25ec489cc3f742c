//! A certificate as credential: a JWT that only the holder of its key can sign.
//!
//! Source: Microsoft, "Microsoft identity platform application authentication certificate
//! credentials"; RFC 7523 section 2.2.

use std::fmt;

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use uuid::Builder;

use crate::jwks::{Padding, SigningKey, random, sha256};

/// A certificate with its private key.
pub(super) struct Certificate {
    key: SigningKey,
    /// `x5t#S256`: base64url of the SHA-256 of the certificate in DER.
    thumbprint: String,
}

/// What is wrong with a text that should hold both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PemError {
    Certificate,
    Key,
    /// The key is another certificate's.
    Pair,
}

impl Certificate {
    /// Reads the first certificate and the first private key of a text in PEM form (RFC 7468).
    pub(super) fn from_pem(pem: &str) -> Result<Self, PemError> {
        let certificate = block(pem, &["CERTIFICATE"]).ok_or(PemError::Certificate)?;
        let key = block(pem, &["PRIVATE KEY", "RSA PRIVATE KEY"])
            .and_then(|der| SigningKey::from_der(&der).ok())
            .ok_or(PemError::Key)?;
        if !key.belongs_to(&certificate) {
            return Err(PemError::Pair);
        }
        Ok(Self {
            key,
            thumbprint: URL_SAFE_NO_PAD.encode_to_string(sha256(&certificate)),
        })
    }

    /// A `client_assertion` for one token endpoint, good for ten minutes and for one use.
    pub(super) fn assertion(
        &self,
        padding: Padding,
        client_id: &str,
        audience: &str,
        now: u64,
    ) -> Option<String> {
        let algorithm = match padding {
            Padding::Pkcs1 => "RS256",
            Padding::Pss => "PS256",
        };
        let id = Builder::from_random_bytes(random().ok()?).into_uuid();
        let header = json!({ "alg": algorithm, "typ": "JWT", "x5t#S256": self.thumbprint });
        let claims = json!({
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": id.hyphenated().to_string(),
            "nbf": now,
            "iat": now,
            "exp": now.saturating_add(LIFETIME),
        });
        let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode_to_string(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign(padding, signed.as_bytes()).ok()?;
        Some(format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode_to_string(signature)
        ))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

/// The bytes of the first block with one of these labels.
fn block(pem: &str, labels: &[&str]) -> Option<Vec<u8>> {
    labels.iter().find_map(|label| {
        let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        let base64: String = body.split_ascii_whitespace().collect();
        STANDARD.decode_to_vec(base64).ok()
    })
}

/// "5–10 minutes after nbf at most", says Microsoft's page.
const LIFETIME: u64 = 600;
