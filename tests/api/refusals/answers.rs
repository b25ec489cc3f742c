//! Status, headers and body of every kind of answer (contract §2).

use std::collections::BTreeSet;

use axum::Router;
use axum::response::IntoResponse as _;
use axum_entra::guard::{RequireAuthContext, RequireRole, RequireScope};
use axum_entra::{Claims, Clock, Entra, Permit, ProtectedResource, UnixTime, guards};
use http::header::CONTENT_TYPE;
use http::{Method, Version};
use serde_json::{Value, json};

use super::{API, T0, authority, built, good, good_header, mint, text, with, without};
use crate::service::{Answer, Runs, fetch, fetch_grpc, protected, request, send};
use crate::signer::key;

const METADATA: &str = "https://api.example/.well-known/oauth-protected-resource";

/// A rejected request: its whole answer in one line a part.
struct Row {
    name: &'static str,
    router: Router,
    token: String,
    status: u16,
    grpc: &'static str,
    error: &'static str,
    reason: &'static str,
    /// Behind `Bearer`; `None` where there is no challenge.
    challenge: Option<&'static str>,
}

guards! { Writer = RequireRole("Writer"); }

fn rows(entra: &Entra, runs: &Runs) -> Vec<Row> {
    let open = || Router::new().route("/", runs.handler());
    let behind = || protected(entra, runs);
    let token = |changes: Value| mint(&with(changes));
    let invalid = |name, reason, token: String| Row {
        name,
        router: behind(),
        token,
        status: 401,
        grpc: "16",
        error: "invalid_token",
        reason,
        challenge: Some("error=\"invalid_token\""),
    };
    let header = |changes: Value| {
        let mut header = good_header();
        header.extend(changes.as_object().unwrap().clone());
        key(0).sign(&text(&header), &text(&good()))
    };
    let denied = |name, reason, router: Router, token: String| Row {
        name,
        router: router.route_layer(entra.layer()),
        token,
        status: 403,
        grpc: "7",
        error: "forbidden",
        reason,
        challenge: Some("error=\"insufficient_scope\""),
    };
    let scopes = |name, router: Router, challenge| Row {
        challenge: Some(challenge),
        error: "insufficient_scope",
        ..denied(name, "scope", router, mint(&good()))
    };
    let fault = |name, router: Router| Row {
        name,
        router,
        token: mint(&good()),
        status: 500,
        grpc: "13",
        error: "server_error",
        reason: "not_configured",
        challenge: None,
    };
    let step_up = json!({ "xms_cc": ["CP1"] });
    vec![
        Row {
            name: "no token",
            router: behind(),
            token: String::new(),
            status: 401,
            grpc: "16",
            error: "missing_token",
            reason: "missing_token",
            challenge: Some(""),
        },
        Row {
            name: "no credential",
            router: behind(),
            token: "a b".to_owned(),
            status: 400,
            grpc: "16",
            error: "invalid_request",
            reason: "malformed_header",
            challenge: Some("error=\"invalid_request\""),
        },
        invalid("junk", "malformed", "x".into()),
        invalid("too long", "too_large", "x".repeat(70_000)),
        invalid("HMAC", "algorithm", header(json!({ "alg": "HS256" }))),
        invalid(
            "crit",
            "critical_header",
            header(json!({ "crit": ["exp"] })),
        ),
        invalid("typ", "token_type", header(json!({ "typ": "JWE" }))),
        invalid("key", "unknown_key", header(json!({ "kid": "other" }))),
        invalid(
            "signature",
            "bad_signature",
            header(json!({ "kid": "key-2" })),
        ),
        invalid(
            "issuer",
            "issuer",
            token(json!({ "iss": "https://evil.example" })),
        ),
        invalid("audience", "audience", token(json!({ "aud": "other" }))),
        invalid("expired", "expired", token(json!({ "exp": T0 }))),
        invalid("early", "not_yet_valid", token(json!({ "nbf": T0 + 9 }))),
        invalid("version", "version", token(json!({ "ver": "1.0" }))),
        invalid(
            "Graph",
            "graph_token",
            token(json!({ "aud": "https://graph.microsoft.com" })),
        ),
        invalid("bound", "sender_constrained", token(json!({ "cnf": {} }))),
        denied(
            "nothing granted",
            "no_permissions",
            open(),
            mint(&without(&["scp"])),
        ),
        denied(
            "role",
            "role",
            open().route_layer(RequireRole("Writer")),
            mint(&good()),
        ),
        scopes(
            "scope",
            open().route_layer(RequireScope("Todo.Read")),
            "error=\"insufficient_scope\", scope=\"api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Todo.Read\"",
        ),
        scopes(
            "any scope",
            open().route_layer(RequireScope::any(["Todo.Read", "Todo.ReadWrite"])),
            "error=\"insufficient_scope\", scope=\"api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Todo.Read\"",
        ),
        scopes(
            "all scopes",
            open().route_layer(RequireScope::all(["Todo.Read", "Todo.ReadWrite"])),
            "error=\"insufficient_scope\", scope=\"api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Todo.Read api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Todo.ReadWrite\"",
        ),
        denied(
            "context, a client that cannot",
            "auth_context",
            open().route_layer(RequireAuthContext("c1")),
            mint(&good()),
        ),
        denied(
            "context, an application",
            "auth_context",
            open().route_layer(RequireAuthContext("c1")),
            token(json!({ "xms_cc": ["cp1"], "idtyp": "app" })),
        ),
        Row {
            status: 401,
            grpc: "16",
            error: "insufficient_claims",
            // {"access_token":{"acrs":{"essential":true,"value":"c1"}}}
            challenge: Some(
                "error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19\", authorization_uri=\"https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/oauth2/v2.0/authorize\"",
            ),
            ..denied(
                "context, a client that can",
                "auth_context",
                open().route_layer(RequireAuthContext("c1")),
                token(step_up),
            )
        },
        fault(
            "a guard without the layer",
            open().route_layer(RequireScope("Todo.Read")),
        ),
        fault("claims without the layer", unlayered(runs)),
        fault("a permit without the layer", unlayered_permit(runs)),
    ]
}

