//! The loop that the authorization specification has a client do, with nothing but an address: 401,
//! metadata, token; 403, token with the challenge's scopes, answer.

use entra_emulator::{AGENT_ID, API_ID, BLUEPRINT_ID, BLUEPRINT_SECRET, DAEMON_ID, DAEMON_SECRET};
use serde_json::{Value, json};

use crate::world::{Answer, World, message};

/// What a client does with a challenge: it asks for its scopes, at the resource of its metadata.
async fn token_for(world: &World, refused: &Answer, before: &str) -> String {
    let metadata = refused.parameter("resource_metadata");
    let path = metadata.strip_prefix(&world.base).unwrap();
    let document = world.ask(http::Method::GET, path).send().await.json();
    let resource = document["resource"].as_str().unwrap();
    let server = document["authorization_servers"][0].as_str().unwrap();
    let discovery = format!("{server}/.well-known/openid-configuration");
    let known = world.http.get(discovery).send().await.unwrap();
    let known: Value = serde_json::from_slice(&known.bytes().await.unwrap()).unwrap();
    assert_eq!(known["issuer"], server);
    // The challenge's scopes, united with those it has.
    let scope = format!("{} {before}", refused.parameter("scope"));
    world
        .sign_in("alice", scope.trim(), Some(resource))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_client_steps_up_with_exactly_the_scopes_of_the_challenge() {
    steps_up(World::start().await).await;
}

#[tokio::test]
async fn so_it_does_where_the_application_has_tokens_of_v1() {
    let world = World::start_with_v1_tokens().await;
    let scope = format!("{}/mcp/Todo.Read", world.base);
    let token = world.sign_in("alice", &scope, None).await.unwrap();
    let who = world.call("/mcp", "whoami", json!({})).token(&token);
    let who: Value = serde_json::from_str(&who.send().await.tool_text()).unwrap();
    assert_eq!(who["ver"], "1.0", "{who}");
    steps_up(world).await;
}

async fn steps_up(world: World) {
    let first = world.post("/mcp", &message("tools/list")).send().await;
    assert_eq!(first.status, 401);
    let reader = token_for(&world, &first, "").await;
    let list = world
        .call("/mcp", "list_todos", json!({}))
        .token(&reader)
        .send()
        .await;
    assert_eq!(list.status, 200, "{}", list.text);

    let add = || world.call("/mcp", "add_todo", json!({ "title": "milk" }));
    let refused = add().token(&reader).send().await;
    assert_eq!(refused.brief(), (403, "scope".to_owned()));
    let exactly = token_for(&world, &refused, "").await;
    assert_eq!(add().token(&exactly).send().await.status, 200);
    // Alone it reads too, since it implies the other.
    let list = world
        .call("/mcp", "list_todos", json!({}))
        .token(&exactly)
        .send()
        .await;
    assert_eq!(list.status, 200);
    let united = token_for(&world, &refused, first.parameter("scope")).await;
    assert_eq!(add().token(&united).send().await.status, 200);
}

#[tokio::test]
async fn the_second_resource_has_a_token_of_its_own() {
    let world = World::start().await;
    let first = world
        .post("/reports/mcp", &message("tools/list"))
        .send()
        .await;
    let token = token_for(&world, &first, "").await;
    let report = world
        .call("/reports/mcp", "report", json!({}))
        .token(&token)
        .send()
        .await;
    assert_eq!(report.status, 200, "{}", report.text);
    let other = world
        .call("/mcp", "list_todos", json!({}))
        .token(&token)
        .send()
        .await;
    assert_eq!(other.brief(), (403, "scope".to_owned()));
    let token = token_for(&world, &other, "").await;
    let other = world
        .call("/mcp", "list_todos", json!({}))
        .token(&token)
        .send()
        .await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn entra_refuses_a_slash_at_the_end_and_a_short_scope() {
    let world = World::start().await;
    let resource = format!("{}/mcp", world.base);
    let full = format!("{resource}/Todo.Read");
    let asked = async |scope: &str, resource: Option<&str>| {
        world.sign_in("alice", scope, resource).await.map(|_| ())
    };
    assert_eq!(asked(&full, Some(&resource)).await, Ok(()));
    assert_eq!(asked(&full, None).await, Ok(()));
    let slash = format!("{resource}/");
    assert_eq!(asked(&full, Some(&slash)).await, Err(9_010_010));
    assert_eq!(asked("Todo.Read", None).await, Err(650_053));
    assert_eq!(asked("Todo.Read", Some(&resource)).await, Err(9_010_010));
}

#[tokio::test]
async fn applications_and_agents_call_what_is_theirs() {
    let world = World::start().await;
    let default = format!("{}/mcp/.default", world.base);
    let app = [
        ("grant_type", "client_credentials"),
        ("client_id", DAEMON_ID),
        ("client_secret", DAEMON_SECRET),
        ("scope", &*default),
    ];
    let app = world.token(&app).await.unwrap();
    let run = async |token: &str, tool: &str| {
        let answer = world
            .call("/mcp", tool, json!({}))
            .token(token)
            .send()
            .await;
        answer.brief()
    };
    assert_eq!(run(&app, "run_jobs").await.0, 200);
    assert_eq!(run(&app, "approve").await, (403, "scope".to_owned()));

    let exchange = "api://AzureADTokenExchange/.default";
    let assertion = [
        ("grant_type", "client_credentials"),
        ("client_id", BLUEPRINT_ID),
        ("client_secret", BLUEPRINT_SECRET),
        ("scope", exchange),
        ("fmi_path", AGENT_ID),
    ];
    let assertion = world.token(&assertion).await.unwrap();
    let agent = |more: &[(&'static str, &str)]| {
        let own = [("client_id", AGENT_ID), ("client_assertion", &*assertion)];
        let fields = own.iter().chain(more);
        fields
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect::<Vec<_>>()
    };
    let get = async |fields: Vec<(&str, String)>| {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        world.token(&fields).await.unwrap()
    };
    let own = get(agent(&[
        ("grant_type", "client_credentials"),
        ("scope", &default),
    ]))
    .await;
    assert_eq!(run(&own, "run_jobs").await.0, 200);

    // On behalf of alice it may do what she consented to, and not what is for people only.
    let of_alice = world
        .emulator
        .token()
        .audience(BLUEPRINT_ID)
        .scope("access_agent")
        .mint();
    let write = format!("{}/mcp/Todo.ReadWrite", world.base);
    let obo = get(agent(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("requested_token_use", "on_behalf_of"),
        ("assertion", &of_alice),
        ("scope", &write),
    ]))
    .await;
    assert_eq!(run(&obo, "list_todos").await.0, 200);
    assert_eq!(run(&obo, "approve").await, (403, "agent".to_owned()));
    let alice = world.sign_in("alice", &write, None).await.unwrap();
    assert_eq!(run(&alice, "approve").await.0, 200);
    assert!(!API_ID.is_empty());
}
