//! A certificate as credential: a JWT that only the holder of its key can sign.
//!
//! Source: Microsoft, "Microsoft identity platform application authentication certificate
//! credentials"; RFC 7523 section 2.2.

use std::fmt;

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::json;
use uuid::Builder;

use crate::jwks::{Padding, SigningKey, random, sha256};
use crate::key_file::{KeyFile, KeyFileError};

/// A certificate with its private key.
pub(super) struct Certificate {
    key: SigningKey,
    /// `x5t#S256`: base64url of the SHA-256 of the certificate in DER.
    thumbprint: String,
}

/// What is wrong with a file that should hold both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CertificateError {
    File(KeyFileError),
    Certificate,
    Key,
    /// The key is another certificate's.
    Pair,
}

impl Certificate {
    /// Reads the first private key of a file and its certificate: the first one in PEM, where the
    /// order counts, any in PKCS#12, where it does not.
    pub(super) fn read(file: &[u8], password: Option<&str>) -> Result<Self, CertificateError> {
        let file = match KeyFile::read(file, password) {
            // No block of PEM at all.
            Err(KeyFileError::Form) => return Err(CertificateError::Certificate),
            file => file.map_err(CertificateError::File)?,
        };
        let first = file.certificates.first();
        let first = first.ok_or(CertificateError::Certificate)?;
        let key = file.private_keys.first();
        let key = key.and_then(|der| SigningKey::from_der(der).ok());
        let key = key.ok_or(CertificateError::Key)?;
        let own = match file.is_ordered {
            true => Some(first).filter(|certificate| key.belongs_to(certificate)),
            false => file.certificates.iter().find(|own| key.belongs_to(own)),
        };
        let own = own.ok_or(CertificateError::Pair)?;
        Ok(Self {
            thumbprint: URL_SAFE_NO_PAD.encode_to_string(sha256(own)),
            key,
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

/// "5–10 minutes after nbf at most", says Microsoft's page.
const LIFETIME: u64 = 600;
