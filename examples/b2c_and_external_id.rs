//! One API, three kinds of accounts: `cargo run --example b2c_and_external_id`
//!
//! Employees of one Entra tenant, customers of Azure AD B2C, customers of Entra External ID: three
//! authorities side by side, each with its own issuers, keys and audiences. A token is checked by
//! the authority whose issuer it names, and only by its keys.
//!
//! **With real tenants.** The section `AzureAd` of an `appsettings.json` is a workforce tenant or
//! an External ID tenant (`"Instance": "https://contoso.ciamlogin.com/"`), the section
//! `AzureAdB2C` a B2C tenant (`Instance`, `Domain`, `ClientId`, `SignUpSignInPolicyId`); give both
//! in one file with `--settings FILE`. A third authority is one line in `main`, as below.

mod startup;
mod whoami;

use std::process::ExitCode;

use axum::Router;
use axum::routing::get;
use axum_entra::guard::{RequireB2cPolicy, RequireScope, RequireTenant};
use axum_entra::{Authority, EntraBuilder, Tenant};
use entra_emulator::{API_ID, B2C_POLICY, CONTOSO, Emulator, NORTHWIND};
use serde_json::{Value, json};
use startup::{Plan, Sample};
use whoami::whoami;

#[tokio::main]
async fn main() -> ExitCode {
    let plan = Plan {
        settings: employees_and_customers,
        authorities: more_customers,
        ..Plan::default()
    };
    startup::run_planned(plan, routes).await
}

/// Two sections, as they stand in an `appsettings.json`.
fn employees_and_customers(emulator: &Emulator) -> Value {
    json!({
        "AzureAd": emulator.settings().get("AzureAd"),
        "AzureAdB2C": {
            "Instance": emulator.url(),
            "Domain": "contoso.onmicrosoft.com",
            "TenantId": CONTOSO,
            "ClientId": API_ID,
            "SignUpSignInPolicyId": B2C_POLICY,
        },
    })
}

/// The third. In the cloud it is `Authority::external_id("northwind", tenant, client_id)`.
fn more_customers(builder: EntraBuilder, emulator: &Emulator) -> EntraBuilder {
    let northwind = Authority::external_id("northwind", Tenant::new(NORTHWIND), API_ID)
        .instance(emulator.url())
        .issuer(emulator.issuer(NORTHWIND));
    builder.authority(northwind)
}

async fn routes(sample: &Sample) -> Router {
    sample.show(|walk, emulator| {
        let nina = emulator.token().user("nina").tenant(NORTHWIND);
        let other_tenant = emulator.token().user("erin");
        walk.user("EMPLOYEE", "alice", "access_as_user")
            .minted("B2C", emulator.token().user("alice").policy(B2C_POLICY))
            .minted(
                "EDITED",
                emulator.token().user("alice").policy("B2C_1_edit"),
            )
            .minted("EXTERNAL", nina)
            .minted("OTHER_TENANT", other_tenant)
            .call(200, "an employee", "EMPLOYEE", "GET /me")
            .call(200, "a customer of B2C", "B2C", "GET /me")
            .call(200, "a customer of External ID", "EXTERNAL", "GET /me")
            .call(401, "a policy that is not accepted", "EDITED", "GET /me")
            .call(401, "another tenant altogether", "OTHER_TENANT", "GET /me")
            .call(200, "employees only", "EMPLOYEE", "GET /employees")
            .call(403, "no employee", "EXTERNAL", "GET /employees")
            .call(200, "who came through the policy", "B2C", "GET /customers")
            .call(403, "who did not", "EMPLOYEE", "GET /customers");
    });
    Router::new()
        .route("/me", get(whoami))
        .route("/employees", get(whoami).layer(RequireTenant(CONTOSO)))
        .route(
            "/customers",
            get(whoami).layer(RequireB2cPolicy(B2C_POLICY)),
        )
        .route_layer(RequireScope("access_as_user"))
        .route_layer(sample.entra.layer())
}
