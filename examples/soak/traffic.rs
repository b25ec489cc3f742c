//! What clients send: valid tokens, damaged ones and junk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use entra_emulator::Emulator;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::model::{Document, Model};

/// Tokens of one signing key.
pub(crate) struct Batch {
    pub(crate) number: u64,
    tries: Vec<Try>,
}

/// One thing to send, and what is answered when its key is known.
pub(crate) struct Try {
    path: &'static str,
    token: String,
    pub(crate) answer: &'static str,
    pub(crate) document: Document,
    /// Whether there is an answer only once there is a key.
    pub(crate) needs_key: bool,
}

impl Batch {
    pub(crate) fn mint(emulator: &Emulator, number: u64) -> Self {
        let user = |name: &str| emulator.token().user(name).scope("access_as_user");
        let good = user("alice").mint();
        let (body, signature) = good.rsplit_once('.').unwrap_or_default();
        let first = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{body}.{first}{}", signature.get(1..).unwrap_or_default());
        let keyed = [
            ("/me", user("alice").mint(), "in"),
            ("/me", user("bob").mint(), "in"),
            ("/scope", user("alice").claim("n", number).mint(), "in"),
            ("/scope", emulator.token().scope("other").mint(), "scope"),
            ("/me", user("alice").expired().mint(), "expired"),
            ("/me", user("alice").audience("x").mint(), "audience"),
            (
                "/me",
                user("alice").claim("cnf", "x").mint(),
                "sender_constrained",
            ),
            ("/me", forged, "bad_signature"),
        ];
        let keyless = [
            (
                "/me",
                user("alice").header("alg", "none").mint(),
                "algorithm",
            ),
            ("/me", user("alice").issuer("https://x/").mint(), "issuer"),
            (
                "/me",
                user("alice").header("crit", "x").mint(),
                "critical_header",
            ),
            ("/me", "junk".to_owned(), "malformed"),
            ("/scope", String::new(), "missing_token"),
        ];
        let with = |needs_key| {
            move |(path, token, answer)| Try {
                path,
                token,
                answer,
                document: Document::V2,
                needs_key,
            }
        };
        let v1 = Try {
            path: "/scope",
            token: user("alice").v1().mint(),
            answer: "in",
            document: Document::V1,
            needs_key: true,
        };
        let tries = keyed.map(with(true)).into_iter();
        Self {
            number,
            tries: tries.chain(keyless.map(with(false))).chain([v1]).collect(),
        }
    }
}

/// What came back, counted.
#[derive(Default)]
pub(crate) struct Tally {
    answers: BTreeMap<String, u64>,
    wrong: Vec<String>,
    stuck: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        for (answer, count) in other.answers {
            *self.answers.entry(answer).or_default() += count;
        }
        self.wrong.extend(other.wrong);
        self.stuck += other.stuck;
    }

    pub(crate) fn report(&self, rollovers: u64) {
        let all: u64 = self.answers.values().sum();
        println!("{all} requests, {rollovers} rollovers");
        for (answer, count) in &self.answers {
            println!("{count:>10} {answer}");
        }
        println!("{} wrong answers, {} stuck", self.wrong.len(), self.stuck);
        for wrong in self.wrong.iter().take(10) {
            println!("wrong: {wrong}");
        }
    }

    /// Nothing wrong, nothing stuck, and the good answers were not forgotten.
    pub(crate) fn is_good(&self) -> bool {
        let passed = self.answers.get("in").copied().unwrap_or_default();
        self.wrong.is_empty() && self.stuck == 0 && passed > 0
    }
}

/// Sends until the end.
pub(crate) async fn client(
    router: Router,
    model: Arc<Model>,
    mut chances: fastrand::Rng,
    end: Instant,
) -> Tally {
    let mut tally = Tally::default();
    while Instant::now() < end {
        let batch = model.choose(&mut chances);
        let what = &batch.tries[chances.usize(..batch.tries.len())];
        let before = model.key(batch.number, what.document);
        let sent = tokio::time::timeout(Duration::from_secs(10), send(&router, what));
        let Ok(answer) = sent.await else {
            tally.stuck += 1;
            continue;
        };
        if !model.judge(what, batch.number, before, &answer) {
            let token = &what.answer;
            let key = batch.number;
            tally.wrong.push(format!(
                "{answer} instead of {token}, key {key}, {before:?}"
            ));
        }
        *tally.answers.entry(answer).or_default() += 1;
        if chances.u8(..64) == 0 {
            tokio::task::yield_now().await;
        }
    }
    tally
}

async fn send(router: &Router, what: &Try) -> String {
    let mut request = Request::builder().uri(what.path);
    if !what.token.is_empty() {
        request = request.header(AUTHORIZATION, format!("Bearer {}", what.token));
    }
    let Ok(request) = request.body(Body::empty()) else {
        return "no request".to_owned();
    };
    let Ok(response) = router.clone().oneshot(request).await;
    if response.status().is_success() {
        return "in".to_owned();
    }
    let body = to_bytes(response.into_body(), 65_536).await;
    let problem: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    problem["reason"].as_str().unwrap_or("no reason").to_owned()
}
