//! The `Authorization` header (RFC 6750 section 2.1).

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What the header holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Credentials<'r> {
    /// No header, an empty one, or another scheme.
    None,
    /// One token, in the alphabet of RFC 6750.
    Token(&'r str),
    /// A bearer token that is none, or two headers.
    Malformed,
}

/// Reads the one header there may be. Tokens in the query or the body are not looked for.
pub(super) fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Credentials::None;
    };
    // Two credentials leave two readings of who is asking.
    if values.next().is_some() {
        return Credentials::Malformed;
    }
    let bytes = value.as_bytes();
    let scheme = bytes
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t'))
        .unwrap_or(bytes.len());
    let (scheme, rest) = bytes.split_at(scheme);
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Credentials::None;
    }
    // Exactly one space: RFC 9110 section 11.4 has one, and a tab is none.
    match rest.strip_prefix(b" ").and_then(token) {
        Some(token) => Credentials::Token(token),
        None => Credentials::Malformed,
    }
}

/// `b64token`: letters, digits and `-._~+/`, then perhaps `=`.
fn token(bytes: &[u8]) -> Option<&str> {
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    let (body, _) = bytes.split_at_checked(bytes.len().checked_sub(padding)?)?;
    let good = |byte: &u8| ALPHABET.get(usize::from(*byte)).copied().unwrap_or(false);
    if body.is_empty() || !body.iter().all(good) {
        return None;
    }
    std::str::from_utf8(bytes).ok()
}

const ALPHABET: [bool; 256] = {
    let mut alphabet = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let text = byte as u8;
        #[expect(
            clippy::indexing_slicing,
            reason = "a constant, checked when it is compiled"
        )]
        {
            alphabet[byte] = text.is_ascii_alphanumeric()
                || matches!(text, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
        }
        byte += 1;
    }
    alphabet
};

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        match credentials(&headers) {
            Credentials::None => "none".into(),
            Credentials::Malformed => "malformed".into(),
            Credentials::Token(token) => format!("token {token}"),
        }
    }

    #[test]
    fn one_bearer_token_is_read_in_any_letter_case_of_the_scheme() {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            assert_eq!(
                read(&[format!("{scheme} a.b-_~+/c==").as_bytes()]),
                "token a.b-_~+/c=="
            );
        }
    }

    #[test]
    fn another_scheme_is_no_credentials() {
        for none in [
            &b""[..],
            b"Basic QTpC",
            b"Bearerx y",
            b"Negotiate",
            b"DPoP a",
            b"\xff a",
        ] {
            assert_eq!(read(&[none]), "none", "{none:?}");
        }
        assert_eq!(read(&[]), "none");
    }

    #[test]
    fn a_bearer_header_that_is_not_one_token_is_malformed() {
        for bad in [
            &b"Bearer"[..],
            b"Bearer ",
            b"Bearer  a",
            b"Bearer\ta",
            b"Bearer \ta",
            b"Bearer a b",
            b"Bearer a\tb",
            b"Bearer a=b",
            b"Bearer =",
            b"Bearer ==",
            b"Bearer a,b",
            b"Bearer \"a\"",
            b"Bearer a\xffb",
            b"Bearer a;b",
            b"Bearer a.b.c ",
            b"Bearer a, Bearer b",
            b"Bearer a%20b",
        ] {
            assert_eq!(read(&[bad]), "malformed", "{bad:?}");
        }
        assert_eq!(read(&[b"Bearer a", b"Bearer a"]), "malformed");
        assert_eq!(read(&[b"Basic a", b"Bearer a"]), "malformed");
        assert_eq!(read(&[b"", b"Bearer a"]), "malformed");
    }
}
