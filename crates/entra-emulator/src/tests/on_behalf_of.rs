//! On-behalf-of, and the user being asked for.

use super::*;

const MFA: &str = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;

#[tokio::test]
async fn an_api_gets_a_token_of_its_user_for_another_api() {
    let emulator = Emulator::start().await.unwrap();
    let path = format!("/{CONTOSO}/oauth2/v2.0/token");
    let token = emulator.token().user("alice").claim("acrs", json!(["c1"]));
    let scope = "https://graph.microsoft.com/User.Read offline_access openid";
    let body = on_behalf_of(&token.mint(), scope);
    let (status, answer) = post(&emulator, &path, &body).await;
    assert_eq!(status, 200, "{answer}");
    let found = claims(answer["access_token"].as_str().unwrap());
    assert_eq!(
        (&found["oid"], &found["aud"]),
        (&json!(ALICE), &json!("https://graph.microsoft.com"))
    );
    assert_eq!(
        (&found["scp"], &found["appid"]),
        (&json!("User.Read"), &json!(API_ID))
    );
    assert_eq!(
        (&found["acrs"], &found["appidacr"]),
        (&json!(["c1"]), &json!("1"))
    );
    assert!(found.get("roles").is_none() && found.get("groups").is_none());
    assert!(answer["refresh_token"].is_string() && answer["id_token"].is_string());

    let v1 = emulator.token().v1().user("dave").mint();
    let (status, _) = post(&emulator, &path, &on_behalf_of(&v1, "User.Read")).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn what_is_no_users_token_for_this_api_is_refused() {
    let emulator = Emulator::start().await.unwrap();
    let path = format!("/{CONTOSO}/oauth2/v2.0/token");
    let token = || emulator.token().user("alice");
    let cases = [
        (token().expired().mint(), 500_133),
        (token().audience(CLI_ID).mint(), 500_131),
        (token().unpublished_key().mint(), 50_013),
        (token().raw_signature("AAAA").mint(), 50_013),
        (token().issuer("https://sts.windows.net/x/").mint(), 50_013),
        (emulator.token().app("daemon").mint(), 7_000_114),
        (emulator.token().user("unknown").mint(), 50_034),
        ("a.b.c".to_owned(), 50_027),
        ("opaque".to_owned(), 50_027),
    ];
    for (assertion, code) in cases {
        let (_, answer) = post(&emulator, &path, &on_behalf_of(&assertion, "User.Read")).await;
        assert_eq!(answer["error_codes"], json!([code]), "{answer}");
    }
    let good = on_behalf_of(&token().mint(), "User.Read");
    for (body, code) in [
        (good.replace(API_SECRET, "wrong"), 7_000_215),
        (
            good.replace("requested_token_use=on_behalf_of", "x=y"),
            900_144,
        ),
        (good.replace("scope=User.Read", "x=y"), 900_144),
        (good.replace("scope=User.Read", "scope=No.Such"), 650_053),
    ] {
        let (_, answer) = post(&emulator, &path, &body).await;
        assert_eq!(answer["error_codes"], json!([code]), "{answer}");
    }
    emulator.revoke_sessions("alice");
    let old = emulator.token().user("alice").issued_at(1_704_067_200);
    let old = old.expires_at(4_000_000_000).mint();
    let (_, answer) = post(&emulator, &path, &on_behalf_of(&old, "User.Read")).await;
    assert_eq!(answer["error_codes"], json!([50_173]));
}

#[tokio::test]
async fn the_user_can_be_asked_for_with_claims() {
    let emulator = Emulator::start().await.unwrap();
    let path = format!("/{CONTOSO}/oauth2/v2.0/token");
    let body = on_behalf_of(&emulator.token().user("alice").mint(), "User.Read");
    emulator.require_interaction("alice", MFA);
    let (status, answer) = post(&emulator, &path, &body).await;
    assert_eq!(status, 400);
    assert_eq!(
        (&answer["error"], &answer["suberror"], &answer["claims"]),
        (
            &json!("interaction_required"),
            &json!("basic_action"),
            &json!(MFA)
        )
    );
    let bobs = on_behalf_of(&emulator.token().user("bob").mint(), "User.Read");
    assert_eq!(post(&emulator, &path, &bobs).await.0, 200);
    emulator.require_no_interaction("alice");
    assert_eq!(post(&emulator, &path, &body).await.0, 200);
}
