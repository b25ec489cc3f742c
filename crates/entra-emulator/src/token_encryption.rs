//! Access tokens that are encrypted to an API's certificate, as a registration's
//! `tokenEncryptionKeyId` asks for (JWE, RFC 7516).

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_128, AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    digest::{SHA1_FOR_LEGACY_USE_ONLY, digest},
    error::Unspecified,
    hmac,
    iv::FixedLength,
    rand::fill,
    rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey,
    },
};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::error::EmulatorError;

/// The public key that an API's access tokens are encrypted to, and how.
///
/// For [`App::with_token_encryption`](super::App::with_token_encryption) and
/// [`TokenBuilder::encrypted`](super::TokenBuilder::encrypted).
#[derive(Clone)]
pub struct TokenEncryption {
    key: Arc<OaepPublicEncryptingKey>,
    /// Of the certificate, if there is one.
    thumbprint: Option<[u8; 20]>,
    alg: String,
    enc: String,
    header: Map<String, Value>,
}

impl TokenEncryption {
    /// Encrypts to the key of the first certificate of a PEM text, or to a `PUBLIC KEY` in it, with
    /// RSA-OAEP and A256CBC-HS512.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::EncryptionKey`] without an RSA key of 2,048 to 8,192 bits.
    pub fn to(pem: impl AsRef<str>) -> Result<Self, EmulatorError> {
        let pem = pem.as_ref();
        let certificate = block(pem, "CERTIFICATE");
        let public = match &certificate {
            Some(certificate) => public_key_of(certificate).map(<[u8]>::to_vec),
            None => block(pem, "PUBLIC KEY"),
        };
        let key = public
            .and_then(|der| PublicEncryptingKey::from_der(&der).ok())
            .and_then(|key| OaepPublicEncryptingKey::new(key).ok())
            .ok_or(EmulatorError::EncryptionKey)?;
        let thumbprint = certificate.and_then(|der| {
            let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &der);
            hash.as_ref().try_into().ok()
        });
        Ok(Self {
            key: Arc::new(key),
            thumbprint,
            alg: "RSA-OAEP".to_owned(),
            enc: "A256CBC-HS512".to_owned(),
            header: Map::new(),
        })
    }

    /// Encrypts with these algorithms: `RSA-OAEP` or `RSA-OAEP-256`, and `A128CBC-HS256`,
    /// `A256CBC-HS512`, `A128GCM` or `A256GCM`.
    ///
    /// Another name is written into the header above the usual encryption.
    #[must_use]
    pub fn algorithms(self, alg: impl Into<String>, enc: impl Into<String>) -> Self {
        Self {
            alg: alg.into(),
            enc: enc.into(),
            ..self
        }
    }

    /// Sets a member of the JWE header, whatever it means; null leaves it out.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    /// The JWE in its compact form around a token.
    pub(super) fn encrypt(&self, token: &str) -> Result<String, EmulatorError> {
        let sealed = self.sealed(token.as_bytes());
        sealed.map_err(|Unspecified| EmulatorError::Encryption)
    }

    fn sealed(&self, token: &[u8]) -> Result<String, Unspecified> {
        let protected = URL_SAFE_NO_PAD.encode_to_string(self.protected().to_string());
        let mut content_key = vec![0; self.key_length()];
        fill(&mut content_key)?;
        let oaep = match self.alg.as_str() {
            "RSA-OAEP-256" => &OAEP_SHA256_MGF1SHA256,
            _ => &OAEP_SHA1_MGF1SHA1,
        };
        let mut room = vec![0; self.key.ciphertext_size()];
        let encrypted_key = self.key.encrypt(oaep, &content_key, &mut room, None)?;
        let (vector, ciphertext, tag) = match self.enc.as_str() {
            "A128GCM" | "A256GCM" => gcm(&content_key, &protected, token)?,
            _ => cbc(&content_key, &protected, token)?,
        };
        let parts = [&*encrypted_key, &vector, &ciphertext, &tag];
        let parts = parts.map(|part| URL_SAFE_NO_PAD.encode_to_string(part));
        Ok(format!("{protected}.{}", parts.join(".")))
    }

    fn protected(&self) -> Value {
        let mut header = Map::new();
        header.insert("alg".to_owned(), json!(self.alg));
        header.insert("enc".to_owned(), json!(self.enc));
        header.insert("typ".to_owned(), json!("JWT"));
        header.insert("cty".to_owned(), json!("JWT"));
        if let Some(thumbprint) = self.thumbprint {
            // As Microsoft's libraries name a certificate's key.
            let digits = thumbprint.iter().map(|byte| format!("{byte:02X}"));
            header.insert("kid".to_owned(), json!(digits.collect::<String>()));
            let x5t = URL_SAFE_NO_PAD.encode_to_string(thumbprint);
            header.insert("x5t".to_owned(), json!(x5t));
        }
        for (name, value) in &self.header {
            match value {
                Value::Null => header.remove(name),
                value => header.insert(name.clone(), value.clone()),
            };
        }
        Value::Object(header)
    }

    fn key_length(&self) -> usize {
        match self.enc.as_str() {
            "A128GCM" => 16,
            "A128CBC-HS256" | "A256GCM" => 32,
            _ => 64,
        }
    }
}

