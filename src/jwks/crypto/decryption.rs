//! What decrypts a token: RSA-OAEP with a private key, and the content encryption algorithms of
//! RFC 7518 sections 4.3 and 5.

use std::fmt;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rand::fill;
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey,
    PrivateDecryptingKey,
};
use aws_lc_rs::signature::KeyPair as _;
use secrecy::zeroize::Zeroizing;

use super::Unusable;

/// How the content key is encrypted (RFC 7518 section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyEncryption {
    /// `RSA-OAEP`: SHA-1 and MGF1 with SHA-1.
    RsaOaep,
    /// `RSA-OAEP-256`: SHA-256 and MGF1 with SHA-256.
    RsaOaep256,
}

/// How the content is encrypted (RFC 7518 sections 5.2 and 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentEncryption {
    A128CbcHs256,
    A256CbcHs512,
    A128Gcm,
    A256Gcm,
}

/// The longest content key: of A256CBC-HS512.
const LONGEST_KEY: usize = 64;

/// The key of one token's content; wiped when it is dropped.
pub(crate) struct ContentKey {
    bytes: Zeroizing<[u8; LONGEST_KEY]>,
    encryption: ContentEncryption,
}

/// A private RSA key that content keys are encrypted to.
pub(crate) struct DecryptingKey {
    key: OaepPrivateDecryptingKey,
    /// Big-endian, without leading zeros.
    modulus: Vec<u8>,
    /// PKCS#1 in DER, as certificates hold it.
    public: Vec<u8>,
}

impl DecryptingKey {
    /// Reads an RSA key of 2,048 to 8,192 bits in DER, in the form of PKCS#8 or of PKCS#1.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, Unusable> {
        let pair = KeyPair::from_pkcs8(der)
            .or_else(|_| KeyPair::from_der(der))
            .map_err(|_| Unusable)?;
        let pkcs8 = pair.as_der().map_err(|_| Unusable)?;
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref())
            .and_then(|key| OaepPrivateDecryptingKey::new(key).map_err(Into::into))
            .map_err(|_| Unusable)?;
        let public = pair.public_key();
        Ok(Self {
            modulus: public.modulus().big_endian_without_leading_zero().to_vec(),
            public: public.as_ref().to_vec(),
            key,
        })
    }

    /// Whether both are the same key.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.public == other.public
    }

    /// Whether the certificate (DER) holds this key's public half.
    pub(crate) fn belongs_to(&self, certificate: &[u8]) -> bool {
        certificate
            .windows(self.public.len().max(1))
            .any(|window| window == self.public)
    }

    /// The content key that is encrypted to this key; a random one where nothing of the right
    /// length comes out.
    ///
    /// What the caller does with it then fails like a changed content, in the same time: the
    /// answer to a forged `encrypted` says nothing about this key (RFC 7516 section 11.5).
    pub(crate) fn content_key(
        &self,
        key_encryption: KeyEncryption,
        encryption: ContentEncryption,
        encrypted: &[u8],
    ) -> Result<ContentKey, Unusable> {
        let algorithm = match key_encryption {
            KeyEncryption::RsaOaep => &OAEP_SHA1_MGF1SHA1,
            KeyEncryption::RsaOaep256 => &OAEP_SHA256_MGF1SHA256,
        };
        let mut bytes = Zeroizing::new([0; LONGEST_KEY]);
        fill(bytes.as_mut()).map_err(|_| Unusable)?;
        // The library refuses both of these before it uses the private key, which would be faster.
        let fits = encrypted.len() == self.modulus.len() && encrypted < self.modulus.as_slice();
        let mut substitute = vec![0; self.modulus.len()];
        if let Some(last) = substitute.last_mut() {
            *last = 2;
        }
        let block = if fits { encrypted } else { &substitute };
        let mut room = Zeroizing::new(vec![0; self.modulus.len()]);
        let length = self
            .key
            .decrypt(algorithm, block, &mut room, None)
            .map_or(0, |opened| opened.len());
        // 0xFF where the decrypted key counts, without a branch.
        let good = 0_u8.wrapping_sub(u8::from(fits & (length == encryption.key_length())));
        for (byte, opened) in bytes.iter_mut().zip(room.iter()) {
            *byte = (*opened & good) | (*byte & !good);
        }
        Ok(ContentKey { bytes, encryption })
    }
}

impl fmt::Debug for DecryptingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecryptingKey(not shown)")
    }
}

