//! What a guard on a tool costs beside reading the body as JSON once: `cargo bench --bench mcp`
//!
//! Both serve the same request behind the layer with a known token: one handler reads the body into a
//! JSON value and no tool is guarded; the other handler reads nothing, and the tool is guarded.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    missing_docs,
    reason = "a bench stops at the first surprise"
)]

mod setup;

use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::routing::post;
use axum_entra::guard::RequireScope;
use axum_entra::mcp::ToolGuards;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderValue, Request};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use setup::{CACHE, Issuer, header};

/// A call whose arguments are an array of this many objects.
fn call(objects: usize) -> Bytes {
    let object =
        json!({ "title": "something to do", "tags": ["a", "b"], "priority": 3, "done": false });
    let arguments = json!({ "todos": vec![object; objects] });
    let params = json!({ "name": "add", "arguments": arguments });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    Bytes::from(call.to_string())
}

async fn parsed(body: Bytes) -> &'static str {
    let value: Value = serde_json::from_slice(&body).unwrap();
    std::hint::black_box(&value);
    "in"
}

async fn unread(body: Bytes) -> &'static str {
    std::hint::black_box(&body);
    "in"
}

fn tools(criterion: &mut Criterion) {
    let issuer = Issuer::start();
    let token = header(&issuer.token(0));
    let entra = issuer.entra(CACHE);
    let guards = ToolGuards::new().tool("add", RequireScope("access_as_user"));
    let plain = Router::new()
        .route("/", post(parsed))
        .layer(entra.layer())
        .with_state(());
    let neither = Router::new()
        .route("/", post(unread))
        .layer(entra.layer())
        .with_state(());
    let guarded = Router::new().route("/", post(unread));
    let guarded = guarded.layer(guards).layer(entra.layer()).with_state(());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let send = |app: &Router, token: &HeaderValue, body: &Bytes| {
        let request = Request::post("/").header("authorization", token);
        let request = request.body(Body::from(body.clone())).unwrap();
        let answer = runtime.block_on(app.clone().oneshot(request)).unwrap();
        assert_eq!(answer.status(), 200);
    };
    for objects in [1, 100, 10_000] {
        let body = call(objects);
        for (name, app) in [
            ("unread", &neither),
            ("parsed", &plain),
            ("guarded", &guarded),
        ] {
            criterion.bench_function(&format!("tool/{}/{name}", body.len()), |bencher| {
                bencher.iter(|| send(app, &token, &body));
            });
        }
    }
}

criterion_group!(benches, tools);
criterion_main!(benches);
