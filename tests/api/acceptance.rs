//! The acceptance cases, from `tests/vectors/acceptance.json`, every one by its id.
//!
//! Issuers and tokens are those of the papers; the documents are served on loopback, so that
//! every case also shows that it caused no fetch.

mod accounts;
mod profiles;
mod scenarios;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{Method, Request};
use axum_entra::{Clock, UnixTime};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::service::{Runs, send};
use crate::signer::{key, unsigned};
use profiles::Stage;

const CASES: &str = include_str!("../vectors/acceptance.json");

/// Tokens as they are printed, which cannot be made here.
const PRINTED: [(&str, &str); 4] = [
    (
        "v1 padded",
        include_str!("../vectors/printed/v1_padded.jwt"),
    ),
    (
        "v1 unpadded",
        include_str!("../vectors/printed/v1_unpadded.jwt"),
    ),
    ("v2", include_str!("../vectors/printed/v2.jwt")),
    ("b2c", include_str!("../vectors/b2c/id_token.jwt")),
];

/// The printed overage sample, which is no JSON.
const OVERAGE: &str = include_str!("../vectors/printed/overage.txt");

/// The clock of all cases that name none: within both of the printed lifetimes.
const T0: u64 = 1_537_233_200;

#[derive(Deserialize)]
struct File {
    tokens: std::collections::HashMap<String, Sample>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Sample {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    #[serde(default)]
    steps: Vec<Step>,
    scenario: Option<String>,
    waits_for: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    profile: String,
    request: String,
    token: Option<Token>,
    token_in: Option<String>,
    #[serde(default)]
    authorization: Vec<String>,
    audiences: Option<Vec<String>>,
    clock: Option<Value>,
    answer: Expected,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Token {
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
struct Expected {
    status: u16,
    error: Option<String>,
    reason: Option<String>,
    challenge: Option<String>,
    body: Option<Map<String, Value>>,
}

#[test]
fn every_acceptance_case_is_answered_as_the_contract_says() {
    let file = file();
    let mut failed = Vec::new();
    let mut ran = 0;
    for case in file.cases.iter().filter(|case| !case.steps.is_empty()) {
        for step in &case.steps {
            let result = catch_unwind(AssertUnwindSafe(|| {
                runtime().block_on(run(step, &file.tokens));
            }));
            if result.is_err() {
                failed.push(case.id.as_str());
            }
        }
        ran += 1;
    }
    assert_eq!(
        failed, [""; 0],
        "these cases failed; what they said is above"
    );
    assert_eq!(ran, 69);
}

#[test]
fn every_acceptance_scenario_plays_as_the_contract_says() {
    let mut ran = 0;
    for case in file().cases {
        if let Some(name) = &case.scenario {
            println!("{}: {name}", case.id);
            runtime().block_on(scenarios::play(name));
            ran += 1;
        }
    }
    assert_eq!(ran, 16);
}

#[test]
fn no_acceptance_case_is_lost() {
    let cases = file().cases;
    assert_eq!(cases.len(), 85);
    let mut waiting = 0;
    for case in &cases {
        let kinds = [
            !case.steps.is_empty(),
            case.scenario.is_some(),
            case.waits_for.is_some(),
        ];
        assert_eq!(kinds.iter().filter(|kind| **kind).count(), 1, "{}", case.id);
        if let Some(feature) = &case.waits_for {
            println!("{} waits for {feature}", case.id);
            waiting += 1;
        }
    }
    assert_eq!(waiting, 0, "cases that wait for a feature");
}

fn file() -> File {
    serde_json::from_str(CASES).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Plays one step: sets the stage, sends one request, looks at the whole answer.
async fn run(step: &Step, samples: &std::collections::HashMap<String, Sample>) {
    let now = match &step.clock {
        None => T0,
        Some(Value::String(_)) => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs(),
        Some(at) => at.as_u64().unwrap(),
    };
    let stage = Stage::set(&step.profile, step.audiences.as_deref()).await;
    let entra = stage
        .entra(Clock::from_fn(move || UnixTime::from_secs(now)))
        .await;
    let runs = Runs::default();
    let router = profiles::router(&entra, &runs);

    let token = step.token.as_ref().map(|token| token.text(samples));
    let before = stage.documents.seen().len();
    let answer = send(&router, step.http(token.as_deref())).await;
    let fetches = stage.documents.seen().len() - before;

    let expected = &step.answer;
    assert_eq!(answer.status.as_u16(), expected.status, "{}", answer.text);
    assert_eq!(answer.challenge(), expected.challenge.as_deref());
    assert_eq!(fetches, 0, "no case here may cause a fetch");
    assert_eq!(runs.count(), usize::from(expected.status == 200));
    if let (Some(error), Some(reason)) = (&expected.error, &expected.reason) {
        assert_eq!(
            (&answer.member("error"), &answer.member("reason")),
            (error, reason)
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(answer.body()["status"], expected.status);
    }
    for (name, value) in expected.body.iter().flatten() {
        assert_eq!(&answer.body()[name], value, "{name}");
    }
    if let Some(token) = token {
        assert!(!answer.text.contains(&token));
    }
}

impl Step {
    fn http(&self, token: Option<&str>) -> Request<Body> {
        let (method, path) = self.request.split_once(' ').unwrap();
        let path = path.replace("{token}", token.unwrap_or_default());
        let mut request = Request::builder()
            .method(method.parse::<Method>().unwrap())
            .uri(path);
        for value in &self.authorization {
            request = request.header("authorization", value);
        }
        if let (Some(token), None) = (token, &self.token_in) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.body(Body::empty()).unwrap()
    }
}

impl Token {
    fn text(&self, samples: &std::collections::HashMap<String, Sample>) -> String {
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
