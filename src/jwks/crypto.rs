//! The only file that imports the crypto library, with the one below it: verifying keys, prepared
//! once, the signing key of this API, and what decrypts tokens.

mod decryption;

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaPublicKeyComponents,
};
use jsonwebtoken::Algorithm;
use jsonwebtoken::crypto::JwtVerifier;
use jsonwebtoken::signature::{Error, Verifier};

pub(crate) use decryption::{
    ContentEncryption, ContentKey, DecryptingKey, KeyEncryption, sha1_thumbprint,
};

use super::roca;
use crate::authority::issuer::IssuerPattern;

/// A public key with everything bound to it that decides what it may verify.
pub(crate) struct VerifyingKey {
    key: ParsedPublicKey,
    /// The issuer the document binds it to; `None` where the document says nothing.
    issuer: Option<IssuerPattern>,
    /// The document says that it is a key of a cloud that is not the authority's.
    of_another_cloud: bool,
    fingerprint: [u8; 32],
}

/// Numbers that make no key this crate would verify with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unusable;

impl VerifyingKey {
    /// Prepares an RSA key of 2,048 to 8,192 bits for RS256.
    pub(crate) fn rsa(
        modulus: &[u8],
        exponent: &[u8],
        issuer: Option<IssuerPattern>,
    ) -> Result<Self, Unusable> {
        let modulus = without_leading_zeros(modulus);
        let exponent = without_leading_zeros(exponent);
        let key = rsa_key(modulus, exponent)?;
        let mut numbers = modulus.to_vec();
        numbers.extend_from_slice(exponent);
        Ok(Self {
            key,
            issuer,
            of_another_cloud: false,
            fingerprint: sha256(&numbers),
        })
    }

    /// The same key, whose tokens are another cloud's: correctly signed, and of an unknown issuer.
    pub(crate) fn of_another_cloud(self) -> Self {
        Self {
            of_another_cloud: true,
            ..self
        }
    }

    pub(crate) const fn is_of_another_cloud(&self) -> bool {
        self.of_another_cloud
    }

    /// Whether `signature` is this key's RS256 signature of `message` (RFC 7518 section 3.3).
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }

    pub(crate) fn issuer(&self) -> Option<&IssuerPattern> {
        self.issuer.as_ref()
    }

    /// Distinguishes this key from every other, without being the key.
    pub(crate) fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }
}

impl Verifier<Vec<u8>> for VerifyingKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        if self.verifies(message, signature) {
            Ok(())
        } else {
            Err(Error::new())
        }
    }
}

impl JwtVerifier for VerifyingKey {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// The public key of a client, which comes with a request and is used for that request.
pub(crate) struct ClientPublicKey(ParsedPublicKey);

impl ClientPublicKey {
    /// An RSA key for RS256, within the bounds that hold for the authority's keys.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, Unusable> {
        let modulus = without_leading_zeros(modulus);
        rsa_key(modulus, without_leading_zeros(exponent)).map(Self)
    }

    /// A point of P-256 for ES256; each coordinate has 32 bytes (RFC 7518 section 6.2.1.2).
    pub(crate) fn p256(x: &[u8], y: &[u8]) -> Result<Self, Unusable> {
        if x.len() != 32 || y.len() != 32 {
            return Err(Unusable);
        }
        // SEC 1 section 2.3.3, uncompressed.
        let point = [&[0x04], x, y].concat();
        // The library refuses what is not on the curve.
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        key.map(Self).map_err(|_| Unusable)
    }

    /// Whether this key made the signature: RSASSA-PKCS1-v1_5, or the two numbers of ECDSA.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

/// An RSA key of 2,048 to 8,192 bits, of numbers without leading zeros.
fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Result<ParsedPublicKey, Unusable> {
    let bits = modulus.first().map_or(0, |first| {
        let bits = modulus.len().saturating_mul(8);
        bits.saturating_sub(first.leading_zeros() as usize)
    });
    // The range is enforced by the library too, but only when a signature is verified.
    // An even modulus or exponent is no RSA key; an exponent of 1 signs nothing.
    let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if !(2_048..=8_192).contains(&bits)
        || !odd(modulus)
        || !odd(exponent)
        || exponent == [1]
        || exponent.len() > 8
        || roca::has_fingerprint(modulus)
    {
        return Err(Unusable);
    }
    RsaPublicKeyComponents {
        n: modulus,
        e: exponent,
    }
    .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
    .map_err(|_| Unusable)
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// A secret that turns texts into names that only its holder can make or match (RFC 2104).
#[derive(Clone)]
pub(crate) struct HashKey(hmac::Key);

impl HashKey {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// HMAC-SHA-256 of the parts, each with its length before it, so that none runs into the next.
    pub(crate) fn hash(&self, parts: &[&[u8]]) -> impl AsRef<[u8]> + use<> {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.sign()
    }

    /// Whether that is the HMAC of the parts, in a time that says nothing of either.
    pub(crate) fn verifies(&self, parts: &[&[u8]], mac: &[u8]) -> bool {
        verify_slices_are_equal(self.hash(parts).as_ref(), mac).is_ok()
    }
}

/// A private RSA key that this API proves with who it is.
pub(crate) struct SigningKey(KeyPair);

/// How a signature is padded (RFC 7518 sections 3.3 and 3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// RS256.
    Pkcs1,
    /// PS256.
    Pss,
}

impl SigningKey {
    /// Reads a key in DER, in the form of PKCS#8 or of PKCS#1.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, Unusable> {
        let pair = KeyPair::from_pkcs8(der)
            .or_else(|_| KeyPair::from_der(der))
            .map_err(|_| Unusable)?;
        if pair.public_modulus_len() < 256 {
            return Err(Unusable);
        }
        Ok(Self(pair))
    }

    /// Signs with SHA-256.
    pub(crate) fn sign(&self, padding: Padding, message: &[u8]) -> Result<Vec<u8>, Unusable> {
        let encoding: &'static dyn RsaEncoding = match padding {
            Padding::Pkcs1 => &RSA_PKCS1_SHA256,
            Padding::Pss => &RSA_PSS_SHA256,
        };
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(encoding, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| Unusable)?;
        Ok(signature)
    }

    /// Whether the certificate (DER) holds this key's public half.
    pub(crate) fn belongs_to(&self, certificate: &[u8]) -> bool {
        let public = self.0.public_key().as_ref();
        !public.is_empty()
            && certificate
                .windows(public.len())
                .any(|window| window == public)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(not shown)")
    }
}

/// The SHA-256 of some bytes (FIPS 180-4).
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
        *to = *from;
    }
    hash
}

/// Bytes that cannot be guessed.
pub(crate) fn random() -> Result<[u8; 16], Unusable> {
    let mut bytes = [0; 16];
    fill(&mut bytes).map_err(|_| Unusable)?;
    Ok(bytes)
}
