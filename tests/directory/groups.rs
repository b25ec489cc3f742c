//! Groups overage: what is asked, where, and how often. Contract §6, "groups overage".

use std::array;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::routing::get as route;
use axum_entra::graph::GraphConfig;
use axum_entra::guard::{Guard, RequireGroup, RequireScope};
use axum_entra::{Entra, Permit, guards};
use entra_emulator::{ALICE, BOB, DAEMON_ID, GROUP_ID, TokenBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::fake::{Canned, World, assert_is, get};

const OTHER: &str = "aaaaaaaa-0000-4000-8000-000000000002";

guards! {
    InGroup = RequireGroup(GROUP_ID);
}

static GROUPS_45: LazyLock<[String; 45]> =
    LazyLock::new(|| array::from_fn(|n| format!("aaaaaaaa-0000-4000-8000-{:012}", n + 1)));

fn app(entra: &Entra) -> Router {
    let ok = || async { "passed" };
    Router::new()
        .route("/group", route(ok).route_layer(RequireGroup(GROUP_ID)))
        .route("/other", route(ok).route_layer(RequireGroup(OTHER)))
        .route(
            "/both",
            route(ok).route_layer(RequireGroup::all([GROUP_ID, OTHER])),
        )
        .route(
            "/and",
            route(ok).route_layer(RequireGroup(GROUP_ID).and(RequireGroup(OTHER))),
        )
        .route(
            "/groups-45",
            route(ok).route_layer(RequireGroup::any(GROUPS_45.clone())),
        )
        .route(
            "/scope-or-group",
            route(ok).route_layer(RequireScope("access_as_user").or(RequireGroup(GROUP_ID))),
        )
        .route("/named", route(ok).route_layer(RequireGroup("Sales")))
        .route(
            "/named-or-id",
            route(ok).route_layer(RequireGroup::any(["Sales", GROUP_ID])),
        )
        .route(
            "/permit",
            route(|permit: Permit<InGroup>| async move {
                assert!(permit.claims().object_id().is_some());
                "passed"
            }),
        )
        .route_layer(entra.layer())
}

/// A token in overage, with the claims of shape A.
fn overage(token: TokenBuilder, endpoint: &str) -> TokenBuilder {
    token
        .scope("access_as_user")
        .claim("_claim_names", json!({ "groups": "src1" }))
        .claim(
            "_claim_sources",
            json!({ "src1": { "endpoint": endpoint } }),
        )
}

/// Where the URL in a token leads: no request may ever arrive there.
async fn hostile() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let visitors = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&visitors);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, visitors)
}

