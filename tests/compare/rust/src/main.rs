//! Runs one library for Rust on the cases of one settings: `compare LIBRARY`. Environment and output are those of
//! `runners/python_runner.py`.

mod corpus;
mod library;

use std::io::Write;
use std::time::Duration;

use http::{Request, header::AUTHORIZATION};
use serde_json::json;
use tower::Service;

use corpus::Given;

/// A router of either version of axum.
enum App {
    Axum08(axum::Router),
    Axum07(axum07::Router),
}

impl App {
    /// One request with this token; gives the status and the text of the answer.
    async fn send(&mut self, token: &str) -> (u16, String) {
        macro_rules! send {
            ($router:expr, $axum:ident) => {{
                let request = Request::get("/")
                    .header(AUTHORIZATION, format!("Bearer {token}"))
                    .body($axum::body::Body::empty())
                    .expect("a request");
                let Ok(answer) = $router.call(request).await;
                let status = answer.status().as_u16();
                let said = format!("{:?}", answer.headers().get("www-authenticate"));
                let body = $axum::body::to_bytes(answer.into_body(), 1 << 16).await;
                (
                    status,
                    format!(
                        "{said} {}",
                        String::from_utf8_lossy(&body.unwrap_or_default())
                    ),
                )
            }};
        }
        match self {
            Self::Axum08(router) => send!(router, axum),
            Self::Axum07(router) => send!(router, axum07),
        }
    }
}

#[tokio::main]
async fn main() {
    let library = std::env::args().nth(1).expect("the name of a library");
    let given = Given::read();
    let mut app = library::build(&library, &given).await;
    // Some fetch keys in the background, and the first request would be early.
    let first = given.cases.first().expect("cases");
    for _ in 0..100 {
        if app.send(&first.token).await.0 == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut out = std::io::stdout().lock();
    for case in &given.cases {
        let (status, said) = app.send(&case.token).await;
        let line = json!({
            "id": case.id,
            "accepted": status == 200,
            "crashed": status >= 500,
            "said": format!("HTTP {status} {}", said.chars().take(180).collect::<String>()),
        });
        writeln!(out, "{line}").expect("standard output");
    }
}
