//! From an authorization code to tokens, and from refresh tokens to more of them.

use url::Url;

use super::{
    sign_in::{BACK, STEP_UP, page, parameters, pick, with},
    *,
};

// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

async fn redeem(emulator: &Emulator, code: &str) -> Value {
    let body = format!(
        "grant_type=authorization_code&client_id={CLI_ID}&code={code}&redirect_uri={BACK}\
         &code_verifier={VERIFIER}&client_info=1"
    );
    post(emulator, &format!("/{CONTOSO}/oauth2/v2.0/token"), &body)
        .await
        .1
}

async fn refresh(emulator: &Emulator, refresh_token: &str, more: &str) -> Value {
    let body =
        format!("grant_type=refresh_token&client_id={CLI_ID}&refresh_token={refresh_token}{more}");
    post(emulator, &format!("/{CONTOSO}/oauth2/v2.0/token"), &body)
        .await
        .1
}

#[tokio::test]
async fn a_code_brings_the_tokens_once() {
    let emulator = Emulator::start().await.unwrap();
    let answer = parameters(&pick(&emulator, &page(), "alice").await);
    assert_eq!(answer["state"], "some state");
    let code = &answer["code"];
    let wrong =
        format!("grant_type=authorization_code&client_id={CLI_ID}&code={code}&redirect_uri={BACK}");
    let path = format!("/{CONTOSO}/oauth2/v2.0/token");
    for (more, number) in [
        ("", 501_481),
        (
            "&code_verifier=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            501_481,
        ),
    ] {
        let (_, answer) = post(&emulator, &path, &format!("{wrong}{more}")).await;
        assert_eq!(answer["error_codes"], json!([number]));
    }
    let elsewhere = wrong.replace("/callback", "");
    let (_, refused) = post(&emulator, &path, &elsewhere).await;
    assert_eq!(refused["error_codes"], json!([500_112]));

    let tokens = redeem(&emulator, code).await;
    let found = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!(
        (&found["scp"], &found["oid"]),
        (&json!("Todo.Read"), &json!(ALICE))
    );
    assert!(found["auth_time"].is_u64());
    let session = found["sid"].clone();
    let id_token = tokens["id_token"].as_str().unwrap();
    assert!(verifies(id_token, &emulator.keys_document()));
    let found = claims(id_token);
    assert_eq!(
        (&found["aud"], &found["nonce"], &found["name"]),
        (&json!(CLI_ID), &json!("some nonce"), &json!("Alice"))
    );
    assert!(found.get("scp").is_none());
    assert!(session.is_string() && found["sid"] == session);
    let info = URL_SAFE_NO_PAD
        .decode_to_vec(tokens["client_info"].as_str().unwrap())
        .unwrap();
    let info: Value = serde_json::from_slice(&info).unwrap();
    assert_eq!(info, json!({ "uid": ALICE, "utid": CONTOSO }));

    let again = redeem(&emulator, code).await;
    assert_eq!(again["error_codes"], json!([54_005]));
    let unknown = redeem(&emulator, "1.x").await;
    assert_eq!(unknown["error_codes"], json!([9_002_313]));
}

#[tokio::test]
async fn a_confidential_client_needs_its_secret_and_no_challenge() {
    let emulator = Emulator::start().await.unwrap();
    let mut page = with(page(), "client_id", WEB_ID);
    page.retain(|(name, _)| !name.starts_with("code_challenge"));
    let answer = parameters(&pick(&emulator, &page, "bob").await);
    let path = format!("/{CONTOSO}/oauth2/v2.0/token");
    let body = format!(
        "grant_type=authorization_code&client_id={WEB_ID}&code={}&redirect_uri={BACK}",
        answer["code"]
    );
    let (status, _) = post(&emulator, &path, &body).await;
    assert_eq!(status, 401);
    let (status, tokens) = post(
        &emulator,
        &path,
        &format!("{body}&client_secret={WEB_SECRET}"),
    )
    .await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(
        claims(tokens["access_token"].as_str().unwrap())["azpacr"],
        "1"
    );
}

