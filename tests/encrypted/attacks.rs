//! Every row of `tests/vectors/jwe_attacks.toml`, against `validate` and the layer: none gets
//! through, and none causes a fetch.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use axum_entra::{Entra, Tenant, TokenDecryptionKey};
use base64_simd::URL_SAFE_NO_PAD;
use http_body_util::BodyExt as _;
use miniz_oxide::deflate::compress_to_vec;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

use crate::authority::{API, Authority, KID, TENANT};
use crate::blocks::block;
use crate::jwe::{Recipient, header, key_length, random, sealed_by};
use crate::signer::{key, unsigned};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    why: String,
    /// The answer's `reason`; `in` for a good token.
    reason: String,
    /// How it is really encrypted; the header says the same unless told.
    #[serde(default = "rsa_oaep")]
    alg: String,
    #[serde(default = "cbc")]
    enc: String,
    /// Members of the header to set, to leave out where null.
    header: Option<String>,
    /// The whole header, whether JSON or not.
    raw_header: Option<String>,
    /// What is encrypted; a good signed token unless told.
    content: Option<String>,
    /// A block of `blocks.rs`, or a change.
    encrypted_key: Option<String>,
    vector: Option<String>,
    ciphertext: Option<String>,
    tag: Option<String>,
    /// A change of the five parts as text.
    compact: Option<String>,
}

fn rsa_oaep() -> String {
    "RSA-OAEP".to_owned()
}

fn cbc() -> String {
    "A256CBC-HS512".to_owned()
}

#[derive(Deserialize)]
struct Table {
    attack: Vec<Row>,
}

const ROWS: usize = 131;
const CONTROLS: usize = 6;

#[test]
fn the_table_is_whole() {
    let rows = rows();
    assert_eq!(rows.len(), ROWS);
    let controls = rows.iter().filter(|row| row.reason == "in").count();
    assert_eq!(controls, CONTROLS);
    let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ROWS, "a name stands twice");
    assert!(rows.iter().all(|row| !row.why.is_empty()));
}

