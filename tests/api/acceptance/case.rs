//! The acceptance cases as data, and the tokens that they describe.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use axum_entra::{Clock, UnixTime};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::signer::{key, unsigned};

const CASES: &str = include_str!("../../vectors/acceptance.json");

/// Tokens as they are printed, which cannot be made here.
const PRINTED: [(&str, &str); 4] = [
    (
        "v1 padded",
        include_str!("../../vectors/printed/v1_padded.jwt"),
    ),
    (
        "v1 unpadded",
        include_str!("../../vectors/printed/v1_unpadded.jwt"),
    ),
    ("v2", include_str!("../../vectors/printed/v2.jwt")),
    ("b2c", include_str!("../../vectors/b2c/id_token.jwt")),
];

/// The printed overage sample, which is no JSON.
const OVERAGE: &str = include_str!("../../vectors/printed/overage.txt");

/// The clock of all cases that name none: within both of the printed lifetimes.
pub(super) const T0: u64 = 1_537_233_200;

#[derive(Deserialize)]
pub(super) struct File {
    pub(super) tokens: HashMap<String, Sample>,
    pub(super) cases: Vec<Case>,
}

#[derive(Deserialize)]
pub(super) struct Sample {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct Case {
    pub(super) id: String,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    pub(super) scenario: Option<String>,
    pub(super) waits_for: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) profile: String,
    pub(super) request: String,
    pub(super) token: Option<Token>,
    pub(super) token_in: Option<String>,
    #[serde(default)]
    pub(super) authorization: Vec<String>,
    pub(super) audiences: Option<Vec<String>>,
    pub(super) clock: Option<Value>,
    pub(super) answer: Expected,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Token {
    base: String,
    printed: String,
    set: Map<String, Value>,
    without: Vec<String>,
    header: Map<String, Value>,
    sign: String,
    tamper: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    pub(super) status: u16,
    pub(super) error: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) body: Option<Map<String, Value>>,
}

pub(super) fn file() -> File {
    serde_json::from_str(CASES).unwrap()
}

impl Step {
    /// The time of the step, which does not move.
    pub(super) fn clock(&self) -> Clock {
        let now = match &self.clock {
            None => T0,
            Some(Value::String(_)) => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs(),
            Some(at) => at.as_u64().unwrap(),
        };
        Clock::from_fn(move || UnixTime::from_secs(now))
    }

    pub(super) fn token(&self, samples: &HashMap<String, Sample>) -> Option<String> {
        self.token.as_ref().map(|token| token.text(samples))
    }

    /// Method and target.
    pub(super) fn line(&self, token: Option<&str>) -> (&str, String) {
        let (method, target) = self.request.split_once(' ').unwrap();
        (method, target.replace("{token}", token.unwrap_or_default()))
    }

    /// The values of `Authorization`, in their order.
    pub(super) fn credentials(&self, token: Option<&str>) -> Vec<String> {
        let mut values = self.authorization.clone();
        if let (Some(token), None) = (token, &self.token_in) {
            values.push(format!("Bearer {token}"));
        }
        values
    }
}

impl Token {
    pub(super) fn text(&self, samples: &HashMap<String, Sample>) -> String {
        if !self.printed.is_empty() {
            let (_, text) = PRINTED
                .iter()
                .find(|(name, _)| *name == self.printed)
                .unwrap();
            return text.trim().to_owned();
        }
        let sample = &samples[&self.base];
        let (mut header, mut claims) = (sample.header.clone(), sample.claims.clone());
        header.extend(self.header.clone());
        claims.extend(self.set.clone());
        claims.retain(|name, _| !self.without.contains(name));
        let header = Value::Object(header).to_string();
        let payload = match self.text.as_str() {
            "" => Value::Object(claims).to_string(),
            _ => OVERAGE.to_owned(),
        };
        let token = match self.sign.as_str() {
            "" => key(0).sign(&header, &payload),
            "another key" => key(1).sign(&header, &payload),
            "nobody" => format!("{}.", unsigned(&header, &payload)),
            "hmac with the public key" => with_hmac(&unsigned(&header, &payload)),
            other => panic!("{other}"),
        };
        match self.tamper.as_str() {
            "" => token,
            _ => tampered(&token, &header, &payload),
        }
    }
}

/// The classic confusion: the public key, which everybody has, as an HMAC secret.
fn with_hmac(unsigned: &str) -> String {
    let body = base64_simd::STANDARD.encode_to_string(key(0).public_der());
    let pem = format!("-----BEGIN RSA PUBLIC KEY-----\n{body}\n-----END RSA PUBLIC KEY-----\n");
    let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, pem.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&secret, unsigned.as_bytes());
    let tag = base64_simd::URL_SAFE_NO_PAD.encode_to_string(tag.as_ref());
    format!("{unsigned}.{tag}")
}

/// The same token with one character of its payload changed after signing.
fn tampered(token: &str, header: &str, payload: &str) -> String {
    let changed = payload.replacen("Abe Lincoln", "Abe Lincolm", 1);
    assert_ne!(payload, changed);
    let (_, signature) = token.rsplit_once('.').unwrap();
    format!("{}.{signature}", unsigned(header, &changed))
}
