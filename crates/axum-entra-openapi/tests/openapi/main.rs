//! What the document says about a route is what the route's guard demands: tried with tokens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../../../../examples/account_routes/mod.rs"]
mod account_routes;
mod bound;
#[path = "../../../../examples/docs_page/mod.rs"]
mod docs_page;
mod layers;
mod page;
#[path = "../../../../examples/problems/mod.rs"]
mod problems;
mod schema;
mod scope_hierarchy;
mod sessions;
mod structure;
#[path = "../../../../examples/todo_api/mod.rs"]
mod todo_api;
mod tokens;
mod ways;
#[path = "../../../../examples/whoami/mod.rs"]
mod whoami;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum_entra::settings::Settings;
use axum_entra::{Entra, EntraBuilder};
use entra_emulator::{BOB, Emulator};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// The sample API on an emulator of its own, and its document.
struct Api {
    emulator: Emulator,
    router: Router,
    typed: utoipa::openapi::OpenApi,
    document: Value,
}

/// What was answered.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    content_type: String,
    challenge: Option<String>,
    body: Value,
}

impl Api {
    async fn start() -> Self {
        let emulator = Emulator::start().await.unwrap();
        let entra = entra(&emulator, []).await;
        let (router, document) = todo_api::routes(&entra);
        Self {
            emulator,
            router,
            document: serde_json::to_value(&document).unwrap(),
            typed: document,
        }
    }

    /// Every operation: method, path, and what the document says about it.
    fn operations(&self) -> Vec<(String, String, Value)> {
        operations(&self.document)
    }
}

/// Validates the emulator's tokens; waits for its keys.
async fn entra<const N: usize>(emulator: &Emulator, more: [(&str, &str); N]) -> Entra {
    let text = emulator.settings().to_string();
    let more = more.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = Settings::from_parts(Some(("the emulator", &text)), more).unwrap();
    let entra = EntraBuilder::from_settings(&settings)
        .unwrap()
        .build()
        .unwrap();
    for _ in 0..1_000 {
        if entra.is_ready() {
            return entra;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no keys");
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| {
            (method.to_uppercase(), path.clone(), operation.clone())
        })
    });
    all.collect()
}

async fn send(router: &Router, method: &str, path: &str, authorization: Option<&str>) -> Answer {
    let path = path.replace("{id}", BOB);
    let mut request = Request::builder().method(method).uri(path);
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    let body = Body::from(r#"{"title":"milk"}"#);
    let response = router
        .clone()
        .oneshot(request.body(body).unwrap())
        .await
        .unwrap();
    let text = |name| {
        let value: Option<&axum::http::HeaderValue> = response.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let (content_type, challenge) = (
        text(header::CONTENT_TYPE).unwrap_or_default(),
        text(header::WWW_AUTHENTICATE),
    );
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    Answer {
        status,
        content_type,
        challenge,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}
