//! Layers that lie on one way add up in the document as they do at run time.

use axum::http::StatusCode;
use axum_entra::guard::{Caller, Denied, Guard, RequireRole, RequireScope};
use axum_entra_openapi::{OpenApiRouterExt, SecuritySchemes};
use serde_json::{Value, json};
use utoipa::Modify;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::structure::assert_valid;
use crate::tokens::Alternative;
use crate::{Emulator, entra, operations, send};

#[utoipa::path(get, path = "/inner", responses((status = 200, description = "Here")))]
async fn inner() -> &'static str {
    "here"
}

#[utoipa::path(get, path = "/other", responses((status = 200, description = "There")))]
async fn other() -> &'static str {
    "there"
}

fn described(router: OpenApiRouter, sign_in: &SecuritySchemes) -> (axum::Router, Value) {
    let (router, mut document) = router.split_for_parts();
    sign_in.modify(&mut document);
    (router, serde_json::to_value(&document).unwrap())
}

#[tokio::test]
async fn guards_on_the_outer_and_the_inner_router_are_both_needed() {
    let emulator = Emulator::start().await.unwrap();
    let entra = entra(&emulator, []).await;
    let nested =
        OpenApiRouter::new().routes(routes!(inner).require_guard(RequireRole("Task Admin")));
    let router = OpenApiRouter::new()
        .nest("/nested", nested)
        .routes(routes!(other))
        .require_guard(RequireScope("access_as_user"))
        .require_auth(entra.layer());
    let (router, document) = described(router, &SecuritySchemes::of(&entra));
    assert_valid(&document);
    let ways = |path: &str| Alternative::all_of(&document["paths"][path]["get"]);
    assert_eq!(ways("/nested/inner")[0].scopes, ["access_as_user"]);
    assert_eq!(ways("/nested/inner")[0].roles, ["Task Admin"]);
    assert!(ways("/other")[0].roles.is_empty());

    let way = &ways("/nested/inner")[0];
    for token in way.tokens(&emulator) {
        let answer = send(
            &router,
            "GET",
            "/nested/inner",
            Some(&format!("Bearer {token}")),
        )
        .await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    for (missing, token) in way.damaged(&emulator) {
        let answer = send(
            &router,
            "GET",
            "/nested/inner",
            Some(&format!("Bearer {token}")),
        )
        .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{missing}");
    }
}

#[tokio::test]
async fn an_optional_layer_is_documented_as_optional_but_not_before_a_guard() {
    let emulator = Emulator::start().await.unwrap();
    let entra = entra(&emulator, []).await;
    let router = OpenApiRouter::new()
        .routes(routes!(inner).require_guard(RequireScope("access_as_user")))
        .routes(routes!(other))
        .require_auth(entra.layer().optional());
    let (router, document) = described(router, &SecuritySchemes::of(&entra));
    assert_valid(&document);
    let security = |path: &str| document["paths"][path]["get"]["security"].clone();
    assert_eq!(security("/other")[0], json!({}));
    assert!(!security("/inner").as_array().unwrap().contains(&json!({})));
    assert_eq!(
        send(&router, "GET", "/other", None).await.status,
        StatusCode::OK
    );
    assert_eq!(
        send(&router, "GET", "/inner", None).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn scopes_that_every_route_needs_are_in_every_operation() {
    let emulator = Emulator::start().await.unwrap();
    let entra = entra(&emulator, [("AzureAd__Scopes", "Data.Read User.Read")]).await;
    let router = OpenApiRouter::new()
        .routes(routes!(inner).require_guard(RequireScope("access_as_user")))
        .routes(routes!(other))
        .require_auth(entra.layer());
    let (_, document) = described(router, &SecuritySchemes::of(&entra));
    for (_, path, operation) in operations(&document) {
        let ways = Alternative::all_of(&operation);
        assert_eq!(ways.len(), 2, "{path}: one of the two is enough");
        for (way, scope) in ways.iter().zip(["Data.Read", "User.Read"]) {
            assert!(way.scopes.contains(&scope.to_owned()), "{path}");
        }
    }
}

#[tokio::test]
async fn a_guard_of_the_applications_own_is_named_by_its_own_words() {
    #[derive(Clone)]
    struct Silent;
    impl Guard for Silent {
        fn check(&self, _: &Caller<'_>) -> Result<(), Denied<'_>> {
            Err(Denied::custom("silent"))
        }
    }
    let router = OpenApiRouter::<()>::new().routes(routes!(inner).require_guard(Silent));
    let sign_in = SecuritySchemes::new("https://login.microsoftonline.com/common/", "api://api");
    let (_, document) = described(router, &sign_in);
    assert_valid(&document);
    let operation = &document["paths"]["/inner"]["get"];
    assert_eq!(Alternative::all_of(operation)[0].conditions, ["custom"]);
    let said = operation["responses"]["403"]["description"]
        .as_str()
        .unwrap();
    assert!(said.contains("a rule of this application's own"), "{said}");
}

#[test]
fn a_document_can_be_finished_twice_and_scopes_are_described() {
    let guard = RequireScope("Todo.Read").or(RequireScope("https://other.example/Data.Read"));
    let router = OpenApiRouter::<()>::new().routes(routes!(inner).require_guard(guard));
    let sign_in = SecuritySchemes::new("https://login.microsoftonline.com/common/", "api://api")
        .scope("Todo.Read", "Read your to-do lists");
    let (_, mut document) = router.split_for_parts();
    sign_in.modify(&mut document);
    let once = document.clone();
    sign_in.modify(&mut document);
    assert!(once == document);
    let document = serde_json::to_value(&document).unwrap();
    assert_valid(&document);
    let flow = &document["components"]["securitySchemes"]["entra"]["flows"]["authorizationCode"];
    assert_eq!(
        flow["authorizationUrl"],
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize"
    );
    assert_eq!(
        flow["tokenUrl"],
        "https://login.microsoftonline.com/common/oauth2/v2.0/token"
    );
    assert_eq!(
        flow["scopes"]["api://api/Todo.Read"],
        "Read your to-do lists"
    );
    assert!(flow["scopes"]["https://other.example/Data.Read"].is_string());
}
