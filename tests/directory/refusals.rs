//! On-behalf-of refusals that no retry mends (contract section 6), and those of this API itself.

use axum::Router;
use axum::routing::get as route;
use axum_entra::guard::RequireGroup;
use axum_entra::{CallerToken, Entra, GraphClient, Rejection};
use entra_emulator::GROUP_ID;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::fake::{Canned, World, assert_is, get};
use crate::log::Log;

const MAIL: &str = "https://graph.microsoft.com/Mail.Read";

async fn mail(directory: GraphClient, caller: CallerToken) -> Result<(), Rejection> {
    directory.on_behalf_of(&caller, &[MAIL]).await.map(drop)
}

fn app(entra: &Entra) -> Router {
    Router::new()
        .route("/mail", route(mail))
        .route(
            "/group",
            route(|| async {}).route_layer(RequireGroup(GROUP_ID)),
        )
        .route_layer(entra.layer())
}

fn refusing(world: &World, status: u16, body: Value) {
    world.fake.tokens_answer(Some(Canned::Json(status, body)));
}

#[tokio::test]
async fn claims_are_handed_on_unchanged_whether_or_not_the_client_said_it_handles_them() {
    // The blanks are the authority's own.
    let wanted = r#"{"access_token": {"polids":{"essential":true, "values":["p"]}}}"#;
    for (status, error) in [(400, "interaction_required"), (401, "invalid_client")] {
        let world = World::new().await;
        refusing(&world, status, json!({ "error": error, "claims": wanted }));
        let app = app(&world.entra());
        for path in ["/mail", "/group"] {
            let token = || world.emulator.token().scope("a").groups_overage();
            for token in [
                token().claim("xms_cc", json!(["cp1"])).mint(),
                token().mint(),
            ] {
                let answer = get(&app, path, &token).await;
                assert_is(&answer, 401, "interaction_required");
                assert_eq!(answer.body["error"], "insufficient_claims");
                let challenge = answer.challenge();
                let expected = base64_simd::STANDARD.encode_to_string(wanted);
                assert!(
                    challenge.contains(&format!("claims=\"{expected}\"")),
                    "{challenge}"
                );
                assert!(challenge.contains("authorization_uri="), "{challenge}");
            }
        }
    }
}

#[tokio::test]
async fn refusals_for_good_are_never_503_and_another_token_is_asked_for_at_once() {
    let claims = r#"{"access_token":{"acrs":{"value":"c1"}}}"#;
    let rows = [
        (
            json!({ "error": "consent_required" }),
            403,
            "forbidden",
            "consent_required",
        ),
        (
            json!({ "error": "invalid_grant", "suberror": "consent_required", "error_codes": [65001] }),
            403,
            "forbidden",
            "consent_required",
        ),
        (
            json!({ "error": "invalid_grant", "suberror": "message_only", "error_codes": [53003], "claims": claims }),
            403,
            "forbidden",
            "directory_refused",
        ),
        (
            json!({ "error": "invalid_grant", "error_codes": [50105] }),
            403,
            "forbidden",
            "directory_refused",
        ),
        (
            json!({ "error": "invalid_grant", "error_codes": [50173] }),
            401,
            "invalid_token",
            "interaction_required",
        ),
        (
            json!({ "error": "invalid_grant", "error_codes": [700082] }),
            401,
            "invalid_token",
            "interaction_required",
        ),
        (
            json!({ "error": "interaction_required" }),
            401,
            "invalid_token",
            "interaction_required",
        ),
        (
            json!({ "error": "login_required" }),
            401,
            "invalid_token",
            "interaction_required",
        ),
        (
            json!({ "error": "invalid_grant", "claims": "not an object" }),
            401,
            "invalid_token",
            "interaction_required",
        ),
    ];
    for (body, status, error, reason) in rows {
        let world = World::new().await;
        let app = app(&world.entra());
        refusing(&world, 400, body.clone());
        let token = world.emulator.token().scope("a").groups_overage();
        for path in ["/mail", "/group"] {
            let answer = get(&app, path, &token.clone().mint()).await;
            assert_eq!(
                (
                    answer.status.as_u16(),
                    &answer.body["error"],
                    answer.reason()
                ),
                (status, &json!(error), reason),
                "{body}"
            );
            assert_eq!(answer.retry_after(), None, "{body}");
            if reason == "consent_required" {
                let detail = answer.body["detail"].as_str().unwrap();
                let scope = if path == "/mail" { MAIL } else { ".default" };
                assert!(detail.contains(scope), "{detail}");
            }
        }
        assert!(world.fake.graph_calls().is_empty());
        world.fake.tokens_answer(None);
        world.fake.member_of(&[GROUP_ID]);
        let another = token.claim("acrs", json!(["c1"])).mint();
        assert_is(&get(&app, "/mail", &another).await, 200, "");
        assert_is(&get(&app, "/group", &another).await, 200, "");
    }
}

#[tokio::test]
async fn an_expired_secret_costs_one_call_for_each_pause_however_many_callers() {
    let (log, _listening) = Log::listen();
    let world = World::new().await;
    let app = app(&world.entra());
    refusing(
        &world,
        401,
        json!({ "error": "invalid_client", "error_codes": [7000222],
                "error_description": "AADSTS7000222: The provided client secret keys for app 'x' are expired." }),
    );
    let all = |round: u64| {
        let mut all = JoinSet::new();
        for number in 0..40 {
            let path = if number % 2 == 0 { "/mail" } else { "/group" };
            let user = if number % 3 == 0 { "alice" } else { "bob" };
            let token = world
                .emulator
                .token()
                .user(user)
                .scope("a")
                .groups_overage();
            let token = token
                .claim("uti", json!(format!("{round}-{number}")))
                .mint();
            let app = app.clone();
            all.spawn(async move { get(&app, path, &token).await });
        }
        all.join_all()
    };
    for (round, most) in [(1, 1), (2, 2)] {
        for answer in all(round).await {
            assert_is(&answer, 503, "directory_unavailable");
            assert!(
                (1..=most).contains(&answer.retry_after().unwrap()),
                "{answer:?}"
            );
        }
        assert_eq!(
            world.fake.token_calls().len(),
            usize::try_from(round).unwrap()
        );
        let said = log.lines("ERROR");
        assert_eq!(said.len(), usize::try_from(round).unwrap(), "{said:?}");
        assert!(
            said.iter().all(|line| line.contains("AADSTS7000222")),
            "{said:?}"
        );
        // Sockets and a paused clock do not go together.
        tokio::time::sleep(std::time::Duration::from_millis(most * 1_000 + 50)).await;
    }
    // A new secret is noticed.
    world.fake.tokens_answer(None);
    let token = world.emulator.token().scope("a").mint();
    assert_is(&get(&app, "/mail", &token).await, 200, "");
    assert!(!log.text().contains("expired."), "no text of the answer");
}

#[tokio::test]
async fn scopes_that_are_refused_do_not_stop_other_scopes() {
    let world = World::new().await;
    let app = app(&world.entra());
    refusing(
        &world,
        400,
        json!({ "error": "invalid_scope", "error_codes": [70011] }),
    );
    let token = world.emulator.token().scope("a").groups_overage().mint();
    assert_is(
        &get(&app, "/mail", &token).await,
        503,
        "directory_unavailable",
    );
    world.fake.tokens_answer(None);
    world.fake.member_of(&[GROUP_ID]);
    assert_is(&get(&app, "/group", &token).await, 200, "");
    assert_is(
        &get(&app, "/mail", &token).await,
        503,
        "directory_unavailable",
    );
    assert_eq!(world.fake.token_calls().len(), 2);
}
