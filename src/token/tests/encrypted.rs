//! Encrypted tokens below the pipeline: the RFCs' examples, decrypted.

use serde_json::Value;

use crate::jwks::{ContentEncryption, DecryptingKey, KeyEncryption};
use crate::key_file::KeyFile;

const RFC: &str = include_str!("../../../tests/vectors/jwe/rfc.json");

/// RFC 7516 A.1, RFC 7520 5.2 and 6. Those without `cty` are no access tokens, so their parts are
/// decrypted here; `tests/encrypted/vectors.rs` sends them through the whole pipeline.
#[test]
fn the_examples_of_the_rfcs_decrypt_to_their_plaintext() {
    let rfc: Value = serde_json::from_str(RFC).unwrap();
    let decode = |text: &str| base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap();
    let mut examples = 0;
    for example in rfc["decrypts"].as_array().unwrap() {
        let pem = rfc["keys"][example["key"].as_str().unwrap()]
            .as_str()
            .unwrap();
        let file = KeyFile::read(pem.as_bytes(), None).unwrap();
        let key = DecryptingKey::from_der(&file.private_keys[0]).unwrap();
        let parts: Vec<&str> = example["token"].as_str().unwrap().split('.').collect();
        let [protected, encrypted, vector, ciphertext, tag] = parts[..] else {
            panic!("five parts")
        };
        let header: Value = serde_json::from_slice(&decode(protected)).unwrap();
        assert_eq!(header["alg"], "RSA-OAEP");
        let encryption = match header["enc"].as_str().unwrap() {
            "A128GCM" => ContentEncryption::A128Gcm,
            _ => ContentEncryption::A256Gcm,
        };
        let content_key = key.content_key(KeyEncryption::RsaOaep, encryption, &decode(encrypted));
        let open = |tag: &[u8]| {
            let content_key = content_key.as_ref().unwrap();
            content_key.open(
                &decode(vector),
                &decode(ciphertext),
                tag,
                protected.as_bytes(),
            )
        };
        let tag = decode(tag);
        let plaintext = decode(example["plaintext"].as_str().unwrap());
        assert_eq!(*open(&tag).unwrap(), plaintext, "{}", example["name"]);
        assert!(open(&tag[..12]).is_err());
        examples += 1;
    }
    assert_eq!(examples, 3);
}
