//! Another library's judgement, as strict as it can be made.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};

pub(crate) struct Oracle {
    keys: JwkSet,
    validation: Validation,
}

impl Oracle {
    pub(crate) fn new(jwks: &Value, issuer: &str, audience: &str) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience, &format!("api://{audience}")]);
        validation.validate_nbf = true;
        validation.leeway = 300;
        Self {
            keys: serde_json::from_value(jwks.clone()).unwrap(),
            validation,
        }
    }

    /// Stops the test where this library would refuse what we accepted.
    #[track_caller]
    pub(crate) fn must_accept(&self, token: &str) {
        let header = decode_header(token).unwrap();
        let key = self.keys.find(&header.kid.unwrap()).unwrap();
        let key = DecodingKey::from_jwk(key).unwrap();
        if let Err(error) = decode::<Map<String, Value>>(token, &key, &self.validation) {
            panic!("accepted here, refused by the oracle: {error}: {token}");
        }
    }
}
