//! The JOSE header (RFC 7515 section 4), member by member.

use crate::claims::wire::{Draft, Malformed};

use super::invalid::InvalidToken;

/// The header, of which nothing is proven yet.
#[derive(Debug)]
pub(crate) struct Header {
    algorithm: String,
    kid: Option<String>,
    typ: Option<String>,
    critical: bool,
    /// Encrypted, compressed or nested.
    wrapped: bool,
    nonce: Option<String>,
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
    /// Whether a `typ` is one of its spellings (RFC 7515 section 4.1.9). An access token need not
    /// have one; another kind must, or one could be passed off as the other.
    fn has_type(self, typ: Option<&str>) -> bool {
        let known: &[&str] = match self {
            // RFC 9068 section 4.
            Self::Access => &["JWT", "at+jwt", "application/at+jwt"],
            Self::Logout => &["logout+jwt", "application/logout+jwt"],
            Self::SecurityEvent => &["secevent+jwt", "application/secevent+jwt"],
        };
        match typ {
            Some(typ) => known.iter().any(|known| known.eq_ignore_ascii_case(typ)),
            None => self == Self::Access,
        }
    }
}

impl Header {
    /// Reads the form: one JSON object, every member once, strings where strings belong.
    pub(crate) fn read(json: Vec<u8>) -> Result<Self, Malformed> {
        let draft = Draft::parse(json)?;
        let has = |name| draft.other(name).is_some();
        Ok(Self {
            algorithm: string(&draft, "alg")?.ok_or(Malformed)?,
            kid: string(&draft, "kid")?,
            typ: string(&draft, "typ")?,
            critical: has("crit") || has("b64"),
            wrapped: has("zip") || has("enc") || has("cty"),
            // Microsoft Graph's own tokens have one; of another type it is nobody's business.
            nonce: string(&draft, "nonce").ok().flatten(),
        })
    }

    /// `alg`: RS256, the algorithm of every token that Entra issues. Never `none`, never HMAC.
    pub(crate) fn check_algorithm(&self) -> Result<(), InvalidToken> {
        if self.algorithm == "RS256" {
            Ok(())
        } else {
            Err(InvalidToken::Algorithm)
        }
    }

    /// Everything else that would make it another kind of token.
    pub(crate) fn check_kind(&self, kind: TokenKind) -> Result<(), InvalidToken> {
        if self.critical {
            return Err(InvalidToken::CriticalHeader);
        }
        if self.wrapped || !kind.has_type(self.typ.as_deref()) {
            Err(InvalidToken::TokenType)
        } else {
            Ok(())
        }
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(crate) fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    pub(crate) fn into_nonce(self) -> Option<String> {
        self.nonce
    }
}

/// A member that must be a string where it is present; `null` is not one.
fn string(draft: &Draft, name: &str) -> Result<Option<String>, Malformed> {
    draft
        .other(name)
        .map(|raw| serde_json::from_str(raw).map_err(|_| Malformed))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Header, Malformed> {
        Header::read(json.as_bytes().to_vec())
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
    fn one_algorithm_is_accepted() {
        assert_eq!(
            read(r#"{"alg":"RS256"}"#).unwrap().check_algorithm(),
            Ok(())
        );
        for other in [
            "none", "None", "", "rs256", "RS384", "HS256", "ES256", "PS256", "RS256 ",
        ] {
            let header = read(&format!("{{\"alg\":\"{other}\"}}")).unwrap();
            assert_eq!(
                header.check_algorithm(),
                Err(InvalidToken::Algorithm),
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
                Err(InvalidToken::CriticalHeader),
                "{critical}"
            );
        }
    }

    #[test]
    fn a_nonce_is_kept_where_it_is_a_text() {
        let nonce = |members: &str| {
            let header = read(&format!("{{\"alg\":\"RS256\"{members}}}")).unwrap();
            let seen = header.nonce().map(str::to_owned);
            assert_eq!(seen, header.into_nonce());
            seen
        };
        assert_eq!(nonce(",\"nonce\":\"n\"").as_deref(), Some("n"));
        assert_eq!(nonce(",\"nonce\":7"), None);
        assert_eq!(nonce(""), None);
    }

    #[test]
    fn one_kind_cannot_be_passed_off_as_another() {
        use TokenKind::{Access, Logout, SecurityEvent};
        let kinds = [Access, Logout, SecurityEvent];
        for (typ, of) in [
            (None, Access),
            (Some("JWT"), Access),
            (Some("at+jwt"), Access),
            (Some("Logout+JWT"), Logout),
            (Some("application/logout+jwt"), Logout),
            (Some("secevent+jwt"), SecurityEvent),
            (Some("application/SecEvent+jwt"), SecurityEvent),
        ] {
            for kind in kinds {
                assert_eq!(kind.has_type(typ), kind == of, "{typ:?} {kind:?}");
            }
        }
    }
}
