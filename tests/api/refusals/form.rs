//! The form of a token: parts, base64url, JSON, JOSE header; and the order of work.

use serde_json::{Value, json};

use super::{
    API, KID, authority, built, good, good_header, hold, mint, outcome, rewritten, text, with,
};
use crate::signer::{key, unsigned};

/// The good payload under a header with these members set (`null` included).
fn under(changes: Value) -> String {
    let mut header = good_header();
    header.extend(changes.as_object().unwrap().clone());
    key(0).sign(&text(&header), &text(&good()))
}

fn under_text(header: &str) -> String {
    key(0).sign(header, &text(&good()))
}

#[tokio::test]
async fn a_token_has_three_parts_of_canonical_base64url() {
    let token = mint(&good());
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    // 256 bytes end in a character with four bits to spare.
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.find(last).unwrap();
    assert_eq!(place % 16, 0, "canonical as it is");
    let odd = &alphabet[place + 1..place + 2];
    let cut = &signature[..signature.len() - 1];
    let rows = [
        ("as it is", token.clone(), "in"),
        ("nothing", String::new(), "malformed"),
        ("dots", "..".to_owned(), "malformed"),
        (
            "an opaque ticket",
            "EwBwA8l6BAAUkj1NuJYtTVha".to_owned(),
            "malformed",
        ),
        ("two parts", format!("{header}.{payload}"), "malformed"),
        ("four parts", format!("{token}.AAAA"), "malformed"),
        ("five parts", format!("{token}.AAAA.AAAA"), "malformed"),
        ("no header", format!(".{payload}.{signature}"), "malformed"),
        ("no payload", format!("{header}..{signature}"), "malformed"),
        ("no signature", format!("{header}.{payload}."), "malformed"),
        (
            "a padded header",
            format!("{header}=.{payload}.{signature}"),
            "malformed",
        ),
        (
            "a padded payload",
            format!("{header}.{payload}=.{signature}"),
            "malformed",
        ),
        ("a padded signature", format!("{token}=="), "malformed"),
        (
            "trailing bits",
            format!("{header}.{payload}.{cut}{odd}"),
            "malformed",
        ),
        (
            "one character less",
            format!("{header}.{payload}.{cut}"),
            "malformed",
        ),
        (
            "the other alphabet",
            format!("{header}.{payload}.{cut}+"),
            "malformed",
        ),
        (
            "a slash",
            format!("{header}.{payload}./{}", &signature[1..]),
            "malformed",
        ),
        ("a line break", format!("{token}\n"), "malformed"),
        (
            "a space",
            format!("{header}. {payload}.{signature}"),
            "malformed",
        ),
        (
            "no character of ours",
            format!("{header}.{payload}.ü"),
            "malformed",
        ),
        (
            "a short signature",
            format!("{header}.{payload}.AAAA"),
            "bad_signature",
        ),
        (
            "zeros",
            format!("{header}.{payload}.{}", "A".repeat(342)),
            "bad_signature",
        ),
        (
            "too long a signature",
            format!("{header}.{payload}.{}", "A".repeat(400)),
            "bad_signature",
        ),
    ];
    let rows = rows.map(|(name, token, expected)| (name.to_owned(), token, expected));
    hold(&built(authority()), rows);
}

