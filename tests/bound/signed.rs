//! `tests/vectors/pop.toml`: each row is the good request with something changed.

use axum::body::Body;
use axum::http::{Request, header::HOST};
use axum_entra::PopTokens;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::key::{Key, RSA, base64url, named, sha256};
use crate::world::World;

/// One row. What is not said is as in the good request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Row {
    name: String,
    /// `in`, or the reason of a 401 (any other status before it).
    expect: String,
    /// Members of the payload to set, as JSON; `$` words are filled in, null leaves one out.
    payload: Option<String>,
    /// The same of the header.
    header: Option<String>,
    /// The whole payload as text, with `$` words.
    raw_payload: Option<String>,
    raw_header: Option<String>,
    /// How old `ts` is, in seconds.
    age: Option<f64>,
    /// The key that signs; its `jwk` is the payload's.
    key: Option<String>,
    /// The key whose `jwk` is shown in the place of the signer's.
    shown: Option<String>,
    /// The key that the access token is bound to; `cnf` as JSON with `$` words goes before it.
    bound: Option<String>,
    cnf: Option<String>,
    /// What happens to the access token: `expired`, `audience`, `junk`, `unsigned`.
    token: Option<String>,
    /// What happens to the signed text.
    mangle: Option<String>,
    scheme: Option<String>,
    method: Option<String>,
    target: Option<String>,
    host: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    /// How often it is sent; the last answer counts.
    sent: Option<usize>,
}

#[derive(Deserialize)]
struct Table {
    case: Vec<Row>,
}

fn rows() -> Vec<Row> {
    let table: Table = toml::from_str(include_str!("../vectors/pop.toml")).unwrap();
    table.case
}

const HOST_NAME: &str = "api.example:8443";
const TARGET: &str = "/Todos/One?a=1&b=2";

/// The words that texts of a row may hold.
fn filled(text: &str, world: &World, token: &str, jwk: &Value) -> String {
    let hash = |text: &str| base64url(sha256(text.as_bytes()));
    let words = [
        ("$at", json!(token).to_string()),
        ("$ts", world.now.to_string()),
        ("$jwk", jwk.to_string()),
        ("$rsa", RSA.thumbprint()),
        ("$ec", named("ec").thumbprint()),
        ("$other", named("other").thumbprint()),
        ("$key(rsa)", RSA.jwk().to_string()),
        ("$key(ec)", named("ec").jwk().to_string()),
        ("$key(other)", named("other").jwk().to_string()),
    ];
    let mut text = text.to_owned();
    // `$hash(…)` is the SHA-256 of what is in it.
    while let Some(start) = text.find("$hash(") {
        let end = start + text[start..].find(')').unwrap();
        let inner = text[start + 6..end].replace("\\n", "\n");
        text = format!("{}{}{}", &text[..start], hash(&inner), &text[end + 1..]);
    }
    // The longer words first.
    let mut words = words.to_vec();
    words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    for (word, value) in words {
        text = text.replace(word, &value);
    }
    text
}

fn merged(mut members: Map<String, Value>, change: Option<String>) -> Map<String, Value> {
    let change: Map<String, Value> = match change {
        Some(text) => serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}")),
        None => Map::new(),
    };
    for (name, value) in change {
        match value {
            Value::Null => members.remove(&name),
            // Null itself.
            Value::String(text) if text == "$null" => members.insert(name, Value::Null),
            value => members.insert(name, value),
        };
    }
    members
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

