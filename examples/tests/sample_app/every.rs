//! Every sample, tried by unauthorized callers: any method, any content type, HTTP/1.1 and HTTP/2, no token,
//! another tenant's token, a token without the permission. What is not built is skipped with a
//! line; what is in `examples/` and in no table here fails.

use std::collections::BTreeSet;
use std::path::Path;

use axum_entra::HttpClient;
use entra_emulator::{CLI_ID, Emulator, FABRIKAM, TokenBuilder, WEB_ID};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use crate::running::{Running, is_built};

/// Samples that serve nothing, or nothing of their own, and why.
const OTHERS: [(&str, &str); 6] = [
    (
        "mutual_tls",
        "wants a client certificate, and has tests of its own",
    ),
    ("explain", "is a command"),
    ("quickstart", "has a fixed port; one route, as below"),
    ("soak", "is a client"),
    (
        "testing",
        "has a fixed port and a real tenant, and tests of its own",
    ),
    (
        "multi_replica",
        "demonstrates; its replicas are tried as `multi_replica` below",
    ),
];

/// A protected route, and a token that opens it.
struct Door {
    method: Method,
    path: &'static str,
    body: &'static [u8],
    content_type: &'static str,
    token: fn(TokenBuilder) -> TokenBuilder,
    /// Whether it takes more than a valid token.
    is_guarded: bool,
    status: u16,
}

fn door(path: &'static str, token: fn(TokenBuilder) -> TokenBuilder) -> Door {
    Door {
        method: Method::GET,
        path,
        body: b"",
        content_type: "",
        token,
        is_guarded: true,
        status: 200,
    }
}

impl Door {
    fn post(self, content_type: &'static str, body: &'static [u8], status: u16) -> Self {
        Self {
            method: Method::POST,
            body,
            content_type,
            status,
            ..self
        }
    }

    fn any_token(self) -> Self {
        Self {
            is_guarded: false,
            ..self
        }
    }
}

fn user(token: TokenBuilder) -> TokenBuilder {
    token.user("alice").scope("access_as_user")
}

const JSON: &str = "application/json";
const INITIALIZE: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;

fn samples() -> Vec<(&'static str, Vec<Door>)> {
    let with_role = |token: TokenBuilder| user(token).roles(["Todo.Admin"]);
    let app = |token: TokenBuilder| token.app("daemon").roles(["Tasks.Run"]);
    let reader = |token: TokenBuilder| token.user("alice").scope("Todolist.ReadWrite");
    let data = |token: TokenBuilder| token.user("alice").scope("Data.Read");
    let admin = |token: TokenBuilder| user(token).roles(["Task Admin"]);
    let todo_reader = |token: TokenBuilder| token.user("alice").scope("Todo.Read");
    let todo_writer = |token: TokenBuilder| token.user("alice").scope("Todo.ReadWrite");
    let task = |token: TokenBuilder| user(token).roles(["TaskUser"]);
    vec![
        (
            "protected_api",
            vec![
                door("/me", user).any_token(),
                door("/todos", user),
                door("/todos", user).post(JSON, br#"{"title":"milk"}"#, 201),
                door("/todos/all", with_role),
                door("/jobs", app).post("", b"", 202),
                door("/signout", user).any_token().post("", b"", 204),
            ],
        ),
        (
            "guard_gallery",
            vec![
                door("/me", user).any_token(),
                door("/scope", user),
                door("/permit", data),
                door("/data", data),
                door("/nested/inner", admin),
                door("/signout", user).any_token().post("", b"", 204),
            ],
        ),
        (
            "todolist",
            vec![
                door("/api/todolist", reader),
                door("/api/todolist", reader).post(JSON, br#"{"description":"milk"}"#, 200),
            ],
        ),
        ("roles_and_groups", vec![door("/api/todolist", task)]),
        (
            "b2c_and_external_id",
            vec![door("/me", user), door("/employees", user)],
        ),
        ("auth_context", vec![door("/records", user)]),
        (
            "obo_graph",
            vec![door("/api/profile", user), door("/api/groups", user)],
        ),
        (
            "websocket_sse",
            vec![
                door("/events", user),
                door("/signout", user).post("", b"", 204),
            ],
        ),
        (
            "mcp_server",
            // Each tool has a guard of its own, by the message; the server itself takes any valid token.
            vec![door("/mcp", user).any_token().post(JSON, INITIALIZE, 200)],
        ),
        ("multi_replica", vec![door("/me", user).any_token()]),
        (
            "recipes",
            vec![
                door("/per-method/todos", todo_reader),
                door("/per-method/todos", todo_writer).post("", b"", 201),
                door("/owner/notes/1", todo_reader),
                door("/deny/todos", todo_reader),
            ],
        ),
        (
            "grpc",
            vec![door("/grpc.health.v1.Health/Check", user).post(
                "application/grpc",
                b"\0\0\0\0\0",
                200,
            )],
        ),
    ]
}

#[test]
fn every_sample_is_in_a_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.join("main.rs").is_file() || path.extension().is_some_and(|end| end == "rs")
        })
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let tables = samples().into_iter().map(|(name, _)| name);
    let known: BTreeSet<String> = tables
        .chain(OTHERS.map(|(name, _)| name))
        .map(str::to_owned)
        .collect();
    assert_eq!(names, known, "add a new sample to a table of this file");
}

