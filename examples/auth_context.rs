//! Step-up: reading is easy, deleting needs a stronger sign-in. `cargo run --example auth_context`
//!
//! A Conditional Access authentication context (`c1`) is asked for on one verb only. A client that
//! can handle it says so (`xms_cc` holds `cp1`) and is answered 401 `insufficient_claims` with the
//! claims to ask Entra for; MSAL takes them from the challenge, sends the user there, and comes back
//! with a token that has `acrs` = `c1`. Any other client is answered 403.
//!
//! **With a real tenant.** Create an authentication context and a Conditional Access policy that
//! grants it (Entra ID P1), add `acrs` and `xms_cc` to the optional claims of the API's access
//! tokens (`docs/app_registration.md`), and set `AzureAd__TenantId=… AzureAd__ClientId=…`. The
//! client declares the capability: `clientCapabilities: ["cp1"]` in MSAL.js. Source: Microsoft,
//! "Developer guide to Conditional Access authentication context".

mod startup;
mod whoami;

use std::process::ExitCode;

// ANCHOR: uses
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use axum_entra::guard::{RequireAuthContext, RequireScope};
use axum_entra::{Entra, Permit, guards};
// ANCHOR_END: uses
use serde_json::json;
use startup::Sample;
use whoami::whoami;

#[tokio::main]
async fn main() -> ExitCode {
    startup::run(routes).await
}

async fn routes(sample: &Sample) -> Router {
    sample.show(|walk, emulator| {
        let able = emulator.token().claim("xms_cc", json!(["cp1"]));
        let stronger = able.clone().claim("acrs", json!(["c1"]));
        walk.user("SIMPLE", "alice", "access_as_user")
            .minted("ABLE", able)
            .minted("STRONGER", stronger)
            .call(200, "reading needs no context", "SIMPLE", "GET /records")
            .call(
                403,
                "a client that cannot come back stronger",
                "SIMPLE",
                "DELETE /records",
            )
            .call(
                401,
                "one that can: see the claims in the challenge",
                "ABLE",
                "DELETE /records",
            )
            .call(204, "and has", "STRONGER", "DELETE /records");
    });
    app(&sample.entra)
}

// ANCHOR: app
guards! {
    /// A caller that signed in as the context `c1` requires.
    CanDelete = RequireAuthContext("c1");
}

fn app(entra: &Entra) -> Router {
    Router::new()
        .route("/records", get(whoami).delete(delete))
        .route_layer(RequireScope("access_as_user"))
        .route_layer(entra.layer())
}

async fn delete(_: Permit<CanDelete>) -> StatusCode {
    StatusCode::NO_CONTENT
}
// ANCHOR_END: app
