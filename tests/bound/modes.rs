//! What each mode accepts and answers, nonces, replicas, and guards behind the proof.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum_entra::guard::RequireBoundToken;
use axum_entra::{EntraBuilder, PopTokens};
use serde_json::{Value, json};

use crate::key::{RSA, base64url};
use crate::world::{Answer, World, send};

/// A signed `GET /` at `a.example`.
pub(crate) fn signed_with(world: &World, token: &str, nonce: &str) -> String {
    let header = json!({ "typ": "pop", "alg": "RS256" }).to_string();
    let payload = json!({
        "at": token, "ts": world.now, "m": "GET", "u": "a.example", "p": "/", "nonce": nonce,
        "cnf": { "jwk": RSA.jwk() },
    });
    let input = format!("{}.{}", base64url(header), base64url(payload.to_string()));
    format!("{input}.{}", base64url(RSA.sign(input.as_bytes())))
}

fn request(authorization: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().uri("/").header("host", "a.example");
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    request.body(Body::empty()).unwrap()
}

async fn get(world: &World, authorization: Option<&str>) -> Answer {
    world.send(request(authorization)).await
}

fn bound(world: &World) -> String {
    world.token(json!({ "kid": RSA.thumbprint() }))
}

#[tokio::test]
async fn each_mode_accepts_its_schemes_and_challenges_them() {
    let modes = [PopTokens::Refuse, PopTokens::Accept, PopTokens::Require];
    for mode in modes {
        let world = World::new(|builder| builder.pop_tokens(mode)).await;
        let (bound, plain) = (bound(&world), world.token(Value::Null));
        let rows = [
            ("none", None, ["missing_token"; 3]),
            (
                "PoP",
                Some(format!("PoP {}", signed_with(&world, &bound, "1"))),
                ["missing_token", "in", "in"],
            ),
            (
                "PoP, not bound",
                Some(format!("PoP {}", signed_with(&world, &plain, "1"))),
                ["missing_token", "proof", "proof"],
            ),
            (
                "Bearer",
                Some(format!("Bearer {plain}")),
                ["in", "in", "proof"],
            ),
            (
                "Bearer again",
                Some(format!("Bearer {plain}")),
                ["in", "in", "proof"],
            ),
            (
                "Bearer, bound",
                Some(format!("Bearer {bound}")),
                ["sender_constrained", "sender_constrained", "proof"],
            ),
            (
                "Bearer, junk",
                Some("Bearer x".to_owned()),
                ["malformed", "malformed", "proof"],
            ),
            (
                "Bearer, empty",
                Some("Bearer ".to_owned()),
                ["400 malformed_header"; 3],
            ),
            (
                "Bearer, no token",
                Some("Bearer a b".to_owned()),
                ["400 malformed_header"; 3],
            ),
            (
                "PoP, empty",
                Some("PoP ".to_owned()),
                [
                    "missing_token",
                    "400 malformed_header",
                    "400 malformed_header",
                ],
            ),
            ("Basic", Some("Basic QTpC".to_owned()), ["missing_token"; 3]),
        ];
        for (name, authorization, expected) in rows {
            let answer = get(&world, authorization.as_deref()).await;
            let place = modes.iter().position(|own| *own == mode).unwrap();
            assert_eq!(answer.brief(), expected[place], "{mode:?} {name}");
            let of_pop = name.starts_with("PoP");
            let schemes: &[&str] = match (answer.status.as_u16(), mode) {
                (200, _) => &[],
                (_, PopTokens::Refuse) => &["Bearer"],
                (_, PopTokens::Require) => &["PoP"],
                (_, _) if of_pop => &["PoP"],
                (400, _) => &["Bearer"],
                _ => &["Bearer", "PoP"],
            };
            assert_eq!(answer.schemes(), schemes, "{mode:?} {name}");
        }
    }
}

/// Every bearer token that `validate` lets into the cache stays out where requests must be signed.
#[tokio::test]
async fn where_every_request_must_be_signed_a_known_bearer_token_is_refused_too() {
    let world = World::new(|builder| builder.pop_tokens(PopTokens::Require)).await;
    let plain = world.token(Value::Null);
    assert!(world.entra.validate(&plain).await.is_ok());
    assert_eq!(
        get(&world, Some(&format!("Bearer {plain}"))).await.brief(),
        "proof"
    );
    assert_eq!(world.runs.count(), 0);
}

#[tokio::test]
async fn a_challenge_says_what_is_wrong_and_gives_a_nonce_first() {
    let describe = |builder: EntraBuilder| {
        builder
            .pop_tokens(PopTokens::Require)
            .pop_nonce(b"0123456789abcdef0123456789abcdef", Duration::from_secs(60))
    };
    let world = World::new(describe).await;
    let token = bound(&world);
    let own = format!("PoP {}", signed_with(&world, &token, "the client's own"));
    let answer = get(&world, Some(&own)).await;
    assert_eq!(answer.brief(), "proof");
    // MSAL.js reads the challenge up to the first comma.
    let challenge = &answer.challenges[0];
    let nonce = challenge
        .strip_prefix("PoP nonce=\"")
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(
        challenge.contains(", error=\"invalid_token\""),
        "{challenge}"
    );
    let right = format!("PoP {}", signed_with(&world, &token, nonce));
    assert_eq!(get(&world, Some(&right)).await.brief(), "in");
    // A replica with the same key knows it; one with another key does not.
    let forged = format!(
        "PoP {}",
        signed_with(&world, &token, &nonce.replace('A', "B"))
    );
    assert_eq!(get(&world, Some(&forged)).await.brief(), "proof");
    let missing = get(&world, None).await;
    assert!(
        missing.challenges[0].starts_with("PoP nonce=\""),
        "{:?}",
        missing.challenges
    );
}

