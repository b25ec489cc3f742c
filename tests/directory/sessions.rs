//! `Graph:CheckSessions`: tokens from before the user's sessions were revoked.

use std::time::Duration;

use axum::Router;
use axum::routing::get as route;
use axum_entra::graph::GraphError;
use axum_entra::guard::DenialReason;
use axum_entra::{Entra, Rejection};
use entra_emulator::ALICE;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::fake::{Canned, World, assert_is, get};
use crate::log::Log;

fn app(entra: &Entra) -> Router {
    Router::new()
        .route("/me", route(|| async { "passed" }))
        .route_layer(entra.layer())
}

fn checking(world: &World) -> Entra {
    world.entra_with(world.access().check_sessions(true))
}

fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// The RFC 3339 form of a time, as Graph writes it.
fn graph_time(seconds: u64) -> Value {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    let mut left = days;
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    let (hour, minute, second) = (rest / 3_600, rest % 3_600 / 60, rest % 60);
    json!(format!(
        "{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z",
        left + 1
    ))
}

#[tokio::test]
async fn a_token_older_than_the_cut_off_is_revoked_and_one_of_the_same_second_passes() {
    let world = World::new().await;
    let cut_off = now() - 1_000;
    // Entra writes `iat` five minutes earlier than it issues.
    let same = cut_off - 300;
    world.fake.sessions_valid_from(graph_time(cut_off));
    let entra = checking(&world);
    let app = app(&entra);
    let token = || world.emulator.token().scope("access_as_user");
    assert_is(
        &get(&app, "/me", &token().issued_at(same).mint()).await,
        200,
        "",
    );
    let old = token().issued_at(same - 1).mint();
    let refused = get(&app, "/me", &old).await;
    assert_is(&refused, 401, "revoked");
    assert_eq!(refused.body["error"], "invalid_token");
    assert_is(
        &get(&app, "/me", &token().without("iat").mint()).await,
        401,
        "revoked",
    );
    assert_eq!(entra.validate(&old).await.unwrap_err().reason(), "revoked");

    let capable = token()
        .issued_at(same - 1)
        .claim("xms_cc", json!(["cp1"]))
        .mint();
    let challenged = get(&app, "/me", &capable).await;
    assert_is(&challenged, 401, "revoked");
    assert_eq!(challenged.body["error"], "insufficient_claims");
    let nbf = json!({ "essential": true, "value": cut_off.to_string() });
    assert_eq!(
        challenged.claims(),
        json!({ "access_token": { "nbf": nbf } })
    );

    let calls = world.fake.graph_calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].path, format!("/v1.0/users/{ALICE}"));
    assert_eq!(calls[0].query, "$select=signInSessionsValidFromDateTime");
}

#[tokio::test]
async fn a_user_whose_sessions_were_never_revoked_passes() {
    let world = World::new().await;
    let token = world
        .emulator
        .token()
        .scope("a")
        .issued_at(now() - 3_000)
        .mint();
    world
        .fake
        .sessions_valid_from(json!("0001-01-01T00:00:00Z"));
    assert_is(&get(&app(&checking(&world)), "/me", &token).await, 200, "");
}

#[tokio::test]
async fn a_time_that_graph_does_not_tell_decides_nothing_and_the_log_names_the_permission() {
    for answer in [
        json!({}),
        json!({ "signInSessionsValidFromDateTime": null }),
    ] {
        let (log, _listening) = Log::listen();
        let world = World::new().await;
        world.fake.graph_answers(Some(Canned::Json(200, answer)));
        let app = app(&checking(&world));
        let token = world.emulator.token().scope("a").mint();
        for _ in 0..2 {
            let answer = get(&app, "/me", &token).await;
            assert_is(&answer, 503, "directory_unavailable");
            assert_eq!(answer.retry_after(), Some(1));
        }
        assert_eq!(world.fake.graph_calls().len(), 1, "a failure is remembered");
        let said = log.lines("signInSessionsValidFromDateTime");
        assert!(
            said[0].contains("WARN") && said[0].contains("User.Read"),
            "{said:?}"
        );
    }
}