#[tokio::test]
async fn the_jose_header_is_that_of_an_access_token() {
    let rows = [
        (json!({}), "in"),
        // alg
        (json!({ "alg": "none" }), "algorithm"),
        (json!({ "alg": "" }), "algorithm"),
        (json!({ "alg": "rs256" }), "algorithm"),
        (json!({ "alg": "RS256 " }), "algorithm"),
        (json!({ "alg": "RS384" }), "algorithm"),
        (json!({ "alg": "RS512" }), "algorithm"),
        (json!({ "alg": "PS256" }), "algorithm"),
        (json!({ "alg": "ES256" }), "algorithm"),
        (json!({ "alg": "HS256" }), "algorithm"),
        (json!({ "alg": "EdDSA" }), "algorithm"),
        (json!({ "alg": "RSA-OAEP" }), "algorithm"),
        (json!({ "alg": null }), "malformed"),
        (json!({ "alg": 256 }), "malformed"),
        (json!({ "alg": ["RS256"] }), "malformed"),
        (json!({ "alg": { "RS256": null } }), "malformed"),
        // kid
        (json!({ "kid": "key-2" }), "bad_signature"),
        (json!({ "kid": "key-3" }), "unknown_key"),
        (json!({ "kid": "KEY-1" }), "unknown_key"),
        (json!({ "kid": "" }), "unknown_key"),
        (json!({ "kid": "../../etc/passwd" }), "unknown_key"),
        (json!({ "kid": "key-1' OR '1'='1" }), "unknown_key"),
        (json!({ "kid": 1 }), "malformed"),
        (json!({ "kid": null }), "malformed"),
        (json!({ "kid": ["key-1"] }), "malformed"),
        // x5t is tolerated and never used
        (json!({ "x5t": KID }), "in"),
        (json!({ "x5t": "another", "x5t#S256": 5 }), "in"),
        (json!({ "x5t": KID, "kid": "key-3" }), "unknown_key"),
        // typ
        (json!({ "typ": "jwt" }), "in"),
        (json!({ "typ": "at+jwt" }), "in"),
        (json!({ "typ": "AT+JWT" }), "in"),
        (json!({ "typ": "application/at+jwt" }), "in"),
        (json!({ "typ": "JWE" }), "token_type"),
        (json!({ "typ": "" }), "token_type"),
        (json!({ "typ": "id_token+jwt" }), "token_type"),
        (json!({ "typ": "logout+jwt" }), "token_type"),
        (json!({ "typ": "pop" }), "token_type"),
        (json!({ "typ": "dpop+jwt" }), "token_type"),
        (json!({ "typ": null }), "malformed"),
        (json!({ "typ": ["JWT"] }), "malformed"),
        // crit, b64
        (json!({ "crit": ["exp"] }), "critical_header"),
        (json!({ "crit": [] }), "critical_header"),
        (json!({ "crit": "exp" }), "critical_header"),
        (json!({ "crit": ["b64"], "b64": false }), "critical_header"),
        (json!({ "b64": false }), "critical_header"),
        // wrapped
        (json!({ "zip": "DEF" }), "token_type"),
        (json!({ "enc": "A128GCM" }), "token_type"),
        (json!({ "cty": "JWT" }), "token_type"),
        // nonce
        (json!({ "nonce": "n1" }), "in"),
        (json!({ "nonce": "n1", "kid": "key-2" }), "graph_token"),
        (json!({ "nonce": 5 }), "in"),
        (json!({ "nonce": 5, "kid": "key-2" }), "graph_token"),
        // members without a meaning here
        (json!({ "other": { "a": [1, 2, { "b": null }] } }), "in"),
    ];
    let rows = rows.map(|(changes, expected)| (changes.to_string(), under(changes), expected));
    hold(&built(authority()), rows);
}

#[tokio::test]
async fn absent_members_of_the_header_are_told_from_odd_ones() {
    let lacking = |name: &str| {
        let mut header = good_header();
        header.remove(name);
        under_text(&text(&header))
    };
    let rows = [
        ("no typ", lacking("typ"), "in"),
        ("no kid", lacking("kid"), "unknown_key"),
        ("no alg", lacking("alg"), "malformed"),
    ];
    hold(
        &built(authority()),
        rows.map(|(name, token, expected)| (name.to_owned(), token, expected)),
    );
}