#[tokio::test]
async fn a_route_can_ask_for_a_bound_token() {
    let world = World::new(|builder| builder.pop_tokens(PopTokens::Accept)).await;
    let router = axum::Router::new()
        .route("/", axum::routing::get(|| async { "in" }))
        .route_layer(RequireBoundToken)
        .route_layer(world.entra.layer());
    let plain = world.token(Value::Null);
    let answer = send(&router, request(Some(&format!("Bearer {plain}")))).await;
    assert_eq!(answer.brief(), "proof");
    assert_eq!(answer.schemes(), ["Bearer", "PoP"]);
    let signed = format!("PoP {}", signed_with(&world, &bound(&world), "1"));
    assert_eq!(send(&router, request(Some(&signed))).await.brief(), "in");
}

/// A guard that refuses a signed request answers it as one.
#[tokio::test]
async fn a_guard_challenges_the_scheme_that_the_request_came_with() {
    let world = World::new(|builder| builder.pop_tokens(PopTokens::Accept)).await;
    let router = axum::Router::new()
        .route("/", axum::routing::get(|| async { "in" }))
        .route_layer(axum_entra::guard::RequireScope("Other.Scope"))
        .route_layer(world.entra.layer());
    let signed = format!("PoP {}", signed_with(&world, &bound(&world), "1"));
    let answer = send(&router, request(Some(&signed))).await;
    assert_eq!(
        (answer.brief(), answer.schemes()),
        ("403 scope".to_owned(), vec!["PoP"])
    );
    assert!(
        answer.challenges[0].contains("scope=\"api://"),
        "{:?}",
        answer.challenges
    );
    let plain = format!("Bearer {}", world.token(Value::Null));
    let answer = send(&router, request(Some(&plain))).await;
    assert_eq!(
        (answer.brief(), answer.schemes()),
        ("403 scope".to_owned(), vec!["Bearer"])
    );
}

/// axum's `nest` takes the prefix off the path; the client signed all of it.
#[tokio::test]
async fn inside_of_nest_the_whole_path_is_what_was_signed() {
    for (tells, expected) in [(true, "in"), (false, "proof")] {
        let world = World::new(|builder| {
            let builder = builder.pop_tokens(PopTokens::Accept);
            match tells {
                true => builder.original_uri(|extensions| {
                    Some(extensions.get::<axum::extract::OriginalUri>()?.0.clone())
                }),
                false => builder,
            }
        })
        .await;
        let inner = axum::Router::new()
            .route("/", axum::routing::get(|| async { "in" }))
            .route_layer(world.entra.layer());
        let router = axum::Router::new().nest("/api", inner);
        let token = bound(&world);
        let header = json!({ "typ": "pop", "alg": "RS256" }).to_string();
        let payload = json!({
            "at": token, "ts": world.now, "m": "GET", "u": "a.example", "p": "/api",
            "cnf": { "jwk": RSA.jwk() },
        });
        let input = format!("{}.{}", base64url(header), base64url(payload.to_string()));
        let signed = format!("{input}.{}", base64url(RSA.sign(input.as_bytes())));
        let request = Request::builder()
            .uri("/api")
            .header("host", "a.example")
            .header("authorization", format!("PoP {signed}"))
            .body(Body::empty())
            .unwrap();
        assert_eq!(send(&router, request).await.brief(), expected);
    }
}

#[tokio::test]
async fn a_body_longer_than_allowed_is_not_read() {
    let world =
        World::new(|builder| builder.pop_tokens(PopTokens::Accept).pop_max_body_size(8)).await;
    for (body, expected) in [("12345678", "in"), ("123456789", "proof")] {
        let header = json!({ "typ": "pop", "alg": "RS256" }).to_string();
        let payload = json!({
            "at": bound(&world), "ts": world.now, "m": "PUT", "u": "a.example", "p": "/",
            "b": base64url(crate::key::sha256(body.as_bytes())), "cnf": { "jwk": RSA.jwk() },
        });
        let input = format!("{}.{}", base64url(header), base64url(payload.to_string()));
        let signed = format!("{input}.{}", base64url(RSA.sign(input.as_bytes())));
        let request = Request::put("/")
            .header("host", "a.example")
            .header("authorization", format!("PoP {signed}"))
            .body(Body::from(body))
            .unwrap();
        let answer = world.send(request).await;
        assert_eq!(answer.brief(), expected);
    }
}
