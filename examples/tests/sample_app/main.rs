//! The sample program as its surroundings meet it: callers who hang up, its log, and its end.
//!
//! Where `protected_api` is not built (`cargo build --examples`, which `cargo test` does), a test
//! says that it is skipped.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says what it skips"
)]

mod causes;
mod every;
mod program;
mod running;
mod start_up;

use std::time::Duration;

use axum_entra::Clock;
use entra_emulator::{Emulator, Endpoint, Fault};
use program::{OK, Program, comes_true};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// A token of a user who may end their own sessions; a minute old, for a cut-off counts seconds.
fn token(emulator: &Emulator) -> String {
    let token = emulator.token().user("alice");
    let token = token.scope("access_as_user User.RevokeSessions.All");
    token.issued_at(Clock::system().now().as_secs() - 60).mint()
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

#[tokio::test]
async fn a_revocation_goes_on_when_its_caller_hangs_up() {
    let emulator = Emulator::start().await.unwrap();
    let Some(program) = Program::start(&emulator, "info").await else {
        return;
    };
    let header = bearer(&token(&emulator));
    assert!(program.ask("GET /me", &header).await.starts_with(OK));
    emulator.inject_fault_at(Endpoint::Graph, Fault::Slow(Duration::from_secs(1)));
    let nothing = format!("{header}content-length: 0\r\n");
    let caller = program
        .begin("POST /me/revokeSignInSessions", &nothing)
        .await;
    assert!(comes_true(async || emulator.request_counts().graph > 0).await);
    drop(caller);
    assert!(program.ask("GET /me", &header).await.starts_with(OK));
    let revoked = async || {
        let answer = program.ask("GET /me", &header).await;
        answer.starts_with("HTTP/1.1 401 ") && answer.contains("revoked")
    };
    assert!(comes_true(revoked).await, "{}", program.log());
}

#[tokio::test]
async fn the_log_names_methods_and_routes_and_nothing_that_a_caller_wrote() {
    let emulator = Emulator::start().await.unwrap();
    let Some(program) = Program::start(&emulator, "trace").await else {
        return;
    };
    let token = token(&emulator);
    let header = bearer(&token);
    let in_the_query = format!("GET /me?access_token={token}&word=inthequery");
    assert!(program.ask(&in_the_query, &header).await.starts_with(OK));
    let post = format!("{header}content-length: 0\r\n");
    let someone = "POST /users/inthepath/revokeSignInSessions";
    let answer = program.ask(someone, &post).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    let nowhere = format!("GET /nowhere/{token}/inthepath?inthequery");
    let answer = program.ask(&nowhere, &header).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");

    let said = [
        r#"request{method=GET route="/me"}"#,
        r#"request{method=POST route="/users/{id}/revokeSignInSessions"}"#,
        r#"request{method=GET route="none"}"#,
    ];
    for span in said {
        let is_there = comes_true(async || program.log().contains(span)).await;
        assert!(is_there, "{span} in {}", program.log());
    }
    let log = program.log();
    let parts = token.split('.').chain(["inthequery", "inthepath", "alice"]);
    for part in parts {
        let line = log.lines().find(|line| line.contains(part));
        assert_eq!(line, None, "{part}");
    }
}

#[tokio::test]
async fn a_second_signal_ends_the_program_at_once() {
    let emulator = Emulator::start().await.unwrap();
    let Some(mut program) = Program::start(&emulator, "info").await else {
        return;
    };
    // The body is asked for, and never comes.
    let header = bearer(&token(&emulator));
    let header = format!(
        "{header}content-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n"
    );
    let mut caller = program.begin("POST /todos", &header).await;
    let mut asked = [0; 12];
    caller.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100");

    program.terminate().await;
    let (address, closed) = (program.address, async |address| {
        TcpStream::connect(address).await.is_err()
    });
    assert!(comes_true(async || closed(address).await).await);
    assert!(program.is_running(), "a request has its grace");
    program.terminate().await;
    assert!(program.ends_soon().await.success());
}

#[tokio::test]
async fn a_settings_file_that_cannot_be_used_ends_the_program_with_one_line() {
    let rows = [
        // No emulator takes the place of an authority that a file was to name.
        (
            "none",
            r#"{ "Logging": {} }"#,
            "a section AzureAd or AzureAdB2C",
        ),
        (
            "misspelt",
            r#"{ "AzureAdd": { "TenantId": "x" } }"#,
            "a section AzureAd or AzureAdB2C",
        ),
        ("broken", "{", "is broken at line 1"),
        (
            "unknown",
            r#"{ "AzureAd": { "TennantId": "x" } }"#,
            "AzureAd:TenantId",
        ),
        (
            "restricting",
            r#"{ "AzureAd": { "AllowedClientApplications": ["x"] } }"#,
            "RequireClientId",
        ),
    ];
    for (name, settings, holds) in rows {
        let Some((code, said, told)) = program::ended_with(name, settings).await else {
            return;
        };
        assert_eq!((code, said.as_str()), (2, ""), "{name}: {told}");
        assert_eq!(told.lines().count(), 1, "{name}: {told}");
        assert!(told.contains(holds), "{name}: {told}");
    }
}
