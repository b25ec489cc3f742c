//! Payloads: whatever has the right form is JSON to every other reader too, and says the same.
#![no_main]

use axum_entra::__fuzz::payload_issuer;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Some(issuer) = payload_issuer(data) else {
        return;
    };
    let text = std::str::from_utf8(data).expect("a payload is UTF-8");
    // Numbers beyond every range are well-formed; this reader does not keep them.
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let object = value.as_object().expect("a payload is an object");
    assert_eq!(issuer.as_deref(), object.get("iss").and_then(Value::as_str));
});
