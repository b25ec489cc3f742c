//! Where the layer is, what it answers first, and what it asks guards for.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use axum::response::IntoResponse as _;
use axum::routing::{any, post};
use axum_entra::UnixTime;
use axum_entra::guard::{Guard, RequireGroup, RequireRole, RequireScope};
use axum_entra::mcp::{AnyToken, ToolGuards};
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::json;
use tower::ServiceExt as _;

use crate::server::{
    ALICE, BOB, CLIENT, Reached, guarded, guards, request, router, send, token_of,
};
use crate::token::{API, T0, authority, built, mint, with};

const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x"}}"#;

fn alice() -> String {
    token_of(ALICE, CLIENT)
}

#[tokio::test]
async fn without_the_auth_layer_it_fails_closed() {
    let open = Router::new()
        .route("/mcp", post(async || "in"))
        .layer(guards());
    let answer = send(&open, request(&Method::POST, &alice(), CALL)).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.body["reason"], "not_configured");
    let optional = Router::new()
        .route("/mcp", post(async || "in"))
        .layer(guards())
        .layer(built(authority()).layer().optional());
    let anonymous = Request::post("/mcp").body(Body::from(CALL)).unwrap();
    let answer = send(&optional, anonymous).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.body["reason"], "missing_token");
}

#[tokio::test]
async fn the_token_is_checked_before_the_body() {
    let reached = Reached::default();
    let router = router(&reached);
    let answer = send(&router, request(&Method::POST, "junk", "junk")).await;
    assert_eq!(answer.body["reason"], "malformed");
    let answer = send(&router, request(&Method::POST, &alice(), "junk")).await;
    assert_eq!(answer.body["reason"], "mcp_body");
}

#[tokio::test]
async fn the_id_of_the_request_is_in_the_error_as_it_was_written() {
    let reached = Reached::default();
    let router = router(&reached);
    for id in [
        "1",
        "\"a\\u0062\"",
        "-1.5",
        "null",
        "12345678901234567890123",
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let mut request = request(&Method::POST, &alice(), body);
        let version = "2026-07-28".parse().unwrap();
        request
            .headers_mut()
            .insert("mcp-protocol-version", version);
        let answer = send(&router, request).await;
        assert_eq!(answer.status, 400);
        let expected: serde_json::Value = serde_json::from_str(id).unwrap();
        assert_eq!(answer.body["id"], expected, "{id}");
    }
}

#[tokio::test]
async fn a_session_of_the_new_version_is_not_looked_at() {
    let reached = Reached::default();
    let router = router(&reached);
    for method in [Method::GET, Method::DELETE] {
        let mut request = request(&method, &alice(), Body::empty());
        let headers = request.headers_mut();
        headers.insert("mcp-protocol-version", "2026-07-28".parse().unwrap());
        headers.insert("mcp-session-id", "another's".parse().unwrap());
        assert_eq!(send(&router, request).await.status, 200);
        let [(headers, _)] = &reached.take()[..] else {
            panic!("one request")
        };
        assert!(!headers.contains_key("mcp-session-id"));
    }
}

#[tokio::test]
async fn a_batch_marks_a_token_as_used_only_if_every_item_passes() {
    let guards = ToolGuards::new()
        .tool("x", AnyToken)
        .tool("y", RequireScope("Missing"));
    let entra = built(authority());
    // Inside of the guards, so that a refused caller keeps the token.
    let router = Router::new()
        .route("/mcp", post(async || "in"))
        .layer(entra.replay_protection())
        .layer(guards)
        .layer(entra.layer());
    let token = mint(&with(json!({ "uti": "an id", "oid": BOB })));
    let other = CALL.replace("\"x\"", "\"y\"");
    let batch = format!("[{CALL},{other}]");
    let answer = send(&router, request(&Method::POST, &token, batch)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["reason"]),
        (403, &json!("scope"))
    );
    let twice = format!("[{CALL},{CALL}]");
    let answer = send(&router, request(&Method::POST, &token, twice)).await;
    assert_eq!(answer.status, 200);
    let answer = send(&router, request(&Method::POST, &token, CALL)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["reason"]),
        (401, &json!("replay"))
    );
}

