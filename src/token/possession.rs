//! What a request proves beside its token, and whether that is what the token asks for.

use super::client_key::{ClientKey, base64url};
use super::invalid_token::InvalidToken;
use crate::claims::{Claims, Confirmation};

/// What a request proves beside its token.
///
/// The key of a signed HTTP request is the one that the request is said to be signed with: the
/// layer verifies the signature itself, on every request, before a handler runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Possession {
    scheme: Scheme,
    /// The thumbprint of the key that signs the request.
    key: Option<String>,
    /// The SHA-256 of the connection's client certificate.
    certificate: Option<[u8; 32]>,
}

/// The scheme of `Authorization`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Scheme {
    #[default]
    Bearer,
    /// `PoP`: the token is in a signed HTTP request.
    Pop,
    /// `MTLS_POP`: the token is bound to a certificate.
    MtlsPop,
}

/// Whether signed HTTP requests (`Authorization: PoP`) are accepted, as MSAL makes them
/// (draft-ietf-oauth-signed-http-request-03): the setting `PopTokens`.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{Entra, PopTokens, Tenant};
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
///     .pop_tokens(PopTokens::Accept)
///     .build()?;
/// assert_eq!(entra.pop_tokens(), PopTokens::Accept);
/// assert_eq!(PopTokens::default(), PopTokens::Refuse);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PopTokens {
    /// No: `PoP` is another scheme, as if there was no token. The default.
    #[default]
    Refuse,
    /// Yes, and bearer tokens too.
    Accept,
    /// Yes, and nothing else: every other request is 401.
    Require,
}

/// A bearer token, and nothing else.
pub(crate) static NOTHING: Possession = Possession {
    scheme: Scheme::Bearer,
    key: None,
    certificate: None,
};

impl Possession {
    /// A token of its own, on a connection whose client has shown this certificate.
    pub(crate) const fn of_certificate(scheme: Scheme, certificate: Option<[u8; 32]>) -> Self {
        Self {
            scheme,
            key: None,
            certificate,
        }
    }

    /// A token in a request that is signed with the key of this thumbprint.
    pub(crate) fn of_key(thumbprint: &str, certificate: Option<[u8; 32]>) -> Self {
        Self {
            scheme: Scheme::Pop,
            key: Some(thumbprint.to_owned()),
            certificate,
        }
    }

    /// Whether a bound token could be accepted at all.
    pub(crate) const fn is_any(&self) -> bool {
        self.key.is_some() || self.certificate.is_some()
    }

    /// The same check for a token that was accepted before.
    pub(crate) fn fits(&self, claims: &Claims) -> Result<(), InvalidToken> {
        self.fits_json(claims.confirmation_json())
    }

    /// Whether all that `cnf` asks for is proved (RFC 7800 section 3.1), and whether there is a
    /// `cnf` at all where the scheme says so.
    ///
    /// # Errors
    /// [`InvalidToken::SenderConstrained`] where a member cannot be proved by what the request
    /// has; [`InvalidToken::Proof`] where it has a proof and that does not fit.
    pub(crate) fn fits_json(&self, confirmation: Option<&str>) -> Result<(), InvalidToken> {
        let Some(confirmation) = confirmation else {
            return match self.scheme {
                Scheme::Bearer => Ok(()),
                Scheme::Pop | Scheme::MtlsPop => Err(InvalidToken::Proof),
            };
        };
        let unproved = match self.scheme {
            Scheme::Bearer | Scheme::MtlsPop => InvalidToken::SenderConstrained,
            Scheme::Pop => InvalidToken::Proof,
        };
        let confirmation = Confirmation::parse(confirmation).ok_or(unproved)?;
        match (&self.key, confirmation.is_bound_to_key()) {
            (None, false) => {}
            (None, true) => return Err(unproved),
            (Some(_), false) => return Err(InvalidToken::Proof),
            (Some(key), true) if is_key(&confirmation, key) => {}
            (Some(_), true) => return Err(InvalidToken::Proof),
        }
        match (self.certificate, confirmation.certificate_thumbprint()) {
            (None, Some(_)) => Err(unproved),
            (Some(shown), Some(bound)) if base64url(&shown) != bound => Err(InvalidToken::Proof),
            (_, None) if self.scheme == Scheme::MtlsPop => Err(InvalidToken::Proof),
            _ => Ok(()),
        }
    }
}

