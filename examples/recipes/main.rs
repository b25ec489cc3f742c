//! Recipes, each under its own path: `cargo run --example recipes`, then paste what it prints.
//!
//! The pages of `docs/recipes/` explain them, one file here for each. `cargo test --example recipes`
//! runs their tests.
//!
//! **With a real tenant.** Expose the scopes `Todo.Read` and `Todo.ReadWrite` and the app roles
//! `Todo.Read.All` and `Todo.ReadWrite.All` (`docs/app_registration.md`), then
//! `AzureAd__TenantId=… AzureAd__ClientId=… cargo run --example recipes`.

mod api_key;
mod cors;
mod deny_by_default;
mod error_body;
mod own_middleware;
mod owner;
mod per_method;
mod protected;
mod tenants;

#[path = "../startup/mod.rs"]
mod startup;

#[cfg(test)]
mod asked;

use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum_entra::EntraBuilder;
use entra_emulator::{API_ID, App, CONTOSO, DAEMON_ID, DAEMON_SECRET, Emulator};
use startup::{Plan, Sample};

#[tokio::main]
async fn main() -> ExitCode {
    let api = ["access_as_user", "Todo.Read", "Todo.ReadWrite"]
        .into_iter()
        .fold(App::api("api", API_ID), App::with_scope)
        .with_app_role("Todo.Read.All")
        .with_app_role("Todo.ReadWrite.All");
    let daemon = App::confidential("daemon", DAEMON_ID, DAEMON_SECRET);
    let plan = Plan {
        emulator: Emulator::builder()
            .app(api)
            .app(daemon.with_role("Todo.Read.All")),
        describe: |builder: EntraBuilder, _| builder.map_rejection(error_body::in_company_form),
        ..Plan::default()
    };
    startup::run_planned(plan, routes).await
}

async fn routes(sample: &Sample) -> Router {
    sample.show(|walk, _| {
        walk.user("READER", "alice", "Todo.Read")
            .user("WRITER", "alice", "Todo.ReadWrite")
            .user("BOB", "bob", "Todo.Read")
            .app("DAEMON")
            .call(
                200,
                "per method: a reader reads",
                "READER",
                "GET /per-method/todos",
            )
            .call(
                403,
                "and does not write",
                "READER",
                "POST /per-method/todos",
            )
            .call(201, "a writer writes", "WRITER", "POST /per-method/todos")
            .call(
                200,
                "a daemon with the role reads",
                "DAEMON",
                "GET /per-method/todos",
            )
            .call(
                200,
                "owner: alice's own note",
                "READER",
                "GET /owner/notes/1",
            )
            .call(404, "is not there for bob", "BOB", "GET /owner/notes/1")
            .call(
                200,
                "tenants: contoso is a customer",
                "READER",
                "GET /tenants/todos",
            )
            .call_anonymously(
                200,
                "an API key in place of a token",
                "GET /api-key/report -H 'X-Api-Key: partner-key-for-this-sample'",
            )
            .call(200, "or a token", "READER", "GET /api-key/report")
            .call_anonymously(
                401,
                "or neither, in the company's form",
                "GET /api-key/report",
            )
            .call(
                403,
                "deny by default: a route without a guard",
                "READER",
                "GET /deny/forgotten",
            )
            .call_anonymously(200, "a route that is listed as open", "GET /deny/health")
            .call(
                200,
                "a middleware of the application's own",
                "READER",
                "GET /own/todos",
            )
            .call_anonymously(
                401,
                "a page on another origin can read the refusal",
                "GET /cors/todos -H 'Origin: https://spa.example'",
            );
    });
    let entra = &sample.entra;
    // In place of `load` with a query of the database.
    let customers = tenants::Customers::of([CONTOSO].iter().filter_map(|id| id.parse().ok()));
    let notes = Arc::new(owner::Notes::of_alice());
    Router::new()
        .nest("/per-method", per_method::app(entra))
        .nest("/owner", owner::app(entra, notes))
        .nest("/tenants", tenants::app(entra, &customers))
        .nest("/api-key", api_key::app(entra))
        .nest("/deny", deny_by_default::app(entra))
        .nest("/own", own_middleware::app(entra))
        .nest("/cors", cors::app(entra))
        .fallback(|| async {
            let message = "There is nothing at this address.";
            error_body::refuse(StatusCode::NOT_FOUND, "not_found", message)
        })
        .layer(map_response(error_body::the_rest))
}
