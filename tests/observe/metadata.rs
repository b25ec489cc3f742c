//! Protected-resource metadata (RFC 9728).

use axum::Router;
use axum::body::Body;
use axum_entra::emulator::{API_ID, CONTOSO, Emulator};
use axum_entra::{AllowedTenants, Authority, Entra, Tenant};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{app, call, text, trusting};

const ROOT: &str = "/.well-known/oauth-protected-resource";

fn served(entra: &Entra) -> Router {
    entra
        .metadata_routes()
        .fold(app(entra), |app, (path, service)| {
            app.route_service(&path, service)
        })
}

#[tokio::test]
async fn anybody_may_read_the_document_at_the_root_and_behind_the_path() {
    let emulator = Emulator::start().await.unwrap();
    let entra = trusting(&emulator)
        .resource("https://api.example/mcp/")
        .resource_name("Sample")
        .resource_scopes(["access_as_user"])
        .build()
        .unwrap();
    let app = served(&entra);
    let expected = json!({
        "resource": "https://api.example/mcp",
        "resource_name": "Sample",
        "authorization_servers": [emulator.issuer(CONTOSO)],
        "scopes_supported": [format!("api://{API_ID}/access_as_user")],
        "bearer_methods_supported": ["header"],
    });
    for path in [ROOT.to_owned(), format!("{ROOT}/mcp")] {
        let response = call(&app, &path, None).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert_eq!(response.headers()["content-type"], "application/json");
        let cache = response.headers()["cache-control"].to_str().unwrap();
        assert!(cache.starts_with("public, max-age="), "{cache}");
        let document: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(document, expected, "{path}");
    }
    let elsewhere = call(&app, &format!("{ROOT}/other"), None).await;
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_challenge_names_the_document_of_the_resource() {
    let emulator = Emulator::start().await.unwrap();
    let builder = trusting(&emulator).resource("https://api.example/mcp");
    let app = served(&builder.build().unwrap());
    let named = format!(r#"resource_metadata="https://api.example{ROOT}/mcp""#);
    let poor = emulator.token().user("alice").scope("Todo.Read").mint();
    for (token, status) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some("junk"), StatusCode::UNAUTHORIZED),
        (Some("not=a=token"), StatusCode::BAD_REQUEST),
        (Some(&poor), StatusCode::FORBIDDEN),
    ] {
        let response = call(&app, "/", token).await;
        assert_eq!(response.status(), status);
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains(&named), "{challenge}");
    }
}

#[tokio::test]
async fn without_a_resource_nothing_is_served_and_nothing_is_named() {
    let emulator = Emulator::start().await.unwrap();
    let entra = trusting(&emulator).build().unwrap();
    assert!(entra.resource_metadata().is_none() && entra.metadata_routes().next().is_none());
    let response = call(&app(&entra), "/", None).await;
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn a_given_resource_wins_over_the_listeners() {
    let emulator = Emulator::start().await.unwrap();
    let given = |builder: axum_entra::Builder| {
        let entra = builder.build().unwrap();
        entra.resource_metadata().unwrap().resource
    };
    let listener = "http://127.0.0.1:3000";
    let both = trusting(&emulator)
        .resource("https://api.example")
        .default_resource(listener);
    assert_eq!(given(both), "https://api.example");
    assert_eq!(
        given(trusting(&emulator).default_resource(listener)),
        listener
    );
}

#[tokio::test]
async fn an_authority_of_many_tenants_is_named_by_its_address() {
    let named = |tenant: Tenant| {
        let authority = Authority::entra(tenant, API_ID).allowed_tenants(AllowedTenants::Any);
        let builder = Entra::trusting(authority).resource("https://api.example");
        let document = builder.build().unwrap().resource_metadata().unwrap();
        document.authorization_servers
    };
    let host = "https://login.microsoftonline.com";
    assert_eq!(named(Tenant::id("common")), [format!("{host}/common/v2.0")]);
    assert_eq!(
        named(Tenant::id(CONTOSO)),
        [format!("{host}/{CONTOSO}/v2.0")]
    );
}

#[tokio::test]
async fn a_web_page_may_ask_first_and_nobody_may_write() {
    let emulator = Emulator::start().await.unwrap();
    let builder = trusting(&emulator).resource("https://api.example");
    let app = served(&builder.build().unwrap());
    let ask = |method: Method| {
        let request = Request::builder().method(method).uri(ROOT);
        app.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    let preflight = ask(Method::OPTIONS).await.unwrap();
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    assert_eq!(preflight.headers()["access-control-allow-headers"], "*");
    let written = ask(Method::POST).await.unwrap();
    assert_eq!(written.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(written.headers().contains_key("allow"));
}
