//! Claims made in code, for handler tests.

use axum::body::Body;
use axum::routing::get;
use axum::{Json, Router};
use axum_entra::guard::{
    RequireAppOnly, RequireGroup, RequireMfa, RequireRole, RequireScope, RequireUser,
};
use axum_entra::testing::{OBJECT, TENANT, claims};
use axum_entra::{Claims, Principal};
use http::{Request, StatusCode};
use tower::ServiceExt;

#[test]
fn testing_claims_are_what_a_token_would_have_become() {
    let user = claims().scope("a b").roles(["r"]).groups(["g"]).build();
    assert_eq!(user.principal(), Principal::User);
    assert_eq!(user.tenant_id().unwrap().to_string(), TENANT);
    assert_eq!(user.object_id(), OBJECT.parse().ok());
    assert!(user.scopes().eq(["a", "b"]) && user.roles().eq(["r"]));
    assert!(user.groups().contains("g") && user.account_id().is_some());
    assert_eq!(claims().app().build().principal(), Principal::App);
}

#[tokio::test]
async fn guards_and_handlers_see_them() {
    let route = || get(|claims: Claims| async move { Json(claims.scopes().count()) });
    let app: Router = Router::new()
        .route("/scope", route().layer(RequireScope("s")))
        .route("/role", route().layer(RequireRole("r")))
        .route("/app", route().layer(RequireAppOnly))
        .route("/user", route().layer(RequireUser))
        .route("/group", route().layer(RequireGroup("g")))
        .route("/mfa", route().layer(RequireMfa));
    let all = || {
        claims()
            .scope("s")
            .roles(["r"])
            .groups(["g"])
            .claim("amr", "mfa")
    };
    let (ok, no) = (StatusCode::OK, StatusCode::FORBIDDEN);
    for (path, claims, status) in [
        ("/scope", all(), ok),
        ("/scope", claims(), no),
        ("/role", all(), ok),
        ("/role", claims(), no),
        ("/app", claims().app(), ok),
        ("/app", all(), no),
        ("/user", all(), ok),
        ("/user", claims().app(), no),
        ("/group", all(), ok),
        ("/group", claims().groups(["other"]), no),
        ("/mfa", all(), ok),
        ("/mfa", claims(), no),
    ] {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = app
            .clone()
            .oneshot(claims.insert_into(request))
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{path}");
    }
}

#[tokio::test]
async fn nothing_in_a_request_makes_claims() {
    let app: Router = Router::new().route("/", get(|_: Claims| async {}));
    let members = r#"{"oid":"x","scp":"s"}"#;
    let mut request = Request::builder().uri("/?claims=x");
    for name in [
        "claims",
        "x-claims",
        "x-ms-client-principal",
        "authorization",
        "x-test-claims",
    ] {
        request = request.header(name, members);
    }
    let request = request.body(Body::from(members)).unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[test]
#[should_panic(expected = "claims of types that a token may have")]
fn impossible_claims_stop_the_test() {
    drop(claims().claim("scp", 1).build());
}