/// An answer, as much as this file asks about.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn is_grpc(&self) -> bool {
        self.headers.contains_key("grpc-status")
    }

    /// Refused, and with the expected status; anything else is a route that was open.
    fn is_refusal(&self, method: &Method, asks_for_grpc: bool) -> bool {
        // The CORS layer outside: no handler ran, and nothing is disclosed.
        if method == Method::OPTIONS {
            return self.status == 200
                && self.body.is_empty()
                && !self.is_grpc()
                && self.headers.contains_key("access-control-allow-origin");
        }
        if asks_for_grpc {
            let code = self.headers.get("grpc-status");
            return code.is_some_and(|code| code == "16" || code == "7") && self.body.is_empty();
        }
        let has_reason = || {
            let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
            // `recipes` has a body of its own form.
            body["reason"].is_string() || body["code"].is_string()
        };
        let status = self.status.as_u16();
        [401, 403].contains(&status)
            && self.headers.contains_key("www-authenticate")
            && !self.is_grpc()
            && (method == Method::HEAD || has_reason())
    }

    /// What shows a browser who may read the answer.
    fn cors(&self) -> Vec<(String, String)> {
        let all = self.headers.iter();
        let mut cors: Vec<_> = all
            .filter(|(name, _)| name.as_str().starts_with("access-control-") || *name == "vary")
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        cors.sort();
        cors
    }
}

/// Sends a request, dressed as a preflight besides, and reads the answer's body unless it goes on.
async fn send(
    client: &HttpClient,
    running: &Running,
    door: &Door,
    method: &Method,
    content_type: &str,
    token: Option<&str>,
) -> Answer {
    let mut request = client
        .request(method.clone(), format!("{}{}", running.base, door.path))
        .header("origin", "https://page.example")
        .header("access-control-request-method", "POST")
        .header("accept", "application/json, text/event-stream")
        .body(door.body);
    if !content_type.is_empty() {
        request = request.header("content-type", content_type);
    }
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let said = format!("{} {method} {}", running.name, door.path);
    let answer = request.send().await.expect(&said);
    let (status, headers) = (answer.status(), answer.headers().clone());
    let goes_on = headers
        .get("content-type")
        .is_some_and(|kind| kind == "text/event-stream");
    let body = match goes_on {
        true => String::new(),
        false => answer.text().await.unwrap_or_default(),
    };
    Answer {
        status,
        headers,
        body,
    }
}

fn clients() -> [(bool, HttpClient); 2] {
    let http_2 = HttpClient::builder().http2_prior_knowledge().build();
    let http_1 = HttpClient::builder().http1_only().build();
    [(false, http_1.unwrap()), (true, http_2.unwrap())]
}

