//! Calling another API on the caller's behalf: `cargo run --example obo_graph`
//!
//! The route `GET /api/profile` of Microsoft's tutorial (`6-AdvancedScenarios/1-call-api-obo`): the
//! API exchanges the caller's token for one for Microsoft Graph (on-behalf-of) and asks Graph who
//! the caller is. `GET /api/groups` gives all groups of the caller, however many there are.
//!
//! **With a real tenant.** Expose the scope `access_as_user`, give the API the delegated permission
//! `User.Read` of Microsoft Graph and consent to it, create a secret or better a certificate, and
//! set `AzureAd__TenantId=… AzureAd__ClientId=… AzureAd__ClientSecret=…`, and for another cloud than the
//! public one `AzureAd__Graph__BaseUrl=…`.

mod startup;

use std::process::ExitCode;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use axum_entra::guard::RequireScope;
use axum_entra::{CallerToken, GraphClient, HttpClient, Rejection};
use entra_emulator::Emulator;
use startup::{Plan, Sample};

/// Where Graph is, and the client that asks it.
#[derive(Clone)]
struct Graph {
    base: Arc<str>,
    client: HttpClient,
}

#[tokio::main]
async fn main() -> ExitCode {
    let plan = Plan {
        settings: Emulator::settings_with_graph,
        ..Plan::default()
    };
    startup::run_planned(plan, routes).await
}

async fn routes(sample: &Sample) -> Router {
    // Another cloud's Graph must not be asked with this cloud's tokens.
    let base = std::env::var("AzureAd__Graph__BaseUrl");
    let mut base = base.unwrap_or("https://graph.microsoft.com/v1.0".to_owned());
    sample.show(|walk, emulator| {
        base = emulator.graph_url();
        walk.user("TOKEN", "alice", "access_as_user")
            .app("DAEMON")
            .call(200, "asked on alice's behalf", "TOKEN", "GET /api/profile")
            .call(200, "her groups, from Graph", "TOKEN", "GET /api/groups")
            .call(
                403,
                "an application has no user to ask for",
                "DAEMON",
                "GET /api/profile",
            );
    });
    let graph = Graph {
        base: base.into(),
        client: HttpClient::new(),
    };
    Router::new()
        .route("/api/profile", get(profile))
        .route("/api/groups", get(groups))
        .route_layer(RequireScope("access_as_user"))
        .route_layer(sample.entra.layer())
        .with_state(graph)
}

async fn profile(
    State(graph): State<Graph>,
    directory: GraphClient,
    caller: CallerToken,
) -> Result<Response, Rejection> {
    let scopes = ["https://graph.microsoft.com/User.Read"];
    let token = directory.on_behalf_of(&caller, &scopes).await?;
    let user = caller.claims().object_id().unwrap_or_default();
    let answer = graph
        .client
        .get(format!("{}/users/{user}?$select=id", graph.base))
        .bearer_auth(token.expose_secret())
        .send()
        .await;
    Ok(match answer {
        Ok(answer) if answer.status().is_success() => {
            answer.text().await.unwrap_or_default().into_response()
        }
        _ => StatusCode::BAD_GATEWAY.into_response(),
    })
}

async fn groups(
    directory: GraphClient,
    caller: CallerToken,
) -> Result<Json<Vec<String>>, Rejection> {
    Ok(Json(directory.member_groups(&caller).await?.to_vec()))
}