impl ContentEncryption {
    /// Bytes of a content key.
    const fn key_length(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A128CbcHs256 | Self::A256Gcm => 32,
            Self::A256CbcHs512 => 64,
        }
    }
}

impl ContentKey {
    /// Verifies and decrypts content.
    ///
    /// `authenticated` is the encoded header (RFC 7516 section 5.2 step 14). Initialization vector
    /// and tag have exactly the length of the algorithm: a shorter tag is easier to guess.
    pub(crate) fn open(
        &self,
        vector: &[u8],
        ciphertext: &[u8],
        tag: &[u8],
        authenticated: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unusable> {
        let key = self.bytes.get(..self.encryption.key_length());
        let key = key.ok_or(Unusable)?;
        match self.encryption {
            ContentEncryption::A128Gcm | ContentEncryption::A256Gcm => {
                self.open_gcm(key, vector, ciphertext, tag, authenticated)
            }
            ContentEncryption::A128CbcHs256 | ContentEncryption::A256CbcHs512 => {
                self.open_cbc(key, vector, ciphertext, tag, authenticated)
            }
        }
    }

    /// RFC 7518 section 5.3.
    fn open_gcm(
        &self,
        key: &[u8],
        vector: &[u8],
        ciphertext: &[u8],
        tag: &[u8],
        authenticated: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unusable> {
        let algorithm = match self.encryption {
            ContentEncryption::A128Gcm => &AES_128_GCM,
            _ => &AES_256_GCM,
        };
        let nonce = Nonce::try_assume_unique_for_key(vector).map_err(|_| Unusable)?;
        if tag.len() != algorithm.tag_len() {
            return Err(Unusable);
        }
        let key = UnboundKey::new(algorithm, key).map_err(|_| Unusable)?;
        let mut content = Zeroizing::new(vec![0; ciphertext.len()]);
        LessSafeKey::new(key)
            .open_separate_gather(
                nonce,
                Aad::from(authenticated),
                ciphertext,
                tag,
                &mut content,
            )
            .map_err(|_| Unusable)?;
        Ok(content)
    }

    /// RFC 7518 section 5.2.2.2: the tag first, and the padding only under a tag that verified.
    fn open_cbc(
        &self,
        key: &[u8],
        vector: &[u8],
        ciphertext: &[u8],
        tag: &[u8],
        authenticated: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unusable> {
        let (hash, cipher) = match self.encryption {
            ContentEncryption::A128CbcHs256 => (hmac::HMAC_SHA256, &AES_128),
            _ => (hmac::HMAC_SHA512, &AES_256),
        };
        let half = key.len() / 2;
        let (mac_key, cipher_key) = key.split_at_checked(half).ok_or(Unusable)?;
        let bits = (authenticated.len() as u64).saturating_mul(8);
        let mut mac = hmac::Context::with_key(&hmac::Key::new(hash, mac_key));
        for part in [authenticated, vector, ciphertext, &bits.to_be_bytes()] {
            mac.update(part);
        }
        let mac = mac.sign();
        let made = mac.as_ref().get(..half).ok_or(Unusable)?;
        verify_slices_are_equal(made, tag).map_err(|_| Unusable)?;
        let vector = FixedLength::try_from(vector).map_err(|_| Unusable)?;
        let key = UnboundCipherKey::new(cipher, cipher_key)
            .and_then(PaddedBlockDecryptingKey::cbc_pkcs7)
            .map_err(|_| Unusable)?;
        let mut content = Zeroizing::new(ciphertext.to_vec());
        let length = key
            .decrypt(&mut content, DecryptionContext::Iv128(vector))
            .map_err(|_| Unusable)?
            .len();
        content.truncate(length);
        Ok(content)
    }
}

#[cfg(test)]
impl ContentKey {
    /// A key of these bytes.
    pub(crate) fn of(encryption: ContentEncryption, key: &[u8]) -> Self {
        let mut bytes = Zeroizing::new([0; LONGEST_KEY]);
        for (to, from) in bytes.iter_mut().zip(key) {
            *to = *from;
        }
        Self { bytes, encryption }
    }

    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.bytes.get(..self.encryption.key_length())
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(not shown)")
    }
}

/// The SHA-1 by which `x5t` and Microsoft's thumbprints name a certificate (RFC 7515 section
/// 4.1.7). It names and protects nothing.
pub(crate) fn sha1_thumbprint(certificate: &[u8]) -> [u8; 20] {
    let mut hash = [0; 20];
    let made = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
    for (to, from) in hash.iter_mut().zip(made.as_ref()) {
        *to = *from;
    }
    hash
}
