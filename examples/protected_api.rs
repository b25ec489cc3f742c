//! The sample protected API: `cargo run --example protected_api`, then paste what it prints.
//!
//! Without settings it brings its own authority, the embedded emulator. For a real tenant give it
//! an `appsettings.json` with a section `AzureAd` (`--settings FILE`), or `AzureAd__TenantId` and
//! `AzureAd__ClientId` in the environment.

mod account_routes;
mod docs_page;
mod startup;
mod todo_api;
#[allow(dead_code, reason = "the sample uses its body alone")]
mod whoami;

use std::process::ExitCode;

use axum::Router;
use axum::routing::get;
use startup::Sample;
use tower_http::trace::TraceLayer;

#[tokio::main]
async fn main() -> ExitCode {
    startup::run(routes).await
}

async fn routes(sample: &Sample) -> Router {
    let entra = sample.entra.clone();
    let open = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/ready", get(move || startup::ready(entra.clone())));
    let (protected, document) = todo_api::routes(&sample.entra);
    let scopes = sample.entra.sign_in().full_names_of(["access_as_user"]);
    let docs = docs_page::routes(&document, sample.docs_client(), scopes);
    open.merge(docs)
        .merge(protected)
        .layer(TraceLayer::new_for_http())
}
