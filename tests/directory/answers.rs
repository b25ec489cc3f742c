//! What comes of each thing that can go wrong. Contract §6 and §7, "Graph".

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::routing::get as route;
use axum_entra::guard::RequireGroup;
use axum_entra::{Entra, JwksRefresh};
use entra_emulator::{GROUP_ID, USER_PASSWORD};
use serde_json::{Value, json};

use crate::fake::{Canned, World, assert_is, get};

fn app(entra: &Entra) -> Router {
    let ok = || async { "passed" };
    Router::new()
        .route("/group", route(ok).route_layer(RequireGroup(GROUP_ID)))
        .route_layer(entra.layer())
}

fn in_overage(world: &World) -> String {
    world.emulator.token().scope("a").groups_overage().mint()
}

#[tokio::test]
async fn graph_refusing_or_failing_is_503_with_its_retry_after() {
    let rows = [
        (Canned::Json(400, Value::Null), 1),
        (Canned::Json(401, Value::Null), 1),
        (
            Canned::Json(
                403,
                json!({ "error": { "code": "Authorization_RequestDenied" } }),
            ),
            1,
        ),
        (Canned::RetryAfter(429, "17"), 17),
        (Canned::RetryAfter(429, "soon"), 1),
        (Canned::RetryAfter(429, "0"), 1),
        (Canned::RetryAfter(429, "7200"), 7_200),
        (Canned::RetryAfter(429, "999999999"), 86_400),
        (Canned::Json(500, Value::Null), 1),
        (Canned::RetryAfter(503, "30"), 30),
        (Canned::Json(504, Value::Null), 1),
        (Canned::Json(200, json!({ "value": "not a list" })), 1),
        (Canned::Json(200, json!([])), 1),
        (Canned::Json(204, Value::Null), 1),
    ];
    for (canned, retry_after) in rows {
        let world = World::new().await;
        let app = app(&world.entra());
        let name = format!("{canned:?}");
        world.fake.graph_answers(Some(canned));
        let answer = get(&app, "/group", &in_overage(&world)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.reason()),
            (503, "directory_unavailable"),
            "{name}"
        );
        assert_eq!(answer.body["error"], "temporarily_unavailable");
        assert_eq!(answer.retry_after(), Some(retry_after), "{name}");
        // It is remembered: the next request does not ask Graph.
        let again = get(&app, "/group", &in_overage(&world)).await;
        assert_is(&again, 503, "directory_unavailable");
        assert_eq!(world.fake.graph_calls().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_failure_concerns_one_account_and_is_over_after_a_second() {
    let world = World::new().await;
    let app = app(&world.entra());
    world.fake.member_of(&[GROUP_ID]);
    world
        .fake
        .graph_answers(Some(Canned::Json(502, Value::Null)));
    assert_is(
        &get(&app, "/group", &in_overage(&world)).await,
        503,
        "directory_unavailable",
    );
    world.fake.graph_answers(None);
    let bob = world
        .emulator
        .token()
        .user("bob")
        .scope("a")
        .groups_overage()
        .mint();
    assert_is(&get(&app, "/group", &bob).await, 200, "");
    // Sockets and a paused clock do not go together.
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert_is(&get(&app, "/group", &in_overage(&world)).await, 200, "");
}

#[tokio::test]
async fn graph_too_slow_is_503_within_the_time_limit() {
    let world = World::new().await;
    let freshness = JwksRefresh::default().timeout(Duration::from_millis(300));
    let entra = Entra::builder_for(world.authority().jwks_refresh(freshness))
        .graph(world.access())
        .build()
        .unwrap();
    world.fake.graph_answers(Some(Canned::Never));
    let answer = get(&app(&entra), "/group", &in_overage(&world)).await;
    assert_is(&answer, 503, "directory_unavailable");
}

#[tokio::test]
async fn an_answer_greater_than_allowed_is_503() {
    let world = World::new().await;
    let freshness = JwksRefresh::default().max_document_size(60_000);
    let entra = Entra::builder_for(world.authority().jwks_refresh(freshness))
        .graph(world.access())
        .build()
        .unwrap();
    let ids = vec![GROUP_ID; 2_000];
    world
        .fake
        .graph_answers(Some(Canned::Json(200, json!({ "value": ids }))));
    let answer = get(&app(&entra), "/group", &in_overage(&world)).await;
    assert_is(&answer, 503, "directory_unavailable");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let world = World::new().await;
    let elsewhere = World::new().await;
    let to = format!("{}/v1.0/users/x/checkMemberGroups", elsewhere.fake.url);
    world.fake.graph_answers(Some(Canned::Redirect(to.clone())));
    let answer = get(&app(&world.entra()), "/group", &in_overage(&world)).await;
    assert_is(&answer, 503, "directory_unavailable");
    world.fake.tokens_answer(Some(Canned::Redirect(to)));
    let answer = get(&app(&world.entra()), "/group", &in_overage(&world)).await;
    assert_is(&answer, 503, "directory_unavailable");
    assert!(elsewhere.fake.graph_calls().is_empty());
}

#[tokio::test]
async fn a_failing_token_endpoint_is_503_and_graph_is_not_asked() {
    let rows = [
        (Canned::RetryAfter(429, "9"), 9),
        (Canned::Json(500, Value::Null), 1),
        (
            Canned::Json(
                401,
                json!({ "error": "invalid_client", "error_codes": [7000215] }),
            ),
            1,
        ),
        (Canned::Json(200, json!({ "token_type": "Bearer" })), 1),
    ];
    for (canned, retry_after) in rows {
        let world = World::new().await;
        world.fake.tokens_answer(Some(canned));
        let answer = get(&app(&world.entra()), "/group", &in_overage(&world)).await;
        assert_is(&answer, 503, "directory_unavailable");
        assert_eq!(answer.retry_after(), Some(retry_after));
        assert!(world.fake.graph_calls().is_empty());
    }
}

#[tokio::test]
async fn a_token_endpoint_on_another_host_gets_no_secret() {
    let world = World::new().await;
    let elsewhere = World::new().await;
    let foreign = format!("{}/common/oauth2/v2.0/token", elsewhere.fake.url);
    world.fake.token_endpoint(&foreign);
    let freshness = JwksRefresh::default().timeout(Duration::from_millis(300));
    let entra = Entra::builder_for(world.authority().jwks_refresh(freshness))
        .graph(world.access())
        .build()
        .unwrap();
    let answer = get(&app(&entra), "/group", &in_overage(&world)).await;
    assert_is(&answer, 503, "directory_unavailable");
    assert!(elsewhere.fake.token_calls().is_empty());
}

#[tokio::test]
async fn a_header_that_was_exchanged_on_the_way_is_not_handed_on() {
    let world = World::new().await;
    let bob = world
        .emulator
        .token()
        .user("bob")
        .scope("a")
        .groups_overage()
        .mint();
    for other in [bob, USER_PASSWORD.to_owned()] {
        let exchange = move |mut request: Request, next: Next| {
            let value = HeaderValue::try_from(format!("Bearer {other}")).unwrap();
            async move {
                request.headers_mut().insert(header::AUTHORIZATION, value);
                next.run(request).await
            }
        };
        let ok = || async { "passed" };
        let app = Router::new()
            .route("/group", route(ok).route_layer(RequireGroup(GROUP_ID)))
            .route_layer(from_fn(exchange))
            .route_layer(world.entra().layer());
        let answer = get(&app, "/group", &in_overage(&world)).await;
        assert_is(&answer, 503, "directory_unavailable");
    }
    assert!(world.fake.token_calls().is_empty());
}

#[tokio::test]
async fn a_token_that_graph_does_not_take_is_not_used_again() {
    let world = World::new().await;
    let app = app(&world.entra());
    world.fake.member_of(&[GROUP_ID]);
    world
        .fake
        .graph_answers(Some(Canned::Json(401, Value::Null)));
    let token = in_overage(&world);
    assert_is(
        &get(&app, "/group", &token).await,
        503,
        "directory_unavailable",
    );
    world.fake.graph_answers(None);
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert_is(&get(&app, "/group", &token).await, 200, "");
    assert_eq!(world.fake.token_calls().len(), 2);
}