/// A client asks for exactly what the challenge names; with one scope at a time, its next token might
/// lack the other.
#[tokio::test]
async fn a_batch_and_a_guard_of_two_scopes_name_all_scopes_that_are_missing_at_once() {
    let guards = ToolGuards::new()
        .tool("read", RequireScope("Todo.Read"))
        .tool("write", RequireScope("Todo.ReadWrite"))
        .tool("report", RequireScope::any(["Data.Read", "Data.All"]))
        .tool("publish", RequireScope::all(["Data.Write", "Data.Send"]))
        .tool(
            "both",
            RequireScope("Data.Write").and(RequireScope("Data.Read")),
        )
        .tool("admin", RequireRole("Admin"));
    let router = guarded(&Reached::default(), guards);
    let full = |names: &[&str]| {
        let names: Vec<_> = names
            .iter()
            .map(|name| format!("api://{API}/{name}"))
            .collect();
        format!("scope=\"{}\"", names.join(" "))
    };
    for (tools, expected) in [
        (&["write"][..], &["Todo.ReadWrite"][..]),
        (
            &["read", "write", "report"],
            &["Todo.ReadWrite", "Data.Read"],
        ),
        (
            &["report", "write", "report"],
            &["Data.Read", "Todo.ReadWrite"],
        ),
        (
            &["publish", "both"],
            &["Data.Write", "Data.Send", "Data.Read"],
        ),
        (&["both"], &["Data.Write", "Data.Read"]),
        // What no scope gives is no part of it, and comes first where it is first.
        (
            &["write", "admin", "report"],
            &["Todo.ReadWrite", "Data.Read"],
        ),
        (&["write", "other"], &["Todo.ReadWrite"]),
    ] {
        let calls: Vec<_> = tools
            .iter()
            .map(|tool| CALL.replace("\"x\"", &format!("\"{tool}\"")))
            .collect();
        let batch = format!("[{}]", calls.join(","));
        let answer = send(&router, request(&Method::POST, &alice(), batch)).await;
        assert_eq!(answer.status, 403, "{tools:?}");
        assert_eq!(answer.body["reason"], "scope", "{tools:?}");
        let challenge = answer.challenge().unwrap();
        assert!(
            challenge.contains(&full(expected)),
            "{tools:?}: {challenge}"
        );
    }
    let batch = format!("[{},{CALL}]", CALL.replace("\"x\"", "\"admin\""));
    let answer = send(&router, request(&Method::POST, &alice(), batch)).await;
    assert_eq!(answer.body["reason"], "role");
    assert!(!answer.challenge().unwrap().contains("scope="));
}

#[tokio::test]
async fn a_version_that_is_no_date_is_told_which_versions_there_are_where_they_are_named() {
    let body = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
    let versions = ["2026-07-28", "2025-11-25"];
    for (named, stated, expected) in [
        (
            true,
            "v999.0.0",
            json!({ "supported": versions, "requested": "v999.0.0" }),
        ),
        (
            true,
            "a\"b",
            json!({ "supported": versions, "requested": "a\"b" }),
        ),
        (false, "v999.0.0", json!({})),
        // It is the method's header that is missing here.
        (true, "2026-07-28", json!({})),
    ] {
        let guards = ToolGuards::new();
        let guards = match named {
            true => guards.protocol_versions(versions),
            false => guards,
        };
        let router = guarded(&Reached::default(), guards);
        let mut request = request(&Method::POST, &alice(), body);
        let headers = request.headers_mut();
        headers.insert("mcp-protocol-version", stated.parse().unwrap());
        let answer = send(&router, request).await;
        assert_eq!(answer.status, 400, "{stated}");
        let mut data = json!({ "error": "invalid_request", "reason": "mcp_headers" });
        let members = expected.as_object().unwrap().clone();
        data.as_object_mut().unwrap().extend(members);
        let error = &answer.body["error"];
        assert_eq!(
            (&error["code"], &error["data"]),
            (&json!(-32020), &data),
            "{stated}"
        );
        assert_eq!(answer.body["id"], 7);
    }
}

