//! Status, headers and body of every kind of answer (contract §2).
//!
//! `INSTA_UPDATE=always cargo test --test api refusals::answers` writes `snapshots/`: read what it changes.

use axum::Router;
use axum::response::IntoResponse as _;
use axum_entra::guard::{RequireAuthContext, RequireRole, RequireScope, RequireUser};
use axum_entra::{Claims, Clock, Entra, Permit, ProtectedResource, UnixTime, guards};
use http::header::CONTENT_TYPE;
use http::{Method, Version};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{API, T0, authority, built, good, good_header, mint, text, with, without};
use crate::service::{Runs, fetch, fetch_grpc, protected, request, send};
use crate::signer::key;

const METADATA: &str = "https://api.example/.well-known/oauth-protected-resource";

/// A request that is rejected. What is answered is in `snapshots/`.
struct Row {
    name: &'static str,
    router: Router,
    token: String,
}

guards! { Writer = RequireRole("Writer"); }

fn rows(entra: &Entra, runs: &Runs) -> Vec<Row> {
    let open = || Router::new().route("/", runs.handler());
    let row = |name, router, token| Row {
        name,
        router,
        token,
    };
    let behind = |name, token: String| row(name, protected(entra, runs), token);
    let claims = |name, changes: Value| behind(name, mint(&with(changes)));
    let header = |name, changes: Value| {
        let mut header = good_header();
        header.extend(changes.as_object().unwrap().clone());
        behind(name, key(0).sign(&text(&header), &text(&good())))
    };
    let around = |name, router: Router, token| row(name, router.route_layer(entra.layer()), token);
    let scope = |name, guard: Router| around(name, guard, mint(&good()));
    let context = |name, changes: Value| {
        let guarded = open().route_layer(RequireAuthContext("c1"));
        around(name, guarded, mint(&with(changes)))
    };
    let fault = |name, router| row(name, router, mint(&good()));
    vec![
        behind("no token", String::new()),
        behind("no credential", "a b".to_owned()),
        behind("junk", "x".to_owned()),
        behind("too long", "x".repeat(70_000)),
        header("HMAC", json!({ "alg": "HS256" })),
        header("crit", json!({ "crit": ["exp"] })),
        header("typ", json!({ "typ": "JWE" })),
        header("key", json!({ "kid": "other" })),
        header("signature", json!({ "kid": "key-2" })),
        claims("issuer", json!({ "iss": "https://evil.example" })),
        claims("audience", json!({ "aud": "other" })),
        claims("expired", json!({ "exp": T0 })),
        claims("early", json!({ "nbf": T0 + 9 })),
        claims("version", json!({ "ver": "1.0" })),
        claims("Graph", json!({ "aud": "https://graph.microsoft.com" })),
        claims("bound", json!({ "cnf": {} })),
        around("nothing granted", open(), mint(&without(&["scp"]))),
        scope("role", open().route_layer(RequireRole("Writer"))),
        scope("scope", open().route_layer(RequireScope("Todo.Read"))),
        scope(
            "any scope",
            open().route_layer(RequireScope::any(["Todo.Read", "Todo.ReadWrite"])),
        ),
        scope(
            "all scopes",
            open().route_layer(RequireScope::all(["Todo.Read", "Todo.ReadWrite"])),
        ),
        context("context, a client that cannot", json!({})),
        context(
            "context, an application",
            json!({ "xms_cc": ["cp1"], "idtyp": "app" }),
        ),
        // The challenge's claims: {"access_token":{"acrs":{"essential":true,"value":"c1"}}}
        context("context, a client that can", json!({ "xms_cc": ["CP1"] })),
        fault("a guard without the layer", open().route_layer(RequireUser)),
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
    let mut told = String::new();
    for row in rows(&entra, &runs) {
        let answer = fetch(&row.router, "/", &row.token).await;
        let name = row.name;
        let challenge = answer.challenge().unwrap_or("none");
        let (status, body) = (answer.status.as_u16(), &answer.text);
        told += &format!("{name}: {status}, challenge: {challenge}\n  {body}\n");
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{name}");
        assert!(answer.header("retry-after").is_none(), "{name}");
        let kept = answer.rejection.as_ref();
        let kept = kept.expect("the cause stays with the answer");
        let kept = (kept.status().as_u16(), kept.reason().to_owned());
        assert_eq!(answer.brief(), kept, "{name}");
        for piece in row.token.split('.').filter(|piece| piece.len() > 16) {
            assert!(!answer.text.contains(&piece[..17]), "{name}");
            let headers = format!("{:?}", answer.headers);
            assert!(!headers.contains(&piece[..17]), "{name}");
        }
    }
    assert_snapshot!(told);
    assert_eq!(runs.count(), 0, "no handler ran");
    let let_in = fetch(&protected(&entra, &runs), "/", &mint(&good())).await;
    assert_eq!((let_in.status.as_u16(), runs.count()), (200, 1));
}

#[tokio::test]
async fn grpc_clients_get_the_same_refusals_in_their_own_form() {
    let (entra, runs) = (built(authority()), Runs::default());
    let mut told = String::new();
    for row in rows(&entra, &runs) {
        let name = row.name;
        let plain = fetch(&row.router, "/", &row.token).await;
        let mut forms = Vec::new();
        for kind in ["application/grpc", "application/grpc+proto"] {
            let answer = fetch_grpc(&row.router, "/", kind, &row.token).await;
            assert_eq!(answer.status, 200, "{name}");
            assert_eq!(answer.header("content-type"), Some("application/grpc"));
            let message = answer.header("grpc-message").unwrap();
            assert!(message.starts_with(&plain.member("reason")), "{message}");
            assert_eq!(answer.text, "", "a trailers-only answer has no body");
            forms.push(format!(
                "{name}: {}\n  {message}\n",
                answer.header("grpc-status").unwrap()
            ));
        }
        assert_eq!(forms[0], forms[1]);
        told += &forms[0];
        let web = fetch_grpc(&row.router, "/", "application/grpc-web", &row.token).await;
        assert_eq!(web.status, plain.status, "another protocol: {name}");
    }
    assert_snapshot!(told);
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
        let plain = fetch(&row.router, "/", &row.token).await.brief();
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
            assert_eq!(answer.brief(), plain, "{name}");
            assert_eq!(answer.header("grpc-status"), None, "{name}");
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
    let (without, runs) = (built(authority()), Runs::default());
    let named = format!("resource_metadata=\"{METADATA}\"");
    for (row, without) in rows(&entra, &runs).into_iter().zip(rows(&without, &runs)) {
        let answer = fetch(&row.router, "/", &row.token).await;
        let without = fetch(&without.router, "/", &without.token).await;
        let expected = without.challenge().map(|challenge| match challenge {
            "Bearer" => format!("Bearer {named}"),
            other => format!("{other}, {named}"),
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
