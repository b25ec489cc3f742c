//! Challenges: whatever goes in, a strict reader finds `Bearer` and those parameters, and no more.
#![no_main]

use axum_entra::__fuzz::challenge;
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/properties/challenge_reader.rs"]
mod challenge_reader;

const NAMES: [&str; 6] = [
    "error",
    "scope",
    "claims",
    "authorization_uri",
    "resource_metadata",
    "realm",
];

fuzz_target!(|data: &str| {
    let parameters: Vec<(&str, &str)> = NAMES.into_iter().zip(data.split('\u{1e}')).collect();
    let header = challenge(&parameters);
    let text = header.to_str().expect("ASCII");
    let read = challenge_reader::read(text).expect("a challenge that can be read");
    assert_eq!(read.scheme, "Bearer");
    let plain = |value: &str| {
        value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
    };
    let expected: Vec<(String, String)> = parameters
        .into_iter()
        .filter(|(_, value)| plain(value))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(read.parameters, expected);
});