#[tokio::test]
async fn a_key_in_the_token_is_no_key() {
    let entra = built(authority());
    for (name, value) in [
        ("jwk", key(2).jwk(KID)),
        ("jku", json!("http://127.0.0.1:1/keys")),
        ("x5u", json!("http://127.0.0.1:1/certificate")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = good_header();
        header.insert(name.to_owned(), value);
        let forged = key(2).sign(&text(&header), &text(&good()));
        assert_eq!(outcome(&entra, &forged), "bad_signature", "{name}");
        let honest = key(0).sign(&text(&header), &text(&good()));
        assert_eq!(outcome(&entra, &honest), "in", "{name}");
    }
}

/// Makes another text of a JSON object.
type Change = fn(&str) -> String;

#[tokio::test]
async fn header_and_payload_are_one_json_object_each() {
    let header = text(&good_header());
    let payload = text(&good());
    let both = |inner: &str| {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        inner
            .replace("{127}", &deep(127))
            .replace("{128}", &deep(128))
            .replace("{9000}", &deep(9_000))
    };
    let added = [
        (r#""x":1"#, "in"),
        (r#""x":1,"X":2"#, "in"),
        (r#""x":1,"x":1"#, "malformed"),
        (r#""x":1,"\u0078":1"#, "malformed"),
        (r#""x":{"y":1,"y":1}"#, "malformed"),
        (r#""x":[{"y":1,"y":1}]"#, "malformed"),
        (r#""x":{"y":1,"z":{"y":1}}"#, "in"),
        (r#""x":"\ud83d\ude00""#, "in"),
        (r#""x":"\ud83d""#, "malformed"),
        (r#""x":["\ude00"]"#, "malformed"),
        (r#""\ud83d":1"#, "malformed"),
        (r#""x":{127}"#, "in"),
        (r#""x":{128}"#, "malformed"),
        (r#""x":{9000}"#, "malformed"),
        (r#""x":01"#, "malformed"),
        (r#""x":1."#, "malformed"),
        (r#""x":NaN"#, "malformed"),
        (r#""x":'y'"#, "malformed"),
        (r#""x":"a	b""#, "malformed"),
        (r#""x":1/*c*/"#, "malformed"),
        (r#""x":1,"#, "malformed"),
    ];
    let mut rows = Vec::new();
    for (inner, expected) in added {
        let inner = both(inner);
        let name = inner.chars().take(40).collect::<String>();
        let insert = |json: &str| json.replacen('{', &format!("{{{inner},"), 1);
        rows.push((
            format!("header {name}"),
            under_text(&insert(&header)),
            expected,
        ));
        rows.push((
            format!("payload {name}"),
            key(0).sign(&header, &insert(&payload)),
            expected,
        ));
    }
    let wholes: [(&str, Change); 8] = [
        ("an array", |json| format!("[{json}]")),
        ("a string", |_| "\"x\"".to_owned()),
        ("a number", |_| "1".to_owned()),
        ("null", |_| "null".to_owned()),
        ("nothing", |_| " ".to_owned()),
        ("two", |json| format!("{json}{json}")),
        ("something behind it", |json| format!("{json}x")),
        ("a byte order mark", |json| format!("\u{feff}{json}")),
    ];
    for (name, change) in wholes {
        rows.push((
            format!("header: {name}"),
            under_text(&change(&header)),
            "malformed",
        ));
        rows.push((
            format!("payload: {name}"),
            key(0).sign(&header, &change(&payload)),
            "malformed",
        ));
    }
    let spaced = |json: &str| format!(" \n{json}\t ");
    rows.push((
        "spaces around".into(),
        key(0).sign(&spaced(&header), &spaced(&payload)),
        "in",
    ));
    hold(&built(authority()), rows);
}

#[tokio::test]
async fn claims_that_decide_stand_once_in_any_letter_case() {
    let mut rows = Vec::new();
    for name in ["iss", "aud", "tid", "exp", "nbf", "ver"] {
        let upper = name.to_uppercase();
        let capital = format!("{}{}", &upper[..1], &name[1..]);
        for twin in [name.to_owned(), upper, capital] {
            for value in ["1", "\"x\"", "null"] {
                let token = rewritten("{", &format!("{{\"{twin}\":{value},"));
                rows.push((format!("{twin} {value} beside {name}"), token, "malformed"));
            }
        }
    }
    for name in ["sub", "oid", "scp", "roles", "name"] {
        let again = format!("{{\"{name}\":null,\"{name}\":null,");
        rows.push((format!("{name} twice"), rewritten("{", &again), "malformed"));
        let upper = name.to_uppercase();
        let token = rewritten("{", &format!("{{\"{upper}\":\"x\","));
        rows.push((format!("{upper} is a claim of its own"), token, "in"));
    }
    hold(&built(authority()), rows);
}

/// Contract §6, "order of work": an earlier stage's answer hides a later one's.
#[tokio::test]
async fn an_earlier_stage_answers_first() {
    let strange = json!({ "iss": "https://login.microsoftonline.com/x/v2.0" });
    let late = json!({ "exp": 1_000, "nbf": 1_000, "iat": 1_000, "aud": "x" });
    let forged = |claims: &serde_json::Map<String, Value>, kid: &str| {
        let mut header = good_header();
        header.insert("kid".into(), json!(kid));
        key(2).sign(&text(&header), &text(claims))
    };
    let none = json!({ "alg": "none", "typ": "JWE", "crit": [] }).to_string();
    let rows = [
        ("payload before alg", key(0).sign(&none, "[]"), "malformed"),
        (
            "alg before the signature's form",
            format!("{}.===", unsigned(&none, text(&good()))),
            "algorithm",
        ),
        (
            "alg before typ and crit",
            key(0).sign(&none, &text(&good())),
            "algorithm",
        ),
        (
            "header before authority",
            key(0).sign(
                r#"{"alg":"RS256","crit":[]}"#,
                &text(&with(strange.clone())),
            ),
            "critical_header",
        ),
        (
            "authority before key",
            forged(&with(strange.clone()), "unknown-kid"),
            "issuer",
        ),
        (
            "authority before signature",
            forged(&with(strange), KID),
            "issuer",
        ),
        (
            "key before signature and claims",
            forged(&with(late.clone()), "unknown-kid"),
            "unknown_key",
        ),
        (
            "signature before claims",
            forged(&with(late.clone()), KID),
            "bad_signature",
        ),
        (
            "signature before types",
            forged(&with(json!({ "aud": 5, "exp": "x" })), KID),
            "bad_signature",
        ),
        (
            "signature before the tenant",
            forged(&with(json!({ "tid": "x" })), KID),
            "bad_signature",
        ),
        (
            "signature before cnf",
            forged(&with(json!({ "cnf": {} })), KID),
            "bad_signature",
        ),
        (
            "signature before Graph's audience",
            forged(&with(json!({ "aud": "https://graph.microsoft.com" })), KID),
            "bad_signature",
        ),
        ("all good", mint(&with(json!({ "aud": API }))), "in"),
    ];
    let rows = rows.map(|(name, token, expected)| (name.to_owned(), token, expected));
    hold(&built(authority()), rows);
}