impl Row {
    fn signer(&self) -> &'static Key {
        named(self.key.as_deref().unwrap_or("rsa"))
    }

    fn access_token(&self, world: &World) -> String {
        let bound = self.bound.as_deref().or(self.key.as_deref());
        let cnf = match &self.cnf {
            Some(text) => serde_json::from_str(&filled(text, world, "", &Value::Null)).unwrap(),
            None => json!({ "kid": named(bound.unwrap_or("rsa")).thumbprint(), "xms_ksl": "sw" }),
        };
        let token = world.emulator.token().v2().user("alice").claim("cnf", cnf);
        match self.token.as_deref() {
            None => token.mint(),
            Some("expired") => token.expired().mint(),
            Some("audience") => token.audience("api://other").mint(),
            Some("unsigned") => token.raw_signature("AAAA").mint(),
            Some("no_permissions") => token.scope("").roles([""; 0]).mint(),
            Some("junk") => "EwBwA8l6BAAU".to_owned(),
            Some(other) => panic!("{other}"),
        }
    }

    /// The signed HTTP request.
    fn signed(&self, world: &World) -> String {
        let key = self.signer();
        let token = self.access_token(world);
        let jwk = self
            .shown
            .as_deref()
            .map_or_else(|| key.jwk(), |shown| named(shown).jwk());
        let fill = |text: &String| filled(text, world, &token, &jwk);
        let header = object(json!({ "typ": "pop", "alg": key.algorithm(), "kid": "any" }));
        let header = match &self.raw_header {
            Some(raw) => fill(raw),
            None => json!(merged(header, self.header.as_ref().map(fill))).to_string(),
        };
        let at = world.now as f64 - self.age.unwrap_or_default();
        let ts = if at.fract() == 0.0 {
            json!(at as u64)
        } else {
            json!(at)
        };
        let payload = object(json!({
            "at": token, "ts": ts, "m": "GET", "u": HOST_NAME, "p": "/Todos/One",
            "q": [[], "a=1&b=2"], "nonce": "n", "cnf": { "jwk": jwk.clone() },
        }));
        let payload = match &self.raw_payload {
            Some(raw) => fill(raw),
            None => json!(merged(payload, self.payload.as_ref().map(fill))).to_string(),
        };
        let input = format!("{}.{}", base64url(header), base64url(payload));
        let signature = match self.mangle.as_deref() {
            Some("pss") => key.sign_pss(input.as_bytes()),
            Some("hmac") => {
                let secret = jwk.to_string();
                let secret =
                    aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
                aws_lc_rs::hmac::sign(&secret, input.as_bytes())
                    .as_ref()
                    .to_vec()
            }
            _ => key.sign(input.as_bytes()),
        };
        let whole = format!("{input}.{}", base64url(&signature));
        mangled(
            self.mangle.as_deref().unwrap_or_default(),
            &input,
            &signature,
            whole,
        )
    }

    fn request(&self, signed: &str) -> Request<Body> {
        let scheme = self.scheme.as_deref().unwrap_or("PoP");
        let mut request = Request::builder()
            .method(self.method.as_deref().unwrap_or("GET"))
            .uri(self.target.as_deref().unwrap_or(TARGET))
            .header("authorization", format!("{scheme} {signed}"));
        match self.host.as_deref() {
            Some("") => {}
            host => request = request.header(HOST, host.unwrap_or(HOST_NAME)),
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
            .body(Body::from(self.body.clone().unwrap_or_default()))
            .unwrap()
    }
}

