//! Each attack is refused with its reason, and its counterpart reaches the server unchanged.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method};
use serde::Deserialize;

use crate::server::{
    ALICE, Answer, BOB, CLIENT, INNER, OTHER_CLIENT, Reached, request, router, send, token_of,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    /// What the attacker hopes for.
    why: String,
    #[serde(default = "post")]
    method: String,
    #[serde(default)]
    headers: Vec<String>,
    /// Those of the counterpart; the same unless told.
    good_headers: Option<Vec<String>>,
    body: String,
    good_body: String,
    /// Whose session the attack names; the counterpart names the caller's own.
    session: Option<String>,
    status: u16,
    reason: String,
}

fn post() -> String {
    "POST".to_owned()
}

#[derive(Deserialize)]
struct Table {
    attack: Vec<Row>,
}

fn rows() -> Vec<Row> {
    let table: Table = toml::from_str(include_str!("../vectors/mcp_attacks.toml")).unwrap();
    table.attack
}

/// Fills in the `$` words of a body.
fn filled(body: &str) -> String {
    let call = |name: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}","arguments":{{}}}}}}"#
        )
    };
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let mut text = body.replace("$ping", ping);
    for (word, make) in [
        ("$call(", &call as &dyn Fn(&str) -> String),
        ("$pad(", &|count| " ".repeat(count.parse().unwrap())),
        ("$open(", &|count| "[".repeat(count.parse().unwrap())),
        ("$close(", &|count| "]".repeat(count.parse().unwrap())),
    ] {
        while let Some((before, rest)) = text.split_once(word) {
            let (argument, after) = rest.split_once(')').unwrap();
            text = format!("{before}{}{after}", make(argument));
        }
    }
    text
}

/// A session of these, as its own client was told its id.
async fn begin(router: &Router, oid: &str, client: &str) -> HeaderValue {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#;
    let begun = send(router, request(&Method::POST, &token_of(oid, client), body)).await;
    assert_eq!(begun.status, 200);
    begun.headers["mcp-session-id"].clone()
}

async fn sent(
    router: &Router,
    row: &Row,
    headers: &[String],
    body: &str,
    sessions: &[HeaderValue],
) -> Answer {
    let method = Method::from_bytes(row.method.as_bytes()).unwrap();
    let mut request = request(&method, &token_of(ALICE, CLIENT), filled(body));
    let map = request.headers_mut();
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    for session in sessions {
        map.append("mcp-session-id", session.clone());
    }
    send(router, request).await
}

/// What is wrong with the answer to an attack.
fn wrong(row: &Row, answer: &Answer) -> Option<String> {
    let told = |found: String| Some(format!("{}: {found} ({})", row.name, row.why));
    let (body, data) = match &*row.reason {
        "mcp_headers" => (&answer.body, &answer.body["error"]["data"]),
        _ => (&answer.body, &answer.body),
    };
    let found = (answer.status.as_u16(), data["reason"].as_str());
    if found != (row.status, Some(&row.reason)) {
        return told(format!("{found:?}: {body}"));
    }
    let challenge = answer.challenge();
    let expected = match &*row.reason {
        "scope" => Some(format!(
            r#"Bearer error="insufficient_scope", scope="api://{}/Todo.ReadWrite""#,
            crate::token::API
        )),
        "tool" => Some(r#"Bearer error="insufficient_scope""#.to_owned()),
        _ => None,
    };
    if challenge != expected.as_deref() {
        return told(format!("{challenge:?}"));
    }
    let error = match (row.status, &*row.reason) {
        (403, "scope") => "insufficient_scope",
        (403, _) => "forbidden",
        (404, _) => "not_found",
        _ => "invalid_request",
    };
    if data["error"] != error {
        return told(format!("{data}"));
    }
    let kind = answer.headers["content-type"].to_str().unwrap();
    match &*row.reason {
        "mcp_headers" => {
            let is_error = body["jsonrpc"] == "2.0"
                && body["error"]["code"] == -32020
                && kind == "application/json";
            (!is_error).then(|| format!("{}: {body}", row.name))
        }
        _ if kind != "application/problem+json" => told(kind.to_owned()),
        _ => None,
    }
}

/// How many rows there are; the table may grow, and this number with it.
const ROWS: usize = 79;

#[tokio::test]
async fn no_attack_reaches_the_server_and_every_counterpart_does() {
    let reached = Reached::default();
    let router = router(&reached);
    let own = begin(&router, ALICE, CLIENT).await;
    let of_bob = begin(&router, BOB, CLIENT).await;
    let of_other = begin(&router, ALICE, OTHER_CLIENT).await;
    reached.take();
    let rows = rows();
    let mut names: Vec<_> = rows.iter().map(|row| &row.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), ROWS, "a name is there twice, or ROWS is old");
    let mut found = Vec::new();
    for row in &rows {
        let inner = HeaderValue::from_static(INNER);
        let sessions = match row.session.as_deref() {
            None => vec![],
            Some("account") => vec![of_bob.clone()],
            Some("client") => vec![of_other.clone()],
            Some("inner") => vec![inner],
            Some("twice") => vec![own.clone(), own.clone()],
            Some(other) => panic!("{other}"),
        };
        let answer = sent(&router, row, &row.headers, &row.body, &sessions).await;
        found.extend(wrong(row, &answer));
        if !reached.take().is_empty() {
            found.push(format!("{}: THROUGH", row.name));
        }
        let headers = row.good_headers.as_ref().unwrap_or(&row.headers);
        let session = row.session.as_ref().map(|_| own.clone());
        let good = sent(&router, row, headers, &row.good_body, session.as_slice()).await;
        match &reached.take()[..] {
            [(headers, body)] if good.status == 200 => {
                assert_eq!(*body, filled(&row.good_body), "{}", row.name);
                let id = headers.get("mcp-session-id");
                assert_eq!(id.is_some(), session.is_some(), "{}", row.name);
                assert!(id.is_none_or(|id| id == INNER), "{}", row.name);
            }
            _ => found.push(format!("{}: the counterpart: {}", row.name, good.body)),
        }
    }
    assert_eq!(found, [""; 0]);
    println!("{} attacks, 0 through", rows.len());
}
