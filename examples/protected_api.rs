//! The sample protected API: `cargo run --example protected_api`, then paste what it prints.
//!
//! Without settings it brings its own authority, the embedded emulator. For a real tenant give it
//! an `appsettings.json` with a section `AzureAd` (`--settings FILE`), or `AzureAd__TenantId` and
//! `AzureAd__ClientId` in the environment.

mod account_routes;
mod docs_page;
mod front_page;
mod inspect;
mod startup;
mod todo_api;
mod whoami;

use std::process::ExitCode;

use axum::Router;
use axum::routing::get;
use axum_entra::{EntraBuilder, ProtectedResource};
use axum_entra_openapi::SecuritySchemes;
use entra_emulator::Emulator;
use front_page::FrontPage;
use startup::{Plan, Sample, problems};
use utoipa::openapi::OpenApi;

#[tokio::main]
async fn main() -> ExitCode {
    let plan = Plan {
        describe,
        // The emulator has a Graph too, so that every route does its work.
        settings: Emulator::settings_with_graph,
        ..Plan::default()
    };
    startup::run_planned(plan, routes).await
}

/// What clients that know nothing of this API find in its protected-resource metadata.
fn describe(builder: EntraBuilder, listener: String) -> EntraBuilder {
    let resource = ProtectedResource::new(listener)
        .name("To-do lists, a sample of axum-entra")
        .scopes(["access_as_user"]);
    builder.default_resource(resource)
}

async fn routes(sample: &Sample) -> Router {
    let entra = sample.entra.clone();
    let (counted, metrics) = (entra.clone(), sample.metrics.clone());
    let open = Router::new()
        .route(
            "/metrics",
            get(move || startup::metrics(counted.clone(), metrics.clone())),
        )
        .route("/health", get(|| async { "ok" }))
        .route("/ready", get(|| async move { entra.readiness() }));
    let (protected, document) = todo_api::routes(&sample.entra);
    let scopes = SecuritySchemes::of(&sample.entra).qualified_scopes(["access_as_user"]);
    let docs = docs_page::routes(&document, sample.docs_client(), scopes);
    let open = startup::with_metadata(&sample.entra, open)
        .route("/", front_page(sample, &document).route());
    let app = open.merge(docs).merge(protected);
    match sample.inspects() {
        true => app.merge(inspect::routes(sample.entra.clone(), todo_api::inspected())),
        false => app,
    }
}

fn front_page(sample: &Sample, document: &OpenApi) -> FrontPage {
    let about = "To-do lists behind Microsoft Entra ID access tokens, a sample of axum-entra.";
    let page = FrontPage::new("protected_api", about, sample.lines("/me"))
        .link("/docs", "try the API, with sign-in")
        .link(
            "/inspect",
            "why a token is accepted or refused (with --inspect, on this machine)",
        )
        .link("/openapi.json", "the OpenAPI document")
        .link("/ready", "how fresh the keys are")
        .open("GET", "/");
    let open = ["/health", "/ready", "/metrics", "/openapi.json", "/docs"];
    let page = open.iter().fold(page, |page, path| page.open("GET", path));
    let metadata = "/.well-known/oauth-protected-resource";
    page.open("GET", metadata).documented(document)
}
