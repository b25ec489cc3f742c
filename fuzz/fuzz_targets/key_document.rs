//! Key documents: a set is never empty, and never has more keys than the document.
#![no_main]

use axum_entra::__fuzz::keys;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    if let Some(count) = keys(data) {
        let document: Value = serde_json::from_slice(data).expect("what was read is JSON");
        let listed = document["keys"].as_array().expect("a list of keys").len();
        assert!((1..=listed).contains(&count), "{count} of {listed}");
        // A private key in the document is a mistake that must not be used.
        let usable =
            |key: &&Value| key["kty"] == "RSA" && key["kid"].is_string() && key.get("d").is_none();
        let most = document["keys"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(usable)
            .count();
        assert!(count <= most, "{count} of {most}");
    }
});
