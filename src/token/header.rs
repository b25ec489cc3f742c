//! The JOSE header (RFC 7515 section 4), member by member.

use std::borrow::Cow;

use crate::claims::raw::{Malformed, RawClaims};
use crate::claims::scan::{Kind, Scanned, Scanner};

use super::invalid_token::InvalidToken;

/// The header, of which nothing is proven yet.
#[derive(Debug)]
pub(crate) struct Header<'h> {
    is_rs256: bool,
    kid: Option<Cow<'h, str>>,
    /// What its `typ` says; `None` for a `typ` of something else.
    kind: Option<TokenKind>,
    critical: bool,
    /// Encrypted, compressed or nested.
    wrapped: bool,
    has_nonce: bool,
    nonce: Option<Cow<'h, str>>,
}

/// What a token is meant to be, which its `typ` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Access,
    /// OpenID Connect Back-Channel Logout 1.0 section 2.4.
    Logout,
    /// RFC 8417 section 2.3.
    SecurityEvent,
}

impl TokenKind {
    /// The kind that has this `typ` (RFC 7515 section 4.1.9).
    fn of(typ: &str) -> Option<Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(typ);
        // RFC 9068 section 4.
        if is("JWT") || is("at+jwt") || is("application/at+jwt") {
            Some(Self::Access)
        } else if is("logout+jwt") || is("application/logout+jwt") {
            Some(Self::Logout)
        } else if is("secevent+jwt") || is("application/secevent+jwt") {
            Some(Self::SecurityEvent)
        } else {
            None
        }
    }
}

/// More members than a header of Entra's has.
const FEW: usize = 8;

impl<'h> Header<'h> {
    /// Reads the form: one JSON object, every member once, strings where strings belong.
    pub(crate) fn read(json: &'h [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(json).map_err(|_| Malformed)?;
        let mut header = Self {
            is_rs256: false,
            kid: None,
            // An access token need not have a `typ`; another kind must, or one could be passed
            // off as the other.
            kind: Some(TokenKind::Access),
            critical: false,
            wrapped: false,
            has_nonce: false,
            nonce: None,
        };
        let mut names = [""; FEW];
        let mut count = 0_usize;
        let mut has_algorithm = false;
        Scanner::object(text, |name, value| {
            // `RawClaims` has the rules for names that are odd, or very many.
            let odd = name.kind != Kind::Plain
                || matches!(value.kind, Kind::Nested | Kind::Escaped)
                || count >= FEW;
            let name = name.string(text)?;
            has_algorithm |= header.member(&name, value, text)?;
            if let Cow::Borrowed(name) = name
                && let Some(place) = names.get_mut(count)
            {
                *place = name;
            }
            count = if odd {
                FEW.saturating_add(1)
            } else {
                count.saturating_add(1)
            };
            Ok(())
        })?;
        let twice = |(place, name): (usize, &&str)| {
            let before = names.iter().take(place);
            let mut before = before.filter(|earlier| earlier.len() == name.len());
            before.any(|earlier| earlier.eq_ignore_ascii_case(name))
        };
        // Also where two names differ only in letter case: that may be right, and is rare.
        if count > FEW || names.iter().take(count).enumerate().any(twice) {
            RawClaims::parse(json)?;
        }
        if has_algorithm {
            Ok(header)
        } else {
            Err(Malformed)
        }
    }

    /// Takes a member in; says whether it is the algorithm.
    fn member(&mut self, name: &str, value: Scanned, text: &'h str) -> Result<bool, Malformed> {
        match name {
            "alg" => {
                self.is_rs256 = value.string(text)? == "RS256";
                return Ok(true);
            }
            "kid" => self.kid = Some(value.string(text)?),
            "typ" => self.kind = TokenKind::of(&value.string(text)?),
            "crit" | "b64" => self.critical = true,
            "zip" | "enc" | "cty" => self.wrapped = true,
            // Microsoft Graph's own tokens have one; of another type it distinguishes no token from another.
            "nonce" => {
                self.has_nonce = true;
                self.nonce = value.string(text).ok();
            }
            _ => {}
        }
        Ok(false)
    }

    /// `alg`: RS256, the algorithm of every token that Entra issues. Never `none`, never HMAC.
    pub(crate) fn check_algorithm(&self) -> Result<(), InvalidToken> {
        if self.is_rs256 {
            Ok(())
        } else {
            Err(InvalidToken::UnsupportedAlgorithm)
        }
    }

