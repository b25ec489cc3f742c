//! Every answer that the contract names, over HTTP.

use entra_emulator::{AGENT_ID, API_ID, CONTOSO};
use http::Method;
use serde_json::{Value, json};

use crate::world::{NEW, OLD, World, call_body, message};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

#[tokio::test]
async fn each_resource_has_its_own_document_and_the_root_form_has_none() {
    let world = World::start().await;
    for (path, scopes) in [
        ("/mcp", &["Todo.Read", "Todo.ReadWrite"][..]),
        ("/reports/mcp", &["Data.Read"]),
    ] {
        let resource = format!("{}{path}", world.base);
        let answer = world
            .ask(Method::GET, &format!("{WELL_KNOWN}{path}"))
            .send()
            .await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        let document = answer.json();
        assert_eq!(document["resource"], resource);
        assert_eq!(
            document["authorization_servers"],
            json!([world.emulator.issuer(CONTOSO)])
        );
        let full: Vec<_> = scopes
            .iter()
            .map(|scope| format!("{resource}/{scope}"))
            .collect();
        assert_eq!(document["scopes_supported"], json!(full));
        assert_eq!(document["bearer_methods_supported"], json!(["header"]));

        // Without a token: the least scope of that resource, for everything under it.
        for below in [path.to_owned(), format!("{path}/x")] {
            for method in [Method::POST, Method::GET, Method::DELETE] {
                let answer = world.ask(method, &below).send().await;
                assert_eq!(answer.brief(), (401, "missing_token".to_owned()), "{below}");
                assert_eq!(answer.parameter("scope"), full[0]);
                let metadata = format!("{}{WELL_KNOWN}{path}", world.base);
                assert_eq!(answer.parameter("resource_metadata"), metadata);
            }
        }
    }
    assert_eq!(world.ask(Method::GET, WELL_KNOWN).send().await.status, 404);
}

#[tokio::test]
async fn each_tool_has_its_guard() {
    let world = World::start().await;
    let user = |scopes: &str| world.alice(scopes);
    let app = |roles: &[&str]| {
        let token = world.emulator.token().app("daemon").audience(API_ID);
        token.roles(roles.iter().copied()).mint()
    };
    let agent = |scopes: &str| {
        let token = world.emulator.token().client(AGENT_ID).audience(API_ID);
        token.scope(scopes).mint()
    };
    let untold = |scopes: &str| {
        let token = world.emulator.token().audience(API_ID).scope(scopes);
        token.without("xms_act_fct").mint()
    };
    // Without a scope or a role.
    let bob = world
        .emulator
        .token()
        .user("bob")
        .audience(API_ID)
        .scope("/")
        .mint();
    let (mcp, reports) = ("/mcp", "/reports/mcp");
    let title = || json!({ "title": "milk" });
    for (path, tool, arguments, token, status, reason) in [
        (mcp, "whoami", json!({}), user("Todo.Read"), 200, ""),
        (mcp, "whoami", json!({}), app(&["Tasks.Run"]), 200, ""),
        (mcp, "whoami", json!({}), bob, 403, "no_permissions"),
        (mcp, "list_todos", json!({}), user("Todo.Read"), 200, ""),
        (
            mcp,
            "list_todos",
            json!({}),
            user("Todo.ReadWrite"),
            200,
            "",
        ),
        (
            mcp,
            "list_todos",
            json!({}),
            user("Data.Read"),
            403,
            "scope",
        ),
        (
            mcp,
            "list_todos",
            json!({}),
            app(&["Tasks.Run"]),
            403,
            "scope",
        ),
        (mcp, "add_todo", title(), user("Todo.ReadWrite"), 200, ""),
        (mcp, "add_todo", title(), user("Todo.Read"), 403, "scope"),
        (mcp, "run_jobs", json!({}), app(&["Tasks.Run"]), 200, ""),
        (mcp, "run_jobs", json!({}), app(&["Other"]), 403, "role"),
        (
            mcp,
            "run_jobs",
            json!({}),
            user("Todo.Read"),
            403,
            "app_only",
        ),
        (mcp, "approve", json!({}), user("Todo.ReadWrite"), 200, ""),
        (mcp, "approve", json!({}), user("Todo.Read"), 403, "scope"),
        (
            mcp,
            "approve",
            json!({}),
            agent("Todo.ReadWrite"),
            403,
            "agent",
        ),
        (
            mcp,
            "approve",
            json!({}),
            untold("Todo.ReadWrite"),
            403,
            "agent",
        ),
        (mcp, "report", json!({}), user("Data.Read"), 403, "tool"),
        (mcp, "Whoami", json!({}), user("Todo.Read"), 403, "tool"),
        (reports, "report", json!({}), user("Data.Read"), 200, ""),
        (
            reports,
            "report",
            json!({}),
            app(&["Data.Read.All"]),
            200,
            "",
        ),
        (
            reports,
            "report",
            json!({}),
            app(&["Tasks.Run"]),
            403,
            "scope",
        ),
        (
            reports,
            "report",
            json!({}),
            user("Todo.Read"),
            403,
            "scope",
        ),
        (reports, "whoami", json!({}), user("Data.Read"), 403, "tool"),
    ] {
        let answer = world
            .call(path, tool, arguments.clone())
            .token(&token)
            .send()
            .await;
        assert_eq!(
            answer.brief(),
            (status, reason.to_owned()),
            "{tool}: {}",
            answer.text
        );
        if status == 403 {
            let metadata = format!("{}{WELL_KNOWN}{path}", world.base);
            assert_eq!(answer.parameter("resource_metadata"), metadata);
            assert_eq!(answer.parameter("error"), "insufficient_scope");
        }
        // An older version says the same, whatever its headers say.
        let old = world.post(path, &old_call(tool, &arguments)).token(&token);
        let old = old
            .header("mcp-protocol-version", OLD)
            .header("mcp-name", "whoami");
        let old = old.header("mcp-method", "ping").send().await;
        match status {
            403 => assert_eq!(old.brief(), (status, reason.to_owned()), "{tool}"),
            // The SDK asks for a session.
            _ => assert_ne!(old.status, 403, "{tool}"),
        }
    }
}

