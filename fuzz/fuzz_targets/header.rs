//! `Authorization`: a token that is read is in the header, in RFC 6750's alphabet, and alone.
#![no_main]

use axum_entra::__fuzz::bearer_token;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // A line break begins another header.
    let headers: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let sendable = headers
        .iter()
        .filter(|value| http::HeaderValue::from_bytes(value).is_ok())
        .count();
    if let Ok(Some(token)) = bearer_token(&headers) {
        assert_eq!(sendable, 1, "one of several headers was taken");
        assert!(!token.is_empty());
        let body = token.trim_end_matches('=');
        assert!(!body.is_empty());
        assert!(
            body.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
        );
        let whole = headers
            .iter()
            .find(|value| http::HeaderValue::from_bytes(value).is_ok())
            .expect("there is one");
        let (scheme, rest) = whole.split_at(7);
        assert!(scheme.eq_ignore_ascii_case(b"bearer "));
        assert_eq!(rest, token.as_bytes());
    }
});
