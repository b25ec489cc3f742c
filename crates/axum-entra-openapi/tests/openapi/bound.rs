//! What the document says about bound tokens, and that the routes do so.

use axum_entra::guard::{Guard as _, RequireBoundToken, RequireScope};
use axum_entra::{PopTokens, Tenant};
use axum_entra_openapi::{OpenApiRouterExt as _, SecuritySchemes};
use serde_json::json;
use utoipa::Modify as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::*;

#[utoipa::path(get, path = "/plain", responses((status = 200)))]
async fn plain() -> &'static str {
    "in"
}

#[utoipa::path(get, path = "/bound", responses((status = 200)))]
async fn bound() -> &'static str {
    "in"
}

#[tokio::test]
async fn the_schemes_of_an_operation_are_those_that_are_accepted() {
    for (pop, plain_schemes, bound_schemes) in [
        (
            PopTokens::Refuse,
            &["entra", "bearer"][..],
            &["mutual_tls"][..],
        ),
        (
            PopTokens::Accept,
            &["entra", "bearer", "pop"],
            &["pop", "mutual_tls"],
        ),
        (PopTokens::Require, &["pop"], &["pop"]),
    ] {
        let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
        let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
            .pop_tokens(pop)
            .build()
            .unwrap();
        let (_, mut document) = OpenApiRouter::<()>::new()
            .merge(
                OpenApiRouter::new()
                    .routes(routes!(plain))
                    .require_guard(RequireScope("Read")),
            )
            .merge(
                OpenApiRouter::new()
                    .routes(routes!(bound))
                    .require_guard(RequireScope("Read").and(RequireBoundToken)),
            )
            .split_for_parts();
        let schemes = SecuritySchemes::of(&entra);
        schemes.modify(&mut document);
        // Twice does no harm.
        schemes.modify(&mut document);
        let document = serde_json::to_value(&document).unwrap();
        for (path, expected) in [("/plain", plain_schemes), ("/bound", bound_schemes)] {
            let security = document["paths"][path]["get"]["security"]
                .as_array()
                .unwrap();
            let named: Vec<&str> = security
                .iter()
                .flat_map(|one| one.as_object().unwrap().keys())
                .map(String::as_str)
                .collect();
            assert_eq!(named, expected, "{pop:?} {path}");
            for name in named {
                assert!(
                    document["components"]["securitySchemes"][name].is_object(),
                    "{pop:?} {name}"
                );
            }
        }
        let declared = &document["components"]["securitySchemes"]["pop"];
        assert_eq!(declared.is_object(), pop != PopTokens::Refuse);
        if declared.is_object() {
            assert_eq!(
                (&declared["in"], &declared["name"]),
                (&json!("header"), &json!("Authorization"))
            );
        }
    }
}
