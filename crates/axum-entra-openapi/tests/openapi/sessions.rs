//! The sample's routes that end sessions: there, at Graph, and here at once.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum_entra::EntraBuilder;
use axum_entra::settings::Settings;
use entra_emulator::Emulator;
use serde_json::{Value, json};

use crate::{Answer, send, todo_api};

async fn api(settings: &Value) -> Router {
    let text = settings.to_string();
    let settings = Settings::from_parts(Some(("settings", text.as_str())), Vec::new()).unwrap();
    let entra = EntraBuilder::from_settings(&settings)
        .unwrap()
        .build()
        .unwrap();
    while !entra.is_ready() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    todo_api::routes(&entra).0
}

/// A token that was issued a minute ago.
fn token(emulator: &Emulator, user: &str, scopes: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let builder = emulator.token().user(user).issued_at(now.as_secs() - 60);
    format!("Bearer {}", builder.scope(scopes).mint())
}

fn brief(answer: &Answer) -> (u16, &str) {
    let reason = answer.body["reason"].as_str().unwrap_or_default();
    (answer.status.as_u16(), reason)
}

#[tokio::test]
async fn a_caller_who_ends_their_sessions_is_refused_with_older_tokens_at_once() {
    for (path, status, body) in [
        ("/me/revokeSignInSessions", 200, json!({ "value": true })),
        ("/me/invalidateAllRefreshTokens", 204, Value::Null),
    ] {
        let emulator = Emulator::start().await.unwrap();
        let api = api(&emulator.settings_with_graph()).await;
        let alice = token(&emulator, "alice", "access_as_user User.ReadWrite");
        let bob = token(&emulator, "bob", "access_as_user");
        assert_eq!(
            brief(&send(&api, "GET", "/me", Some(&alice)).await),
            (200, "")
        );

        let done = send(&api, "POST", path, Some(&alice)).await;
        assert_eq!((done.status.as_u16(), done.body), (status, body), "{path}");
        assert_eq!(emulator.graph_calls().len(), 1, "{path}");

        let answer = send(&api, "GET", "/me", Some(&alice)).await;
        assert_eq!(brief(&answer), (401, "revoked"), "{path}");
        assert_eq!(
            brief(&send(&api, "GET", "/me", Some(&bob)).await),
            (200, "")
        );
    }
}

#[tokio::test]
async fn an_administrator_ends_the_sessions_of_another_user_and_keeps_their_own() {
    let emulator = Emulator::start().await.unwrap();
    let api = api(&emulator.settings_with_graph()).await;
    let admin = token(&emulator, "alice", "access_as_user Directory.ReadWrite.All");
    let bob = token(&emulator, "bob", "access_as_user");
    assert_eq!(
        brief(&send(&api, "GET", "/me", Some(&bob)).await),
        (200, "")
    );
    // `{id}` is bob's.
    let path = "/users/{id}/revokeSignInSessions";
    assert_eq!(
        brief(&send(&api, "POST", path, Some(&bob)).await),
        (403, "scope")
    );
    assert_eq!(
        brief(&send(&api, "POST", path, Some(&admin)).await),
        (200, "")
    );
    let answer = send(&api, "GET", "/me", Some(&bob)).await;
    assert_eq!(brief(&answer), (401, "revoked"));
    assert_eq!(
        brief(&send(&api, "GET", "/me", Some(&admin)).await),
        (200, "")
    );
}

#[tokio::test]
async fn without_graph_the_caller_is_told_and_older_tokens_end_all_the_same() {
    let emulator = Emulator::start().await.unwrap();
    let api = api(&emulator.settings()).await;
    let alice = token(&emulator, "alice", "access_as_user User.ReadWrite");
    let answer = send(&api, "POST", "/me/revokeSignInSessions", Some(&alice)).await;
    assert_eq!(brief(&answer), (503, "directory_unavailable"));
    let answer = send(&api, "GET", "/me", Some(&alice)).await;
    assert_eq!(brief(&answer), (401, "revoked"));
}

#[tokio::test]
async fn a_sign_out_is_204_and_revokes_nothing() {
    let emulator = Emulator::start().await.unwrap();
    let api = api(&emulator.settings()).await;
    let alice = token(&emulator, "alice", "access_as_user");
    let answer = send(&api, "POST", "/signout", Some(&alice)).await;
    assert_eq!(answer.status.as_u16(), 204);
    assert_eq!(
        brief(&send(&api, "GET", "/me", Some(&alice)).await),
        (200, "")
    );
}
