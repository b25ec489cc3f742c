//! What the crate says about itself and of its decisions, tried from outside.
#![cfg(feature = "settings")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod explain;
mod guards;
mod log;
mod metadata;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "metrics")]
mod own_refusals;
mod readiness;
#[cfg(feature = "test-util")]
mod route_audit;
mod spans;
#[cfg(feature = "test-util")]
mod testing_claims;
mod token_sources;

use axum::body::Body;
use axum::response::Response;
use axum::{Router, routing::get};
use axum_entra::guard::RequireScope;
use axum_entra::settings::Settings;
use axum_entra::{Entra, EntraBuilder};
use entra_emulator::Emulator;
use http::Request;
use http::header::AUTHORIZATION;
use http_body_util::BodyExt;
use tower::ServiceExt;

/// A builder that trusts an emulator.
fn trusting(emulator: &Emulator) -> EntraBuilder {
    let text = emulator.settings().to_string();
    let settings = Settings::from_parts(Some(("the emulator", &text)), []).unwrap();
    EntraBuilder::from_settings(&settings).unwrap()
}

/// One route that needs a scope.
fn app(entra: &Entra) -> Router {
    Router::new()
        .route("/", get(|| async { "in" }))
        .route_layer(RequireScope("access_as_user"))
        .route_layer(entra.layer())
}

async fn call(app: &Router, path: &str, token: Option<&str>) -> Response {
    let mut request = Request::builder().uri(path);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}
