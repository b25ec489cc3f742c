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
        "resource": "https://api.example/mcp/",
        "resource_name": "Sample",
        "authorization_servers": [emulator.issuer(CONTOSO)],
        "scopes_supported": [format!("api://{API_ID}/access_as_user")],
        "bearer_methods_supported": ["header"],
    });
    for path in ["", "/mcp/", "/mcp"].map(|end| format!("{ROOT}{end}")) {
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

/// The challenges of a router whose one route needs `access_as_user`: without a token, with a bad
/// one, with a header that is none, and with a token that lacks the scope.
async fn challenges(emulator: &Emulator, builder: axum_entra::Builder) -> [String; 4] {
    let app = app(&builder.build().unwrap());
    let poor = emulator.token().user("alice").scope("Todo.Read").mint();
    let mut challenges = [const { String::new() }; 4];
    for (challenge, token) in
        challenges
            .iter_mut()
            .zip([None, Some("junk"), Some("not=a=token"), Some(&*poor)])
    {
        let response = call(&app, "/", token).await;
        let header = response.headers()["www-authenticate"].to_str();
        *challenge = header.unwrap().to_owned();
    }
    challenges
}

#[tokio::test]
async fn a_client_without_a_good_token_is_told_which_scopes_to_ask_for() {
    let emulator = Emulator::start().await.unwrap();
    let full = format!("api://{API_ID}/access_as_user api://{API_ID}/Todo.Read");
    let required = || {
        Authority::entra(Tenant::id(CONTOSO), API_ID)
            .instance(emulator.url())
            .sts_instance(emulator.url())
            .required_scope("access_as_user")
            .required_scope("Todo.Read")
    };
    let by_name = trusting(&emulator).challenge_scopes(["access_as_user", "Todo.Read"]);
    for (builder, denied) in [
        (by_name, "access_as_user"),
        (Entra::trusting(required()), "access_as_user Todo.Read"),
    ] {
        assert_eq!(
            challenges(&emulator, builder).await,
            [
                format!(r#"Bearer scope="{full}""#),
                format!(r#"Bearer error="invalid_token", scope="{full}""#),
                r#"Bearer error="invalid_request""#.to_owned(),
                format!(r#"Bearer error="insufficient_scope", scope="{denied}""#),
            ]
        );
    }
}

#[tokio::test]
async fn scopes_that_not_every_route_needs_are_not_named_to_strangers() {
    let emulator = Emulator::start().await.unwrap();
    // The route has a guard, which the layer around it knows nothing of.
    let [nothing, bad, ..] = challenges(&emulator, trusting(&emulator)).await;
    assert_eq!(
        [&*nothing, &bad],
        ["Bearer", r#"Bearer error="invalid_token""#]
    );
    // Whose token will come is not known, and the two authorities need different ones.
    let (here, there) = (Tenant::id(CONTOSO), Tenant::id("organizations"));
    let demanding = Authority::entra(here, API_ID).required_scope("access_as_user");
    let easy = Authority::entra(there, API_ID).allowed_tenants(AllowedTenants::Any);
    let builder = Entra::trusting(demanding).authority(easy);
    let response = call(&app(&builder.build().unwrap()), "/", None).await;
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
}
