//! A token of which only the form is known.

use std::sync::Arc;

use memchr::{memchr, memrchr};

use crate::claims::raw::{Name, RawClaims};
use crate::jwks::PublishedKey;

use super::decode_buffer::DecodeBuffer;
use super::header::{Header, TokenKind};
use super::invalid_token::InvalidToken;
use super::verified::VerifiedToken;

/// A token whose form is right and of which nothing is proven.
///
/// What it says may select an authority, and nothing else.
#[derive(Debug)]
pub(crate) struct UnverifiedToken<'t> {
    signed: &'t [u8],
    signature: &'t [u8],
    header: Header<'t>,
    draft: RawClaims<'t>,
}

impl<'t> UnverifiedToken<'t> {
    /// Size, three parts, strict base64url, two JSON objects, the JOSE header; in that order.
    pub(crate) fn read(
        token: &'t (impl AsRef<[u8]> + ?Sized),
        most_bytes: usize,
        buffer: &'t mut DecodeBuffer,
    ) -> Result<Self, InvalidToken> {
        Self::read_as(TokenKind::Access, token, most_bytes, buffer)
    }

    /// The same for a token that is no access token.
    pub(crate) fn read_as(
        kind: TokenKind,
        token: &'t (impl AsRef<[u8]> + ?Sized),
        most_bytes: usize,
        buffer: &'t mut DecodeBuffer,
    ) -> Result<Self, InvalidToken> {
        let token = token.as_ref();
        if token.len() > most_bytes {
            return Err(InvalidToken::TooLarge {
                bytes: token.len(),
                limit: most_bytes,
            });
        }
        let (signed, signature) = split(token, memrchr(b'.', token))?;
        let (header, payload) = split(signed, memchr(b'.', signed))?;
        // A further dot would be in the payload, whose alphabet has none.
        let mut room = buffer.room(token.len());
        let (header, payload) = (room.decode(header)?, room.decode(payload)?);
        let header = Header::read(header).map_err(|_| InvalidToken::Malformed)?;
        let draft = RawClaims::parse(payload).map_err(|_| InvalidToken::Malformed)?;
        // Before the signature is looked at, so that `none` is refused for what it is.
        header.check_algorithm()?;
        let signature = room.decode(signature)?;
        header.check_kind(kind)?;
        Ok(Self {
            signed,
            signature,
            header,
            draft,
        })
    }

    /// `iss`, which must be a string where it is present.
    pub(crate) fn issuer(&self) -> Result<&str, InvalidToken> {
        match self.draft.string(Name::Issuer) {
            Ok(Some(issuer)) => Ok(issuer),
            Ok(None) => Err(InvalidToken::InvalidIssuer),
            Err(_) => Err(InvalidToken::Malformed),
        }
    }

    /// `ver`, which must be a string where it is present.
    pub(crate) fn version(&self) -> Result<Option<&str>, InvalidToken> {
        self.draft
            .string(Name::Version)
            .map_err(|_| InvalidToken::Malformed)
    }

    /// The B2C policy: `tfp`, else `acr`.
    pub(crate) fn policy(&self) -> Result<Option<&str>, InvalidToken> {
        let policy = self
            .draft
            .string(Name::Policy)
            .map_err(|_| InvalidToken::Malformed)?;
        Ok(policy.or_else(|| self.draft.text(Name::ContextClass)))
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.header.kid()
    }

    /// The one way to a [`VerifiedToken`]: one of the keys made the signature.
    ///
    /// Of several keys with one id, one that is for the token's issuer goes first; whether the key
    /// is for it at all is a check of the claims.
    pub(crate) fn verify(
        self,
        candidates: &[Arc<PublishedKey>],
    ) -> Result<VerifiedToken<'t>, InvalidToken> {
        let made_it = |key: &&Arc<PublishedKey>| key.key().verifies(self.signed, self.signature);
        let found = match candidates {
            [only] => Some(only).filter(made_it),
            several => {
                let issuer = self.issuer().unwrap_or_default();
                let its = |key: &&Arc<PublishedKey>| key.is_for(issuer);
                let others = || several.iter().filter(|key| !its(key));
                let own = several.iter().filter(its).find(made_it);
                own.or_else(|| others().find(made_it))
            }
        };
        match found {
            Some(key) => Ok(VerifiedToken::new(
                self.draft,
                Arc::clone(key),
                self.header.into_nonce(),
            )),
            // Graph's own tokens are signed over another nonce than they show.
            None if self.header.has_nonce() => Err(InvalidToken::IssuedForGraph),
            None => Err(InvalidToken::BadSignature),
        }
    }
}

/// What stands before a dot, and what behind it.
fn split(text: &[u8], dot: Option<usize>) -> Result<(&[u8], &[u8]), InvalidToken> {
    let parts = dot.and_then(|dot| text.split_at_checked(dot));
    let (before, from_dot) = parts.ok_or(InvalidToken::Malformed)?;
    Ok((before, from_dot.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str) -> String {
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(text)
    }

    fn read(token: &str) -> Result<(), InvalidToken> {
        UnverifiedToken::read(token, 1_000, &mut DecodeBuffer::new()).map(|_| ())
    }

    const HEADER: &str = r#"{"alg":"RS256","kid":"k"}"#;

    #[test]
    fn a_token_has_three_parts_in_canonical_base64url() {
        let (header, payload) = (encode(HEADER), encode("{}"));
        assert_eq!(read(&format!("{header}.{payload}.AAAA")), Ok(()));
        for bad in [
            String::new(),
            ".".into(),
            "..".into(),
            "EwBwA8l6BAAUkj1NuJYtTVha".into(),
            format!("{header}.{payload}"),
            format!("{header}.{payload}.AAAA.AAAA"),
            format!("{header}.{payload}.AAAA.AAAA.AAAA"),
            format!(".{payload}.AAAA"),
            format!("{header}..AAAA"),
            format!("{header}.{payload}."),
            format!("{header}.{payload}=.AAAA"),
            format!("{header}.{payload}.AA=="),
            // Trailing bits that are not zero, and the other alphabet.
            format!("{header}.{payload}.AB"),
            format!("{header}.{payload}.AAB"),
            format!("{header}.{payload}.A+/A"),
            format!("{header}.{payload}.A"),
            format!("{header}.{payload}.A AA"),
            format!("{header}.{payload}.ÄA"),
        ] {
            assert_eq!(read(&bad), Err(InvalidToken::Malformed), "{bad}");
        }
    }

    #[test]
    fn none_is_an_algorithm_whatever_follows() {
        let none = encode(r#"{"alg":"none"}"#);
        for signature in ["", "AAAA", "===", "A"] {
            let token = format!("{none}.{}.{signature}", encode("{}"));
            assert_eq!(
                read(&token),
                Err(InvalidToken::UnsupportedAlgorithm),
                "{signature}"
            );
        }
    }

    #[test]
    fn a_long_token_is_refused_before_it_is_read() {
        let token = "x".repeat(1_001);
        assert_eq!(
            read(&token),
            Err(InvalidToken::TooLarge {
                bytes: 1_001,
                limit: 1_000
            })
        );
    }
}
