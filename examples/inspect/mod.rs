//! `/inspect`: a page for development that decodes a token in the browser and asks the server why
//! it would be accepted or not. It is there only when asked for, answers this machine only, and logs
//! nothing. It cannot see which client a proxy on this machine forwards: behind one, leave it off.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, DefaultBodyLimit, Form, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use axum_entra::Entra;
use axum_entra::guard::Guard;
use serde::Deserialize;
use serde_json::Value;

/// A route that the page can ask about; `None` for one that any valid token opens.
pub(crate) type Asked = (&'static str, Option<Arc<dyn Guard + Send + Sync>>);

#[derive(Clone)]
struct Inspector {
    entra: Entra,
    routes: Arc<[Asked]>,
}

#[derive(Deserialize)]
struct Question {
    token: String,
    #[serde(default)]
    route: String,
}

const STYLE: &str = concat!(
    include_str!("../page_style/style.css"),
    include_str!("inspect.css")
);
const SCRIPT: &str = include_str!("inspect.js");
const PAGE: &str = include_str!("inspect.html");

/// The page and what it asks, for requests from a loopback address.
pub(crate) fn routes(entra: Entra, routes: Vec<Asked>) -> Router {
    let inspector = Inspector {
        entra,
        routes: routes.into(),
    };
    Router::new()
        .route("/inspect", get(page).post(explain))
        .route("/inspect/style.css", get(|| file("text/css", STYLE)))
        .route(
            "/inspect/script.js",
            get(|| file("text/javascript", SCRIPT)),
        )
        .layer(DefaultBodyLimit::max(256 * 1024))
        .layer(from_fn(this_machine_alone))
        .with_state(inspector)
}

/// 404 for everybody else: from outside the page does not exist.
///
/// A name in `Host` that is not this machine's is refused too, so that no web page can reach the
/// inspector by pointing its own name at 127.0.0.1 (DNS rebinding). What a proxy says about its client
/// is not believed: a request with any header of one is refused.
async fn this_machine_alone(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let from_here =
        peer.is_some_and(|ConnectInfo(address)| address.ip().to_canonical().is_loopback());
    if !from_here || !names_this_machine(request.headers()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    response
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    let forwarded = headers.keys().any(|name| {
        let name = name.as_str();
        name.starts_with("x-forwarded") || ["forwarded", "via", "x-real-ip"].contains(&name)
    });
    matches!(name, Some("127.0.0.1" | "localhost" | "[::1]")) && !forwarded
}

/// Scripts and styles from here only, no other origin, no frame, nothing kept.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; \
         base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
];

async fn page(State(inspector): State<Inspector>) -> impl IntoResponse {
    let options: String = inspector
        .routes
        .iter()
        .map(|(route, _)| format!("<option>{route}</option>"))
        .collect();
    file(
        "text/html; charset=utf-8",
        PAGE.replace("<!-- routes -->", &options),
    )
    .await
}

async fn file(kind: &'static str, text: impl Into<String>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind)], text.into())
}

async fn explain(
    State(inspector): State<Inspector>,
    headers: HeaderMap,
    Form(Question { token, route }): Form<Question>,
) -> Result<Json<Value>, StatusCode> {
    // The page's own script sends this; a form of another site cannot.
    if !headers.contains_key("x-inspect") {
        return Err(StatusCode::FORBIDDEN);
    }
    let explanation = inspector.entra.explain(token.trim()).await;
    let asked = inspector.routes.iter().find(|(name, _)| *name == route);
    let explanation = match asked {
        Some((name, Some(guard))) => explanation.with_guard(name, &**guard),
        _ => explanation,
    };
    let mut answer = serde_json::to_value(&explanation).unwrap_or_default();
    if let Some(members) = answer.as_object_mut() {
        members.insert("page".to_owned(), explanation.page().into());
    }
    Ok(Json(answer))
}
