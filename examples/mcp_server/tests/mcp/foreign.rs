//! Servers for the programs of others, which `.ci/mcp` starts and ends.

use std::future::pending;

use axum_entra::mcp::AnyToken;
use tokio::net::TcpListener;

use crate::servers;
use crate::world::World;

/// To compare with.
#[tokio::test]
#[ignore = "a server that .ci/mcp starts and ends"]
async fn a_server_without_the_layer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("bare on http://{}", listener.local_addr().unwrap());
    axum::serve(listener, servers::without_guards())
        .await
        .unwrap();
}

/// What the conformance runner asks for besides the tools that there are, and that any token may: the
/// server says itself which of it there is. `tools/call` is for tools without a guard of their own.
const METHODS: [&str; 8] = [
    "tools/call",
    "logging/setLevel",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/subscribe",
    "resources/unsubscribe",
    "unknown/method",
];

/// Those of the SDK, as its `server/discover` names them.
const VERSIONS: [&str; 5] = [
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    "2026-07-28",
];

#[tokio::test]
#[ignore = "a server that .ci/mcp starts and ends"]
async fn a_server_with_a_guard_for_every_method() {
    let guards = METHODS
        .iter()
        .fold(servers::todo_guards(), |guards, method| {
            guards.method(*method, AnyToken)
        });
    let world = World::start_behind(guards.protocol_versions(VERSIONS)).await;
    println!("TOKEN={}", world.alice("Todo.Read Todo.ReadWrite"));
    println!("guarded on {}", world.base);
    pending().await
}

#[tokio::test]
#[ignore = "a server that .ci/mcp starts and ends"]
async fn a_server_of_an_application_with_v1_tokens() {
    let world = World::start_with_v1_tokens().await;
    println!("v1 on {}", world.base);
    pending().await
}