fn unlayered(runs: &Runs) -> Router {
    let runs = runs.clone();
    let handler = move |_: Claims| {
        runs.note();
        async { "in" }
    };
    Router::new().route("/", axum::routing::any(handler))
}

fn unlayered_permit(runs: &Runs) -> Router {
    let runs = runs.clone();
    let handler = move |_: Permit<Writer>| {
        runs.note();
        async { "in" }
    };
    Router::new().route("/", axum::routing::any(handler))
}

#[tokio::test]
async fn every_refusal_is_answered_to_the_letter() {
    let (entra, runs) = (built(authority()), Runs::default());
    for row in rows(&entra, &runs) {
        let answer = fetch(&row.router, "/", &row.token).await;
        let name = row.name;
        assert_eq!(answer.status.as_u16(), row.status, "{name}");
        let challenge = row
            .challenge
            .map(|rest| format!("Bearer {rest}").trim().to_owned());
        assert_eq!(answer.challenge(), challenge.as_deref(), "{name}");
        check_body(&answer, &row);
        assert!(answer.header("retry-after").is_none(), "{name}");
        let kept = answer.rejection.expect("the cause stays with the answer");
        assert_eq!(
            (kept.reason(), kept.status().as_u16()),
            (row.reason, row.status)
        );
        for piece in row.token.split('.').filter(|piece| piece.len() > 16) {
            assert!(!answer.text.contains(&piece[..17]), "{name}");
            assert!(
                !format!("{:?}", answer.headers).contains(&piece[..17]),
                "{name}"
            );
        }
    }
    assert_eq!(runs.count(), 0, "no handler ran");
    assert_eq!(
        fetch(&protected(&entra, &runs), "/", &mint(&good()))
            .await
            .status,
        200
    );
    assert_eq!(runs.count(), 1);
}