/// Every other method is refused; one that has a guard reaches the server, also one it does not have.
#[tokio::test]
async fn a_method_reaches_the_server_once_it_has_a_guard() {
    let body = r#"{"jsonrpc":"2.0","id":7,"method":"unknown/method"}"#;
    let reached = Reached::default();
    let closed = guarded(&reached, ToolGuards::new());
    let answer = send(&closed, request(&Method::POST, &alice(), body)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["reason"]),
        (403, &json!("tool"))
    );
    assert!(reached.take().is_empty());
    let open = guarded(
        &reached,
        ToolGuards::new().method("unknown/method", AnyToken),
    );
    let answer = send(&open, request(&Method::POST, &alice(), body)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(reached.take().len(), 1);
}

#[tokio::test]
async fn a_guard_that_needs_the_directory_says_so() {
    let reached = Reached::default();
    let group = "aaaaaaaa-0000-4000-8000-000000000001";
    let either = RequireGroup(group).or(RequireScope("Todo.Read"));
    let guards = ToolGuards::new()
        .tool("x", RequireGroup(group))
        .tool("y", either)
        .tool("z", AnyToken);
    let router = guarded(&reached, guards);
    let token = mint(&with(json!({ "hasgroups": true, "scp": "Todo.Read" })));
    for (tool, status) in [("x", 403), ("y", 200), ("z", 200)] {
        let body = CALL.replace("\"x\"", &format!("\"{tool}\""));
        let answer = send(&router, request(&Method::POST, &token, body)).await;
        assert_eq!(answer.status, status, "{tool}: {}", answer.body);
    }
}