impl fmt::Debug for TokenEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEncryption")
            .field("alg", &self.alg)
            .field("enc", &self.enc)
            .finish_non_exhaustive()
    }
}

/// Initialization vector, ciphertext and tag.
type Sealed = (Vec<u8>, Vec<u8>, Vec<u8>);

/// RFC 7518 section 5.3.
fn gcm(key: &[u8], protected: &str, content: &[u8]) -> Result<Sealed, Unspecified> {
    let algorithm = match key.len() {
        16 => &AES_128_GCM,
        _ => &AES_256_GCM,
    };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key)?);
    let mut vector = [0; 12];
    fill(&mut vector)?;
    let mut sealed = content.to_vec();
    let nonce = Nonce::assume_unique_for_key(vector);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(protected), &mut sealed)?;
    Ok((vector.to_vec(), sealed, tag.as_ref().to_vec()))
}

/// RFC 7518 section 5.2.2.1.
fn cbc(key: &[u8], protected: &str, content: &[u8]) -> Result<Sealed, Unspecified> {
    let half = key.len() / 2;
    let (mac_key, cipher_key) = key.split_at_checked(half).ok_or(Unspecified)?;
    let (hash, cipher) = match half {
        16 => (hmac::HMAC_SHA256, &AES_128),
        _ => (hmac::HMAC_SHA512, &AES_256),
    };
    let mut vector = [0; 16];
    fill(&mut vector)?;
    let mut sealed = content.to_vec();
    let context = EncryptionContext::Iv128(FixedLength::from(vector));
    PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(cipher, cipher_key)?)?
        .less_safe_encrypt(&mut sealed, context)?;
    let bits = (protected.len() as u64).saturating_mul(8).to_be_bytes();
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hash, mac_key));
    for part in [protected.as_bytes(), &vector, &sealed, &bits] {
        mac.update(part);
    }
    let mac = mac.sign();
    let tag = mac.as_ref().get(..half).ok_or(Unspecified)?.to_vec();
    Ok((vector.to_vec(), sealed, tag))
}

/// The bytes of the first block with this label.
fn block(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let base64: String = body.split_ascii_whitespace().collect();
    STANDARD.decode_to_vec(base64).ok()
}

/// The `SubjectPublicKeyInfo` of an RSA certificate: the SEQUENCE that begins with the algorithm
/// `rsaEncryption`, which stands nowhere else in a certificate (RFC 5280 section 4.1).
fn public_key_of(certificate: &[u8]) -> Option<&[u8]> {
    /// AlgorithmIdentifier of rsaEncryption with NULL (RFC 3279 section 2.3.1).
    const RSA: [u8; 15] = [
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let at = certificate
        .windows(RSA.len())
        .position(|found| found == RSA)?;
    // Tag, 0x82, and two bytes of length: every key from 2,048 to 8,192 bits.
    let start = at.checked_sub(4)?;
    let [0x30, 0x82, high, low] = certificate.get(start..at)? else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    certificate.get(start..at.checked_add(length)?)
}