/// Whether every member of `cnf` that names a key names the one with this thumbprint.
fn is_key(confirmation: &Confirmation, thumbprint: &str) -> bool {
    let named = confirmation
        .key_thumbprint()
        .is_none_or(|named| named == thumbprint);
    let held = confirmation.key().is_none_or(|jwk| {
        let key = ClientKey::read(jwk);
        key.is_some_and(|key| key.thumbprint() == thumbprint)
    });
    named && held
}

/// Under what a bound token is kept: no `Authorization` value and no text is this, for a header
/// value has no zero byte and text has no `0xFF`. So a look-up for a bearer token, which asks for
/// no proof, cannot find it.
pub(crate) fn cache_key(token: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(token.len().saturating_add(2));
    key.extend_from_slice(&[0x00, 0xFF]);
    key.extend_from_slice(token);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const CNF_KEY: &str = r#"{"kid":"k"}"#;

    fn certificate_cnf(byte: u8) -> String {
        format!(r#"{{"x5t#S256":"{}"}}"#, base64url(&[byte; 32]))
    }

    #[test]
    fn each_scheme_asks_for_what_it_is_for() {
        use InvalidToken::{Proof, SenderConstrained};
        let certificate = |scheme| Possession::of_certificate(scheme, Some([1; 32]));
        let key = Possession::of_key("k", None);
        let both = Possession::of_key("k", Some([1; 32]));
        let (own, other) = (certificate_cnf(1), certificate_cnf(2));
        let bound_to_both = format!(r#"{{"kid":"k","x5t#S256":"{}"}}"#, base64url(&[1; 32]));
        for (name, possession, cnf, expected) in [
            ("plain", &NOTHING, None, Ok(())),
            (
                "plain with a bound token",
                &NOTHING,
                Some(CNF_KEY),
                Err(SenderConstrained),
            ),
            (
                "plain, certificate-bound",
                &NOTHING,
                Some(&*own),
                Err(SenderConstrained),
            ),
            (
                "certificate, plain token",
                &certificate(Scheme::Bearer),
                None,
                Ok(()),
            ),
            (
                "certificate",
                &certificate(Scheme::Bearer),
                Some(&*own),
                Ok(()),
            ),
            (
                "another certificate",
                &certificate(Scheme::Bearer),
                Some(&*other),
                Err(Proof),
            ),
            (
                "certificate, token of a key",
                &certificate(Scheme::Bearer),
                Some(CNF_KEY),
                Err(SenderConstrained),
            ),
            (
                "certificate, token of both",
                &certificate(Scheme::Bearer),
                Some(&*bound_to_both),
                Err(SenderConstrained),
            ),
            (
                "MTLS_POP",
                &certificate(Scheme::MtlsPop),
                Some(&*own),
                Ok(()),
            ),
            (
                "MTLS_POP, plain token",
                &certificate(Scheme::MtlsPop),
                None,
                Err(Proof),
            ),
            (
                "MTLS_POP, token of a key",
                &certificate(Scheme::MtlsPop),
                Some(CNF_KEY),
                Err(SenderConstrained),
            ),
            ("PoP", &key, Some(CNF_KEY), Ok(())),
            ("PoP, plain token", &key, None, Err(Proof)),
            ("PoP, another key", &key, Some(r#"{"kid":"l"}"#), Err(Proof)),
            ("PoP, certificate-bound", &key, Some(&*own), Err(Proof)),
            (
                "PoP, both, one proved",
                &key,
                Some(&*bound_to_both),
                Err(Proof),
            ),
            ("PoP, both", &both, Some(&*bound_to_both), Ok(())),
            ("PoP, one of them", &both, Some(CNF_KEY), Ok(())),
            (
                "PoP, unknown member",
                &key,
                Some(r#"{"kid":"k","jku":"x"}"#),
                Err(Proof),
            ),
            ("plain, empty", &NOTHING, Some("{}"), Err(SenderConstrained)),
        ] {
            assert_eq!(possession.fits_json(cnf), expected, "{name}");
        }
    }

    #[test]
    fn no_header_value_and_no_text_is_the_key_of_a_bound_token() {
        let key = cache_key(b"a.b.c");
        assert!(http::HeaderValue::from_bytes(&key).is_err());
        assert!(std::str::from_utf8(&key).is_err());
    }
}