const CONTENT_TYPES: [&str; 7] = [
    "",
    "application/json",
    "application/grpc",
    "application/grpc+proto",
    "application/grpc-web",
    "text/plain, application/grpc",
    "multipart/form-data; boundary=x",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_method_content_type_or_protocol_opens_a_sample() {
    let emulator = Emulator::start().await.unwrap();
    let own = emulator.token();
    let methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE",
    ];
    let methods = methods.map(|name| name.parse::<Method>().unwrap());
    let clients = clients();
    for (name, doors) in samples() {
        let Some(running) = Running::start(name, &emulator, &[]).await else {
            continue;
        };
        for door in &doors {
            let foreign = (door.token)(own.clone())
                .tenant(FABRIKAM)
                .user("erin")
                .mint();
            let late = (door.token)(own.clone()).expired().mint();
            let poor = own.clone().user("bob").scope("Nothing.Of.Use").mint();
            let mut tokens = vec![None, Some("junk"), Some(&*foreign), Some(&*late)];
            tokens.extend(door.is_guarded.then_some(Some(&*poor)));
            for (is_http_2, client) in &clients {
                for method in &methods {
                    for content_type in CONTENT_TYPES {
                        for token in &tokens {
                            let answer =
                                send(client, &running, door, method, content_type, *token).await;
                            let asks_for_grpc = *is_http_2
                                && method == Method::POST
                                && ["application/grpc", "application/grpc+proto"]
                                    .contains(&content_type);
                            // A guard in a handler's signature is asked where there is a handler.
                            let is_poor = *token == Some(&*poor);
                            let has_no_handler =
                                is_poor && answer.status == 405 && answer.body.is_empty();
                            assert!(
                                has_no_handler || answer.is_refusal(method, asks_for_grpc),
                                "{name}: {method} {} {content_type:?} HTTP/2 {is_http_2}, {:?}: {answer:?}",
                                door.path,
                                token.map(str::len),
                            );
                        }
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_right_token_gets_in_and_a_page_may_read_both_answers() {
    let emulator = Emulator::start().await.unwrap();
    for (name, doors) in samples() {
        let Some(running) = Running::start(name, &emulator, &[]).await else {
            continue;
        };
        for door in &doors {
            let token = (door.token)(emulator.token()).mint();
            let is_grpc = door.content_type == "application/grpc";
            for (is_http_2, client) in &clients() {
                if is_grpc && !is_http_2 {
                    continue;
                }
                let ask = |token| {
                    send(
                        client,
                        &running,
                        door,
                        &door.method,
                        door.content_type,
                        token,
                    )
                };
                let let_in = ask(Some(&*token)).await;
                let said = format!("{name}: {} {}: {let_in:?}", door.method, door.path);
                assert_eq!(let_in.status.as_u16(), door.status, "{said}");
                assert!(
                    !is_grpc
                        || let_in
                            .headers
                            .get("grpc-status")
                            .is_none_or(|code| code == "0"),
                    "{said}"
                );
                let refused = ask(None).await;
                assert_eq!(refused.cors(), let_in.cors(), "{said}");
                let exposed = refused.headers["access-control-expose-headers"].to_str();
                assert!(exposed.unwrap().contains("www-authenticate"), "{said}");
                if door.method == Method::GET {
                    let head = send(client, &running, door, &Method::HEAD, "", Some(&token)).await;
                    assert_eq!(head.status.as_u16(), door.status, "{said}");
                    assert_eq!(head.body, "", "{said}");
                }
            }
        }
    }
}

async fn ask(running: &Running, method: &str, path: &str, token: &str, body: &str) -> (u16, Value) {
    let request = HttpClient::new()
        .request(method.parse().unwrap(), format!("{}{path}", running.base))
        .bearer_auth(token)
        .header("content-type", "application/json")
        .body(body.to_owned());
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_user_and_another_tenant_see_nothing_of_the_first() {
    let emulator = Emulator::start().await.unwrap();
    let many = [
        ("AzureAd__TenantId", "organizations"),
        ("AzureAd__AllowedTenants", "any"),
    ];
    let token = |who: &str, tenant: Option<&str>, roles: &[&str]| {
        let scopes = "access_as_user Todolist.ReadWrite";
        let token = emulator
            .token()
            .user(who)
            .scope(scopes)
            .roles(roles.to_vec());
        match tenant {
            Some(tenant) => token.tenant(tenant).mint(),
            None => token.mint(),
        }
    };
    if let Some(api) = Running::start("protected_api", &emulator, &many).await {
        let (alice, bob) = (
            token("alice", None, &["Todo.Admin"]),
            token("bob", None, &[]),
        );
        let erin = token("erin", Some(FABRIKAM), &["Todo.Admin"]);
        for (who, title) in [(&alice, "alice's"), (&erin, "erin's")] {
            let body = format!(r#"{{"title":"{title}"}}"#);
            assert_eq!(ask(&api, "POST", "/todos", who, &body).await.0, 201);
        }
        let titles = async |path, who: &str| {
            let (status, list) = ask(&api, "GET", path, who, "").await;
            assert_eq!(status, 200, "{path}");
            let list = list.as_array().unwrap().iter();
            list.map(|todo| todo["title"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(titles("/todos", &alice).await, ["alice's"]);
        assert_eq!(titles("/todos", &bob).await, [""; 0]);
        assert_eq!(titles("/todos/all", &alice).await, ["alice's"]);
        assert_eq!(titles("/todos/all", &erin).await, ["erin's"]);
        assert_eq!(ask(&api, "GET", "/todos/all", &bob, "").await.0, 403);
    }
    if let Some(list) = Running::start("todolist", &emulator, &[]).await {
        let (alice, bob) = (token("alice", None, &[]), token("bob", None, &[]));
        let body = r#"{"id":"1","description":"milk"}"#;
        assert_eq!(
            ask(&list, "POST", "/api/todolist", &alice, body).await.0,
            200
        );
        assert_eq!(
            ask(&list, "GET", "/api/todolist/1", &alice, "").await.0,
            200
        );
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let (status, _) = ask(&list, method, "/api/todolist/1", &bob, body).await;
            assert_eq!(status, 404, "{method}");
        }
        let (_, his) = ask(&list, "GET", "/api/todolist", &bob, "").await;
        assert_eq!(his, serde_json::json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_belongs_to_the_account_and_the_client_that_began_it() {
    let emulator = Emulator::start().await.unwrap();
    let Some(mcp) = Running::start("mcp_server", &emulator, &[]).await else {
        return;
    };
    let token = |who: &str, client: &str| {
        let token = emulator.token().user(who).client(client);
        token.scope("access_as_user").mint()
    };
    let alice = token("alice", CLI_ID);
    let client = HttpClient::new();
    let send = async |method: &str, token: &str, headers: &[(&str, &str)], body: &[u8]| {
        let mut request = client
            .request(method.parse().unwrap(), format!("{}/mcp", mcp.base))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(body.to_vec());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    };
    let begun = send("POST", &alice, &[], INITIALIZE).await;
    assert_eq!(begun.status(), 200);
    let session = begun.headers()["mcp-session-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let id = ("mcp-session-id", &*session);
    let note = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(send("POST", &alice, &[id], note).await.status(), 202);
    for other in [token("bob", CLI_ID), token("alice", WEB_ID)] {
        for method in ["POST", "GET", "DELETE"] {
            for ids in [&[id][..], &[id, id]] {
                let answer = send(method, &other, ids, note).await;
                assert_eq!(answer.status(), 404, "{method}");
                assert_eq!(answer.headers()["content-type"], "application/problem+json");
                let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
                assert_eq!(body["reason"], "not_found");
            }
        }
    }
    // An invented id, and a refusal that comes first.
    let invented = send("POST", &alice, &[("mcp-session-id", "x")], note).await;
    assert_eq!(invented.status(), 404);
    assert_eq!(send("POST", "junk", &[id], note).await.status(), 401);
    // It was not ended meanwhile.
    assert_eq!(send("POST", &alice, &[id], note).await.status(), 202);
    assert!(
        send("DELETE", &alice, &[id], b"")
            .await
            .status()
            .is_success()
    );
    assert_eq!(send("POST", &alice, &[id], note).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_as_large_as_the_longest_token_and_sixteen_kib_are_read() {
    let emulator = Emulator::start().await.unwrap();
    for (name, path) in [
        ("protected_api", "/me"),
        ("guard_gallery", "/me"),
        ("mcp_server", "/mcp"),
    ] {
        for longest in [65_536_usize, 262_144] {
            let setting = longest.to_string();
            let settings = [("AzureAd__MaxTokenBytes", &*setting)];
            let Some(running) = Running::start(name, &emulator, &settings).await else {
                continue;
            };
            for (is_http_2, client) in &clients() {
                for (length, reason) in [(longest, "malformed"), (longest + 1, "too_large")] {
                    let answer = client
                        .get(format!("{}{path}", running.base))
                        .bearer_auth("a".repeat(length))
                        .header("x-other", "b".repeat(15 * 1024))
                        .send()
                        .await
                        .unwrap();
                    let said = format!("{name}, HTTP/2 {is_http_2}, {length}");
                    assert_eq!(answer.status(), 401, "{said}");
                    let text = answer.text().await.unwrap();
                    assert!(text.contains(reason), "{said}: {text}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_front_page_names_routes_guards_links_and_lines() {
    let emulator = Emulator::start().await.unwrap();
    let client = HttpClient::new();
    let api: &[&str] = &[
        "/todos/all",
        "scope `access_as_user`",
        "role `Todo.Read.All`",
        "/docs",
        "/inspect",
        "/signout",
        "/.well-known/oauth-protected-resource",
        "curl -i",
        "TOKEN=$(",
    ];
    let gallery: &[&str] = &[
        "/scope-any",
        "role `Task Admin`",
        "/nested/inner",
        "/optional",
        "curl -i",
    ];
    for (name, holds) in [("protected_api", api), ("guard_gallery", gallery)] {
        let Some(running) = Running::start(name, &emulator, &[]).await else {
            continue;
        };
        for (accept, kind) in [
            ("*/*", "text/plain; charset=utf-8"),
            (
                "text/html,application/xhtml+xml,*/*;q=0.8",
                "text/html; charset=utf-8",
            ),
        ] {
            let page = client.get(&running.base).header("accept", accept);
            let page = page.send().await.unwrap();
            assert_eq!(page.status(), 200);
            assert_eq!(page.headers()["content-type"], kind);
            let text = page.text().await.unwrap();
            for part in holds {
                assert!(text.contains(part), "{name}, {kind}: {part} in {text}");
            }
        }
        let nowhere = client.get(format!("{}/nowhere", running.base));
        let nowhere = nowhere.send().await.unwrap();
        assert_eq!(nowhere.status(), 404);
        assert_eq!(
            nowhere.headers()["content-type"],
            "application/problem+json"
        );
        let body: Value = serde_json::from_str(&nowhere.text().await.unwrap()).unwrap();
        assert_eq!(body["reason"], "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_body_is_answered_with_a_problem() {
    let emulator = Emulator::start().await.unwrap();
    let Some(api) = Running::start("protected_api", &emulator, &[]).await else {
        return;
    };
    let token = user(emulator.token()).mint();
    let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(3 << 20));
    for (body, status) in [
        ("", 422),
        ("{}", 422),
        (r#"{"title":1}"#, 422),
        (&*long, 413),
    ] {
        let (found, problem) = ask(&api, "POST", "/todos", &token, body).await;
        let reason = problem["reason"].as_str().unwrap_or_default();
        assert_eq!((found, reason), (status, "invalid_body"));
        assert_eq!(problem["error"], "invalid_request");
        assert_eq!(problem["status"], status);
    }
    let (status, todo) = ask(&api, "POST", "/todos", &token, r#"{"title":"milk"}"#).await;
    assert_eq!((status, &todo["title"]), (201, &"milk".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspector_is_off_unless_asked_for_and_believes_no_proxy() {
    if !is_built("protected_api") {
        return;
    }
    let emulator = Emulator::start().await.unwrap();
    let client = HttpClient::new();
    let get = async |running: &Running, header: Option<(&str, &str)>| {
        let mut request = client.get(format!("{}/inspect", running.base));
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let off = Running::start("protected_api", &emulator, &[])
        .await
        .unwrap();
    assert_eq!(get(&off, None).await, 404);
    let on = Running::start_with("protected_api", &emulator, &[], &["--inspect"]).await;
    let on = on.unwrap();
    assert_eq!(get(&on, None).await, 200);
    for header in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("forwarded", "for=127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("via", "1.1 proxy"),
        ("host", "inspector.example"),
    ] {
        assert_eq!(get(&on, Some(header)).await, 404, "{header:?}");
    }
}
