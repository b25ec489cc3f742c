//! A token in parts, members in order and as text, so that anything can be done to them.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::{API, KID, TENANT, issuer, signer};

pub type Members = Vec<(String, String)>;

/// How the signature is made.
#[derive(Clone, Copy, Debug)]
pub enum Signature {
    Own,
    Foreign,
    Empty,
    Bit,
    Cut,
    Longer,
    Padded,
    TrailingBits,
}

pub struct Parts {
    pub head: Members,
    pub claims: Members,
    /// In place of the members, where the change is to the text.
    pub raw_head: Option<Vec<u8>>,
    pub raw_claims: Option<Vec<u8>>,
    pub signature: Signature,
    /// Changes the encoded parts before they are signed.
    pub encoded: Option<fn(&str, &str) -> String>,
    /// Changes the whole token after it was signed.
    pub whole: Option<fn(&str, &mut fastrand::Rng) -> String>,
}

fn members(object: Value) -> Members {
    let object = object.as_object().expect("an object").clone();
    object
        .into_iter()
        .map(|(name, value)| (name, value.to_string()))
        .collect()
}

pub fn object(members: &Members) -> String {
    let inner: Vec<String> = members
        .iter()
        .map(|(name, value)| {
            format!(
                "{}:{value}",
                if name.starts_with('"') {
                    name.clone()
                } else {
                    json!(name).to_string()
                }
            )
        })
        .collect();
    format!("{{{}}}", inner.join(","))
}

impl Parts {
    /// A user's token, an application's, or one of v1.0's shape that the settings take too.
    pub fn good(now: u64, random: &mut fastrand::Rng) -> Self {
        let mut claims = json!({
            "aud": API, "iss": issuer(), "iat": now - 600, "nbf": now - 600, "exp": now + 3_600,
            "azp": "cccccccc-1111-4111-8111-111111111111", "azpacr": "1", "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "scp": "access_as_user", "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "tid": TENANT, "ver": "2.0",
        });
        if random.u8(0..4) == 0 {
            let claims = claims.as_object_mut().expect("an object");
            claims.remove("scp");
            claims.insert("roles".to_owned(), json!(["Tasks.Run"]));
            claims.insert("idtyp".to_owned(), json!("app"));
        }
        Self {
            head: members(json!({ "typ": "JWT", "alg": "RS256", "kid": KID })),
            claims: members(claims),
            raw_head: None,
            raw_claims: None,
            signature: Signature::Own,
            encoded: None,
            whole: None,
        }
    }

    pub fn header(&self) -> String {
        self.raw_head.as_ref().map_or_else(
            || object(&self.head),
            |raw| String::from_utf8_lossy(raw).into_owned(),
        )
    }

    pub fn payload(&self) -> String {
        self.raw_claims.as_ref().map_or_else(
            || object(&self.claims),
            |raw| String::from_utf8_lossy(raw).into_owned(),
        )
    }

    pub fn sign(&self, random: &mut fastrand::Rng) -> String {
        let text = |raw: &Option<Vec<u8>>, members: &Members| {
            let bytes = raw.clone().unwrap_or_else(|| object(members).into_bytes());
            URL_SAFE_NO_PAD.encode_to_string(bytes)
        };
        let (head, claims) = (
            text(&self.raw_head, &self.head),
            text(&self.raw_claims, &self.claims),
        );
        let signed = match self.encoded {
            Some(change) => change(&head, &claims),
            None => format!("{head}.{claims}"),
        };
        let key = signer::key(usize::from(matches!(self.signature, Signature::Foreign)));
        let mut bytes = key.sign_text(&signed);
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
        let signature = match self.signature {
            Signature::Own | Signature::Foreign => encode(&bytes),
            Signature::Empty => String::new(),
            Signature::Bit => {
                let at = random.usize(0..bytes.len());
                bytes[at] ^= 1 << random.u8(0..8);
                encode(&bytes)
            }
            Signature::Cut => encode(&bytes[..bytes.len() - 1]),
            Signature::Longer => {
                bytes.push(0);
                encode(&bytes)
            }
            Signature::Padded => format!("{}==", encode(&bytes)),
            Signature::TrailingBits => {
                // 256 bytes leave four bits of the last character that mean nothing.
                let mut text = encode(&bytes);
                let last = text.pop().expect("not empty");
                text.push(char::from(
                    u8::try_from(u32::from(last)).expect("ASCII") + 1,
                ));
                text
            }
        };
        let token = format!("{signed}.{signature}");
        match self.whole {
            Some(change) => change(&token, random),
            None => token,
        }
    }
}