#[tokio::test]
async fn no_attack_gets_through_or_causes_a_fetch() {
    let authority = Authority::start().await;
    let own = Recipient::new();
    let entra = Entra::builder_for(
        axum_entra::Authority::entra(Tenant::new(TENANT), API)
            .instance(format!("{}/", authority.base()))
            .sts_instance(format!("{}/", authority.base())),
    )
    .token_decryption_key(TokenDecryptionKey::bytes(own.pem()))
    .build()
    .unwrap();
    let router = Router::new()
        .route("/", get(|| async { "in" }))
        .route_layer(entra.layer());
    // The keys are there before the first row.
    assert!(entra.validate(&good(&authority)).await.is_ok());
    let before = authority.fetches();
    let (mut ran, mut wrong) = (0, Vec::new());
    for row in rows() {
        let token = made(&row, &own, &authority);
        let verdict = entra.validate(&token).await;
        let reason = verdict
            .as_ref()
            .map_or_else(|refused| refused.reason(), |_| "in");
        if reason != row.reason {
            wrong.push(format!("{}: validate says {reason}", row.name));
        }
        let answer = ask(&router, &token).await;
        let expected = match row.reason.as_str() {
            "in" => (StatusCode::OK, None),
            // The header's alphabet, before the token.
            "malformed" if row.compact.as_deref() == Some("json") => {
                (StatusCode::BAD_REQUEST, Some("malformed_header"))
            }
            reason => (StatusCode::UNAUTHORIZED, Some(reason)),
        };
        let found = answer.1["reason"].as_str();
        if (answer.0, found) != expected {
            wrong.push(format!(
                "{}: the layer answers {} {found:?}",
                row.name, answer.0
            ));
        }
        ran += 1;
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(authority.fetches(), before, "a fetch");
    println!("{ran} rows, {} of them attacks", ran - CONTROLS);
}

async fn ask(router: &Router, token: &str) -> (StatusCode, Value) {
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn rows() -> Vec<Row> {
    let text = include_str!("../vectors/jwe_attacks.toml");
    let table: Table = toml::from_str(text).unwrap();
    table.attack
}

fn claims(authority: &Authority) -> Value {
    let now = authority.now();
    json!({
        "aud": API, "iss": format!("{}/{TENANT}/v2.0", authority.base()), "tid": TENANT, "ver": "2.0",
        "iat": now - 300, "nbf": now - 300, "exp": now + 3_600,
        "azp": "cccccccc-1111-4111-8111-111111111111", "azpacr": "0", "sub": "s",
        "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "scp": "access_as_user",
    })
}

fn good(authority: &Authority) -> String {
    let header = json!({ "alg": "RS256", "kid": KID });
    key(0).sign(&header.to_string(), &claims(authority).to_string())
}

fn made(row: &Row, own: &Recipient, authority: &Authority) -> String {
    let content_key = random(key_length(&row.enc));
    let mut members = header(&row.alg, &row.enc);
    let changes: Map<String, Value> = row
        .header
        .as_deref()
        .map(|text| serde_json::from_str(text).unwrap())
        .unwrap_or_default();
    for (name, value) in changes {
        match value {
            Value::Null => members.remove(&name),
            value => members.insert(name, value),
        };
    }
    let text = Value::from(members).to_string();
    let text = row.raw_header.clone().unwrap_or(text);
    let content = content(row.content.as_deref().unwrap_or("token"), own, authority);
    let encrypted = own.encrypt(&row.alg, &content_key, None);
    let mut jwe = sealed_by(&content_key, encrypted, &row.enc, text, &content);
    let change = |part: &mut Vec<u8>, how: &Option<String>| {
        if let Some(how) = how {
            changed(part, how);
        }
    };
    match row.encrypted_key.as_deref() {
        Some(how) if CHANGES.contains(&how) => changed(&mut jwe.encrypted_key, how),
        Some(name) => jwe.encrypted_key = block(name, own, &row.alg, &content_key),
        None => {}
    }
    change(&mut jwe.vector, &row.vector);
    change(&mut jwe.ciphertext, &row.ciphertext);
    change(&mut jwe.tag, &row.tag);
    match &row.compact {
        Some(how) => rearranged(&jwe.compact(), how),
        None => jwe.compact(),
    }
}

fn content(name: &str, own: &Recipient, authority: &Authority) -> Vec<u8> {
    let claims = claims(authority);
    let signed = |header: Value| key(0).sign(&header.to_string(), &claims.to_string());
    let deflated = |bytes: &[u8]| compress_to_vec(bytes, 9);
    match name {
        "token" => good(authority).into(),
        "deflated" => deflated(good(authority).as_bytes()),
        "bomb" => deflated(&vec![b'A'; 50_000_000]),
        "bomb_of_a_header" => {
            deflated(&[good(authority).as_bytes(), &vec![b'A'; 1_000_000]].concat())
        }
        "deflated_cut_off" => {
            let mut bytes = deflated(good(authority).as_bytes());
            bytes.truncate(bytes.len() / 2);
            bytes
        }
        // Bytes that happen to have four dots would be refused as a nested JWE.
        "deflated_without_dots" => without_dots(deflated(good(authority).as_bytes())),
        "deflated_twice" => deflated(&without_dots(deflated(good(authority).as_bytes()))),
        "no_deflate" => vec![0xff; 400],
        "nested" => {
            let inner = crate::jwe::sealed(own, "RSA-OAEP", "A256GCM", good(authority).as_bytes());
            inner.compact().into()
        }
        "unsigned" => {
            let header = json!({ "alg": "none", "kid": KID });
            format!("{}.", unsigned(header.to_string(), claims.to_string())).into()
        }
        "hmac" => {
            let header = json!({ "alg": "HS256", "kid": KID });
            format!("{}.AAAA", unsigned(header.to_string(), claims.to_string())).into()
        }
        "claims_alone" => claims.to_string().into(),
        "two_parts" => unsigned("{\"alg\":\"none\"}", claims.to_string()).into(),
        "another_key" => {
            let header = json!({ "alg": "RS256", "kid": KID });
            key(1).sign(&header.to_string(), &claims.to_string()).into()
        }
        "own_encryption_key" => {
            // Signed with nothing: the encrypted key's public half is all that an attacker has.
            let header = json!({ "alg": "RS256", "kid": KID, "jwk": { "kty": "RSA" } });
            let signed = unsigned(header.to_string(), claims.to_string());
            format!(
                "{signed}.{}",
                URL_SAFE_NO_PAD.encode_to_string(&own.modulus)
            )
            .into()
        }
        "changed_signature" => {
            let mut token = good(authority);
            let last = token.pop().unwrap();
            // Bits that count, in a character of the middle.
            let at = token.len() - 20;
            let other = if &token[at..=at] == "A" { "B" } else { "A" };
            token.replace_range(at..=at, other);
            token.push(last);
            token.into()
        }
        "critical" => signed(json!({ "alg": "RS256", "kid": KID, "crit": ["exp"] })).into(),
        "cty" => signed(json!({ "alg": "RS256", "kid": KID, "cty": "JWT" })).into(),
        "wrong_typ" => signed(json!({ "alg": "RS256", "kid": KID, "typ": "secevent+jwt" })).into(),
        "not_utf_8" => vec![0xff, b'.', 0xfe, b'.', 0xfd],
        "empty" => Vec::new(),
        "spaces_around" => format!(" {} ", good(authority)).into(),
        other => panic!("{other} is no content"),
    }
}

fn without_dots(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.retain(|byte| *byte != b'.');
    bytes
}

const CHANGES: [&str; 7] = [
    "flip_first",
    "flip_last",
    "cut_1",
    "cut_half",
    "one_more",
    "empty",
    "zeros",
];

fn changed(part: &mut Vec<u8>, how: &str) {
    let length = part.len();
    match how {
        "flip_first" => part[0] ^= 0x40,
        "flip_last" => part[length - 1] ^= 1,
        "cut_1" => part.truncate(length - 1),
        "cut_half" => part.truncate(length / 2),
        "one_more" => part.push(0),
        "empty" => part.clear(),
        "zeros" => part.fill(0),
        other => panic!("{other} is no change"),
    }
}

fn rearranged(token: &str, how: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, key, vector, ciphertext, tag] = parts[..] else {
        panic!("five parts")
    };
    let join = |parts: [&str; 5]| parts.join(".");
    match how {
        "without_tag" => [header, key, vector, ciphertext].join("."),
        "a_sixth_part" => format!("{token}.AAAA"),
        "three_parts" => [header, key, ciphertext].join("."),
        "key_and_tag" => join([header, tag, vector, ciphertext, key]),
        "vector_and_tag" => join([header, key, tag, ciphertext, vector]),
        "key_and_ciphertext" => join([header, ciphertext, vector, key, tag]),
        "header_and_key" => join([key, header, vector, ciphertext, tag]),
        "padded" => format!("{token}=="),
        "trailing_bits" => {
            // The last character of 16, 32 or 64 bytes has bits that must be zero.
            let (start, last) = token.split_at(token.len() - 1);
            let next = char::from(last.as_bytes()[0] + 1);
            format!("{start}{next}")
        }
        "longer_than_allowed" => format!("{token}{}", "A".repeat(70_000)),
        "json" => json!({
            "protected": header, "encrypted_key": key, "iv": vector, "ciphertext": ciphertext, "tag": tag,
        })
        .to_string(),
        other => panic!("{other} is no change"),
    }
}
