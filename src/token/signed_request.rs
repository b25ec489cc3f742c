//! Signed HTTP requests (draft-ietf-oauth-signed-http-request-03), as MSAL writes them: the form.
//!
//! What they say about the request is compared in `middleware/pop`, which knows requests.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::client_key::{ClientKey, ShrAlgorithm, base64url};
use super::invalid_token::InvalidToken;
use crate::claims::raw::RawClaims;
use crate::jwks::sha256;

/// A signed HTTP request of the right form, whose signature is not verified yet.
pub(crate) struct SignedRequest {
    signed: String,
    signature: Vec<u8>,
    key: ClientKey,
    claims: SignedClaims,
}

/// What a signed HTTP request says. Believed only behind [`SignedRequest::verified`].
pub(crate) struct SignedClaims {
    /// `m`: the method.
    pub(crate) method: String,
    /// `u`: the host.
    pub(crate) host: String,
    /// `p`: the path.
    pub(crate) path: String,
    /// `q`: names of query parameters, and a hash; without names, the query itself.
    pub(crate) query: Option<NamesAndHash>,
    /// `h`: names of headers, and a hash.
    pub(crate) headers: Option<NamesAndHash>,
    /// `b`: the SHA-256 of the body.
    pub(crate) body: Option<[u8; 32]>,
    /// `nonce`.
    pub(crate) nonce: Option<String>,
    /// `ts`: when it was signed, in seconds since 1970-01-01 UTC, with a fraction or without.
    pub(crate) at: f64,
}

/// `[["a", "b"], "hash"]`.
pub(crate) type NamesAndHash = (Vec<String>, String);

/// What identifies a signed HTTP request among all others: the SHA-256 of its signing input. The
/// signature does not: of an ECDSA signature (r, s) anyone can make a second one, (r, −s), that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedRequestId(pub(crate) String);

/// What the key, the signature and the claims take beside the token, at most: an RSA key of 8,192
/// bits and its signature are 2.8 kB; the rest is for the lists of names.
const BESIDE_TOKEN: usize = 16_384;

#[derive(Deserialize)]
struct Members {
    at: String,
    ts: f64,
    m: String,
    u: String,
    p: String,
    q: Option<NamesAndHash>,
    h: Option<NamesAndHash>,
    b: Option<String>,
    nonce: Option<String>,
    cnf: Cnf,
}

#[derive(Deserialize)]
struct Cnf {
    jwk: Map<String, Value>,
}

impl SignedRequest {
    /// Reads the form, and gives the access token that it carries. No token is verified here.
    ///
    /// # Errors
    /// [`InvalidToken::TooLarge`] for a text that is longer than one with the longest accepted
    /// token can be; [`InvalidToken::Proof`] for every other that does not have the form.
    pub(crate) fn read(text: &str, most_bytes: usize) -> Result<(Self, String), InvalidToken> {
        // The token is encoded once more in here: four characters for three bytes.
        let limit = most_bytes
            .div_ceil(3)
            .saturating_mul(4)
            .saturating_add(BESIDE_TOKEN);
        if text.len() > limit {
            let bytes = text.len();
            return Err(InvalidToken::TooLarge { bytes, limit });
        }
        Self::parse(text).ok_or(InvalidToken::Proof)
    }

    fn parse(text: &str) -> Option<(Self, String)> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let (header, payload) = (decode(header)?, decode(payload)?);
        let signature = decode(signature)?;
        let algorithm = algorithm(&header)?;
        // Every member once at every depth, no half characters, no nesting without end.
        RawClaims::parse(&payload).ok()?;
        let members: Members = serde_json::from_slice(&payload).ok()?;
        let key = ClientKey::read(&members.cnf.jwk)?;
        if key.algorithm() != algorithm || !(0.0..=GREATEST_EXACT).contains(&members.ts) {
            return None;
        }
        let body = match members.b {
            Some(hash) => Some(decode(&hash)?.try_into().ok()?),
            None => None,
        };
        let claims = SignedClaims {
            method: members.m,
            host: members.u,
            path: members.p,
            query: members.q,
            headers: members.h,
            body,
            nonce: members.nonce,
            at: members.ts,
        };
        let request = Self {
            signed: signed.to_owned(),
            signature,
            key,
            claims,
        };
        Some((request, members.at))
    }

    /// The thumbprint of the key that the request is said to be signed with.
    pub(crate) fn thumbprint(&self) -> &str {
        self.key.thumbprint()
    }

    /// Whether it says what the body is.
    pub(crate) const fn covers_body(&self) -> bool {
        self.claims.body.is_some()
    }

    /// When it was signed, as it says; to refuse an old one before its signature is looked at.
    pub(crate) const fn signed_at(&self) -> f64 {
        self.claims.at
    }

    /// The one way to what it says: its own key made the signature.
    pub(crate) fn verified(self) -> Result<(SignedClaims, SignedRequestId), InvalidToken> {
        let signed = self.signed.as_bytes();
        if !self.key.verifies(signed, &self.signature) {
            return Err(InvalidToken::Proof);
        }
        let id = SignedRequestId(base64url(&sha256(signed)));
        Ok((self.claims, id))
    }
}

/// The greatest whole number that every JSON reader takes for the same (RFC 8259 section 6).
const GREATEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Base64url without padding, in its one canonical spelling; never empty.
fn decode(part: &str) -> Option<Vec<u8>> {
    let decoded = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).ok()?;
    (!decoded.is_empty()).then_some(decoded)
}

/// The algorithm of a header that has nothing which would have to be understood. `kid` and the
/// members that show a key are ignored: the key is the payload's.
fn algorithm(header: &[u8]) -> Option<ShrAlgorithm> {
    RawClaims::parse(header).ok()?;
    let members: Map<String, Value> = serde_json::from_slice(header).ok()?;
    let is_plain = ["crit", "b64", "zip", "enc", "cty"]
        .iter()
        .all(|name| !members.contains_key(*name));
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    (is_plain && text("typ") == Some("pop"))
        .then(|| text("alg").and_then(ShrAlgorithm::of))
        .flatten()
}

impl std::fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedRequest").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SignedClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedClaims").finish_non_exhaustive()
    }
}
