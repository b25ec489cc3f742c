//! What handlers ask: all memberships, object ids, the end of sessions.

use axum::Router;
use axum::extract::Path;
use axum::routing::get as route;
use axum_entra::graph::SessionRevocation;
use axum_entra::{CallerToken, Entra, GraphClient, Rejection};
use entra_emulator::{ALICE, BOB, GROUP_ID};
use serde_json::{Value, json};

use crate::fake::{Canned, World, assert_is, get};

async fn groups(directory: GraphClient, caller: CallerToken) -> Result<String, Rejection> {
    Ok(json!(&*directory.member_groups(&caller).await?).to_string())
}

async fn id(
    directory: GraphClient,
    Path(user): Path<String>,
    caller: CallerToken,
) -> Result<String, Rejection> {
    Ok(format!(
        "\"{}\"",
        directory.resolve_user_id(&caller, &user).await?
    ))
}

async fn revoke(
    directory: GraphClient,
    Path((user, which)): Path<(String, String)>,
    caller: CallerToken,
) -> Result<(), Rejection> {
    let user = match user.as_str() {
        "me" => None,
        user => Some(directory.resolve_user_id(&caller, user).await?),
    };
    let which = match which.as_str() {
        "old" => SessionRevocation::RefreshTokens,
        _ => SessionRevocation::SignInSessions,
    };
    directory
        .revoke_sessions(&caller, user, which)
        .await
        .map(drop)
}

fn app(entra: &Entra) -> Router {
    Router::new()
        .route("/groups", route(groups))
        .route("/id/{user}", route(id))
        .route("/revoke/{user}/{which}", route(revoke))
        .route_layer(entra.layer())
}

#[tokio::test]
async fn all_memberships_are_one_question_that_is_kept() {
    let world = World::new().await;
    world.fake.objects(json!([GROUP_ID, "role"]));
    let app = app(&world.entra());
    let token = world.emulator.token().scope("a").mint();
    for _ in 0..2 {
        assert_eq!(
            get(&app, "/groups", &token).await.body,
            json!([GROUP_ID, "role"])
        );
    }
    let calls = world.fake.graph_calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(
        calls[0].path,
        format!("/v1.0/users/{ALICE}/getMemberObjects")
    );
    assert_eq!(calls[0].json(), json!({ "securityEnabledOnly": false }));
}

#[tokio::test]
async fn more_than_one_answer_holds_come_page_by_page() {
    let world = World::new().await;
    let next = format!(
        "{}/users/{ALICE}/transitiveMemberOf?$skiptoken=2",
        world.fake.base()
    );
    world.fake.pages([
        json!({ "value": [{ "id": "1" }, { "id": "2" }], "@odata.nextLink": next }),
        json!({ "value": [{ "id": "3" }] }),
    ]);
    let token = world.emulator.token().scope("a").mint();
    let answer = get(&app(&world.entra()), "/groups", &token).await;
    assert_eq!(answer.body, json!(["1", "2", "3"]));
    let calls = world.fake.graph_calls();
    assert_eq!(calls[1].query, "$select=id&$top=999");
    assert_eq!(calls[2].query, "$skiptoken=2");
}

#[tokio::test]
async fn a_page_elsewhere_is_not_fetched() {
    let elsewhere = World::new().await;
    let world = World::new().await;
    let next = format!("{}/users/{ALICE}/transitiveMemberOf", elsewhere.fake.base());
    world
        .fake
        .pages([json!({ "value": [{ "id": "1" }], "@odata.nextLink": next })]);
    let token = world.emulator.token().scope("a").mint();
    let answer = get(&app(&world.entra()), "/groups", &token).await;
    assert_is(&answer, 503, "directory_unavailable");
    assert!(elsewhere.fake.graph_calls().is_empty());
}

