//! The official SDK's client against the sample.

use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::Value;

use crate::world::World;

#[tokio::test]
async fn the_sdks_client_lists_and_calls_and_is_told_what_a_tool_needs() {
    let world = World::start().await;
    let address = format!("{}/mcp", world.base);
    let scope = format!("{address}/Todo.Read");
    let token = world
        .sign_in("alice", &scope, Some(&address))
        .await
        .unwrap();
    let config = StreamableHttpClientTransportConfig::with_uri(address.as_str()).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(config);
    let client = ().serve(transport).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let mut names: Vec<_> = tools.iter().map(|tool| tool.name.to_string()).collect();
    names.sort();
    assert_eq!(
        names,
        ["add_todo", "approve", "list_todos", "run_jobs", "whoami"]
    );
    let peer = client.peer();
    let answer = peer
        .call_tool(CallToolRequestParams::new("list_todos"))
        .await
        .unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(answer["content"][0]["text"], "[]");
    let me = peer
        .call_tool(CallToolRequestParams::new("whoami"))
        .await
        .unwrap();
    let me = serde_json::to_value(me).unwrap();
    let me: Value = serde_json::from_str(me["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(me["principal"], "user");

    let refused = peer.call_tool(CallToolRequestParams::new("run_jobs")).await;
    let refused = format!("{:?}", refused.unwrap_err());
    assert!(refused.contains("insufficient_scope"), "{refused}");
    client.cancel().await.unwrap();
}