#[tokio::test]
async fn each_of_several_resources_names_its_own_document_and_scopes() {
    use axum_entra::{Entra, ProtectedResource};
    let mcp = "https://todo.example/mcp";
    let reports = "https://todo.example/reports/mcp";
    let authority = authority().audience(API).audience(mcp).audience(reports);
    let entra = Entra::builder_for(authority.app_id_uri(mcp).app_id_uri(reports))
        .clock(axum_entra::Clock::from_fn(|| {
            UnixTime::from_secs(crate::token::T0)
        }))
        .resource(
            ProtectedResource::new(mcp)
                .name("Lists")
                .scopes(["Todo.Read", "Todo.ReadWrite"])
                .challenge_scopes(["Todo.Read"]),
        )
        .resource(
            ProtectedResource::new(reports)
                .scopes(["Data.Read"])
                .challenge_scopes(["Data.Read"]),
        )
        .build()
        .unwrap();
    let routes = ["/mcp", "/reports/mcp"].into_iter();
    let app = routes.fold(Router::new(), |app, path| {
        app.route(path, post(async || "in"))
    });
    let app = app.route_layer(guards()).route_layer(entra.layer());
    let app = entra.metadata_routes().fold(app, |app, (path, service)| {
        app.route_service(&path, service)
    });
    let well_known = "/.well-known/oauth-protected-resource";
    for (path, resource, other, least, scopes) in [
        (
            "/mcp",
            mcp,
            reports,
            "Todo.Read",
            &["Todo.Read", "Todo.ReadWrite"][..],
        ),
        ("/reports/mcp", reports, mcp, "Data.Read", &["Data.Read"]),
    ] {
        let anonymous = Request::post(path).body(Body::empty()).unwrap();
        let answer = send(&app, anonymous).await;
        let metadata = format!("https://todo.example{well_known}{path}");
        let expected =
            format!(r#"Bearer scope="{resource}/{least}", resource_metadata="{metadata}""#);
        assert_eq!(answer.challenge(), Some(&*expected));
        let document = Request::get(format!("{well_known}{path}"));
        let document = send(&app, document.body(Body::empty()).unwrap()).await;
        assert_eq!(document.body["resource"], resource);
        let full: Vec<_> = scopes
            .iter()
            .map(|scope| format!("{resource}/{scope}"))
            .collect();
        assert_eq!(document.body["scopes_supported"], json!(full));
        let called = |audience: &str| {
            let token = mint(&with(json!({ "aud": audience })));
            let mut request = request(
                &Method::POST,
                &token,
                r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
            );
            *request.uri_mut() = path.parse().unwrap();
            request
        };
        for (audience, status) in [(API, 200), (resource, 200), (other, 401)] {
            let answer = send(&app, called(audience)).await;
            assert_eq!(answer.status, status, "{path} {audience}");
            if status == 401 {
                assert_eq!(answer.body["reason"], "audience");
            }
        }
    }
    let root = Request::get(well_known).body(Body::empty()).unwrap();
    assert_eq!(send(&app, root).await.status, 404);
}

/// A stream of events that is open when its account's tokens are revoked ends then, and no other.
#[tokio::test]
async fn a_stream_of_notifications_ends_with_its_token() {
    let entra = built(authority());
    let stream = || async {
        let event = futures_util::stream::once(async { Ok::<_, Infallible>("data: 1\n\n") });
        let for_ever = event.chain(futures_util::stream::pending());
        let kind = [("content-type", "text/event-stream; charset=utf-8")];
        (kind, Body::from_stream(for_ever)).into_response()
    };
    let guards = ToolGuards::new().tool("x", AnyToken);
    let router = Router::new()
        .route("/mcp", any(stream))
        .layer(guards)
        .layer(entra.layer());
    let call = async |method: &Method, who: &str, body: &str| {
        let request = request(method, &token_of(who, CLIENT), body.to_owned());
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let mut body = response.into_body().into_data_stream();
        assert_eq!(body.next().await.unwrap().unwrap(), "data: 1\n\n");
        body
    };
    let listen = r#"{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen"}"#;
    let mut ending = [
        call(&Method::GET, ALICE, "").await,
        call(&Method::POST, ALICE, listen).await,
    ];
    let mut lasting = [
        call(&Method::GET, BOB, "").await,
        // The answer to a call is finished, as that of any request that was admitted.
        call(&Method::POST, ALICE, CALL).await,
    ];
    let account = entra.validate(&token_of(ALICE, CLIENT)).await.unwrap();
    let account = account.account_id().unwrap();
    entra.revoke_tokens(&account).await.unwrap();
    for body in &mut ending {
        assert!(body.next().await.is_none());
    }
    for body in &mut lasting {
        assert!(body.next().now_or_never().is_none());
    }
}

/// As long as the layer accepts the token: a client that comes back gets 401, and no circle of empty
/// streams.
#[tokio::test]
async fn a_stream_goes_on_within_the_clock_skew() {
    let authority = authority().clock_skew(Duration::from_secs(300));
    let stream = || async {
        let events = futures_util::stream::pending::<Result<&str, Infallible>>();
        let kind = [("content-type", "text/event-stream")];
        (kind, Body::from_stream(events)).into_response()
    };
    let router = Router::new()
        .route("/mcp", any(stream))
        .layer(ToolGuards::new())
        .layer(built(authority).layer());
    for (expired, status) in [(100, 200), (301, 401)] {
        let times = json!({ "iat": T0 - 900, "nbf": T0 - 900, "exp": T0 - expired });
        let token = mint(&with(times));
        let request = request(&Method::GET, &token, "");
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
        if status == 200 {
            let mut events = response.into_body().into_data_stream();
            assert!(events.next().now_or_never().is_none());
        }
    }
}
