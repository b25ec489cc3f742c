//! Encrypted access tokens, decrypted by another way than they were made.

use aws_lc_rs::rsa::{KeyPair, KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::OAEP_SHA256_MGF1SHA256,
};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::{EmulatorError, TokenEncryption, sample_api};

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode_to_string(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn pair() -> (PrivateDecryptingKey, String) {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let public: PublicKeyX509Der<'_> = private.public_key().as_der().unwrap();
    let pem = pem("PUBLIC KEY", public.as_ref());
    (private, pem)
}

#[tokio::test]
async fn a_token_is_encrypted_to_the_key_of_its_api_with_either_builder() {
    let (private, public) = pair();
    let encryption = TokenEncryption::to(&public).unwrap();
    let encryption = encryption
        .algorithms("RSA-OAEP-256", "A256GCM")
        .header("kid", "k");
    let emulator = Emulator::builder()
        .app(sample_api().with_token_encryption(encryption.clone()))
        .start()
        .await
        .unwrap();
    let plain = Emulator::start().await.unwrap();
    for token in [
        emulator.token().mint(),
        plain.token().encrypted(encryption.clone()).mint(),
    ] {
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(parts.len(), 5);
        let header = part(&token, 0);
        assert_eq!(
            (&header["cty"], &header["kid"]),
            (&json!("JWT"), &json!("k"))
        );
        let [_, key, vector, ciphertext, tag] = parts
            .iter()
            .map(|part| URL_SAFE_NO_PAD.decode_to_vec(part).unwrap_or_default())
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        let decrypting = OaepPrivateDecryptingKey::new(private.clone()).unwrap();
        let mut room = [0; 256];
        let content_key = decrypting
            .decrypt(&OAEP_SHA256_MGF1SHA256, &key, &mut room, None)
            .unwrap();
        let content_key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, content_key).unwrap());
        let mut content = [ciphertext, tag].concat();
        let nonce = Nonce::try_assume_unique_for_key(&vector).unwrap();
        let content = content_key
            .open_in_place(nonce, Aad::from(parts[0]), &mut content)
            .unwrap();
        let inner = String::from_utf8(content.to_vec()).unwrap();
        assert_eq!(claims(&inner)["aud"], API_ID);
    }
    // ID tokens are for the client, and other APIs have no key.
    assert_eq!(emulator.token().id_token().mint().split('.').count(), 3);
    assert_eq!(
        emulator
            .token()
            .audience("another")
            .mint()
            .split('.')
            .count(),
        3
    );
}

#[test]
fn a_certificate_gives_its_key_and_its_names() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::default()
        .self_signed(&key)
        .unwrap();
    let text = pem("CERTIFICATE", certificate.der());
    let token = TokenEncryption::to(&text)
        .unwrap()
        .encrypt("a.b.c")
        .unwrap();
    let header = part(&token, 0);
    let kid = header["kid"].as_str().unwrap();
    assert!(
        kid.len() == 40 && kid.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{kid}"
    );
    assert_eq!(header["x5t"].as_str().unwrap().len(), 27);
    assert_eq!(header["enc"], "A256CBC-HS512");
}

#[test]
fn what_is_no_public_rsa_key_is_an_error() {
    let ec = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::default()
        .self_signed(&ec)
        .unwrap();
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    for text in [
        String::new(),
        pem("CERTIFICATE", certificate.der()),
        pem("CERTIFICATE", b"\x30\x82"),
        pem("PUBLIC KEY", &[0; 40]),
        // A private key is none of the authority's affairs.
        pem("PRIVATE KEY", private.as_ref()),
    ] {
        let found = TokenEncryption::to(&text);
        assert!(matches!(found, Err(EmulatorError::EncryptionKey)), "{text}");
    }
}
