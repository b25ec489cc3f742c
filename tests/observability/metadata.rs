//! Protected-resource metadata (RFC 9728).

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use axum_entra::guard::RequireScope;
use axum_entra::settings::Settings;
use axum_entra::{
    AllowedTenants, Authority, Claims, Entra, EntraBuilder, HttpClient, Permit, ProtectedResource,
    Tenant, guards,
};
use entra_emulator::{API_ID, CLI_ID, CONTOSO, Emulator, USER_PASSWORD};
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
        .resource(
            ProtectedResource::new("https://api.example/mcp/")
                .name("Sample")
                .scopes(["access_as_user"]),
        )
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
    let given = |builder: axum_entra::EntraBuilder| {
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
        let builder = Entra::builder_for(authority).resource("https://api.example");
        let document = builder.build().unwrap().resource_metadata().unwrap();
        document.authorization_servers
    };
    let host = "https://login.microsoftonline.com";
    assert_eq!(
        named(Tenant::new("common")),
        [format!("{host}/common/v2.0")]
    );
    assert_eq!(
        named(Tenant::new(CONTOSO)),
        [format!("{host}/{CONTOSO}/v2.0")]
    );
}

#[tokio::test]
async fn a_web_page_may_send_a_preflight_and_no_method_writes() {
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
async fn challenges(emulator: &Emulator, builder: axum_entra::EntraBuilder) -> [String; 4] {
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
    let first = format!("api://{API_ID}/access_as_user");
    let both = format!("{first} api://{API_ID}/Todo.Read");
    let required = || {
        Authority::entra(Tenant::new(CONTOSO), API_ID)
            .instance(emulator.url())
            .sts_instance(emulator.url())
            .required_scope("access_as_user")
            .required_scope("Todo.Read")
    };
    let by_name = trusting(&emulator).resource(
        ProtectedResource::unaddressed().challenge_scopes(["access_as_user", "Todo.Read"]),
    );
    let guarded = first.clone();
    for (builder, full, denied) in [
        (by_name, both, &guarded),
        // One of them is enough: the first is named.
        (Entra::builder_for(required()), first, &guarded),
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
async fn scopes_that_not_every_route_needs_are_not_named_without_a_token() {
    let emulator = Emulator::start().await.unwrap();
    // The route has a guard, which the layer around it knows nothing of.
    let [nothing, bad, ..] = challenges(&emulator, trusting(&emulator)).await;
    assert_eq!(
        [&*nothing, &bad],
        ["Bearer", r#"Bearer error="invalid_token""#]
    );
    // Whose token will come is not known, and the two authorities need different ones.
    let (here, there) = (Tenant::new(CONTOSO), Tenant::new("organizations"));
    let demanding = Authority::entra(here, API_ID).required_scope("access_as_user");
    let easy = Authority::entra(there, API_ID).allowed_tenants(AllowedTenants::Any);
    let builder = Entra::builder_for(demanding).authority(easy);
    let response = call(&app(&builder.build().unwrap()), "/", None).await;
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
}

/// One parameter of a challenge.
fn parameter(response: &axum::response::Response, name: &str) -> Option<String> {
    let challenge = response
        .headers()
        .get("www-authenticate")?
        .to_str()
        .unwrap();
    let value = challenge.split(&format!("{name}=\"")).nth(1)?;
    value.split('"').next().map(str::to_owned)
}

/// What a refusal asks for is what the authority gives out, word for word.
#[tokio::test]
async fn a_client_that_asks_for_the_scope_of_the_refusal_gets_in() {
    let emulator = Emulator::start().await.unwrap();
    let app = app(&trusting(&emulator).build().unwrap());
    let poor = emulator.token().user("alice").scope("Todo.Read").mint();
    let refused = call(&app, "/", Some(&poor)).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let ask = async |scope: &str| {
        let form = format!(
            "grant_type=password&client_id={CLI_ID}&username=alice&password={USER_PASSWORD}&scope={scope}"
        );
        let endpoint = emulator.token_endpoint(CONTOSO);
        let kind = "application/x-www-form-urlencoded";
        let post = HttpClient::new()
            .post(endpoint)
            .header("content-type", kind);
        let answer = post.body(form).send().await.unwrap().bytes().await.unwrap();
        serde_json::from_slice::<Value>(&answer).unwrap()
    };
    let scope = parameter(&refused, "scope").unwrap();
    let token = ask(&scope).await["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(call(&app, "/", Some(&token)).await.status(), StatusCode::OK);
    // The short name is looked up on Microsoft Graph.
    let text = ask("access_as_user").await.to_string();
    assert!(text.contains("AADSTS650053"), "{text}");
}

guards! { CanReadData = RequireScope("Data.Read"); }

/// Two addresses, as two MCP servers in one process have them.
#[tokio::test]
async fn each_address_has_its_own_document_and_challenges() {
    let emulator = Emulator::start().await.unwrap();
    let (mcp, reports) = ("https://api.example/mcp", "https://api.example/reports/mcp");
    let mut settings = emulator.settings();
    settings["AzureAd"]["Resource"] = json!([mcp, reports]);
    settings["AzureAd"]["AppIdUri"] = json!(["api://first", reports, mcp]);
    let settings = settings.to_string();
    let settings = Settings::from_parts(Some(("the test", &settings)), []).unwrap();
    let entra = EntraBuilder::from_settings(&settings)
        .unwrap()
        .default_resource(
            ProtectedResource::unaddressed()
                .scopes(["Todo.Read"])
                .challenge_scopes(["Todo.Read"]),
        )
        .build()
        .unwrap();
    let permit = |_: Permit<CanReadData>| async { "in" };
    let nested = Router::new()
        .route(
            "/inner",
            get(|| async { "in" }).layer(RequireScope("Data.Read")),
        )
        .route("/permit", get(permit))
        .fallback_service(any(|_: Claims| async { "in" }).layer(RequireScope("Data.Read")));
    let app = Router::new()
        .nest("/mcp", nested.clone())
        .nest("/reports/mcp", nested.clone())
        .nest("/elsewhere", nested)
        .layer(entra.layer());
    let app = entra.metadata_routes().fold(app, |app, (path, service)| {
        app.route_service(&path, service)
    });
    let (at_mcp, at_reports) = (format!("{ROOT}/mcp"), format!("{ROOT}/reports/mcp"));
    let poor = emulator.token().user("alice").scope("other").mint();
    for (path, uri, document) in [
        ("/mcp", mcp, &at_mcp),
        ("/mcp/inner", mcp, &at_mcp),
        ("/mcp/permit", mcp, &at_mcp),
        ("/reports/mcp/inner", reports, &at_reports),
        ("/reports/mcp/permit", reports, &at_reports),
        ("/reports/mcp/x/y", reports, &at_reports),
        // Under none: the first.
        ("/elsewhere/inner", mcp, &at_mcp),
        ("/mcpx", mcp, &at_mcp),
    ] {
        let named = Some(format!("https://api.example{document}"));
        for (token, status, scope) in [
            (None, 401, Some(format!("{uri}/Todo.Read"))),
            (Some("junk"), 401, Some(format!("{uri}/Todo.Read"))),
            (Some("a=b"), 400, None),
            (Some(&*poor), 403, Some(format!("{uri}/Data.Read"))),
        ] {
            let response = call(&app, path, token).await;
            if (path, status) == ("/mcpx", 403) {
                // Nothing is there, and so no guard.
                assert_eq!(response.status(), StatusCode::NOT_FOUND);
                continue;
            }
            assert_eq!(response.status().as_u16(), status, "{path}");
            assert_eq!(parameter(&response, "scope"), scope, "{path} {status}");
            let metadata = parameter(&response, "resource_metadata");
            assert_eq!(metadata, named, "{path} {status}");
        }
    }
    for (path, address) in [(&at_mcp, mcp), (&at_reports, reports)] {
        let document: Value =
            serde_json::from_str(&text(call(&app, path, None).await).await).unwrap();
        assert_eq!(document["resource"], address);
        assert_eq!(
            document["scopes_supported"],
            json!([format!("{address}/Todo.Read")])
        );
    }
    // Which of both the root would speak for, cannot be known: there is no document.
    assert_eq!(call(&app, ROOT, None).await.status().as_u16(), 401);
}

#[tokio::test]
async fn full_names_begin_with_the_app_id_uri() {
    let challenge = async |authority: Authority| {
        let builder = Entra::builder_for(authority).resource(
            ProtectedResource::unaddressed().challenge_scopes(["a", "openid", "x://y/b"]),
        );
        let app = app(&builder.build().unwrap());
        let response = call(&app, "/", None).await;
        parameter(&response, "scope").unwrap()
    };
    let entra = || Authority::entra(Tenant::new(CONTOSO), API_ID);
    let b2c = |tenant: &str| {
        let instance = "https://contoso.b2clogin.com";
        Authority::b2c(instance, Tenant::new(tenant), API_ID, ["B2C_1_susi"])
    };
    let lower = API_ID.to_owned();
    for (authority, uri) in [
        (entra(), format!("api://{lower}")),
        (entra().audience(API_ID), format!("api://{lower}")),
        (
            entra()
                .audience(API_ID)
                .audience("https://one.example")
                .audience("https://two.example"),
            "https://one.example".to_owned(),
        ),
        (
            entra()
                .audience("https://one.example")
                .app_id_uri("api://two"),
            "api://two".to_owned(),
        ),
        (
            b2c("contoso.onmicrosoft.com"),
            format!("https://contoso.onmicrosoft.com/{lower}"),
        ),
        (
            b2c("contoso.onmicrosoft.com").audience("api://x"),
            "api://x".to_owned(),
        ),
        (b2c(CONTOSO), format!("api://{lower}")),
    ] {
        assert_eq!(
            challenge(authority).await,
            format!("{uri}/a openid x://y/b")
        );
    }
    for bad in ["", "id", "api://a b", "api://a\"b", "api://a\\b", "api://ä"] {
        let error = Entra::builder_for(entra().app_id_uri(bad))
            .build()
            .unwrap_err();
        assert!(error.to_string().contains("AppIdUri"), "{error}");
    }
}
