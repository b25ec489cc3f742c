//! How long one request waits, and where secrets go.

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get as route;
use axum_entra::guard::RequireGroup;
use axum_entra::{CallerToken, Entra, GraphClient, HttpClient, JwksRefresh, Rejection};
use entra_emulator::{BOB, GROUP_ID};

use crate::fake::{Canned, World, assert_is, get};

async fn both(directory: GraphClient, caller: CallerToken) -> Result<(), Rejection> {
    directory.member_groups(&caller).await?;
    for scope in ["https://a.example/x", "https://b.example/x"] {
        directory.on_behalf_of(&caller, &[scope]).await?;
    }
    Ok(())
}

fn app(entra: &Entra) -> Router {
    let many: Vec<String> = (1..=200)
        .map(|number| format!("aaaaaaaa-0000-4000-8000-{number:012}"))
        .collect();
    let many: [String; 200] = many.try_into().unwrap();
    Router::new()
        .route(
            "/many",
            route(|| async {}).route_layer(RequireGroup::any(many)),
        )
        .route("/both", route(both).route_layer(RequireGroup(GROUP_ID)))
        .route_layer(entra.layer())
}

#[tokio::test]
async fn all_that_is_asked_for_one_request_ends_within_twice_the_timeout() {
    let world = World::new().await;
    let freshness = JwksRefresh::default().timeout(Duration::from_millis(500));
    let entra = Entra::builder_for(world.authority().jwks_refresh(freshness))
        .graph(world.access().check_sessions(true))
        .build()
        .unwrap();
    world
        .fake
        .sessions_valid_from(serde_json::json!("2020-01-01T00:00:00Z"));
    world.fake.member_of(&[GROUP_ID]);
    world.fake.objects(serde_json::json!([BOB]));
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
    // Quick enough, every time.
    world.fake.delay(Duration::from_millis(5));
    assert_is(&get(&app, "/many", &token("alice")).await, 200, "");
    // Token, sessions and ten calls for two hundred groups, each within its own limit.
    world.fake.delay(Duration::from_millis(200));
    for (path, user) in [("/many", "bob"), ("/both", "carol")] {
        let began = Instant::now();
        let answer = get(&app, path, &token(user)).await;
        assert_is(&answer, 503, "directory_unavailable");
        let took = began.elapsed();
        assert!(
            took > Duration::from_millis(900) && took < Duration::from_millis(1_500),
            "{took:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_gets_neither_secret_nor_token_whatever_client_is_given() {
    let elsewhere = World::new().await;
    let to = format!("{}/common/oauth2/v2.0/token", elsewhere.fake.url);
    for own in [false, true] {
        let world = World::new().await;
        let mut builder = Entra::builder_for(world.authority()).graph(world.access());
        if own {
            // reqwest's default is to follow, and a 307 is followed with its body.
            builder = builder.http_client(HttpClient::builder());
        }
        let app = app(&builder.build().unwrap());
        let token = || world.emulator.token().scope("a").groups_overage().mint();
        world.fake.graph_answers(Some(Canned::Redirect(to.clone())));
        assert_is(
            &get(&app, "/both", &token()).await,
            503,
            "directory_unavailable",
        );
        world.fake.tokens_answer(Some(Canned::Redirect(to.clone())));
        let bob = world
            .emulator
            .token()
            .user("bob")
            .scope("a")
            .groups_overage()
            .mint();
        assert_is(
            &get(&app, "/both", &bob).await,
            503,
            "directory_unavailable",
        );
    }
    assert!(elsewhere.fake.token_calls().is_empty());
    assert!(elsewhere.fake.graph_calls().is_empty());
}
