//! The routes of the acceptance cases.

use axum::Router;
use axum::routing::{get, post};
use axum_entra::guard::{
    Guard as _, RequireAccountId, RequireAppOnly, RequireB2cPolicy, RequireClientAuthMethod,
    RequireClientId, RequireDirectoryRole, RequireGroup, RequireMfa, RequireRole, RequireScope,
    RequireTenant,
};
use axum_entra::{ClientAuthMethod, Entra};

use super::stage::T_V2;
use crate::service::Runs;
use crate::whoami::body;

/// The routes of the cases; every handler answers who is calling and is counted.
pub(super) fn router(entra: &Entra, runs: &Runs) -> Router {
    let handler = || {
        let runs = runs.clone();
        move |claims: axum_entra::Claims| {
            runs.note();
            async move { axum::Json(body(&claims)) }
        }
    };
    let group = "aaaaaaaa-0000-4000-8000-000000000001";
    let administrator = "62e90394-69f5-4237-9190-012177145e10";
    let partner = "75dbe77f-10a3-4e59-85fd-8c127544f17c";
    let on = |path: &str| Router::new().route(path, get(handler()));
    Router::new()
        .merge(on("/me"))
        .merge(on("/todos").route_layer(RequireScope("access_as_user")))
        .merge(
            Router::new()
                .route("/jobs", post(handler()))
                .route_layer(RequireAppOnly.and(RequireRole("Tasks.Run"))),
        )
        .merge(on("/reports").route_layer(RequireRole("Tasks.Run")))
        .merge(on("/partner").route_layer(RequireClientId(partner)))
        .merge(on("/secret").route_layer(RequireClientAuthMethod(ClientAuthMethod::Secret)))
        .merge(
            on("/certificate").route_layer(RequireClientAuthMethod(ClientAuthMethod::Certificate)),
        )
        .merge(on("/tenant").route_layer(RequireTenant(T_V2)))
        .merge(on("/group").route_layer(RequireGroup(group)))
        .merge(on("/admin").route_layer(RequireDirectoryRole(administrator)))
        .merge(on("/secure").route_layer(RequireMfa))
        .merge(on("/policy").route_layer(RequireB2cPolicy("b2c_1_sign_in_stock")))
        .merge(on("/policy-of-the-table").route_layer(RequireB2cPolicy("b2c_1_sign_in")))
        .merge(on("/replay").route_layer(entra.replay_protection()))
        .merge(on("/identity").route_layer(RequireAccountId))
        .route_layer(entra.layer())
        .route("/health", get(|| async { "up" }))
}