    /// Everything else that would make it another kind of token.
    pub(crate) fn check_kind(&self, kind: TokenKind) -> Result<(), InvalidToken> {
        if self.critical {
            return Err(InvalidToken::UnsupportedCritical);
        }
        if self.wrapped || self.kind != Some(kind) {
            Err(InvalidToken::TokenType)
        } else {
            Ok(())
        }
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(crate) const fn has_nonce(&self) -> bool {
        self.has_nonce
    }

    pub(crate) fn into_nonce(self) -> Option<Box<str>> {
        self.nonce.map(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Result<Header<'_>, Malformed> {
        Header::read(json.as_bytes())
    }

    fn kind(members: &str) -> Result<(), InvalidToken> {
        read(&format!("{{\"alg\":\"RS256\",{members}}}"))
            .unwrap()
            .check_kind(TokenKind::Access)
    }

    #[test]
    fn names_are_strings_and_null_is_not_one() {
        for bad in [
            "{}",
            r#"{"alg":null}"#,
            r#"{"alg":["RS256"]}"#,
            r#"{"alg":{"RS256":null}}"#,
            r#"{"alg":"RS256","kid":1}"#,
            r#"{"alg":"RS256","kid":null}"#,
            r#"{"alg":"RS256","typ":null}"#,
            r#"{"alg":"RS256","alg":"RS256"}"#,
            r#"{"alg":"RS256","a\u006cg":"none"}"#,
            r#"{"alg":"RS256","kid":"\ud800"}"#,
            r#"["RS256"]"#,
            r#"{"alg":"RS256","jwk":{"kty":"RSA","kty":"EC"}}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(r#"{"alg":"RS256","x5t":5,"jwk":{},"nonce":7}"#).is_ok());
    }

    #[test]
    fn a_member_stands_once_however_many_there_are() {
        for many in [7, 8, 9, 20] {
            let others: String = (1..many)
                .map(|number| format!(",\"m{number}\":1"))
                .collect();
            let with = |more: &str| format!("{{\"alg\":\"RS256\"{others}{more}}}");
            assert!(read(&with("")).is_ok() && read(&with(",\"other\":1")).is_ok());
            let last = many - 1;
            for again in [
                ",\"alg\":\"none\"".to_owned(),
                ",\"\\u0061lg\":\"none\"".to_owned(),
                ",\"m1\":2".to_owned(),
                format!(",\"m{last}\":2"),
                format!(",\"\\u006d{last}\":2"),
                ",\"o\":{\"p\":1,\"p\":2}".to_owned(),
            ] {
                assert!(read(&with(&again)).is_err(), "{many} {again}");
            }
        }
    }

    proptest! {
        /// Few plain members are distinguished here, all others by the payload's reader.
        #[test]
        fn what_is_read_is_one_object_to_the_payloads_reader_too(
            members in prop::collection::vec((0..NAMES.len(), 0..VALUES.len()), 0..12)
        ) {
            let members: String = members
                .into_iter()
                .map(|(name, value)| format!(",{}:{}", NAMES[name], VALUES[value]))
                .collect();
            let json = format!("{{\"alg\":\"RS256\"{members}}}");
            prop_assert_eq!(read(&json).is_ok(), RawClaims::parse(json.as_bytes()).is_ok(), "{}", json);
        }
    }

    const NAMES: [&str; 14] = [
        "\"a\"",
        "\"b\"",
        "\"c\"",
        "\"d\"",
        "\"e\"",
        "\"f\"",
        "\"g\"",
        "\"h\"",
        "\"i\"",
        "\"A\"",
        "\"\\u0061\"",
        "\"ä\"",
        "\"Ä\"",
        "\"alg\"",
    ];

    const VALUES: [&str; 8] = [
        "1",
        "\"RS256\"",
        "\"\\u0061\"",
        "\"\\ud800\"",
        "[1]",
        "{\"a\":1}",
        "{\"a\":1,\"a\":2}",
        "null",
    ];

    #[test]
    fn one_algorithm_is_accepted() {
        assert_eq!(
            read(r#"{"alg":"RS256"}"#).unwrap().check_algorithm(),
            Ok(())
        );
        for other in [
            "none", "None", "", "rs256", "RS384", "HS256", "ES256", "PS256", "RS256 ",
        ] {
            let json = format!("{{\"alg\":\"{other}\"}}");
            let header = read(&json).unwrap();
            assert_eq!(
                header.check_algorithm(),
                Err(InvalidToken::UnsupportedAlgorithm),
                "{other}"
            );
        }
    }

    #[test]
    fn an_access_token_is_plain() {
        for good in [
            r#""typ":"jwt""#,
            r#""typ":"AT+JWT""#,
            r#""typ":"application/at+jwt""#,
            r#""x":1"#,
        ] {
            assert_eq!(kind(good), Ok(()), "{good}");
        }
        for other in [
            r#""typ":"JWE""#,
            r#""typ":"""#,
            r#""typ":"logout+jwt""#,
            r#""cty":"JWT""#,
            r#""zip":null"#,
            r#""enc":"A128GCM""#,
        ] {
            assert_eq!(kind(other), Err(InvalidToken::TokenType), "{other}");
        }
        for critical in [
            r#""crit":["exp"]"#,
            r#""crit":[]"#,
            r#""crit":null"#,
            r#""b64":false"#,
            r#""b64":true"#,
        ] {
            assert_eq!(
                kind(critical),
                Err(InvalidToken::UnsupportedCritical),
                "{critical}"
            );
        }
    }

    #[test]
    fn a_nonce_of_any_type_is_seen_and_a_text_is_kept() {
        let nonce = |members: &str| {
            let json = format!("{{\"alg\":\"RS256\"{members}}}");
            let header = read(&json).unwrap();
            (header.has_nonce(), header.into_nonce())
        };
        assert_eq!(nonce(",\"nonce\":\"n\""), (true, Some("n".into())));
        assert_eq!(nonce(",\"nonce\":7"), (true, None));
        assert_eq!(nonce(""), (false, None));
    }

    #[test]
    fn one_kind_cannot_be_passed_off_as_another() {
        use TokenKind::{Access, Logout, SecurityEvent};
        for (typ, of) in [
            (None, Access),
            (Some("JWT"), Access),
            (Some("at+jwt"), Access),
            (Some("Logout+JWT"), Logout),
            (Some("application/logout+jwt"), Logout),
            (Some("secevent+jwt"), SecurityEvent),
            (Some("application/SecEvent+jwt"), SecurityEvent),
        ] {
            let typ = typ.map_or(String::new(), |typ| format!(",\"typ\":\"{typ}\""));
            let json = format!("{{\"alg\":\"RS256\"{typ}}}");
            let header = read(&json).unwrap();
            for kind in [Access, Logout, SecurityEvent] {
                let expected = if kind == of {
                    Ok(())
                } else {
                    Err(InvalidToken::TokenType)
                };
                assert_eq!(header.check_kind(kind), expected, "{typ} {kind:?}");
            }
        }
    }
}
