//! Bound tokens: what the client asks the token to be bound to (`token_type`, `req_cnf`).

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::TokenRequest;
use crate::{aadsts::Refusal, token::TokenBuilder};

/// What kind of token a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Binding {
    None,
    /// `token_type=pop`: `cnf` as the client wants it, with the thumbprint of its key.
    Key(Map<String, Value>),
    /// `token_type=mtls_pop`: `cnf` with the thumbprint of its certificate.
    Certificate(Map<String, Value>),
}

/// Makes the binding of the members of `req_cnf`.
type BoundTo = fn(Map<String, Value>) -> Binding;

impl TokenRequest<'_> {
    /// Reads what the token is to be bound to. Whether the client has the key is not asked: the
    /// requests that it signs will tell. Entra knows a certificate by the connection; here the
    /// request names it.
    pub(super) fn binding(&self) -> Result<Binding, Refusal> {
        let (member, binding): (_, BoundTo) = match self.field("token_type").unwrap_or("Bearer") {
            kind if kind.eq_ignore_ascii_case("Bearer") => return Ok(Binding::None),
            kind if kind.eq_ignore_ascii_case("pop") => ("kid", Binding::Key),
            kind if kind.eq_ignore_ascii_case("mtls_pop") => ("x5t#S256", Binding::Certificate),
            kind => return Err(Refusal::unsupported_token_type(kind)),
        };
        let wanted = self.required("req_cnf")?;
        let decoded = URL_SAFE_NO_PAD.decode_to_vec(wanted).ok();
        let members: Option<Map<String, Value>> =
            decoded.and_then(|json| serde_json::from_slice(&json).ok());
        let members = members.ok_or_else(Refusal::malformed_req_cnf)?;
        let is_thumbprint = |text: &str| {
            let hash = URL_SAFE_NO_PAD.decode_to_vec(text);
            hash.is_ok_and(|hash| hash.len() == 32)
        };
        let is_named = members
            .get(member)
            .and_then(Value::as_str)
            .is_some_and(is_thumbprint);
        if !is_named
            || members
                .keys()
                .any(|name| name != member && name != "xms_ksl")
        {
            return Err(Refusal::malformed_req_cnf());
        }
        Ok(binding(members))
    }
}

impl Binding {
    /// `token_type` of the answer.
    pub(super) const fn token_type(&self) -> &'static str {
        match self {
            Self::None => "Bearer",
            Self::Key(_) => "pop",
            Self::Certificate(_) => "mtls_pop",
        }
    }

    pub(super) fn bind(self, token: TokenBuilder) -> TokenBuilder {
        match self {
            Self::None => token,
            Self::Key(confirmation) | Self::Certificate(confirmation) => {
                token.claim("cnf", confirmation)
            }
        }
    }
}