fn check_body(answer: &Answer, row: &Row) {
    let name = row.name;
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{name}"
    );
    let body = answer.body();
    let members: BTreeSet<&str> = body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = ["detail", "error", "reason", "status", "title", "type"];
    assert_eq!(members, BTreeSet::from(expected), "{name}");
    assert_eq!(body["type"], "about:blank", "{name}");
    assert_eq!(body["status"], row.status, "{name}");
    assert_eq!(
        body["title"],
        answer.status.canonical_reason().unwrap(),
        "{name}"
    );
    assert_eq!(body["error"], row.error, "{name}");
    assert_eq!(body["reason"], row.reason, "{name}");
    let detail = body["detail"].as_str().unwrap();
    assert!(
        detail.ends_with('.') && detail.len() > 20,
        "{name}: {detail}"
    );
}

#[tokio::test]
async fn grpc_clients_get_the_same_refusals_in_their_own_form() {
    let (entra, runs) = (built(authority()), Runs::default());
    for row in rows(&entra, &runs) {
        for kind in ["application/grpc", "application/grpc+proto"] {
            let answer = fetch_grpc(&row.router, "/", kind, &row.token).await;
            assert_eq!(answer.status, 200, "{}", row.name);
            assert_eq!(answer.header("grpc-status"), Some(row.grpc), "{}", row.name);
            assert_eq!(answer.header("content-type"), Some("application/grpc"));
            let message = answer.header("grpc-message").unwrap();
            assert!(message.starts_with(row.reason), "{message}");
            assert_eq!(answer.text, "", "a trailers-only answer has no body");
        }
        let web = fetch_grpc(&row.router, "/", "application/grpc-web", &row.token).await;
        assert_eq!(
            web.status.as_u16(),
            row.status,
            "another protocol: {}",
            row.name
        );
    }
    assert_eq!(runs.count(), 0);
    let router = protected(&entra, &runs);
    let let_in = fetch_grpc(&router, "/", "application/grpc", &mint(&good())).await;
    assert_eq!(let_in.header("grpc-status"), None);
}

