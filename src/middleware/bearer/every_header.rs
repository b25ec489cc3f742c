//! Every short header, by a reader that was written from RFC 6750 section 2.1 only.

use http::HeaderValue;

use super::*;

/// What a value is: none, another scheme, malformed, or a token.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    None,
    Other,
    Malformed,
    Token(String),
}

/// `"Bearer" 1*SP b64token`, of which one space is taken here; `b64token` is
/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn by_the_grammar(value: &[u8]) -> Read {
    if value.is_empty() {
        return Read::None;
    }
    let mut letters = value.iter().copied();
    let mut scheme = Vec::new();
    let mut separator = None;
    for letter in letters.by_ref() {
        if letter == b' ' || letter == b'\t' {
            separator = Some(letter);
            break;
        }
        scheme.push(letter.to_ascii_lowercase());
    }
    if scheme != b"bearer" {
        return Read::Other;
    }
    if separator != Some(b' ') {
        return Read::Malformed;
    }
    let token: Vec<u8> = letters.collect();
    let mut place = 0;
    while place < token.len()
        && (token[place].is_ascii_alphanumeric() || b"-._~+/".contains(&token[place]))
    {
        place += 1;
    }
    let body = place;
    while place < token.len() && token[place] == b'=' {
        place += 1;
    }
    match body > 0 && place == token.len() {
        true => Read::Token(String::from_utf8(token).unwrap()),
        false => Read::Malformed,
    }
}

fn read(value: &HeaderValue) -> Read {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, value.clone());
    match credentials(&headers) {
        Credentials::None => Read::None,
        Credentials::Other(_) => Read::Other,
        Credentials::Malformed => Read::Malformed,
        Credentials::Token(presented) => match presented.token() {
            Some(token) => Read::Token(token.to_owned()),
            None => Read::Malformed,
        },
    }
}

#[test]
fn every_short_header_is_read_as_the_grammar_says() {
    let letters = *b" \ta=.~\"\x80";
    let mut tokens = 0_u32;
    for scheme in [
        "", "Bearer", "bEARER", "Beare", "Bearerx", "Basic", " Bearer", "Bearer\t",
    ] {
        for length in 0..=5_u32 {
            for number in 0..8_u32.pow(length) {
                let rest = (0..length).map(|place| letters[(number >> (3 * place)) as usize & 7]);
                let value: Vec<u8> = scheme.bytes().chain(rest).collect();
                let expected = by_the_grammar(&value);
                tokens += u32::from(matches!(expected, Read::Token(_)));
                let value = HeaderValue::from_bytes(&value).unwrap();
                assert_eq!(read(&value), expected, "{value:?}");
            }
        }
    }
    assert_eq!(tokens, 348);
}

#[test]
fn every_byte_is_in_the_alphabet_or_not_at_every_place() {
    for byte in 0..=u8::MAX {
        let good = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        for length in 1..=40 {
            for place in 0..length {
                let mut token = vec![b'a'; length];
                token[place] = byte;
                // Behind the alphabet, `=` is padding.
                let padding = byte == b'=' && place + 1 == length && length > 1;
                let found = BearerCredential(&token).token().is_some();
                assert_eq!(found, good || padding, "{byte} at {place} of {length}");
            }
        }
    }
}

#[test]
fn every_pair_of_bytes_is_a_token_or_not() {
    for first in 0..=u8::MAX {
        for second in 0..=u8::MAX {
            let value = [&b"Bearer "[..], &[first, second]].concat();
            let expected = by_the_grammar(&value);
            let found = match BearerCredential(&[first, second]).token() {
                Some(token) => Read::Token(token.to_owned()),
                None => Read::Malformed,
            };
            assert_eq!(found, expected, "{first} {second}");
        }
    }
}
