//! `GET /openapi.json` and `GET /docs`: the document, and Swagger UI to try it with sign-in.

// ANCHOR: uses
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, oauth, serve};
// ANCHOR_END: uses

// ANCHOR: routes
/// The page asks for `scopes` (full names) as `client`, by authorization code with PKCE.
///
/// The client is a registration of the kind "single-page application" with the redirect URI
/// `{address}/docs/oauth2-redirect.html`. Without one the page asks for its id.
pub(crate) fn routes(document: &OpenApi, client: Option<&str>, scopes: Vec<String>) -> Router {
    let sign_in = oauth::Config::new()
        .scopes(scopes)
        .use_pkce_with_authorization_code_grant(true);
    let sign_in = match client {
        Some(client) => sign_in.client_id(client),
        None => sign_in,
    };
    let config = Config::with_oauth_config(["/openapi.json"], sign_in)
        .try_it_out_enabled(true)
        .display_request_duration(true);
    let config = Arc::new(config);
    let text = document.to_json().unwrap_or_default();
    let page = Arc::clone(&config);
    Router::new()
        .route(
            "/openapi.json",
            get(move || async move { ([(header::CONTENT_TYPE, "application/json")], text) }),
        )
        .route("/docs", get(move || async move { index(page) }))
        .route(
            "/docs/{*file}",
            get(move |Path(file): Path<String>| async move { answer(&file, config) }),
        )
}
// ANCHOR_END: routes

/// The page under `/docs`, though its files, and where sign-in comes back to, are under `/docs/`.
fn index(config: Arc<Config<'static>>) -> Response {
    const HEAD: &str = "<base href=\"/docs/\">\
        <script>history.replaceState(null, \"\", \"/docs/\" + location.hash)</script>\
        <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">";
    match serve("index.html", config) {
        Ok(Some(file)) => {
            let text = String::from_utf8_lossy(&file.bytes).into_owned();
            let text = text.replacen("<head>", &format!("<head>{HEAD}"), 1);
            Html(text.replacen("</head>", &format!("<style>{STYLE}</style></head>"), 1))
                .into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Narrow screens and the keyboard's focus; dark and light are Swagger UI's own.
const STYLE: &str = include_str!("docs.css");

fn answer(file: &str, config: Arc<Config<'static>>) -> Response {
    match serve(file, config) {
        Ok(Some(file)) => (
            [(header::CONTENT_TYPE, file.content_type)],
            file.bytes.into_owned(),
        )
            .into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
