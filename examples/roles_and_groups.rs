//! Who may do what, by app role and by group: `cargo run --example roles_and_groups`
//!
//! The two access-control tutorials of Microsoft (`ms-identity-javascript-react-tutorial`,
//! `5-AccessControl`) side by side. By role: `TaskUser` and `TaskAdmin` may use the to-do list,
//! only `TaskAdmin` the dashboard. By group: the same with two groups; where a caller has more
//! groups than a token can list ("overage", over 200), Microsoft Graph is asked.
//!
//! **With a real tenant.** Create the roles and assign people to them, or let the registration
//! emit groups (`docs/app_registration.md`), expose the scope `access_as_user`, and set
//! `AzureAd__TenantId=… AzureAd__ClientId=…`. The ids of the two groups come from `USERS_GROUP` and
//! `ADMINS_GROUP`. For callers with an overage give the API credentials (`AzureAd__ClientSecret`)
//! and the delegated permissions `User.ReadBasic.All` and `GroupMember.Read.All` with admin consent:
//! Graph is asked on behalf of the user (`docs/directory.md`).

mod startup;
mod whoami;

use std::process::ExitCode;

// ANCHOR: uses
use axum::Router;
use axum::routing::get;
use axum_entra::Entra;
use axum_entra::guard::{RequireGroup, RequireRole, RequireScope};
// ANCHOR_END: uses
use entra_emulator::{Emulator, User, sample_api};
use startup::{Plan, Sample};
use whoami::whoami;

const USERS: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const ADMINS: &str = "aaaaaaaa-0000-4000-8000-000000000002";

#[tokio::main]
async fn main() -> ExitCode {
    // The emulator's own API, which has a secret: Graph is asked with it.
    let api = sample_api()
        .with_app_role("TaskUser")
        .with_app_role("TaskAdmin");
    // In more groups than a token lists, as the emulator's dave; she is also in the users' group.
    let dora = (1..=201).fold(User::new("dora"), |dora, number| {
        dora.in_group(format!("dddddddd-0000-4000-8000-{number:012}"))
    });
    let emulator = Emulator::builder()
        .app(api)
        .user(User::new("ada").with_role("TaskAdmin").in_group(ADMINS))
        .user(dora.in_group(USERS))
        .user(User::new("ugo").with_role("TaskUser").in_group(USERS));
    let plan = Plan {
        emulator,
        settings: Emulator::settings_with_graph,
        ..Plan::default()
    };
    startup::run_planned(plan, routes).await
}

async fn routes(sample: &Sample) -> Router {
    sample.show(|walk, _| {
        walk.user("ADA", "ada", "access_as_user")
            .user("UGO", "ugo", "access_as_user")
            .user("BOB", "bob", "access_as_user")
            .user("DORA", "dora", "access_as_user")
            .user("DAVE", "dave", "access_as_user")
            .call(200, "ugo has the role TaskUser", "UGO", "GET /api/todolist")
            .call(
                403,
                "the dashboard is for TaskAdmin",
                "UGO",
                "GET /api/dashboard",
            )
            .call(
                200,
                "ada has the role TaskAdmin",
                "ADA",
                "GET /api/dashboard",
            )
            .call(403, "bob has no role at all", "BOB", "GET /api/todolist")
            .call(
                200,
                "ugo is in the users' group",
                "UGO",
                "GET /api/groups/todolist",
            )
            .call(
                403,
                "and not in the admins'",
                "UGO",
                "GET /api/groups/dashboard",
            )
            .call(200, "ada is", "ADA", "GET /api/groups/dashboard")
            .call(
                200,
                "dora has 202 groups: Graph is asked, and she is in the users'",
                "DORA",
                "GET /api/groups/todolist",
            )
            .call(
                403,
                "dave has 250, and none of them is the users'",
                "DAVE",
                "GET /api/groups/todolist",
            );
    });
    let of = |name: &str, or: &str| std::env::var(name).unwrap_or_else(|_| or.to_owned());
    let (users, admins) = (of("USERS_GROUP", USERS), of("ADMINS_GROUP", ADMINS));
    let entra = &sample.entra;
    Router::new()
        .nest("/api", by_role(entra))
        .nest("/api/groups", by_group(entra, users, admins))
}

fn by_role(entra: &Entra) -> Router {
    Router::new()
        .route(
            "/todolist",
            get(whoami).layer(RequireRole::any(["TaskUser", "TaskAdmin"])),
        )
        .route("/dashboard", get(whoami).layer(RequireRole("TaskAdmin")))
        .route_layer(RequireScope("access_as_user"))
        .route_layer(entra.layer())
}

// ANCHOR: groups
/// `users` and `admins` are object ids of groups. The scope is asked for first: without it an application, or a
/// user through any other client, would pass by membership.
fn by_group(entra: &Entra, users: String, admins: String) -> Router {
    Router::new()
        .route(
            "/todolist",
            get(whoami).layer(RequireGroup::any([users, admins.clone()])),
        )
        .route("/dashboard", get(whoami).layer(RequireGroup(admins)))
        .route_layer(RequireScope("access_as_user"))
        .route_layer(entra.layer())
}
// ANCHOR_END: groups
