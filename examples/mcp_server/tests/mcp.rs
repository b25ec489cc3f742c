//! An MCP client that knows nothing but an address: 401, metadata, token, call.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[path = "../todo_tools/mod.rs"]
mod todo_tools;

use std::sync::Arc;

use axum::Router;
use axum_entra::HttpClient;
use axum_entra::guard::RequireScope;
use entra_emulator::{API_ID, CLI_ID, Emulator, USER_PASSWORD};
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::Value;
use tokio::net::TcpListener;

use axum_entra::EntraBuilder;
use axum_entra::settings::Settings;
use todo_tools::TodoTools;

/// A builder that trusts an emulator.
fn trusting(emulator: &Emulator) -> EntraBuilder {
    let text = emulator.settings().to_string();
    let settings = Settings::from_parts(Some(("the emulator", &text)), []).unwrap();
    EntraBuilder::from_settings(&settings).unwrap()
}

async fn serve(emulator: &Emulator) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/mcp", listener.local_addr().unwrap());
    let entra = trusting(emulator)
        .resource(&address)
        .resource_scopes(["access_as_user", "Todo.Read"])
        .challenge_scopes(["access_as_user"])
        .build()
        .unwrap();
    let tools = StreamableHttpService::new(
        || Ok(TodoTools::new()),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let mcp = Router::new()
        .nest_service("/mcp", tools)
        .layer(RequireScope("access_as_user"))
        .layer(entra.layer());
    let app = entra.metadata_routes().fold(mcp, |app, (path, service)| {
        app.route_service(&path, service)
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn read(http: &HttpClient, address: &str) -> Value {
    let response = http.get(address).send().await.unwrap();
    assert_eq!(response.status(), 200, "{address}");
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn parameter<'c>(challenge: &'c str, name: &str) -> &'c str {
    let value = challenge.split(&format!("{name}=\"")).nth(1).unwrap();
    value.split('"').next().unwrap()
}

/// What the authorization specification has a client do, step by step: it asks for the scopes of
/// the challenge, and for those it knows to need besides.
async fn discover(http: &HttpClient, address: &str, besides: &[&str]) -> String {
    let refused = http.post(address).body("{}").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    let first = parameter(challenge, "scope").to_owned();
    assert_eq!(first, format!("api://{API_ID}/access_as_user"));
    let metadata = read(http, parameter(challenge, "resource_metadata")).await;
    assert_eq!(metadata["resource"], address);
    let offered: Vec<&str> = metadata["scopes_supported"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scope| scope.as_str().unwrap())
        .collect();
    let more = besides
        .iter()
        .map(|scope| format!("api://{API_ID}/{scope}"));
    let wanted: Vec<String> = [first].into_iter().chain(more).collect();
    assert!(wanted.iter().all(|scope| offered.contains(&&**scope)));

    let issuer = metadata["authorization_servers"][0].as_str().unwrap();
    let server = read(http, &format!("{issuer}/.well-known/openid-configuration")).await;
    assert_eq!(server["issuer"], issuer);
    let scope = wanted.join("%20");
    let form = format!(
        "grant_type=password&client_id={CLI_ID}&username=alice&password={USER_PASSWORD}&scope={scope}"
    );
    let answer = http
        .post(server["token_endpoint"].as_str().unwrap())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn call(address: &str, token: String, tool: &'static str) -> Value {
    let config = StreamableHttpClientTransportConfig::with_uri(address).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(config);
    let client = ().serve(transport).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    assert_eq!(tools.len(), 2);
    let params = CallToolRequestParams::new(tool);
    let result = client.peer().call_tool(params).await.unwrap();
    client.cancel().await.unwrap();
    serde_json::to_value(result).unwrap()
}

#[tokio::test]
async fn a_client_finds_its_way_from_401_to_an_answer() {
    let emulator = Emulator::start().await.unwrap();
    let address = serve(&emulator).await;
    let http = HttpClient::new();
    let token = discover(&http, &address, &["Todo.Read"]).await;
    let answer = call(&address, token.clone(), "whoami").await;
    assert_eq!(answer["content"][0]["text"], format!("user by {CLI_ID}"));
    let answer = call(&address, token, "todos").await;
    assert_eq!(answer["content"][0]["text"], "nothing to do");
}

#[tokio::test]
async fn a_tool_may_need_more_than_the_server() {
    let emulator = Emulator::start().await.unwrap();
    let address = serve(&emulator).await;
    let token = discover(&HttpClient::new(), &address, &[]).await;
    let answer = call(&address, token, "todos").await;
    assert_eq!(answer["isError"], true);
    assert_eq!(answer["content"][0]["text"], "refused: scope");
}
