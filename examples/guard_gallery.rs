//! One route for each guard, so that each rule can be tried by itself.
//!
//! `cargo run --example guard_gallery`; settings as for `protected_api`. Every guarded route
//! answers with the body of `/me`.

mod account_routes;
mod front_page;
mod startup;
mod whoami;

use std::process::ExitCode;
use std::time::Duration;

use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use axum_entra::guard::{
    DenyAgents, DenyGuests, Guard, RequireAccountId, RequireAcr, RequireAgent, RequireAppOnly,
    RequireAuthContext, RequireB2cPolicy, RequireClientAuthMethod, RequireClientId,
    RequireDirectoryRole, RequireGroup, RequireMaxAge, RequireMfa, RequireObjectId, RequireRole,
    RequireScope, RequireTenant, RequireUser,
};
use axum_entra::{Claims, ClientAuthMethod, Entra, GuardLayer, Permit, guards};
use entra_emulator::Emulator;
use front_page::FrontPage;
use serde_json::{Value, json};
use startup::{Plan, Sample};
use whoami::whoami;

const T1: &str = "11111111-1111-4111-8111-111111111111";
const G1: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const PARTNER: &str = "75dbe77f-10a3-4e59-85fd-8c127544f17c";
const DEPLOYER: &str = "aaaaaaaa-1111-4111-8111-00000000a11c";
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
        .route("/ready", get(|| async move { entra.readiness() }))
        .route(
            "/unlayered",
            get(whoami).layer(RequireScope("access_as_user")),
        );
    let optional = Router::new()
        .route("/optional", get(optional))
        .route_layer(sample.entra.layer().optional());
    let about =
        "One route for each guard of axum-entra. A guarded route answers with who is calling.";
    let page = FrontPage::new("guard_gallery", about, sample.lines("/scope"))
        .link("/ready", "how fresh the keys are")
        .open("GET", "/")
        .open("GET", "/open")
        .open("GET", "/ready")
        .row("GET", "/optional", "no token, or a valid one".to_owned())
        .row(
            "GET",
            "/unlayered",
            "a layer that is missing: 500".to_owned(),
        );
    let Gallery { router, page } = gallery(&sample.entra, page);
    let guarded = router.route_layer(sample.entra.layer());
    startup::with_metadata(&sample.entra, open)
        .route("/", page.route())
        .merge(optional)
        .merge(guarded.with_state(sample.entra.clone()))
}

/// Routes that differ in their guards, and the page that names them.
struct Gallery {
    router: Router<Entra>,
    page: FrontPage,
}

impl Gallery {
    fn at<G>(mut self, path: &str, guard: G) -> Self
    where
        G: Guard + Clone + Send + Sync + 'static,
    {
        self.page = self.page.require_guard("GET", path, &guard);
        let route = get(whoami).layer(GuardLayer::new(guard));
        self.router = self.router.route(path, route);
        self
    }

    /// A route for which its guard has no words.
    fn with(mut self, method: &str, path: &str, words: &str, route: MethodRouter<Entra>) -> Self {
        self.page = self.page.row(method, path, words.to_owned());
        self.router = self.router.route(path, route);
        self
    }
}

fn gallery(entra: &Entra, page: FrontPage) -> Gallery {
    // One of 45 groups: more than one question to the directory holds.
    let groups: [String; 45] =
        std::array::from_fn(|index| format!("aaaaaaaa-0000-4000-8000-{:012}", index + 1));
    let any = "a valid token";
    let once = entra.replay_protection();
    let router = Router::new().nest(
        "/nested",
        Router::new()
            .route("/inner", get(whoami).layer(RequireRole("Task Admin")))
            .route_layer(RequireScope("access_as_user"))
            .with_state(entra.clone()),
    );
    let nested = RequireScope("access_as_user").and(RequireRole("Task Admin"));
    let page = page.require_guard("GET", "/nested/inner", &nested);
    Gallery { router, page }
        .with("GET", "/me", any, get(whoami))
        .at("/scope", RequireScope("access_as_user"))
        .at(
            "/scope-any",
            RequireScope::any(["Todo.Read", "Todo.ReadWrite"]),
        )
        .at(
            "/scope-all",
            RequireScope::all(["Todo.Read", "Todo.ReadWrite"]),
        )
        .at("/role", RequireRole("Task Admin"))
        .at("/role-task", RequireRole("Task"))
        .at(
            "/scope-or-role",
            RequireScope("Todo.Read").or(RequireRole("Todo.Read.All")),
        )
        .at("/data", CanReadData)
        .with(
            "GET",
            "/permit",
            &CanReadData.describe().to_string(),
            get(permit),
        )
        .at("/user-only", RequireUser)
        .at("/app-only", RequireAppOnly)
        .at("/app-role", RequireAppOnly.and(RequireRole("Tasks.Run")))
        .at("/client-app", RequireClientId(PARTNER))
        .at(
            "/confidential-client",
            RequireClientAuthMethod(ClientAuthMethod::Secret),
        )
        .at(
            "/certificate-client",
            RequireClientAuthMethod(ClientAuthMethod::Certificate),
        )
        .at("/no-guests", DenyGuests)
        .at(
            "/directory-role",
            RequireDirectoryRole(GLOBAL_ADMINISTRATOR),
        )
        .at("/tenant", RequireTenant(T1))
        .at("/group", RequireGroup(G1))
        .at("/groups-45", RequireGroup::any(groups))
        .at("/mfa", RequireMfa)
        .at("/acr", RequireAcr("1"))
        .at("/auth-context", RequireAuthContext("c1"))
        .at("/policy", RequireB2cPolicy("B2C_1_susi"))
        .at("/fresh", RequireMaxAge(Duration::from_secs(600)))
        .at("/identity", RequireAccountId)
        .at("/no-agents", DenyAgents)
        .at("/agents-only", RequireAgent)
        .at("/object-id", RequireObjectId(DEPLOYER))
        .with(
            "GET",
            "/replay",
            &once.describe().to_string(),
            get(whoami).layer(once),
        )
        .with("POST", "/signout", any, post(account_routes::sign_out))
        .with(
            "POST",
            "/users/{id}/revokeSignInSessions",
            any,
            post(account_routes::revoke),
        )
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
