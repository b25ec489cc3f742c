//! Requests to an MCP server behind `ToolGuards`: none makes the reader panic, and one that reaches the
//! server calls nothing that its caller may not call, by a second reader that knows no twins.
//!
//! Input that begins with `h` has headers, one a line, up to an empty line; the rest is the body.
#![no_main]

use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::LazyLock;

use axum_core::body::Body;
use axum_core::response::Response;
use axum_entra::guard::RequireScope;
use axum_entra::mcp::{AnyToken, ToolGuards};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::BodyExt as _;
use libfuzzer_sys::fuzz_target;
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

mod received;
use received::{RUNTIME, access_token, entra};

mod twofold;
use twofold::Json;

type Server = BoxCloneSyncService<Request<Body>, Response, Infallible>;

thread_local! {
    /// The body that the server got.
    static REACHED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// A server behind guards; the token has the scope `read`.
static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let guards = ToolGuards::new()
        .tool("whoami", AnyToken)
        .tool("list", RequireScope("read"))
        .tool("delete", RequireScope("write"))
        .prompt("greet", AnyToken)
        .prompt("order", RequireScope("write"))
        .resource("todo://list", RequireScope("read"))
        .resource("todo://all", RequireScope("write"))
        .method("resources/list", AnyToken)
        .method("prompts/list", RequireScope("write"));
    let inner = service_fn(async |request: Request<Body>| {
        let body = request.into_body().collect().await.expect("a body in memory");
        REACHED.set(Some(body.to_bytes().to_vec()));
        Ok::<Response, Infallible>(Response::default())
    });
    let service = ServiceBuilder::new()
        .layer(entra().layer())
        .layer(guards)
        .service(inner);
    BoxCloneSyncService::new(service)
});

static BEARER: LazyLock<HeaderValue> = LazyLock::new(|| {
    let value = format!("Bearer {}", access_token("read"));
    HeaderValue::try_from(value).expect("a header value")
});

fuzz_target!(|data: &[u8]| {
    let (headers, body) = match data.strip_prefix(b"h") {
        Some(rest) => split(rest),
        None => (HeaderMap::new(), data),
    };
    let mut request = Request::post("/mcp")
        .body(Body::from(body.to_vec()))
        .expect("a request");
    *request.headers_mut() = headers.clone();
    request.headers_mut().insert(AUTHORIZATION, BEARER.clone());
    REACHED.set(None);
    let answer = RUNTIME.block_on(SERVER.clone().oneshot(request));
    let status = answer.expect("an answer, whatever comes").status().as_u16();
    let reached = REACHED.take();
    assert_eq!(reached.is_some(), status == 200);
    let Some(reached) = reached else {
        assert!(matches!(status, 400 | 403 | 404 | 413 | 415), "{status}");
        return;
    };
    assert_eq!(reached, body, "it goes on unchanged");
    let json = Json::read(body).expect("what reaches the server is JSON");
    assert!(!json.has_twins(), "no member is there twice");
    match &json {
        Json::Array(items) => {
            assert!(!items.is_empty());
            items.iter().for_each(|item| may_pass(item, &headers, true));
        }
        message => may_pass(message, &headers, false),
    }
});

/// Headers up to an empty line; lines that are none are left out.
fn split(data: &[u8]) -> (HeaderMap, &[u8]) {
    let mut headers = HeaderMap::new();
    let mut rest = data;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

/// Panics unless the rules let this message through.
fn may_pass(message: &Json, headers: &HeaderMap, of_many: bool) {
    // Whatever a reader without letter case finds, there is one of it.
    let member = |name: &str| message.any_case(name);
    assert_eq!(member("jsonrpc").and_then(Json::text), Some("2.0"));
    let version = headers.get("mcp-protocol-version");
    let version = version.map(|value| value.to_str().expect("a date"));
    let is_stateless = version.is_some_and(|version| version >= "2026-07-28");
    assert!(!(is_stateless && of_many), "batches are of older versions");
    let Some(method) = member("method").map(|method| method.text().expect("a text")) else {
        assert!(member("result").is_some() != member("error").is_some());
        return;
    };
    let params = member("params");
    let param = |name: &str| params.and_then(|params| params.any_case(name)?.text());
    let is_notification = member("id").is_none() && method.starts_with("notifications/");
    let name = match method {
        "tools/call" | "prompts/get" => Some(param("name")),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => Some(param("uri")),
        "initialize" | "ping" | "server/discover" | "subscriptions/listen" | "tools/list"
        | "resources/list" => None,
        _ => {
            assert!(is_notification, "{method}");
            None
        }
    };
    if let Some(name) = name {
        let allowed: &[&str] = match method {
            "tools/call" => &["whoami", "list"],
            "prompts/get" => &["greet"],
            _ => &["todo://list"],
        };
        assert!(name.is_some_and(|name| allowed.contains(&name)), "{name:?}");
    }
    let meta = params.and_then(|params| params.any_case("_meta"));
    if let Some(stated) = meta.and_then(|meta| meta.member("io.modelcontextprotocol/protocolVersion")) {
        assert_eq!(stated.text(), version, "the body states another version");
    }
    if !is_stateless || method == "initialize" {
        return;
    }
    let one = |header: &str| {
        let mut values = headers.get_all(header).iter();
        let value = values.next().expect("a header").as_bytes();
        assert!(values.next().is_none());
        value
    };
    assert_eq!(one("mcp-method"), method.as_bytes());
    if let Some(name) = name.flatten() {
        let value = one("mcp-name");
        assert!(value == name.as_bytes() || value.starts_with(b"=?base64?"));
    }
}
