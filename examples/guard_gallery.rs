//! One route for each guard, so that each rule can be tried alone.
//!
//! `cargo run --example guard_gallery`; settings as for `protected_api`. Every guarded route
//! answers with the body of `/me`.

mod account_routes;
mod startup;
mod whoami;

use std::process::ExitCode;
use std::time::Duration;

use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use axum_entra::emulator::Emulator;
use axum_entra::guard::{
    Guard, OncePerToken, RequireAcr, RequireAppOnly, RequireAuthContext, RequireClientApp,
    RequireClientAuth, RequireDirectoryRole, RequireGroup, RequireIdentity, RequireMfa,
    RequireNoGuests, RequirePolicy, RequireRecentSignIn, RequireRole, RequireScope, RequireTenant,
    RequireUser,
};
use axum_entra::{Claims, ClientAuth, Entra, Permit, guards};
use serde_json::{Value, json};
use startup::{Plan, Sample};
use tower_http::cors::CorsLayer;
use whoami::whoami;

const T1: &str = "11111111-1111-4111-8111-111111111111";
const G1: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const PARTNER: &str = "75dbe77f-10a3-4e59-85fd-8c127544f17c";
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

guards! {
    CanReadData = RequireScope("Data.Read").or(RequireAppOnly.and(RequireRole("Data.Read.All")));
}

#[tokio::main]
async fn main() -> ExitCode {
    let plan = Plan {
        // The emulator has a Graph too, so that every route does its work.
        settings: Emulator::settings_with_graph,
        ..Plan::default()
    };
    startup::run_planned(plan, routes).await
}

async fn routes(sample: &Sample) -> Router {
    let entra = sample.entra.clone();
    let open = Router::new()
        .route("/open", get(|| async { "open" }))
        .route("/ready", get(move || startup::ready(entra.clone())))
        .route(
            "/unlayered",
            get(whoami).layer(RequireScope("access_as_user")),
        );
    let optional = Router::new()
        .route("/optional", get(optional))
        .layer(CorsLayer::permissive())
        .route_layer(sample.entra.layer().optional());
    let guarded = guarded(&sample.entra)
        .layer(CorsLayer::permissive())
        .route_layer(sample.entra.layer());
    let open = startup::with_metadata(&sample.entra, open);
    open.merge(optional).merge(guarded)
}

fn guarded(entra: &Entra) -> Router {
    // One of 45 groups: more than one question to the directory holds.
    let groups: [String; 45] =
        std::array::from_fn(|index| format!("aaaaaaaa-0000-4000-8000-{:012}", index + 1));
    Router::new()
        .route("/me", me())
        .route("/scope", me().layer(RequireScope("access_as_user")))
        .route(
            "/scope-any",
            me().layer(RequireScope::any(["Todo.Read", "Todo.ReadWrite"])),
        )
        .route(
            "/scope-all",
            me().layer(RequireScope::all(["Todo.Read", "Todo.ReadWrite"])),
        )
        .route("/role", me().layer(RequireRole("Task Admin")))
        .route("/role-task", me().layer(RequireRole("Task")))
        .route(
            "/scope-or-role",
            me().layer(RequireScope("Todo.Read").or(RequireRole("Todo.Read.All"))),
        )
        .route("/data", me().layer(CanReadData))
        .route("/permit", get(permit))
        .route("/user-only", me().layer(RequireUser))
        .route("/app-only", me().layer(RequireAppOnly))
        .route(
            "/app-role",
            me().layer(RequireAppOnly.and(RequireRole("Tasks.Run"))),
        )
        .route("/client-app", me().layer(RequireClientApp(PARTNER)))
        .route(
            "/confidential-client",
            me().layer(RequireClientAuth(ClientAuth::Secret)),
        )
        .route(
            "/certificate-client",
            me().layer(RequireClientAuth(ClientAuth::Certificate)),
        )
        .route("/no-guests", me().layer(RequireNoGuests))
        .route(
            "/directory-role",
            me().layer(RequireDirectoryRole(GLOBAL_ADMINISTRATOR)),
        )
        .route("/tenant", me().layer(RequireTenant(T1)))
        .route("/group", me().layer(RequireGroup(G1)))
        .route("/groups-45", me().layer(RequireGroup::any(groups)))
        .route("/mfa", me().layer(RequireMfa))
        .route("/acr", me().layer(RequireAcr("1")))
        .route("/auth-context", me().layer(RequireAuthContext("c1")))
        .route("/policy", me().layer(RequirePolicy("B2C_1_susi")))
        .route(
            "/fresh",
            me().layer(RequireRecentSignIn(Duration::from_secs(600))),
        )
        .route("/identity", me().layer(RequireIdentity))
        .route("/replay", me().layer(OncePerToken))
        .route("/signout", post(account_routes::sign_out))
        .route(
            "/users/{id}/revokeSignInSessions",
            post(account_routes::revoke),
        )
        .nest(
            "/nested",
            Router::new()
                .route("/inner", me().layer(RequireRole("Task Admin")))
                .route_layer(RequireScope("access_as_user")),
        )
        .with_state(entra.clone())
}

/// The routes differ in their guards alone.
fn me() -> MethodRouter<Entra> {
    get(whoami)
}

async fn permit(permit: Permit<CanReadData>) -> Json<Value> {
    Json(whoami::body(permit.claims()))
}

async fn optional(claims: Option<Claims>) -> Json<Value> {
    Json(match claims {
        Some(claims) => whoami::body(&claims),
        None => json!({ "anonymous": true }),
    })
}
