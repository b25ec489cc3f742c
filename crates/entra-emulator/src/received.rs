//! A token that comes back: to Microsoft Graph as a bearer token, or as an assertion.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::authority::{Authority, unix_now};

/// The claims of a token that this emulator signed and that has not expired.
#[derive(Debug)]
pub(super) struct Received(Map<String, Value>);

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// It is no JWT.
    Malformed,
    /// Another authority's, or forged.
    Forged,
    /// Expired, or not valid yet.
    Late,
}

impl Received {
    /// Checks signature, issuer and lifetime. It does not look at the audience.
    pub(super) fn read(authority: &Authority, token: &str) -> Result<Self, NotTaken> {
        let (signed, signature) = token.rsplit_once('.').ok_or(NotTaken::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(NotTaken::Malformed)?;
        let (header, claims) = (object(header)?, object(payload)?);
        let signature = URL_SAFE_NO_PAD
            .decode_to_vec(signature)
            .map_err(|_| NotTaken::Malformed)?;

        let key = header
            .get("kid")
            .and_then(Value::as_str)
            .and_then(|kid| authority.keys().published_by_kid(kid))
            .ok_or(NotTaken::Forged)?;
        let is_rs256 = header.get("alg").and_then(Value::as_str) == Some("RS256");
        if !is_rs256 || !key.verifies(signed.as_bytes(), &signature) {
            return Err(NotTaken::Forged);
        }
        // All emulators of a process share their keys.
        let received = Self(claims);
        let (tenant, issuer) = (received.tenant(), received.text("iss"));
        if issuer != authority.issuer_v2(tenant) && issuer != authority.issuer_v1(tenant) {
            return Err(NotTaken::Forged);
        }
        let now = unix_now();
        match (received.number("nbf"), received.number("exp")) {
            (Some(from), Some(until)) if from <= now && now < until => Ok(received),
            _ => Err(NotTaken::Late),
        }
    }

    pub(super) fn tenant(&self) -> &str {
        self.text("tid")
    }

    pub(super) fn object_id(&self) -> &str {
        self.text("oid")
    }

    pub(super) fn audience(&self) -> &str {
        self.text("aud")
    }

    pub(super) fn subject(&self) -> &str {
        self.text("sub")
    }

    pub(super) fn is_app_only(&self) -> bool {
        self.text("idtyp") == "app" || !self.0.contains_key("scp")
    }

    /// When it was issued, which its `iat` says too early.
    pub(super) fn made_at(&self, authority: &Authority) -> u64 {
        self.issued_at().saturating_add(authority.backdate())
    }

    /// `iat`.
    pub(super) fn issued_at(&self) -> u64 {
        self.number("iat").unwrap_or_default()
    }

    /// `scp` of a user's token, `roles` of an app's.
    pub(super) fn permissions(&self) -> Vec<&str> {
        if self.is_app_only() {
            return self.texts("roles");
        }
        self.text("scp").split_ascii_whitespace().collect()
    }

    /// The elements of a list, of which those that are no text do not count.
    pub(super) fn texts(&self, claim: &str) -> Vec<&str> {
        let list = self.0.get(claim).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    pub(super) fn number(&self, claim: &str) -> Option<u64> {
        self.0.get(claim).and_then(Value::as_u64)
    }

    fn text(&self, claim: &str) -> &str {
        self.0
            .get(claim)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

fn object(part: &str) -> Result<Map<String, Value>, NotTaken> {
    let bytes = URL_SAFE_NO_PAD
        .decode_to_vec(part)
        .map_err(|_| NotTaken::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| NotTaken::Malformed)
}
