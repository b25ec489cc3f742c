//! Two other libraries with a written policy: RS256 with the published key of that id, this issuer, one of these
//! audiences, an end, and the same tolerance.

use std::collections::HashSet;

use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use jwt_simple::prelude::{
    Duration, NoCustomClaims, RS256PublicKey, RSAPublicKeyLike, Token, UnixTimeStamp,
    VerificationOptions,
};
use serde_json::{Map, Value};

use crate::{API, KID, SKEW, issuer, signer};

pub struct Peers {
    key: DecodingKey,
    validation: Validation,
    simple: RS256PublicKey,
}

/// Accepted, or why not.
pub type Verdict = Result<(), String>;

fn audiences() -> [String; 2] {
    [API.to_owned(), format!("api://{API}")]
}

impl Peers {
    pub fn new() -> Self {
        let jwk = signer::key(0).jwk(KID);
        let text = |name: &str| jwk[name].as_str().expect("a text").to_owned();
        let bytes = |name: &str| {
            URL_SAFE_NO_PAD
                .decode_to_vec(text(name))
                .expect("base64url")
        };
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[issuer()]);
        validation.set_audience(&audiences());
        validation.validate_nbf = true;
        validation.leeway = SKEW;
        Self {
            key: DecodingKey::from_rsa_components(&text("n"), &text("e")).expect("a key"),
            validation,
            simple: RS256PublicKey::from_components(&bytes("n"), &bytes("e")).expect("a key"),
        }
    }

    pub fn verdicts(&self, token: &str, now: u64) -> [(&'static str, Verdict); 2] {
        [
            ("jsonwebtoken", self.jsonwebtoken(token)),
            ("jwt-simple", self.simple(token, now)),
        ]
    }

    fn jsonwebtoken(&self, token: &str) -> Verdict {
        let header = decode_header(token).map_err(|error| error.to_string())?;
        if header.kid.as_deref() != Some(KID) {
            return Err("another key".to_owned());
        }
        decode::<Map<String, Value>>(token, &self.key, &self.validation)
            .map_err(|error| format!("{error:?}"))?;
        Ok(())
    }

    fn simple(&self, token: &str, now: u64) -> Verdict {
        let metadata = Token::decode_metadata(token).map_err(|error| error.to_string())?;
        if metadata.key_id() != Some(KID) {
            return Err("another key".to_owned());
        }
        let options = VerificationOptions {
            allowed_issuers: Some(HashSet::from([issuer()])),
            allowed_audiences: Some(HashSet::from(audiences())),
            time_tolerance: Some(Duration::from_secs(SKEW)),
            artificial_time: Some(UnixTimeStamp::from_secs(now)),
            ..VerificationOptions::default()
        };
        let claims = self
            .simple
            .verify_token::<NoCustomClaims>(token, Some(options))
            .map_err(|error| error.to_string())?;
        if claims.expires_at.is_none() {
            return Err("no end".to_owned());
        }
        Ok(())
    }
}
