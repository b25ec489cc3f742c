//! The signed form of the identity, for services that trust more than a header.

mod key;

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum_entra::Claims;
use base64_simd::URL_SAFE_NO_PAD;
use http::HeaderValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(crate) use self::key::SigningKey;
use crate::identity::agent;
use crate::rules::{AssertionTable, RulesError};

/// Signs assertions of one `[assertion]` table.
#[derive(Debug)]
pub(crate) struct Signer {
    audience: String,
    lifetime: u64,
    key: Arc<SigningKey>,
    /// What the key before a reload verifies is still on its way.
    previous: Option<Arc<SigningKey>>,
}

impl Signer {
    /// With the key of the file, else the one made at start.
    ///
    /// # Errors
    /// A key file that is not one, at its place in the rules file.
    pub(crate) fn new(
        table: &AssertionTable,
        made: &Arc<SigningKey>,
        before: Option<&Self>,
        file: &Path,
        text: &str,
    ) -> Result<Self, RulesError> {
        let key = match &table.key_file {
            None => Arc::clone(made),
            Some(path) => Arc::new(
                SigningKey::load(path)
                    .map_err(|error| table.wrong_key(file, text, &error.to_string()))?,
            ),
        };
        let previous = before.and_then(|before| {
            let is_other = before.key.id() != key.id();
            match is_other {
                true => Some(Arc::clone(&before.key)),
                false => before.previous.clone(),
            }
        });
        Ok(Self {
            audience: table.audience.clone(),
            lifetime: table.lifetime.as_secs(),
            key,
            previous,
        })
    }

    /// The assertion of a caller, or of none on `optional`; `None` if it cannot be signed.
    pub(crate) fn sign(&self, claims: Option<&Claims>) -> Option<HeaderValue> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let token = self.sign_at(claims, now)?;
        HeaderValue::try_from(token).ok()
    }

    fn sign_at(&self, claims: Option<&Claims>, now: u64) -> Option<String> {
        let header = json!({ "alg": self.key.algorithm(), "kid": self.key.id(), "typ": "JWT" });
        let mut payload = json!({
            "iss": "entra-gate",
            "aud": self.audience,
            "iat": now,
            "exp": now.saturating_add(self.lifetime),
            "jti": Uuid::new_v4().to_string(),
        });
        if let (Some(claims), Some(members)) = (claims, payload.as_object_mut()) {
            tell(claims, members);
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode_to_string(value.to_string());
        let input = format!("{}.{}", part(&header), part(&payload));
        let signature = self.key.sign(input.as_bytes())?;
        Some(format!(
            "{input}.{}",
            URL_SAFE_NO_PAD.encode_to_string(signature)
        ))
    }

    /// The public keys, as a JWK set.
    pub(crate) fn jwks(&self) -> Value {
        let keys = [Some(&self.key), self.previous.as_ref()];
        let keys: Vec<&Value> = keys.into_iter().flatten().map(|key| key.jwk()).collect();
        json!({ "keys": keys })
    }
}

/// What is known of the caller; absent claims are absent.
fn tell(claims: &Claims, members: &mut Map<String, Value>) {
    let scopes: Vec<&str> = claims.scopes().collect();
    let roles: Vec<&str> = claims.roles().collect();
    let told = [
        ("tid", claims.tenant_id().map(|id| json!(id.to_string()))),
        ("oid", claims.object_id_text().map(|id| json!(id))),
        ("azp", claims.client_id_text().map(|id| json!(id))),
        ("scp", (!scopes.is_empty()).then(|| json!(scopes.join(" ")))),
        ("roles", (!roles.is_empty()).then(|| json!(roles))),
        ("principal", Some(json!(claims.principal().as_str()))),
        ("agent", agent(claims).map(|kind| json!(kind.as_str()))),
    ];
    for (name, value) in told {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    }
}
