//! Sessions of older versions, with the SDK's own session manager behind the layer.

use entra_emulator::{API_ID, WEB_ID};
use http::Method;
use serde_json::json;

use crate::world::{NEW, OLD, World, message};

fn initialize() -> String {
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": OLD, "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        },
    })
    .to_string()
}

#[tokio::test]
async fn a_session_is_the_accounts_and_the_clients_that_began_it() {
    let world = World::start().await;
    let alice = world.alice("Todo.Read");
    let begun = world.post("/mcp", &initialize()).token(&alice).send().await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    let session = begun.headers["mcp-session-id"].to_str().unwrap().to_owned();
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let used = world.post("/mcp", initialized).token(&alice);
    assert_eq!(
        used.header("mcp-session-id", &session).send().await.status,
        202
    );

    let token = || world.emulator.token().audience(API_ID).scope("Todo.Read");
    let bob = token().user("bob").mint();
    let by_web = token().client(WEB_ID).mint();
    for foreign in [&bob, &by_web] {
        for method in [Method::POST, Method::GET, Method::DELETE] {
            let ask = world
                .ask(method.clone(), "/mcp")
                .header("content-type", "application/json");
            let ask = match method {
                Method::POST => ask.body(&message("tools/list")),
                _ => ask,
            };
            let answer = ask
                .header("mcp-session-id", &session)
                .token(foreign)
                .send()
                .await;
            assert_eq!(answer.brief(), (404, "not_found".to_owned()), "{method}");
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
    }
    // Of the other server, or invented: the same.
    let other = world.post("/reports/mcp", &message("ping")).token(&alice);
    let other = other.header("mcp-session-id", &session).send().await;
    assert_eq!(other.brief(), (404, "not_found".to_owned()));

    let list = world.post("/mcp", &message("tools/list")).token(&alice);
    let list = list.header("mcp-session-id", &session).send().await;
    assert_eq!(list.status, 200, "{}", list.text);
    assert!(list.text.contains("list_todos"));
    let ended = world.ask(Method::DELETE, "/mcp").token(&alice);
    let ended = ended.header("mcp-session-id", &session).send().await;
    assert!(ended.status.is_success(), "{}", ended.status);
    let after = world.post("/mcp", &message("tools/list")).token(&alice);
    let after = after.header("mcp-session-id", &session).send().await;
    assert_eq!(after.status, 404);
}

#[tokio::test]
async fn the_new_version_has_no_sessions_and_ignores_the_header() {
    let world = World::start().await;
    let alice = world.alice("Todo.Read");
    let call = world.call("/mcp", "whoami", json!({})).token(&alice);
    let answer = call.header("mcp-session-id", "another's").send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let get = world
        .ask(Method::GET, "/mcp")
        .header("mcp-protocol-version", NEW);
    let get = get
        .header("mcp-session-id", "another's")
        .token(&alice)
        .send()
        .await;
    assert_eq!(get.status, 405);
}
