//! A decryption with the fault that the measurement of time is to find: it ends when the key fails,
//! and never looks at the content.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey};
use base64_simd::URL_SAFE_NO_PAD;

use crate::jwe::key_length;

/// Whether a token is decrypted: the key by RSA-OAEP, then the content, or its authentication at least.
pub(crate) fn opens(private: &OaepPrivateDecryptingKey, enc: &str, token: &str) -> bool {
    let parts: Vec<_> = token.split('.').collect();
    let [key, vector, mut content, tag] =
        [1, 2, 3, 4].map(|place: usize| URL_SAFE_NO_PAD.decode_to_vec(parts[place]).unwrap());
    let mut room = vec![0; 256];
    let Ok(content_key) = private.decrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut room, None) else {
        return false;
    };
    if content_key.len() != key_length(enc) {
        return false;
    }
    let authenticated = parts[0].as_bytes();
    let hash = match enc {
        "A128CBC-HS256" => hmac::HMAC_SHA256,
        "A256CBC-HS512" => hmac::HMAC_SHA512,
        _ => {
            let algorithm = match content_key.len() {
                16 => &AES_128_GCM,
                _ => &AES_256_GCM,
            };
            let key = LessSafeKey::new(UnboundKey::new(algorithm, content_key).unwrap());
            let nonce = Nonce::try_assume_unique_for_key(&vector).unwrap();
            content.extend(tag);
            return key
                .open_in_place(nonce, Aad::from(authenticated), &mut content)
                .is_ok();
        }
    };
    let (of_mac, _) = content_key.split_at(content_key.len() / 2);
    let bits = (authenticated.len() as u64 * 8).to_be_bytes();
    let signed = [authenticated, &vector, &content, &bits].concat();
    let mac = hmac::sign(&hmac::Key::new(hash, of_mac), &signed);
    mac.as_ref()[..tag.len()] == tag
}

/// It does what it is said to do, but for the fault.
#[test]
fn it_opens_what_is_good_and_nothing_else() {
    let own = crate::jwe::Recipient::new();
    let private = own.decrypting();
    for enc in crate::jwe::ENCRYPTIONS {
        let good = crate::jwe::sealed(&own, "RSA-OAEP", enc, b"content");
        assert!(opens(&private, enc, &good.compact()), "{enc}");
        let (mut content, mut key) = (good.clone(), good);
        content.tag[3] ^= 1;
        key.encrypted_key[3] ^= 1;
        for wrong in [content, key] {
            assert!(!opens(&private, enc, &wrong.compact()), "{enc}");
        }
    }
}
