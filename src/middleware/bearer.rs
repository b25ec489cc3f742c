//! The `Authorization` header (RFC 6750 section 2.1).

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What the header holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Credentials<'r> {
    /// No header, or an empty one.
    None,
    /// Another scheme.
    Other(OtherScheme<'r>),
    /// One token, of which nothing is known.
    Token(BearerCredential<'r>),
    /// A bearer token that is none, or two headers.
    Malformed,
}

/// A scheme other than `Bearer`, and what follows it.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) struct OtherScheme<'r> {
    name: &'r [u8],
    rest: &'r [u8],
}

impl<'r> OtherScheme<'r> {
    /// Whether it is this one; schemes have no letter case (RFC 9110 section 11.1).
    pub(super) fn is(self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// What follows exactly one space, as for `Bearer`.
    pub(super) fn credential(self) -> Option<BearerCredential<'r>> {
        let token = self.rest.strip_prefix(b" ")?;
        (!token.is_empty()).then_some(BearerCredential(token))
    }
}

/// What stands where a token belongs.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) struct BearerCredential<'r>(&'r [u8]);

/// Reads the one header there may be. Tokens in the query or the body are not looked for.
#[inline]
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
    // As nearly everybody writes it; what follows says the same of every spelling.
    if let Some(token) = bytes.strip_prefix(b"Bearer ")
        && !token.is_empty()
    {
        return Credentials::Token(BearerCredential(token));
    }
    let scheme = bytes
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t'))
        .unwrap_or(bytes.len());
    let (scheme, rest) = bytes.split_at(scheme);
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return match bytes {
            [] => Credentials::None,
            _ => Credentials::Other(OtherScheme { name: scheme, rest }),
        };
    }
    // Exactly one space: RFC 9110 section 11.4 has one, and a tab is none.
    match rest.strip_prefix(b" ") {
        Some(token) if !token.is_empty() => Credentials::Token(BearerCredential(token)),
        _ => Credentials::Malformed,
    }
}

impl<'r> BearerCredential<'r> {
    /// To be compared with tokens that are known, whose alphabet was looked at once.
    pub(super) const fn as_bytes(self) -> &'r [u8] {
        self.0
    }

    /// `b64token`: letters, digits and `-._~+/`, then optional `=`. `None` if it is anything else.
    pub(super) fn token(self) -> Option<&'r str> {
        let padding = self
            .0
            .iter()
            .rev()
            .take_while(|byte| **byte == b'=')
            .count();
        let (body, _) = self
            .0
            .split_at_checked(self.0.len().checked_sub(padding)?)?;
        if body.is_empty() || !is_in_alphabet(body) {
            return None;
        }
        std::str::from_utf8(self.0).ok()
    }
}

/// Without a branch or a table for a byte, so that sixteen are looked at together.
fn is_in_alphabet(bytes: &[u8]) -> bool {
    let good = |byte: u8| {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        // `-./0123456789`, which stand beside each other in ASCII.
        let digit = byte.wrapping_sub(b'-') < 13;
        letter | digit | (byte == b'_') | (byte == b'~') | (byte == b'+')
    };
    bytes.iter().fold(true, |all, byte| all & good(*byte))
}

#[cfg(test)]
mod every_header;

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
            Credentials::None | Credentials::Other(_) => "none".into(),
            Credentials::Malformed => "malformed".into(),
            Credentials::Token(presented) => match presented.token() {
                Some(token) => format!("token {token}"),
                None => "malformed".into(),
            },
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

    #[test]
    fn the_alphabet_is_that_of_rfc_6750() {
        for byte in 0..=u8::MAX {
            let good = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(is_in_alphabet(&[b'a', byte, b'z']), good, "{byte}");
        }
    }
}