fn mangled(how: &str, input: &str, signature: &[u8], whole: String) -> String {
    let with = |signature: &[u8]| format!("{input}.{}", base64url(signature));
    match how {
        "" | "pss" | "hmac" => whole,
        "no_signature" => format!("{input}."),
        "two_parts" => input.to_owned(),
        "four_parts" => format!("{whole}.AAAA"),
        "padded" => format!("{whole}=="),
        "short_signature" => with(&signature[..signature.len() - 1]),
        "long_signature" => with(&[signature, &[0]].concat()),
        "zero_signature" => with(&vec![0; signature.len()]),
        "der_signature" => {
            // What an X.509 library makes of an ECDSA signature, not JOSE's form.
            let number = |half: &[u8]| {
                let mut own = vec![0];
                own.extend_from_slice(half);
                [&[2, u8::try_from(own.len()).unwrap()], &own[..]].concat()
            };
            let (r, s) = signature.split_at(32);
            let both = [number(r), number(s)].concat();
            with(&[&[0x30, u8::try_from(both.len()).unwrap()], &both[..]].concat())
        }
        "flipped_bit" => {
            let mut signature = signature.to_vec();
            signature[20] ^= 1;
            with(&signature)
        }
        "flipped_payload" => {
            // Another method under the same signature.
            let (header, payload) = input.split_once('.').unwrap();
            let payload = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap();
            let payload = String::from_utf8(payload).unwrap().replace("GET", "PUT");
            format!("{header}.{}.{}", base64url(payload), base64url(signature))
        }
        "long" => format!("{whole}{}", "A".repeat(200_000)),
        "token_alone" => {
            let payload = input.split_once('.').unwrap().1;
            let payload = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap();
            let payload: Value = serde_json::from_slice(&payload).unwrap();
            payload["at"].as_str().unwrap().to_owned()
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_row_of_the_table_is_answered_as_it_says() {
    let world = World::new(|builder| builder.pop_tokens(PopTokens::Accept)).await;
    let (mut attacks, mut accepted, mut wrong) = (0, 0, Vec::new());
    for row in rows() {
        let before = world.runs.count();
        let signed = row.signed(&world);
        let mut answer = world.send(row.request(&signed)).await;
        for _ in 1..row.sent.unwrap_or(1) {
            answer = world.send(row.request(&signed)).await;
        }
        let ran = world.runs.count() - before;
        if answer.brief() != row.expect {
            wrong.push(format!("{}: {} {}", row.name, answer.brief(), answer.text));
            continue;
        }
        if row.expect == "in" {
            accepted += 1;
            assert!(
                answer.text.starts_with("key"),
                "{}: {}",
                row.name,
                answer.text
            );
            let body = row.body.clone().unwrap_or_default();
            assert!(
                answer.text.ends_with(&format!(" {body}")),
                "{}: the body",
                row.name
            );
        } else {
            attacks += 1;
            let let_in = usize::from(row.sent.is_some());
            assert_eq!(ran, let_in, "{}: a handler ran", row.name);
            let is_pop =
                answer.status != 401 || row.scheme.is_some() || answer.schemes() == ["PoP"];
            assert!(is_pop, "{}: {:?}", row.name, answer.challenges);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        attacks >= 80 && accepted >= 25,
        "{attacks} attacks, {accepted} accepted"
    );
}

/// The cache of verified tokens knows the token after the first request; the proof is new each time.
#[tokio::test]
async fn a_known_token_saves_no_request_its_proof() {
    for cache in [67_108_864, 0] {
        let world = World::new(|builder| {
            builder
                .pop_tokens(PopTokens::Accept)
                .token_cache_capacity(cache)
        })
        .await;
        let good = Row::default();
        let token = good.access_token(&world);
        let key = RSA.jwk();
        let signed = |m: &str, nonce: u8, key_id: &str| {
            let header = json!({ "typ": "pop", "alg": "RS256" }).to_string();
            let payload = json!({
                "at": token, "ts": world.now, "m": m, "u": HOST_NAME, "p": "/Todos/One",
                "nonce": nonce.to_string(), "cnf": { "jwk": key },
            });
            let input = format!("{}.{}", base64url(header), base64url(payload.to_string()));
            format!(
                "{input}.{}",
                base64url(named(key_id).sign(input.as_bytes()))
            )
        };
        for nonce in 0..4 {
            let own = signed("GET", nonce, "rsa");
            assert_eq!(world.send(good.request(&own)).await.brief(), "in");
            assert_eq!(
                world.send(good.request(&own)).await.brief(),
                "proof",
                "a replay"
            );
            let other = signed("POST", nonce, "rsa");
            assert_eq!(
                world.send(good.request(&other)).await.brief(),
                "proof",
                "the method"
            );
            let forged = signed("GET", nonce + 100, "other");
            assert_eq!(
                world.send(good.request(&forged)).await.brief(),
                "proof",
                "the signature"
            );
            // The token by itself, which is in the cache by now.
            let bearer = Row {
                scheme: Some("Bearer".into()),
                ..good.clone()
            };
            let answer = world.send(bearer.request(&token)).await;
            assert_eq!(answer.brief(), "sender_constrained");
            assert_eq!(answer.schemes(), ["Bearer", "PoP"]);
        }
        assert_eq!(world.runs.count(), 4);
        let outside = world.entra.validate(&token).await.unwrap_err();
        assert_eq!(outside.reason(), "sender_constrained");
    }
}

#[tokio::test]
async fn of_many_at_once_one_signed_request_is_the_first() {
    let world = World::new(|builder| builder.pop_tokens(PopTokens::Accept)).await;
    let row = Row::default();
    let signed = row.signed(&world);
    let mut sent = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (router, request) = (world.router.clone(), row.request(&signed));
        sent.spawn(async move { crate::world::send(&router, request).await.brief() });
    }
    let answers = sent.join_all().await;
    let of = |brief: &str| answers.iter().filter(|answer| *answer == brief).count();
    assert_eq!((of("in"), of("proof")), (1, 31));
}
