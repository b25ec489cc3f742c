//! Scopes that imply others: the document names the least.

use axum_entra::guard::{Guard as _, RequireRole, RequireScope};
use axum_entra::{Entra, ScopeHierarchy, Tenant};
use axum_entra_openapi::{OpenApiRouterExt as _, SecuritySchemes};
use serde_json::{Value, json};
use utoipa::Modify as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const API: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";

#[utoipa::path(get, path = "/todos", responses((status = 200, description = "The list")))]
async fn list() -> &'static str {
    "milk"
}

fn operation(hierarchy: ScopeHierarchy) -> (Value, Value) {
    let entra = Entra::builder(Tenant::new(TENANT), API)
        .scope_hierarchy(hierarchy)
        .build()
        .unwrap();
    let guard = RequireScope::any(["Todo.ReadWrite", "Todo.Read"]).or(RequireRole("All"));
    let (_, mut document) = OpenApiRouter::<()>::new()
        .routes(routes!(list).require_guard(guard))
        .require_auth(entra.layer())
        .split_for_parts();
    let schemes = SecuritySchemes::of(&entra);
    schemes.modify(&mut document);
    let once = serde_json::to_value(&document).unwrap();
    schemes.modify(&mut document);
    assert_eq!(once, serde_json::to_value(&document).unwrap());
    let scopes = &once["components"]["securitySchemes"]["entra"]["flows"]["authorizationCode"];
    (
        once["paths"]["/todos"]["get"].clone(),
        scopes["scopes"].clone(),
    )
}

#[tokio::test]
async fn the_document_names_the_least_scope_and_says_what_implies_it() {
    let hierarchy = ScopeHierarchy::new().implies("Todo.ReadWrite", "Todo.Read");
    let (declared, scopes) = operation(hierarchy);
    let full = |name: &str| format!("api://{API}/{name}");
    assert_eq!(
        declared["x-entra-guard"]["any_of"],
        json!([{ "scopes": ["Todo.Read"] }, { "roles": ["All"] }])
    );
    assert_eq!(
        declared["security"][0],
        json!({ "entra": [full("Todo.Read")] })
    );
    assert_eq!(scopes, json!({ full("Todo.Read"): "Todo.Read" }));
    let said = declared["responses"]["403"]["description"]
        .as_str()
        .unwrap();
    assert!(
        said.contains("Scope `Todo.Read` is implied by `Todo.ReadWrite`."),
        "{said}"
    );

    let (plain, scopes) = operation(ScopeHierarchy::new());
    assert_eq!(
        plain["x-entra-guard"]["any_of"].as_array().unwrap().len(),
        3
    );
    assert_eq!(scopes.as_object().unwrap().len(), 2);
    let said = plain["responses"]["403"]["description"].as_str().unwrap();
    assert!(!said.contains("implied"), "{said}");
}