#[tokio::test]
async fn a37_an_overage_is_answered_by_graph_and_by_no_address_of_the_token() {
    let (evil, visitors) = hostile().await;
    let retired = "https://graph.windows.net/1/users/2/getMemberObjects".to_owned();
    let seed = "690222be-ff1a-4d56-abd1-7e4f7d38e474";
    let cases = [
        ("A37a", Some(&retired)),
        ("A37b", Some(&evil)),
        ("A37c", None),
    ];
    for (case, endpoint) in cases {
        let world = World::new().await;
        world.fake.member_of(&[GROUP_ID]);
        let token = world.emulator.token().user("bob").claim("oid", seed);
        let token = match endpoint {
            Some(endpoint) => overage(token, endpoint),
            None => token.scope("access_as_user").claim("hasgroups", true),
        };
        let answer = get(&app(&world.entra()), "/group", &token.mint()).await;
        assert_is(&answer, 200, "");
        let calls = world.fake.graph_calls();
        assert_eq!(calls.len(), 1, "{case}");
        assert_eq!(
            calls[0].path,
            format!("/v1.0/users/{seed}/checkMemberGroups")
        );
        assert_eq!(calls[0].json(), json!({ "groupIds": [GROUP_ID] }));
        assert!(calls[0].authorization.starts_with("Bearer token-"));
    }
    assert_eq!(visitors.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a37d_graph_out_of_order_is_503_and_the_handler_does_not_run() {
    let world = World::new().await;
    world
        .fake
        .graph_answers(Some(Canned::Json(503, Value::Null)));
    let ran = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ran);
    let handler = move || async move {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    let app = Router::new()
        .route("/group", route(handler).route_layer(RequireGroup(GROUP_ID)))
        .route_layer(world.entra().layer());
    let token = world.emulator.token().scope("a").groups_overage().mint();
    let answer = get(&app, "/group", &token).await;
    assert_is(&answer, 503, "directory_unavailable");
    assert_eq!(answer.retry_after(), Some(1));
    assert_eq!(answer.challenge(), "");
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a38_without_a_resolver_an_overage_is_403_in_every_shape() {
    let world = World::new().await;
    let without = Entra::builder_for(world.authority()).build().unwrap();
    let switched_off = world.entra_with(world.access().resolve_groups(false));
    let token = || world.emulator.token().user("bob").scope("access_as_user");
    let shapes = [
        ("A38a", overage(token(), "https://graph.windows.net/x")),
        ("A38b", token().claim("hasgroups", true)),
        ("A38c", token().claim("groups", "src1")),
        (
            "A38d",
            token()
                .claim("_claim_names", json!({ "groups": "src2" }))
                .claim(
                    "_claim_sources",
                    json!({ "src1": { "endpoint": "https://a.example" } }),
                ),
        ),
    ];
    for (case, token) in shapes {
        let token = token.mint();
        for entra in [&without, &switched_off] {
            let answer = get(&app(entra), "/group", &token).await;
            assert_eq!(
                (answer.status.as_u16(), answer.reason()),
                (403, "groups_overage"),
                "{case}"
            );
        }
        // The same token passes where Graph can be asked.
        world.fake.member_of(&[GROUP_ID]);
        let answer = get(&app(&world.entra()), "/group", &token).await;
        assert_eq!(answer.status, 200, "{case}");
    }
}

#[tokio::test]
async fn a_group_that_stands_in_the_token_passes_without_a_question() {
    let world = World::new().await;
    let app = app(&world.entra());
    let token = world.emulator.token().scope("access_as_user");
    let listed = token.groups([GROUP_ID]).claim("hasgroups", "true").mint();
    assert_is(&get(&app, "/group", &listed).await, 200, "");
    let anything = world
        .emulator
        .token()
        .scope("access_as_user")
        .groups_overage();
    let anything = anything.mint();
    assert_is(&get(&app, "/scope-or-group", &anything).await, 200, "");
    assert!(world.fake.graph_calls().is_empty() && world.fake.token_calls().is_empty());
}

#[tokio::test]
async fn who_is_no_member_is_403_group_as_is_who_is_not_in_the_directory() {
    let world = World::new().await;
    let app = app(&world.entra());
    let token = |user: &str| {
        world
            .emulator
            .token()
            .user(user)
            .scope("a")
            .groups_overage()
            .mint()
    };
    assert_is(&get(&app, "/group", &token("alice")).await, 403, "group");
    world
        .fake
        .graph_answers(Some(Canned::Json(404, json!({ "error": { "code": "x" } }))));
    assert_is(&get(&app, "/group", &token("bob")).await, 403, "group");
    // Both are answers, and kept.
    for user in ["alice", "bob"] {
        assert_is(&get(&app, "/group", &token(user)).await, 403, "group");
    }
    assert_eq!(world.fake.graph_calls().len(), 2);
}

#[tokio::test]
async fn an_application_is_looked_up_among_service_principals_with_a_token_of_our_own() {
    let world = World::new().await;
    world.fake.member_of(&[GROUP_ID]);
    let token = world.emulator.token().app("daemon").groups_overage().mint();
    assert_is(&get(&app(&world.entra()), "/group", &token).await, 200, "");
    let calls = world.fake.graph_calls();
    assert_eq!(calls.len(), 1);
    assert!(
        calls[0].path.starts_with("/v1.0/servicePrincipals/"),
        "{}",
        calls[0].path
    );
    let asked = world.fake.token_calls();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].field("grant_type").unwrap(), "client_credentials");
    assert_eq!(asked[0].field("assertion"), None);
    assert_ne!(asked[0].field("client_id").unwrap(), DAEMON_ID);
}

#[tokio::test]
async fn forty_five_groups_are_three_questions_of_twenty_at_most() {
    let world = World::new().await;
    world.fake.member_of(&[&GROUPS_45[44]]);
    let app = app(&world.entra());
    let token = world.emulator.token().scope("a").groups_overage().mint();
    assert_is(&get(&app, "/groups-45", &token).await, 200, "");
    let asked = |call: &crate::fake::Call| call.json()["groupIds"].as_array().unwrap().len();
    let calls = world.fake.graph_calls();
    assert_eq!(calls.iter().map(asked).collect::<Vec<_>>(), [20, 20, 5]);
    // What is known of each group serves other guards.
    assert_is(&get(&app, "/group", &token).await, 403, "group");
    assert_is(&get(&app, "/other", &token).await, 403, "group");
    assert_eq!(world.fake.graph_calls().len(), 3);
    assert_eq!(world.fake.token_calls().len(), 1);
}

#[tokio::test]
async fn a_thousand_requests_of_one_account_are_one_question() {
    let world = World::new().await;
    world.fake.member_of(&[GROUP_ID]);
    world.fake.delay(std::time::Duration::from_millis(50));
    let app = app(&world.entra());
    // The first keys are there: those who wait for them are limited in number.
    let known = world.emulator.token().scope("a").mint();
    get(&app, "/group", &known).await;
    let token = world.emulator.token().scope("a").groups_overage().mint();
    let mut all = JoinSet::new();
    for number in 0..1_000 {
        let (app, token) = (app.clone(), token.clone());
        let path = if number % 2 == 0 { "/group" } else { "/permit" };
        all.spawn(async move { get(&app, path, &token).await.status.as_u16() });
    }
    assert!(all.join_all().await.iter().all(|status| *status == 200));
    assert_eq!(world.fake.graph_calls().len(), 1);
    assert_eq!(world.fake.token_calls().len(), 1);
}

#[tokio::test]
async fn all_open_groups_of_a_guard_go_in_one_question() {
    for path in ["/both", "/and"] {
        let world = World::new().await;
        world.fake.member_of(&[GROUP_ID, OTHER]);
        let token = world.emulator.token().scope("a").groups_overage().mint();
        assert_is(&get(&app(&world.entra()), path, &token).await, 200, "");
        let calls = world.fake.graph_calls();
        assert_eq!(calls.len(), 1, "{path}");
        assert_eq!(calls[0].json(), json!({ "groupIds": [GROUP_ID, OTHER] }));
    }
}

#[tokio::test]
async fn another_account_is_another_question_and_forgetting_one_leaves_the_other() {
    let world = World::new().await;
    world.fake.member_of(&[GROUP_ID]);
    let entra = world.entra();
    let app = app(&entra);
    let token = |user: &str| {
        world
            .emulator
            .token()
            .user(user)
            .scope("a")
            .groups_overage()
            .mint()
    };
    let (alice, bob) = (token("alice"), token("bob"));
    for token in [&alice, &alice, &bob, &bob] {
        assert_is(&get(&app, "/permit", token).await, 200, "");
    }
    assert_eq!(world.fake.graph_calls().len(), 2);
    let tenant = entra_emulator::CONTOSO.parse().unwrap();
    entra
        .graph()
        .invalidate_account(tenant, ALICE.parse().unwrap());
    assert_is(&get(&app, "/permit", &bob).await, 200, "");
    assert_eq!(world.fake.graph_calls().len(), 2);
    assert_is(&get(&app, "/permit", &alice).await, 200, "");
    let calls = world.fake.graph_calls();
    assert_eq!(calls.len(), 3);
    assert!(calls[2].path.contains(ALICE) && calls[1].path.contains(BOB));
}

#[tokio::test]
async fn groups_by_name_cannot_be_asked_for() {
    let world = World::new().await;
    let app = app(&world.entra());
    let token = world.emulator.token().scope("a").groups_overage().mint();
    assert_is(&get(&app, "/named", &token).await, 403, "groups_overage");
    assert!(world.fake.graph_calls().is_empty());
    assert_is(
        &get(&app, "/named-or-id", &token).await,
        403,
        "groups_overage",
    );
    assert_eq!(
        world.fake.graph_calls()[0].json(),
        json!({ "groupIds": [GROUP_ID] })
    );
}

#[tokio::test]
async fn answers_that_are_kept_for_no_time_are_asked_for_again() {
    let world = World::new().await;
    world.fake.member_of(&[GROUP_ID]);
    let access: GraphConfig = world.access().cache_ttl(std::time::Duration::ZERO);
    let app = app(&world.entra_with(access));
    let token = world.emulator.token().scope("a").groups_overage().mint();
    for expected in 1..=2 {
        assert_is(&get(&app, "/group", &token).await, 200, "");
        assert_eq!(world.fake.graph_calls().len(), expected);
    }
}
