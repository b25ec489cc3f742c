//! The header of an encrypted token (RFC 7516 section 4).

use std::borrow::Cow;

use crate::claims::raw::{Malformed, RawClaims};
use crate::claims::scan::Scanner;
use crate::jwks::{ContentEncryption, KeyEncryption};
use crate::token::invalid_token::InvalidToken;

/// A header whose algorithms are accepted; the rest of it is a claim of the sender.
#[derive(Debug)]
pub(super) struct JweHeader<'h> {
    pub(super) key_encryption: KeyEncryption,
    pub(super) encryption: ContentEncryption,
    pub(super) compressed: bool,
    /// What the sender says about the key: it decides which key is tried first, and nothing else.
    pub(super) names: KeyNames<'h>,
}

/// `kid`, `x5t` and `x5t#S256`, as far as they are there.
#[derive(Debug, Default)]
pub(super) struct KeyNames<'h> {
    pub(super) kid: Option<Cow<'h, str>>,
    pub(super) x5t: Option<Cow<'h, str>>,
    pub(super) x5t_s256: Option<Cow<'h, str>>,
}

impl<'h> JweHeader<'h> {
    /// Reads the form (one JSON object, every member once, strings where strings belong), then
    /// what the members say.
    pub(super) fn read(json: &'h [u8]) -> Result<Self, InvalidToken> {
        // Whether members stand twice, and how deep they go.
        RawClaims::parse(json).map_err(|_| InvalidToken::Malformed)?;
        let text = std::str::from_utf8(json).map_err(|_| InvalidToken::Malformed)?;
        let mut members = Members::default();
        Scanner::object(text, |name, value| {
            let name = name.string(text)?;
            let place = match &*name {
                "alg" => &mut members.alg,
                "enc" => &mut members.enc,
                "cty" => &mut members.cty,
                "zip" => &mut members.zip,
                "typ" => &mut members.typ,
                "kid" => &mut members.kid,
                "x5t" => &mut members.x5t,
                "x5t#S256" => &mut members.x5t_s256,
                // `b64` is for signatures (RFC 7797) and means something only with `crit`.
                "crit" | "b64" => {
                    members.critical = true;
                    return Ok(());
                }
                _ => return Ok(()),
            };
            *place = Some(value.string(text)?);
            Ok(())
        })
        .map_err(|Malformed| InvalidToken::Malformed)?;
        members.accepted()
    }
}

/// The members that are looked at.
#[derive(Default)]
struct Members<'h> {
    alg: Option<Cow<'h, str>>,
    enc: Option<Cow<'h, str>>,
    cty: Option<Cow<'h, str>>,
    zip: Option<Cow<'h, str>>,
    typ: Option<Cow<'h, str>>,
    kid: Option<Cow<'h, str>>,
    x5t: Option<Cow<'h, str>>,
    x5t_s256: Option<Cow<'h, str>>,
    critical: bool,
}

impl<'h> Members<'h> {
    /// The four combinations with each of two key encryptions, a nested JWT (RFC 7519 section
    /// 5.2), no extension that would have to be understood.
    fn accepted(self) -> Result<JweHeader<'h>, InvalidToken> {
        // RFC 7516 section 4.1.1: `alg` is there; a header without it is no JWE's.
        let alg = self.alg.ok_or(InvalidToken::Malformed)?;
        let key_encryption = match &*alg {
            "RSA-OAEP" => KeyEncryption::RsaOaep,
            "RSA-OAEP-256" => KeyEncryption::RsaOaep256,
            _ => return Err(InvalidToken::Decryption),
        };
        let encryption = match self.enc.as_deref() {
            Some("A128CBC-HS256") => ContentEncryption::A128CbcHs256,
            Some("A256CBC-HS512") => ContentEncryption::A256CbcHs512,
            Some("A128GCM") => ContentEncryption::A128Gcm,
            Some("A256GCM") => ContentEncryption::A256Gcm,
            _ => return Err(InvalidToken::Decryption),
        };
        let compressed = match self.zip.as_deref() {
            None => false,
            Some("DEF") => true,
            Some(_) => return Err(InvalidToken::Decryption),
        };
        let nested = |cty: &str| cty.eq_ignore_ascii_case("JWT");
        if self.critical || !self.cty.as_deref().is_some_and(nested) {
            return Err(InvalidToken::Decryption);
        }
        Ok(JweHeader {
            key_encryption,
            encryption,
            compressed,
            names: KeyNames {
                kid: self.kid,
                x5t: self.x5t,
                x5t_s256: self.x5t_s256,
            },
        })
    }
}
