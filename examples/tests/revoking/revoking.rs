//! The samples' routes that end sessions: who is cut off, and by whose clock (contract section 6,
//! "Graph revoke").

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::routing::get as route;
use axum_entra::{Claims, Entra};
use entra_emulator::{ALICE, BOB};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::account_routes;
use crate::fake::{Answer, Canned, World, answer_of, assert_is, get};

const UNKNOWN: &str = "99999999-0000-4000-8000-000000000009";

fn app(entra: &Entra) -> Router {
    let (routes, _) = account_routes::routes(entra).split_for_parts();
    routes
        .route("/me", route(|_: Claims| async {}))
        .layer(entra.layer())
}

async fn post(app: &Router, path: &str, token: &str) -> Answer {
    let request = Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap();
    answer_of(app.clone().oneshot(request).await.unwrap()).await
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// A token that was issued so many seconds ago; Entra writes `iat` five minutes earlier.
fn token(world: &World, user: &str, ago: u64) -> String {
    let scopes = "a User.RevokeSessions.All Directory.AccessAsUser.All";
    let token = world.emulator.token().user(user).scope(scopes);
    token.issued_at(now() - ago - 300).mint()
}

/// Who of both still gets in with a token of yesterday evening.
async fn in_with_old_tokens(app: &Router, world: &World) -> Vec<&'static str> {
    let mut passing = Vec::new();
    for user in ["alice", "bob"] {
        if get(app, "/me", &token(world, user, 3_000)).await.status == 200 {
            passing.push(user);
        }
    }
    passing
}

#[tokio::test]
async fn an_account_is_cut_off_only_after_graph_answered_2xx() {
    for (path, who) in [
        ("/me/revokeSignInSessions".to_owned(), "alice"),
        ("/me/invalidateAllRefreshTokens".to_owned(), "alice"),
        (format!("/users/{ALICE}/revokeSignInSessions"), "alice"),
        (format!("/users/{BOB}/revokeSignInSessions"), "bob"),
        (format!("/users/{BOB}/invalidateAllRefreshTokens"), "bob"),
    ] {
        for status in [200, 202, 204] {
            let world = World::new().await;
            let app = app(&world.entra());
            let alice = token(&world, "alice", 0);
            world
                .fake
                .graph_answers(Some(Canned::Json(status, json!({}))));
            let answer = post(&app, &path, &alice).await;
            assert!(answer.status.is_success(), "{path}: {answer:?}");
            let left = in_with_old_tokens(&app, &world).await;
            assert_eq!(
                left,
                [if who == "alice" { "bob" } else { "alice" }],
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn the_callers_own_account_is_cut_off_whatever_graph_says() {
    let rows = [
        (Canned::Json(403, Value::Null), "directory_unavailable"),
        (Canned::Json(404, Value::Null), "directory_unavailable"),
        (Canned::Json(500, Value::Null), "directory_unavailable"),
    ];
    for path in ["/me".to_owned(), format!("/users/{ALICE}")] {
        for (canned, reason) in rows.clone() {
            let world = World::new().await;
            let app = app(&world.entra());
            world.fake.graph_answers(Some(canned));
            let path = format!("{path}/revokeSignInSessions");
            let answer = post(&app, &path, &token(&world, "alice", 0)).await;
            assert_is(&answer, 503, reason);
            assert_eq!(in_with_old_tokens(&app, &world).await, ["bob"], "{path}");
        }
    }
    // A refusal on behalf of the user is answered as it is.
    let world = World::new().await;
    let app = app(&world.entra());
    let refusal = json!({ "error": "invalid_grant", "suberror": "consent_required" });
    world.fake.tokens_answer(Some(Canned::Json(400, refusal)));
    let answer = post(&app, "/me/revokeSignInSessions", &token(&world, "alice", 0)).await;
    assert_is(&answer, 403, "consent_required");
    assert_eq!(in_with_old_tokens(&app, &world).await, ["bob"]);
}

#[tokio::test]
async fn another_account_is_not_cut_off_unless_graph_agreed() {
    let denied = json!({ "error": { "code": "Authorization_RequestDenied" } });
    let missing = json!({ "error": { "code": "Request_ResourceNotFound" } });
    let rows = [
        (
            Canned::Json(403, denied),
            403,
            "forbidden",
            "directory_refused",
        ),
        (Canned::Json(404, missing), 404, "not_found", "not_found"),
        (
            Canned::Json(500, Value::Null),
            503,
            "temporarily_unavailable",
            "directory_unavailable",
        ),
        (
            Canned::RetryAfter(429, "9"),
            503,
            "temporarily_unavailable",
            "directory_unavailable",
        ),
    ];
    for (canned, status, error, reason) in rows {
        for who in [BOB, "bob%40contoso.onmicrosoft.com"] {
            for call in ["revokeSignInSessions", "invalidateAllRefreshTokens"] {
                let world = World::new().await;
                let app = app(&world.entra());
                world.fake.graph_answers(Some(canned.clone()));
                let path = format!("/users/{who}/{call}");
                let answer = post(&app, &path, &token(&world, "alice", 0)).await;
                assert_is(&answer, status, reason);
                assert_eq!(answer.body["error"], error, "{path}");
                assert_eq!(
                    in_with_old_tokens(&app, &world).await,
                    ["alice", "bob"],
                    "{path}"
                );
            }
        }
    }
    let world = World::new().await;
    let app = app(&world.entra());
    let path = format!("/users/{UNKNOWN}/revokeSignInSessions");
    world
        .fake
        .graph_answers(Some(Canned::Json(404, Value::Null)));
    assert_is(
        &post(&app, &path, &token(&world, "alice", 0)).await,
        404,
        "not_found",
    );
}

#[tokio::test]
async fn without_credentials_it_is_503_and_only_the_callers_own_account_is_cut_off() {
    let rows = [
        ("/me".to_owned(), vec!["bob"]),
        (format!("/users/{ALICE}"), vec!["bob"]),
        (format!("/users/{BOB}"), vec!["alice", "bob"]),
        (
            "/users/bob%40contoso.onmicrosoft.com".to_owned(),
            vec!["alice", "bob"],
        ),
    ];
    for (path, left) in rows {
        let world = World::new().await;
        let app = app(&Entra::builder_for(world.authority()).build().unwrap());
        let path = format!("{path}/revokeSignInSessions");
        let answer = post(&app, &path, &token(&world, "alice", 0)).await;
        assert_is(&answer, 503, "directory_unavailable");
        assert_eq!(in_with_old_tokens(&app, &world).await, left, "{path}");
    }
}

#[tokio::test]
async fn the_cut_off_is_graphs_time_rounded_up() {
    let world = World::new().await;
    let app = app(&world.entra());
    // Two minutes behind this machine.
    let date = now() - 120;
    world.fake.date(UNIX_EPOCH + Duration::from_secs(date));
    let path = format!("/users/{BOB}/revokeSignInSessions");
    assert_is(
        &post(&app, &path, &token(&world, "alice", 0)).await,
        200,
        "",
    );
    let bob = |issued| {
        let token = world.emulator.token().user("bob").scope("a");
        token.issued_at(issued - 300).mint()
    };
    for (issued, status) in [
        (date - 1, 401),
        (date, 401),
        (date + 1, 200),
        (date + 60, 200),
    ] {
        let answer = get(&app, "/me", &bob(issued)).await;
        assert_eq!(
            answer.status,
            status,
            "{}",
            i128::from(issued) - i128::from(date)
        );
    }
}
