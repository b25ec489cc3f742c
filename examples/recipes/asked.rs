//! What the recipes' tests ask: an emulator that the API trusts, a request, its status.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header::AUTHORIZATION};
use axum_entra::EntraBuilder;
use axum_entra::settings::Settings;
use entra_emulator::{Emulator, TokenBuilder};
use serde_json::Value;
use tower::ServiceExt;

/// A builder that trusts an emulator, with further settings.
pub(crate) fn trusting(emulator: &Emulator, more: &[(&str, &str)]) -> EntraBuilder {
    let text = emulator.settings().to_string();
    let more = more
        .iter()
        .map(|(name, value)| (format!("AzureAd__{name}"), (*value).to_owned()));
    let settings = Settings::from_parts(Some(("the emulator", &text)), more).unwrap();
    EntraBuilder::from_settings(&settings).unwrap()
}

/// A request; `line` is `METHOD /path`.
pub(crate) fn request(line: &str, token: Option<&TokenBuilder>) -> Request<Body> {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {}", token.clone().mint()));
    }
    request.body(Body::empty()).unwrap()
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Response<Body> {
    app.clone().oneshot(request).await.unwrap()
}

pub(crate) async fn status(app: &Router, line: &str, token: Option<&TokenBuilder>) -> StatusCode {
    send(app, request(line, token)).await.status()
}

pub(crate) async fn json(response: Response<Body>) -> Value {
    let bytes = to_bytes(response.into_body(), 1 << 16).await.unwrap();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
