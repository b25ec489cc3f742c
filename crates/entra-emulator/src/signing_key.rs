//! One RSA key of the emulator: it signs, and shows its public half as Entra would.

use aws_lc_rs::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, digest},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{
        KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
        UnparsedPublicKey,
    },
};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use rcgen::{CertificateParams, DistinguishedName, DnType, SignatureAlgorithm};
use serde_json::{Map, Value, json};

use super::error::EmulatorError;

/// An RSA-2048 key pair with its key id and its self-signed certificate.
pub(super) struct SigningKey {
    pair: KeyPair,
    kid: String,
    x5t: String,
    x5c: String,
    n: String,
    e: String,
}

impl SigningKey {
    /// Makes a key pair from the system's entropy; takes tens of milliseconds.
    pub(super) fn generate() -> Result<Self, EmulatorError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| EmulatorError::KeyPair)?;
        let certificate = certificate(&pair)?;
        let public = pair.public_key().as_ref();
        let components = DEFAULT_PROVIDER
            .key_utils
            .rsa_pub_components_from_public_key;
        let (n, e) = components(public).map_err(|_| EmulatorError::KeyPair)?;
        Ok(Self {
            kid: thumbprint(public),
            x5t: thumbprint(&certificate),
            x5c: STANDARD.encode_to_string(&certificate),
            n: URL_SAFE_NO_PAD.encode_to_string(n),
            e: URL_SAFE_NO_PAD.encode_to_string(e),
            pair,
        })
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn x5t(&self) -> &str {
        &self.x5t
    }

    /// The public half, with the members Entra gives a key. Entra's keys have no `alg`.
    pub(super) fn jwk(&self) -> Map<String, Value> {
        let members = [
            ("kty", json!("RSA")),
            ("use", json!("sig")),
            ("kid", json!(self.kid)),
            ("x5t", json!(self.x5t)),
            ("n", json!(self.n)),
            ("e", json!(self.e)),
            ("x5c", json!([self.x5c])),
        ];
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Signs with the RSA algorithm of that JOSE name, with RS256 under any other name.
    pub(super) fn sign(&self, algorithm: &str, input: &[u8]) -> Result<Vec<u8>, EmulatorError> {
        let encoding: &'static dyn RsaEncoding = match algorithm {
            "RS384" => &RSA_PKCS1_SHA384,
            "RS512" => &RSA_PKCS1_SHA512,
            "PS256" => &RSA_PSS_SHA256,
            "PS384" => &RSA_PSS_SHA384,
            "PS512" => &RSA_PSS_SHA512,
            _ => &RSA_PKCS1_SHA256,
        };
        sign(&self.pair, encoding, input)
    }

    /// Whether this key made that RS256 signature.
    pub(super) fn verifies(&self, input: &[u8], signature: &[u8]) -> bool {
        let public = self.pair.public_key().as_ref();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .verify(input, signature)
            .is_ok()
    }
}

fn sign(
    pair: &KeyPair,
    encoding: &'static dyn RsaEncoding,
    input: &[u8],
) -> Result<Vec<u8>, EmulatorError> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), input, &mut signature)
        .map_err(|_| EmulatorError::Signature)?;
    Ok(signature)
}

// RFC 7515 §4.1.7: base64url of the SHA-1. It names a key and protects nothing.
fn thumbprint(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(digest(&SHA1_FOR_LEGACY_USE_ONLY, der))
}

fn certificate(pair: &KeyPair) -> Result<Vec<u8>, EmulatorError> {
    let mut name = DistinguishedName::new();
    name.push(
        DnType::CommonName,
        "emulator of accounts.accesscontrol.windows.net",
    );
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    let certificate = params
        .self_signed(&CertificateSigner(pair))
        .map_err(|error| EmulatorError::Certificate(error.into()))?;
    Ok(certificate.der().to_vec())
}

/// Lets the certificate be signed without the private key leaving its pair.
struct CertificateSigner<'k>(&'k KeyPair);

impl rcgen::PublicKeyData for CertificateSigner<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for CertificateSigner<'_> {
    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        sign(self.0, &RSA_PKCS1_SHA256, input).map_err(|_| rcgen::Error::RingUnspecified)
    }
}