#[tokio::test]
async fn a_user_who_is_gone_is_revoked() {
    let world = World::new().await;
    world
        .fake
        .graph_answers(Some(Canned::Json(404, Value::Null)));
    let token = world.emulator.token().scope("a").mint();
    assert_is(
        &get(&app(&checking(&world)), "/me", &token).await,
        401,
        "revoked",
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_503_and_never_a_pass() {
    let world = World::new().await;
    let token = world.emulator.token().scope("a").mint();
    for canned in [
        Canned::Json(500, Value::Null),
        Canned::Json(403, Value::Null),
        Canned::Json(
            200,
            json!({ "signInSessionsValidFromDateTime": "yesterday" }),
        ),
        Canned::Json(200, json!({ "signInSessionsValidFromDateTime": 7 })),
    ] {
        world.fake.graph_answers(Some(canned));
        let answer = get(&app(&checking(&world)), "/me", &token).await;
        assert_is(&answer, 503, "directory_unavailable");
    }
}

#[tokio::test]
async fn applications_have_no_sessions_and_graph_is_asked_only_if_configured() {
    let world = World::new().await;
    let daemon = world.emulator.token().app("daemon").mint();
    assert_is(&get(&app(&checking(&world)), "/me", &daemon).await, 200, "");
    let alice = world.emulator.token().scope("a").mint();
    assert_is(&get(&app(&world.entra()), "/me", &alice).await, 200, "");
    assert!(world.fake.graph_calls().is_empty());
}

/// Contract section 7: user callers only.
#[tokio::test]
async fn of_a_caller_who_is_not_known_to_be_a_user_graph_is_not_asked() {
    let world = World::new().await;
    world.fake.sessions_valid_from(graph_time(now()));
    let app = app(&checking(&world));
    let token = || {
        world
            .emulator
            .token()
            .scope("access_as_user")
            .issued_at(now() - 1_000)
    };
    let device = token().claim("idtyp", "device").mint();
    assert_is(&get(&app, "/me", &device).await, 200, "");
    assert_eq!(world.fake.graph_calls().len(), 0);
    assert_is(&get(&app, "/me", &token().mint()).await, 401, "revoked");
    assert_eq!(world.fake.graph_calls().len(), 1);
}

#[tokio::test]
async fn many_requests_of_one_user_are_one_question() {
    let world = World::new().await;
    world.fake.sessions_valid_from(graph_time(now() - 100_000));
    world.fake.delay(std::time::Duration::from_millis(20));
    let app = app(&checking(&world));
    let token = world.emulator.token().scope("a").mint();
    let mut all = JoinSet::new();
    for _ in 0..200 {
        let (app, token) = (app.clone(), token.clone());
        all.spawn(async move { get(&app, "/me", &token).await.status.as_u16() });
    }
    assert!(all.join_all().await.iter().all(|status| *status == 200));
    assert_eq!(world.fake.graph_calls().len(), 1);
}

#[tokio::test]
async fn outside_http_the_error_says_whether_the_token_or_the_directory_is_at_fault() {
    let world = World::new().await;
    let entra = checking(&world);
    world.fake.sessions_valid_from(graph_time(now() - 1_000));
    let token = || world.emulator.token().scope("access_as_user");
    assert!(entra.validate(&token().mint()).await.is_ok());

    world.fake.graph_answers(Some(Canned::Json(500, json!({}))));
    let bob = token().user("bob").mint();
    let error = entra.validate(&bob).await.unwrap_err();
    assert!(matches!(
        error.graph_error(),
        Some(GraphError::Unavailable { .. })
    ));
    assert_eq!(error.reason(), "directory_unavailable");
    assert!(error.is_unavailable() && error.invalid_token().is_none());
    assert!(
        error
            .retry_after()
            .is_some_and(|rest| rest >= Duration::from_secs(1))
    );
    assert_eq!(Rejection::from(error).status(), 503);

    let permissionless = world
        .emulator
        .token()
        .without("scp")
        .without("roles")
        .mint();
    let error = entra.validate(&permissionless).await.unwrap_err();
    assert_eq!(error.denial(), Some(DenialReason::NoPermissions));
    assert!(!error.is_unavailable() && error.graph_error().is_none());
    assert_eq!(Rejection::from(error).status(), 403);
}