#[tokio::test]
async fn who_is_not_in_the_directory_is_404() {
    let world = World::new().await;
    world
        .fake
        .graph_answers(Some(Canned::Json(404, Value::Null)));
    let token = world.emulator.token().scope("a").mint();
    let answer = get(&app(&world.entra()), "/groups", &token).await;
    assert_is(&answer, 404, "not_found");
    assert_eq!(answer.body["error"], "not_found");
    assert!(answer.challenge().is_empty() && answer.retry_after().is_none());
}

#[tokio::test]
async fn a_principal_name_is_sent_encoded_and_becomes_an_object_id() {
    let world = World::new().await;
    let app = app(&world.entra());
    let token = world.emulator.token().scope("a").mint();
    let by_id = get(&app, &format!("/id/{BOB}"), &token).await;
    assert_eq!(by_id.body, json!(BOB));
    assert!(world.fake.graph_calls().is_empty());
    world
        .fake
        .graph_answers(Some(Canned::Json(200, json!({ "id": BOB }))));
    let guest = "/id/bob_fabrikam.example%23EXT%23%40contoso.example";
    assert_eq!(get(&app, guest, &token).await.body, json!(BOB));
    let call = world.fake.graph_calls().pop().unwrap();
    assert_eq!(
        call.path,
        "/v1.0/users/bob_fabrikam.example%23EXT%23%40contoso.example"
    );
    assert_eq!(call.query, "$select=id");
    world.fake.graph_answers(None);
    for unknown in ["/id/unknown@contoso.example", "/id/.%2E", "/id/a%2Fb"] {
        assert_is(&get(&app, unknown, &token).await, 404, "not_found");
    }
    assert!(
        world
            .fake
            .graph_calls()
            .iter()
            .all(|call| call.path != "/v1.0/users")
    );
}

#[tokio::test]
async fn sessions_are_ended_by_the_call_that_was_chosen_and_any_2xx_is_success() {
    let world = World::new().await;
    let app = app(&world.entra());
    let token = world.emulator.token().scope("a").mint();
    let rows = [
        ("me/new", "/v1.0/me/revokeSignInSessions".to_owned()),
        ("me/old", "/beta/me/invalidateAllRefreshTokens".to_owned()),
        (
            &*format!("{BOB}/new"),
            format!("/v1.0/users/{BOB}/revokeSignInSessions"),
        ),
        (
            &*format!("{BOB}/old"),
            format!("/beta/users/{BOB}/invalidateAllRefreshTokens"),
        ),
    ];
    for (path, expected) in rows {
        assert_is(
            &get(&app, &format!("/revoke/{path}"), &token).await,
            200,
            "",
        );
        let call = world.fake.graph_calls().pop().unwrap();
        assert_eq!((call.method.as_str(), &call.path), ("POST", &expected));
        assert_eq!(call.body, "");
    }
    for status in [200, 202, 204] {
        world
            .fake
            .graph_answers(Some(Canned::Json(status, json!({}))));
        assert_is(&get(&app, "/revoke/me/new", &token).await, 200, "");
    }
    world
        .fake
        .graph_answers(Some(Canned::Json(403, Value::Null)));
    assert_is(
        &get(&app, "/revoke/me/new", &token).await,
        503,
        "directory_unavailable",
    );
    world
        .fake
        .graph_answers(Some(Canned::Json(404, Value::Null)));
    // Whatever Graph's reason: nothing was revoked there, and trying again may help.
    let answer = get(&app, "/revoke/me/new", &token).await;
    assert_is(&answer, 503, "directory_unavailable");
}

#[tokio::test]
async fn a_token_validated_outside_http_can_ask_too() {
    let world = World::new().await;
    world.fake.objects(json!([GROUP_ID]));
    let entra = world.entra();
    let token = world.emulator.token().scope("a").mint();
    let caller = entra.validate_caller(&token).await.unwrap();
    let groups = entra.graph().member_groups(&caller).await.unwrap();
    assert_eq!(&*groups, [GROUP_ID]);
    assert!(entra.validate_caller("forged").await.is_err());
}
