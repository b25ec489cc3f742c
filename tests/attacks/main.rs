//! Every row of `tests/vectors/attacks.toml`, against the layer, against plain `validate`, and
//! against the guard gallery over a socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it measured"
)]

mod authority;
#[allow(dead_code, reason = "the properties use all of it")]
#[path = "../properties/challenge_reader.rs"]
mod challenge_reader;
mod forge;
mod gallery;
mod routes;
mod row;
#[allow(dead_code, reason = "the API's tests use all of it")]
#[path = "../api/signer.rs"]
mod signer;
mod socket;

use authority::Authority;
use axum::http::header::WWW_AUTHENTICATE;
use forge::{Forge, Made};
use routes::Answer;
use row::{Row, rows};
use serde_json::Value;

/// How many rows there are; the table may grow, and this number with it.
const ROWS: usize = 314;
const CONTROLS: usize = 12;

#[test]
fn the_table_is_whole() {
    let rows = rows();
    assert_eq!(rows.len(), ROWS);
    let controls = rows.iter().filter(|row| row.status == 200).count();
    assert_eq!(controls, CONTROLS);
    let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ROWS, "a name stands twice");
    assert!(rows.iter().all(|row| !row.why.is_empty()));
}

#[tokio::test]
async fn the_layer_refuses_every_attack() {
    let authority = Authority::start().await;
    let entra = authority.entra();
    let (router, runs) = routes::router(&entra);
    let (mut ran, mut wrong) = (0, Vec::<String>::new());
    for row in rows().iter().filter(|row| !row.raw_only) {
        let made = Forge::new(&authority).make(row);
        let before = runs.count();
        let answer = routes::send(&router, &made, row).await;
        wrong.extend(judge(row, &made, &answer));
        if runs.count() != before + usize::from(row.status == 200) {
            wrong.push(format!("{}: the handler ran", row.name));
        }
        ran += 1;
    }
    assert_eq!(wrong, [""; 0]);
    authority.was_asked_at_most_once_more();
    println!("{ran} attacks on the layer");
}

#[tokio::test]
async fn validate_refuses_every_token() {
    let authority = Authority::start().await;
    let entra = authority.entra();
    let (mut ran, mut wrong) = (0, Vec::<String>::new());
    for row in rows().iter().filter(|row| row.authorization.is_none()) {
        let made = Forge::new(&authority).make(row);
        let answer = entra.validate(&made.token).await;
        let reason = match &answer {
            Ok(_) => "in",
            Err(rejection) => rejection.reason(),
        };
        // A guard's refusal is of a good token, but for the one rule of the layer itself.
        let expected = match (&row.validate_reason, row.status, row.reason.as_str()) {
            (Some(reason), ..) => reason.as_str(),
            (None, 403, "no_permissions") => "no_permissions",
            (None, 403, _) => "in",
            (None, _, reason) => reason,
        };
        if reason != expected {
            wrong.push(format!("{}: {reason} instead of {expected}", row.name));
        }
        if let Err(rejection) = answer {
            let told = format!("{rejection:?} {rejection}");
            assert!(!made.leaks_into(&told), "{}: {told}", row.name);
        }
        ran += 1;
    }
    assert_eq!(wrong, [""; 0]);
    authority.was_asked_at_most_once_more();
    println!("{ran} attacks on validate");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gallery_refuses_every_attack_over_http() {
    let authority = Authority::start().await;
    let Some(gallery) = gallery::Gallery::start(&authority).await else {
        return;
    };
    let (mut ran, mut wrong) = (0, Vec::<String>::new());
    for row in &rows() {
        let made = Forge::new(&authority).make(row);
        let answer = socket::send(gallery.address, &made, row).await;
        wrong.extend(judge(row, &made, &answer));
        ran += 1;
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(ran, ROWS);
    authority.was_asked_at_most_once_more();
    println!("{ran} attacks on the gallery");
}

/// Holds an answer against its row: status, reason, challenge, and nothing of the token in it.
fn judge(row: &Row, made: &Made, answer: &Answer) -> Option<String> {
    let problem: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let found = (answer.status.as_u16(), problem["reason"].as_str());
    let expected = match row.status {
        // A handler's answer is no problem, and the server's own is none of this crate's.
        _ if row.reason.is_empty() || row.status == 200 => (row.status, None),
        status => (status, Some(row.reason.as_str())),
    };
    let wrong = |what: String| Some(format!("{}: {what}", row.name));
    if found != expected {
        return wrong(format!(
            "{found:?} instead of {expected:?}: {}",
            answer.body
        ));
    }
    expected.1.as_ref()?;
    let all = format!("{:?} {}", answer.headers, answer.body);
    if made.leaks_into(&all) {
        return wrong(format!("the token stands in the answer: {all}"));
    }
    let challenges: Vec<_> = answer.headers.get_all(WWW_AUTHENTICATE).iter().collect();
    let [challenge] = challenges[..] else {
        return wrong(format!("{} challenges", challenges.len()));
    };
    let text = challenge.to_str().unwrap_or("not ASCII");
    let Some(challenge) = challenge_reader::read(text) else {
        return wrong(format!("no challenge: {text}"));
    };
    let error = challenge
        .parameters
        .iter()
        .find(|(name, _)| name == "error")
        .map(|(_, value)| value.as_str());
    let expected = match (row.status, row.reason.as_str()) {
        (_, "missing_token") => None,
        (400, _) => Some("invalid_request"),
        (401, _) => Some("invalid_token"),
        _ => Some("insufficient_scope"),
    };
    if challenge.scheme != "Bearer" || error != expected {
        return wrong(format!("another challenge: {text}"));
    }
    None
}
