//! Encrypted tokens made by the tests, right and wrong in every part.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rand::fill;
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA512_MGF1SHA512,
    OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey, PublicKeyComponents,
};
use aws_lc_rs::signature::KeyPair as _;
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

pub(crate) const KEY_ENCRYPTIONS: [&str; 2] = ["RSA-OAEP", "RSA-OAEP-256"];
pub(crate) const ENCRYPTIONS: [&str; 4] = ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"];

/// The API's key pair: the tests encrypt to it, the API decrypts with it.
pub(crate) struct Recipient {
    private: Vec<u8>,
    public: OaepPublicEncryptingKey,
    pub(crate) modulus: Vec<u8>,
}

impl Recipient {
    pub(crate) fn new() -> Self {
        let private: Pkcs8V1Der<'_> = PrivateDecryptingKey::generate(KeySize::Rsa2048)
            .unwrap()
            .as_der()
            .unwrap();
        Self::from_pkcs8(private.as_ref())
    }

    pub(crate) fn from_pkcs8(der: &[u8]) -> Self {
        let pair = KeyPair::from_pkcs8(der).unwrap();
        let public = pair.public_key();
        let modulus = public.modulus().big_endian_without_leading_zero().to_vec();
        let components = PublicKeyComponents {
            n: modulus.clone(),
            e: public.exponent().big_endian_without_leading_zero().to_vec(),
        };
        Self {
            private: der.to_vec(),
            public: OaepPublicEncryptingKey::new(components.try_into().unwrap()).unwrap(),
            modulus,
        }
    }

    /// The private key of a PEM text.
    pub(crate) fn from_pem(pem: &str) -> Self {
        let body = pem.split("-----BEGIN PRIVATE KEY-----").nth(1).unwrap();
        let body = body.split("-----END").next().unwrap();
        let base64: String = body.split_whitespace().collect();
        Self::from_pkcs8(&STANDARD.decode_to_vec(base64).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode_to_string(&self.private)
        )
    }

    /// The private key as the crypto library has it.
    pub(crate) fn decrypting(&self) -> OaepPrivateDecryptingKey {
        let key = PrivateDecryptingKey::from_pkcs8(&self.private).unwrap();
        OaepPrivateDecryptingKey::new(key).unwrap()
    }

    /// OAEP as `alg` says it; a name of no algorithm is OAEP with SHA-512.
    pub(crate) fn encrypt(&self, alg: &str, content_key: &[u8], label: Option<&[u8]>) -> Vec<u8> {
        let algorithm = match alg {
            "RSA-OAEP" => &OAEP_SHA1_MGF1SHA1,
            "RSA-OAEP-256" => &OAEP_SHA256_MGF1SHA256,
            _ => &OAEP_SHA512_MGF1SHA512,
        };
        let mut room = vec![0; self.modulus.len()];
        let encrypted = self
            .public
            .encrypt(algorithm, content_key, &mut room, label);
        encrypted.unwrap().to_vec()
    }
}

/// The five parts, not encoded yet.
#[derive(Debug, Clone)]
pub(crate) struct Jwe {
    pub(crate) header: String,
    pub(crate) encrypted_key: Vec<u8>,
    pub(crate) vector: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

impl Jwe {
    pub(crate) fn compact(&self) -> String {
        [
            self.header.as_bytes(),
            &self.encrypted_key,
            &self.vector,
            &self.ciphertext,
            &self.tag,
        ]
        .map(|part| URL_SAFE_NO_PAD.encode_to_string(part))
        .join(".")
    }
}

/// The header of a token that is accepted.
pub(crate) fn header(alg: &str, enc: &str) -> Map<String, Value> {
    let header = json!({ "alg": alg, "enc": enc, "cty": "JWT", "typ": "JWT" });
    header.as_object().unwrap().clone()
}

/// Encrypts content to a key, as the two names say.
pub(crate) fn sealed(to: &Recipient, alg: &str, enc: &str, content: &[u8]) -> Jwe {
    sealed_with(to, alg, enc, &header(alg, enc), content)
}

/// The same below another header; the two names still say how.
pub(crate) fn sealed_with(
    to: &Recipient,
    alg: &str,
    enc: &str,
    header: &Map<String, Value>,
    content: &[u8],
) -> Jwe {
    let content_key = random(key_length(enc));
    let encrypted_key = to.encrypt(alg, &content_key, None);
    sealed_by(
        &content_key,
        encrypted_key,
        enc,
        Value::from(header.clone()).to_string(),
        content,
    )
}

/// The same with a given content key, whatever the encrypted key holds.
pub(crate) fn sealed_by(
    content_key: &[u8],
    encrypted_key: Vec<u8>,
    enc: &str,
    header: String,
    content: &[u8],
) -> Jwe {
    let authenticated = URL_SAFE_NO_PAD.encode_to_string(&header);
    let (vector, ciphertext, tag) = match enc {
        "A128GCM" | "A256GCM" => gcm(content_key, &authenticated, content),
        _ => cbc(content_key, &authenticated, content),
    };
    Jwe {
        header,
        encrypted_key,
        vector,
        ciphertext,
        tag,
    }
}

pub(crate) fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fill(&mut bytes).unwrap();
    bytes
}

pub(crate) fn key_length(enc: &str) -> usize {
    match enc {
        "A128GCM" => 16,
        "A256CBC-HS512" => 64,
        _ => 32,
    }
}

fn gcm(key: &[u8], authenticated: &str, content: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let algorithm = if key.len() == 16 {
        &AES_128_GCM
    } else {
        &AES_256_GCM
    };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap());
    let vector = random(12);
    let mut sealed = content.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(&vector).unwrap();
    key.seal_in_place_append_tag(nonce, Aad::from(authenticated), &mut sealed)
        .unwrap();
    let tag = sealed.split_off(sealed.len() - 16);
    (vector, sealed, tag)
}

fn cbc(key: &[u8], authenticated: &str, content: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let (mac_key, cipher_key) = key.split_at(key.len() / 2);
    let (hash, cipher) = match key.len() {
        32 => (hmac::HMAC_SHA256, &AES_128),
        _ => (hmac::HMAC_SHA512, &AES_256),
    };
    let vector: [u8; 16] = random(16).try_into().unwrap();
    let mut sealed = content.to_vec();
    let cipher =
        PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(cipher, cipher_key).unwrap());
    cipher
        .unwrap()
        .less_safe_encrypt(
            &mut sealed,
            EncryptionContext::Iv128(FixedLength::from(vector)),
        )
        .unwrap();
    let bits = (authenticated.len() as u64 * 8).to_be_bytes();
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hash, mac_key));
    for part in [authenticated.as_bytes(), &vector, &sealed, &bits] {
        mac.update(part);
    }
    let tag = mac.sign().as_ref()[..mac_key.len()].to_vec();
    (vector.to_vec(), sealed, tag)
}
