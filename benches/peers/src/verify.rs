//! The lower end of the scale of a token never seen: its signature alone, by a prepared key.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use crate::tokens::Authority;

pub struct Verify(ParsedPublicKey);

impl Verify {
    pub fn new(authority: &Authority) -> Self {
        let keys = authority.jwks["keys"].as_array().expect("keys");
        let key = keys.last().expect("six");
        let number = |name: &str| decode(key[name].as_str().expect("a number"));
        let (n, e) = (number("n"), number("e"));
        let key = RsaPublicKeyComponents { n: &n, e: &e };
        Self(
            key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
                .expect("a key"),
        )
    }

    pub fn verify(&self, signed: &str, signature: &[u8]) -> bool {
        self.0.verify_sig(signed.as_bytes(), signature).is_ok()
    }
}

/// What is signed, and the signature, decoded beforehand.
pub fn split(token: &str) -> (String, Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    (signed.to_owned(), decode(signature))
}

fn decode(text: &str) -> Vec<u8> {
    base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(text)
        .expect("base64url")
}
