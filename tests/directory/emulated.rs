//! The same against the emulator's Graph and token endpoint, with the settings it hands out.

use std::time::Duration;

use axum::Router;
use axum::routing::get as route;
use axum_entra::graph::SessionRevocation;
use axum_entra::guard::RequireGroup;
use axum_entra::settings::Settings;
use axum_entra::{CallerToken, Entra, EntraBuilder, GraphClient, Rejection};
use entra_emulator::{DAVE, Emulator};
use serde_json::{Value, json};

use crate::fake::{assert_is, get};

/// One of dave's.
const GROUP_ID: &str = "dddddddd-0000-4000-8000-000000000250";
const NEVER: &str = "aaaaaaaa-0000-4000-8000-00000000ffff";

fn entra(emulator: &Emulator, change: impl FnOnce(&mut Value)) -> Entra {
    let mut settings = emulator.settings_with_graph();
    change(&mut settings["AzureAd"]);
    let text = settings.to_string();
    let settings = Settings::from_parts(Some(("settings", text.as_str())), Vec::new()).unwrap();
    EntraBuilder::from_settings(&settings)
        .unwrap()
        .build()
        .unwrap()
}

async fn groups(directory: GraphClient, caller: CallerToken) -> Result<String, Rejection> {
    Ok(directory.member_groups(&caller).await?.len().to_string())
}

async fn revoke(directory: GraphClient, caller: CallerToken) -> Result<(), Rejection> {
    let object = directory
        .resolve_user_id(&caller, "bob@contoso.onmicrosoft.com")
        .await?;
    directory
        .revoke_sessions(&caller, Some(object), SessionRevocation::SignInSessions)
        .await?;
    directory
        .revoke_sessions(&caller, None, SessionRevocation::RefreshTokens)
        .await
        .map(drop)
}

fn app(entra: &Entra) -> Router {
    let ok = || async {};
    Router::new()
        .route("/me", route(ok))
        .route("/group", route(ok).route_layer(RequireGroup(GROUP_ID)))
        .route("/never", route(ok).route_layer(RequireGroup(NEVER)))
        .route("/groups", route(groups))
        .route("/revoke", route(revoke))
        .route_layer(entra.layer())
}

#[tokio::test]
async fn users_and_apps_in_overage_are_looked_up() {
    let emulator = Emulator::start().await.unwrap();
    let app = app(&entra(&emulator, |_| {}));
    let dave = emulator.token().user("dave").scope("access_as_user").mint();
    assert_is(&get(&app, "/group", &dave).await, 200, "");
    assert_is(&get(&app, "/never", &dave).await, 403, "group");
    assert_eq!(get(&app, "/groups", &dave).await.body, json!(250));
    let daemon = emulator.token().app("daemon").groups_overage().mint();
    assert_is(&get(&app, "/group", &daemon).await, 403, "group");
    assert_eq!(emulator.graph_calls().len(), 4);
}

#[tokio::test]
async fn interaction_required_reaches_the_client() {
    let emulator = Emulator::start().await.unwrap();
    let app = app(&entra(&emulator, |_| {}));
    let wanted = json!({ "access_token": { "acrs": { "essential": true, "value": "c1" } } });
    emulator.require_interaction("dave", wanted.to_string());
    let dave = emulator.token().user("dave").scope("access_as_user");
    let answer = get(&app, "/group", &dave.claim("xms_cc", json!(["cp1"])).mint()).await;
    assert_is(&answer, 401, "interaction_required");
    assert_eq!(answer.claims(), wanted);
}

#[tokio::test]
async fn refusals_as_entra_words_them_reach_the_client() {
    for (status, error, number, more, expected) in [
        (
            400,
            "invalid_grant",
            65_001,
            json!({ "suberror": "consent_required" }),
            (403, "consent_required"),
        ),
        (
            400,
            "invalid_grant",
            53_003,
            json!({ "suberror": "message_only", "claims": "{}" }),
            (403, "directory_refused"),
        ),
        (
            400,
            "invalid_grant",
            70_043,
            json!({}),
            (401, "interaction_required"),
        ),
        (
            401,
            "invalid_client",
            7_000_222,
            json!({}),
            (503, "directory_unavailable"),
        ),
    ] {
        let emulator = Emulator::start().await.unwrap();
        let app = app(&entra(&emulator, |_| {}));
        emulator.refuse_tokens(status, error, number, &more);
        let dave = emulator.token().user("dave").scope("access_as_user").mint();
        assert_is(&get(&app, "/group", &dave).await, expected.0, expected.1);
        let another = emulator
            .token()
            .user("dave")
            .scope("access_as_user Todo.Read")
            .mint();
        emulator.clear_faults();
        let passes = expected.0 != 503;
        assert_eq!(
            get(&app, "/group", &another).await.status == 200,
            passes,
            "{number}"
        );
    }
}

#[tokio::test]
async fn sessions_that_were_revoked_there_are_revoked_here() {
    // The times of the tokens below are their issue times.
    let emulator = Emulator::builder().issued_at_backdate(Duration::ZERO);
    let emulator = emulator.start().await.unwrap();
    let checking = entra(&emulator, |section| {
        section["IssuedAtBackdateSeconds"] = json!(0);
        section["Graph"]["CheckSessions"] = json!(true);
    });
    let app = app(&checking);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let alice = || emulator.token().user("alice").scope("access_as_user");
    let old = alice().issued_at(now - 60).mint();
    let new = alice().issued_at(now + 60).not_before(now - 60).mint();
    assert_is(&get(&app, "/me", &old).await, 200, "");
    assert_is(&get(&app, "/revoke", &new).await, 200, "");
    // Once refused by the authority, once by what Graph says about the sessions.
    assert_is(&get(&app, "/me", &old).await, 401, "interaction_required");
    assert_is(&get(&app, "/me", &new).await, 200, "");
    assert_is(&get(&app, "/me", &old).await, 401, "revoked");
    assert_is(&get(&app, "/me", &new).await, 200, "");
}

#[tokio::test]
async fn who_signs_out_is_asked_about_again() {
    let emulator = Emulator::start().await.unwrap();
    let entra = entra(&emulator, |_| {});
    let app = app(&entra);
    let dave = emulator.token().user("dave").scope("access_as_user").mint();
    let caller = entra.validate_caller(&dave).await.unwrap();
    let account = caller.claims().account_id().unwrap();
    for expected in [1, 1, 2] {
        if expected == 2 {
            entra.remove_account(&account).await;
        }
        assert_is(&get(&app, "/group", &dave).await, 200, "");
        let calls = emulator.graph_calls();
        assert_eq!(calls.len(), expected);
        assert!(format!("{calls:?}").contains(DAVE));
    }
}