/// To any other client an HTTP status of 200 would look like the handler's answer.
#[tokio::test]
async fn a_content_type_alone_makes_no_grpc_request() {
    let (entra, runs) = (built(authority()), Runs::default());
    for row in rows(&entra, &runs) {
        for (method, version) in [
            (Method::GET, Version::HTTP_11),
            (Method::GET, Version::HTTP_2),
            (Method::POST, Version::HTTP_11),
            (Method::OPTIONS, Version::HTTP_2),
            (Method::PUT, Version::HTTP_2),
            (Method::POST, Version::HTTP_3),
        ] {
            let mut sent = request(method.clone(), "/", &row.token);
            *sent.version_mut() = version;
            let kind = "application/grpc".parse().unwrap();
            sent.headers_mut().insert(CONTENT_TYPE, kind);
            let answer = send(&row.router, sent).await;
            let name = format!("{} {method} {version:?}", row.name);
            assert_eq!(answer.status.as_u16(), row.status, "{name}");
            assert_eq!(answer.header("grpc-status"), None, "{name}");
            if method != Method::HEAD {
                assert_eq!(answer.member("reason"), row.reason, "{name}");
            }
        }
    }
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn a_missing_layer_is_named() {
    let runs = Runs::default();
    let token = mint(&good());
    let guard = Router::new()
        .route("/", runs.handler())
        .route_layer(RequireScope("Todo.Read"));
    for (router, named) in [
        (guard, "RequireScope"),
        (unlayered(&runs), "Claims"),
        (unlayered_permit(&runs), "Writer"),
    ] {
        let answer = fetch(&router, "/", &token).await;
        assert_eq!(answer.brief(), (500, "not_configured".into()));
        let detail = answer.member("detail");
        assert!(
            detail.contains(named) && detail.contains("EntraLayer"),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn the_protected_resource_metadata_is_in_every_challenge() {
    let entra = Entra::builder_for(authority())
        .clock(Clock::from_fn(|| UnixTime::from_secs(T0)))
        .resource(ProtectedResource::unaddressed().metadata_url(METADATA))
        .build()
        .unwrap();
    let runs = Runs::default();
    let named = format!("resource_metadata=\"{METADATA}\"");
    for row in rows(&entra, &runs) {
        let answer = fetch(&row.router, "/", &row.token).await;
        let expected = row.challenge.map(|rest| match rest {
            "" => format!("Bearer {named}"),
            rest => format!("Bearer {rest}, {named}"),
        });
        assert_eq!(answer.challenge(), expected.as_deref(), "{}", row.name);
    }
}

#[tokio::test]
async fn an_answer_can_be_given_another_body() {
    let entra = Entra::builder_for(authority())
        .clock(Clock::from_fn(|| UnixTime::from_secs(T0)))
        .map_rejection(|rejection, mut answer| {
            let teapot = format!("{}: {}", rejection.status().as_u16(), rejection.reason());
            *answer.body_mut() = teapot.into_response().into_body();
            answer
        })
        .build()
        .unwrap();
    let runs = Runs::default();
    let router = Router::new()
        .route("/", runs.handler())
        .route_layer(RequireScope("Todo.Read"))
        .route_layer(entra.layer());
    assert_eq!(fetch(&router, "/", "").await.text, "401: missing_token");
    assert_eq!(fetch(&router, "/", "x").await.text, "401: malformed");
    let denied = fetch(&router, "/", &mint(&good())).await;
    assert_eq!(denied.text, "403: scope");
    assert!(denied.challenge().unwrap().contains("Todo.Read"));
}

#[tokio::test]
async fn a_tokens_own_text_cannot_break_out_of_a_challenge() {
    let (entra, runs) = (built(authority()), Runs::default());
    let guarded = |scope: &str| {
        Router::new()
            .route("/", runs.handler())
            .route_layer(RequireScope(scope.to_owned()))
            .route_layer(entra.layer())
    };
    let token = mint(&with(
        json!({ "scp": "a\"b\r\nSet-Cookie: x=y", "aud": API }),
    ));
    let answer = fetch(&guarded("Todo.Read"), "/", &token).await;
    let expected = "Bearer error=\"insufficient_scope\", scope=\"api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Todo.Read\"";
    assert_eq!(answer.challenge(), Some(expected));
    let odd = fetch(&guarded("a\"b"), "/", &token).await;
    assert_eq!(odd.challenge(), Some("Bearer error=\"insufficient_scope\""));
}

/// A port without a listener: no keys, so nothing can be decided.
#[tokio::test]
async fn without_keys_the_answer_is_503_and_when_to_come_back() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let instance = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let authority = axum_entra::Authority::entra(axum_entra::Tenant::new(super::TENANT), API)
        .issuer(format!(
            "https://login.microsoftonline.com/{}/v2.0",
            super::TENANT
        ))
        .instance(instance);
    let (entra, runs) = (built(authority), Runs::default());
    let router = protected(&entra, &runs);
    let answer = fetch(&router, "/", &mint(&good())).await;
    assert_eq!(answer.brief(), (503, "keys_unavailable".into()));
    assert_eq!(answer.member("error"), "temporarily_unavailable");
    assert_eq!(answer.challenge(), None);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));
    let grpc = fetch_grpc(&router, "/", "application/grpc", &mint(&good())).await;
    assert_eq!(
        (grpc.status.as_u16(), grpc.header("grpc-status")),
        (200, Some("14"))
    );
    // What needs no keys is refused all the same.
    let junk = fetch(&router, "/", "x").await;
    assert_eq!(junk.brief(), (401, "malformed".into()));
    assert_eq!(runs.count(), 0);
    assert!(!entra.is_ready());
}