fn old_call(tool: &str, arguments: &Value) -> String {
    let params = json!({ "name": tool, "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string()
}

#[tokio::test]
async fn a_refusal_names_full_scopes_and_a_list_is_the_accounts_own() {
    let world = World::start().await;
    let reader = world.alice("Todo.Read");
    let refused = world
        .call("/mcp", "add_todo", json!({}))
        .token(&reader)
        .send()
        .await;
    let full = format!("{}/mcp/Todo.ReadWrite", world.base);
    assert_eq!(refused.parameter("scope"), full);
    assert_eq!(refused.json()["error"], "insufficient_scope");
    let report = world
        .call("/reports/mcp", "report", json!({}))
        .token(&reader)
        .send()
        .await;
    assert_eq!(
        report.parameter("scope"),
        format!("{}/reports/mcp/Data.Read", world.base)
    );

    let writer = world.alice("Todo.ReadWrite");
    let add = world.call("/mcp", "add_todo", json!({ "title": "milk" }));
    assert_eq!(add.token(&writer).send().await.tool_text(), "1 to do");
    let list = async |token: &str| {
        let answer = world
            .call("/mcp", "list_todos", json!({}))
            .token(token)
            .send()
            .await;
        answer.tool_text()
    };
    assert_eq!(list(&reader).await, r#"["milk"]"#);
    let bob = world
        .emulator
        .token()
        .user("bob")
        .audience(API_ID)
        .scope("Todo.Read")
        .mint();
    assert_eq!(list(&bob).await, "[]");
}

#[tokio::test]
async fn what_calls_nothing_is_open_to_any_valid_token_and_the_rest_to_none() {
    let world = World::start().await;
    let token = world.alice("Data.Read");
    let sent = async |body: &str| {
        let answer = world.post("/mcp", body).token(&token).send().await;
        answer.brief()
    };
    for method in [
        "initialize",
        "ping",
        "tools/list",
        "server/discover",
        "subscriptions/listen",
    ] {
        let (status, reason) = sent(&message(method)).await;
        assert!(![401, 403].contains(&status), "{method} {status} {reason}");
    }
    for body in [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
    ] {
        let (status, reason) = sent(body).await;
        assert!(![401, 403].contains(&status), "{body} {status} {reason}");
    }
    for method in [
        "resources/read",
        "resources/list",
        "prompts/get",
        "logging/setLevel",
        "x",
    ] {
        assert_eq!(
            sent(&message(method)).await,
            (403, "tool".to_owned()),
            "{method}"
        );
    }
}

#[tokio::test]
async fn the_form_of_the_body_is_checked_before_anything_else_of_it() {
    let world = World::start().await;
    let token = world.alice("Todo.Read");
    let ping = message("ping");
    let long = format!("{ping}{}", " ".repeat(1_048_577));
    let twice = ping.replace("\"id\":1", "\"id\":1,\"id\":2");
    let call = old_call("add_todo", &json!({}));
    for (header, body, expected) in [
        (("content-encoding", "gzip"), &ping, (415, "invalid_body")),
        (("content-encoding", "identity"), &call, (403, "scope")),
        (("content-type", "text/plain"), &call, (403, "scope")),
        (("x", "x"), &long, (413, "invalid_body")),
        (("x", "x"), &twice, (400, "mcp_body")),
        (
            ("mcp-protocol-version", NEW),
            &format!("[{ping}]"),
            (400, "mcp_body"),
        ),
        (
            ("mcp-protocol-version", "tomorrow"),
            &"{".to_owned(),
            (400, "mcp_body"),
        ),
    ] {
        let answer = world
            .post("/mcp", body)
            .header(header.0, header.1)
            .token(&token);
        let answer = answer.send().await;
        let (status, reason) = answer.brief();
        assert_eq!(status, expected.0, "{header:?}: {}", answer.text);
        assert_eq!(reason, expected.1);
        if status != 403 {
            assert!(answer.challenge().is_empty());
        }
    }
    let batch = format!("[{ping},{}]", old_call("add_todo", &json!({})));
    let answer = world.post("/mcp", &batch).token(&token).send().await;
    assert_eq!(answer.brief(), (403, "scope".to_owned()));
}

#[tokio::test]
async fn headers_that_differ_from_the_body_are_a_json_rpc_error() {
    let world = World::start().await;
    let token = world.alice("Todo.Read");
    let call = call_body("whoami", json!({}));
    let version = ("mcp-protocol-version", NEW);
    let method = ("mcp-method", "tools/call");
    for headers in [
        &[][..],
        &[version],
        &[version, method],
        &[version, method, ("mcp-name", "list_todos")],
        &[
            version,
            method,
            ("mcp-name", "whoami"),
            ("mcp-name", "whoami"),
        ],
        &[version, version, method, ("mcp-name", "whoami")],
        &[
            ("mcp-protocol-version", OLD),
            method,
            ("mcp-name", "whoami"),
        ],
        &[
            ("mcp-protocol-version", "2026-7-28"),
            method,
            ("mcp-name", "whoami"),
        ],
    ] {
        let mut ask = world.post("/mcp", &call).token(&token);
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        let answer = ask.send().await;
        let body = answer.json();
        assert_eq!(answer.status, 400, "{headers:?}");
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!((&body["jsonrpc"], &body["id"]), (&json!("2.0"), &json!(1)));
        assert_eq!(body["error"]["code"], -32020, "{headers:?}");
        let data = json!({ "error": "invalid_request", "reason": "mcp_headers" });
        assert_eq!(body["error"]["data"], data);
        assert!(answer.challenge().is_empty());
    }
    let named = world
        .post("/mcp", &call)
        .token(&token)
        .header(version.0, version.1);
    let named = named
        .header(method.0, method.1)
        .header("mcp-name", "=?base64?d2hvYW1p?=");
    let answer = named.send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let me: Value = serde_json::from_str(&answer.tool_text()).unwrap();
    assert_eq!(
        (&me["principal"], &me["agent"]),
        (&json!("user"), &Value::Null)
    );
}

#[tokio::test]
async fn a_token_for_one_resource_is_none_for_the_other() {
    let world = World::start().await;
    let (mcp, reports) = (
        format!("{}/mcp", world.base),
        format!("{}/reports/mcp", world.base),
    );
    for (path, audience, expected) in [
        ("/mcp", &mcp, (200, "")),
        ("/reports/mcp", &reports, (200, "")),
        ("/mcp", &reports, (401, "audience")),
        ("/reports/mcp", &mcp, (401, "audience")),
    ] {
        let token = world.emulator.token().v1().audience(audience.as_str());
        let token = token.scope("Todo.Read Data.Read").mint();
        let tool = if path == "/mcp" {
            "list_todos"
        } else {
            "report"
        };
        let answer = world.call(path, tool, json!({})).token(&token).send().await;
        assert_eq!(
            answer.brief(),
            (expected.0, expected.1.to_owned()),
            "{path} {audience}"
        );
    }
}