#[tokio::test]
async fn a_refresh_token_brings_another_scope_until_the_sessions_are_revoked() {
    let emulator = Emulator::start().await.unwrap();
    let answer = parameters(&pick(&emulator, &page(), "alice").await);
    let tokens = redeem(&emulator, &answer["code"]).await;
    let first = tokens["refresh_token"].as_str().unwrap().to_owned();
    let scope = format!("&scope=api://{API_ID}/Todo.ReadWrite");
    let tokens = refresh(&emulator, &first, &scope).await;
    assert_eq!(
        claims(tokens["access_token"].as_str().unwrap())["scp"],
        "Todo.ReadWrite"
    );
    let second = tokens["refresh_token"].as_str().unwrap();
    assert_ne!(first, second);

    emulator.require_interaction("alice", STEP_UP);
    let refused = refresh(&emulator, second, "").await;
    assert_eq!(refused["claims"], STEP_UP);
    let stepped = parameters(&pick(&emulator, &with(page(), "claims", STEP_UP), "alice").await);
    assert_eq!(
        claims(
            redeem(&emulator, &stepped["code"]).await["access_token"]
                .as_str()
                .unwrap()
        )["acrs"],
        json!(["c1"])
    );
    assert!(refresh(&emulator, second, "").await["access_token"].is_string());

    emulator.revoke_sessions("alice");
    let refused = refresh(&emulator, second, "").await;
    assert_eq!(
        (&refused["error"], &refused["error_codes"]),
        (&json!("invalid_grant"), &json!([50_173]))
    );
    let answer = parameters(&pick(&emulator, &page(), "alice").await);
    let tokens = redeem(&emulator, &answer["code"]).await;
    let third = tokens["refresh_token"].as_str().unwrap();
    assert!(refresh(&emulator, third, "").await["access_token"].is_string());
    let other = refresh(&emulator, "nonsense", "").await;
    assert_eq!(other["error"], "invalid_grant");
}

#[tokio::test]
async fn claims_asked_for_at_the_token_endpoint_need_a_sign_in_that_has_them() {
    let emulator = Emulator::start().await.unwrap();
    let answer = parameters(&pick(&emulator, &page(), "alice").await);
    let tokens = redeem(&emulator, &answer["code"]).await;
    let weak = tokens["refresh_token"].as_str().unwrap();
    let refused = refresh(&emulator, weak, &format!("&claims={STEP_UP}")).await;
    assert_eq!(refused["error"], "interaction_required");
    let cp1 = r#"&claims={"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
    let tokens = refresh(&emulator, weak, cp1).await;
    assert_eq!(
        claims(tokens["access_token"].as_str().unwrap())["xms_cc"],
        json!(["cp1"])
    );
}

#[tokio::test]
async fn a_policy_has_a_page_of_its_own() {
    let emulator = Emulator::start().await.unwrap();
    let policy = format!(
        "{}/contoso.onmicrosoft.com/{B2C_POLICY}/oauth2/v2.0",
        emulator.url()
    );
    let address = Url::parse_with_params(&format!("{policy}/authorize"), page()).unwrap();
    let request = client().post(address);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = parameters(&request.body("account=bob").send().await.unwrap());
    let body = format!(
        "grant_type=authorization_code&client_id={CLI_ID}&code={}&redirect_uri={BACK}\
         &code_verifier={VERIFIER}",
        answer["code"]
    );
    let path = format!("/contoso.onmicrosoft.com/{B2C_POLICY}/oauth2/v2.0/token");
    let (status, tokens) = post(&emulator, &path, &body).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(
        claims(tokens["access_token"].as_str().unwrap())["tfp"],
        B2C_POLICY
    );
    assert_eq!(
        claims(tokens["id_token"].as_str().unwrap())["tfp"],
        B2C_POLICY
    );
}
