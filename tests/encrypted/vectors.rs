//! Examples of the RFCs and of others, through the whole pipeline.

use axum_entra::TokenDecryptionKey;
use serde_json::Value;

use crate::jwe::{Recipient, sealed};
use crate::world::{outcome, plain, signed};

const RFC: &str = include_str!("../vectors/jwe/rfc.json");

/// The examples are no access tokens: the one that is a nested JWT is decrypted and refused for its
/// inner algorithm, those without `cty` are refused for their header, and all other ways of
/// encrypting the key are refused, too. Decryption itself is shown in `src/token/tests/encrypted.rs`.
#[tokio::test]
async fn the_examples_of_the_rfcs_get_as_far_as_they_should() {
    let rfc: Value = serde_json::from_str(RFC).unwrap();
    let entra = |key: &str| {
        let pem = rfc["keys"][key].as_str().unwrap();
        let builder = plain().token_decryption_key(TokenDecryptionKey::bytes(pem));
        builder.build().unwrap()
    };
    let mut refused = 0;
    for example in rfc["decrypts"].as_array().unwrap() {
        let entra = entra(example["key"].as_str().unwrap());
        let token = example["token"].as_str().unwrap();
        let expected = match example["refused_because"].is_null() {
            // PS256 inside.
            true => "algorithm",
            false => "decryption",
        };
        assert_eq!(outcome(&entra, token), expected, "{}", example["name"]);
    }
    for example in rfc["refused"].as_array().unwrap() {
        let token = example["token"].as_str().unwrap();
        // Direct encryption has an empty part, but its header is refused before that.
        let reason = outcome(&entra("samwise"), token);
        assert_eq!(reason, "decryption", "{}", example["name"]);
        refused += 1;
    }
    assert_eq!(refused, 8);
}

/// Of Wycheproof's encrypted messages (AES and elliptic curves) none is accepted.
#[tokio::test]
async fn of_wycheproofs_34_encrypted_messages_none_is_accepted() {
    let folder = std::env::var_os("AXUM_ENTRA_VECTORS").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"),
        std::path::PathBuf::from,
    );
    let Ok(text) = std::fs::read(folder.join("wycheproof/json_web_crypto_test.json")) else {
        println!("skipped: shared vectors not found");
        return;
    };
    let file: Value = serde_json::from_slice(&text).unwrap();
    let own = Recipient::new();
    let entra = crate::world::decrypting(&[&own]);
    let mut cases = 0;
    for group in file["testGroups"].as_array().unwrap() {
        if !group["comment"].as_str().unwrap().starts_with("jwe_") {
            continue;
        }
        for case in group["tests"].as_array().unwrap() {
            let token = case["jwe"].as_str().unwrap_or_default();
            let reason = outcome(&entra, token);
            assert!(["decryption", "malformed"].contains(&reason), "{reason}");
            cases += 1;
        }
    }
    assert_eq!(cases, 34);
    let good = sealed(&own, "RSA-OAEP", "A128GCM", signed().as_bytes());
    assert_eq!(outcome(&entra, &good.compact()), "in");
}
