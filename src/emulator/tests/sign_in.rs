//! The sign-in page, codes, refresh tokens and ID tokens.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use url::Url;

use super::*;

// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "http://localhost:4711/callback";
const STEP_UP: &str = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;

fn page() -> Vec<(&'static str, String)> {
    let scope = format!("openid profile offline_access api://{API_ID}/Todo.Read");
    [
        ("client_id", CLI_ID),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("scope", &scope),
        ("state", "some state"),
        ("nonce", "some nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

fn with(
    mut page: Vec<(&'static str, String)>,
    name: &'static str,
    value: &str,
) -> Vec<(&'static str, String)> {
    page.retain(|(known, _)| *known != name);
    page.push((name, value.to_owned()));
    page
}

fn address(emulator: &Emulator, page: &[(&'static str, String)]) -> Url {
    let address = emulator.authorization_endpoint(CONTOSO);
    Url::parse_with_params(&address, page).unwrap()
}

async fn show(
    emulator: &Emulator,
    page: &[(&'static str, String)],
    cookie: &str,
) -> reqwest::Response {
    let request = client().get(address(emulator, page)).header(COOKIE, cookie);
    request.send().await.unwrap()
}

async fn pick(
    emulator: &Emulator,
    page: &[(&'static str, String)],
    user: &str,
) -> reqwest::Response {
    let request = client().post(address(emulator, page));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request
        .body(format!("account={user}"))
        .send()
        .await
        .unwrap()
}

/// The parameters of a redirect, from its query or its fragment.
fn parameters(answer: &reqwest::Response) -> BTreeMap<String, String> {
    assert_eq!(answer.status(), 302);
    let target = Url::parse(answer.headers()[LOCATION].to_str().unwrap()).unwrap();
    assert!(target.as_str().starts_with(BACK));
    let text = target.fragment().or(target.query()).unwrap_or_default();
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

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
async fn the_page_has_no_scripts_and_nothing_of_the_request_gets_into_its_markup() {
    let emulator = Emulator::start().await.unwrap();
    let page = with(page(), "state", "\"><script>alert(1)</script>");
    let page = with(page, "login_hint", "bob@contoso.onmicrosoft.com");
    let answer = show(&emulator, &page, "").await;
    assert_eq!(answer.status(), 200);
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"));
    assert!(
        policy.contains("form-action 'self' http://localhost:4711;"),
        "{policy}"
    );
    let text = answer.text().await.unwrap();
    assert!(!text.contains("<script"));
    assert!(text.contains(&format!("value=\"{BOB}\" checked")));
    assert!(text.contains(&format!("value=\"{ALICE}\"> ")));
    assert!(!text.contains("erin"), "erin is of another tenant");
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
    let id_token = tokens["id_token"].as_str().unwrap();
    assert!(verifies(id_token, &emulator.keys_document()));
    let found = claims(id_token);
    assert_eq!(
        (&found["aud"], &found["nonce"], &found["name"]),
        (&json!(CLI_ID), &json!("some nonce"), &json!("Alice"))
    );
    assert!(found.get("scp").is_none());
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
async fn the_browser_is_remembered_until_sign_out() {
    let emulator = Emulator::start().await.unwrap();
    let silent = with(page(), "prompt", "none");
    assert_eq!(
        parameters(&show(&emulator, &silent, "").await)["error"],
        "login_required"
    );
    let picked = pick(&emulator, &page(), "alice").await;
    let cookie = picked.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly"));
    let cookie = cookie.split(';').next().unwrap();
    assert!(parameters(&show(&emulator, &silent, cookie).await).contains_key("code"));
    let other = with(silent.clone(), "login_hint", "bob");
    assert_eq!(
        parameters(&show(&emulator, &other, cookie).await)["error"],
        "login_required"
    );
    let stronger = with(silent.clone(), "claims", STEP_UP);
    let refused = parameters(&show(&emulator, &stronger, cookie).await);
    assert_eq!(refused["error"], "interaction_required");
    let chosen = with(page(), "prompt", "select_account");
    assert_eq!(show(&emulator, &chosen, cookie).await.status(), 200);

    let out = format!("{}/{CONTOSO}/oauth2/v2.0/logout", emulator.url());
    let go = format!("{out}?post_logout_redirect_uri={BACK}&state=bye");
    let answer = client()
        .get(go)
        .header(COOKIE, cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()[LOCATION], format!("{BACK}?state=bye"));
    assert_eq!(
        parameters(&show(&emulator, &silent, cookie).await)["error"],
        "login_required"
    );
    let evil = format!("{out}?post_logout_redirect_uri=https://evil.example/");
    assert_eq!(client().get(evil).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn answers_travel_as_the_client_asks() {
    let emulator = Emulator::start().await.unwrap();
    let fragment = with(page(), "response_mode", "fragment");
    let answer = pick(&emulator, &fragment, "alice").await;
    let location = answer.headers()[LOCATION].to_str().unwrap().to_owned();
    assert!(location.starts_with(&format!("{BACK}#code=")), "{location}");
    let hybrid = with(page(), "response_type", "code id_token");
    let answer = parameters(&pick(&emulator, &hybrid, "alice").await);
    assert!(claims(&answer["id_token"])["c_hash"].is_string());
    let form = with(page(), "response_mode", "form_post");
    let text = pick(&emulator, &form, "alice").await.text().await.unwrap();
    assert!(text.contains(&format!("<form method=post action=\"{BACK}\">")));
    let cancelled = with(page(), "cancel", "1");
    assert_eq!(
        parameters(&pick(&emulator, &cancelled, "alice").await)["error"],
        "access_denied"
    );
}

#[tokio::test]
async fn a_client_is_told_what_is_wrong_only_at_an_address_of_its_own() {
    let emulator = Emulator::start().await.unwrap();
    for (name, value) in [
        ("client_id", "nobody"),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", "http://localhost:4711/other"),
    ] {
        let answer = show(&emulator, &with(page(), name, value), "").await;
        assert_eq!(answer.status(), 400, "{value}");
    }
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("response_mode", "web_message", "invalid_request"),
        ("scope", "No.Such", "invalid_client"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("claims", "[]", "invalid_request"),
    ] {
        let answer = parameters(&show(&emulator, &with(page(), name, value), "").await);
        assert_eq!(answer["error"], error, "{name}={value}");
        assert!(answer["error_description"].starts_with("AADSTS"));
        assert_eq!(answer["state"], "some state");
    }
}

#[tokio::test]
async fn a_policy_has_a_page_of_its_own() {
    let emulator = Emulator::start().await.unwrap();
    let policy = format!(
        "{}/contoso.onmicrosoft.com/{POLICY}/oauth2/v2.0",
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
    let path = format!("/contoso.onmicrosoft.com/{POLICY}/oauth2/v2.0/token");
    let (status, tokens) = post(&emulator, &path, &body).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(
        claims(tokens["access_token"].as_str().unwrap())["tfp"],
        POLICY
    );
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["tfp"], POLICY);
}

#[tokio::test]
async fn msal_finds_the_instance_and_the_realm() {
    let emulator = Emulator::start().await.unwrap();
    let asked = format!("{}/{CONTOSO}/oauth2/v2.0/authorize", emulator.url());
    let path = format!("/common/discovery/instance?api-version=1.1&authorization_endpoint={asked}");
    let found = get(&emulator, &path).await;
    assert_eq!(
        found["tenant_discovery_endpoint"],
        format!(
            "{}/{CONTOSO}/v2.0/.well-known/openid-configuration",
            emulator.url()
        )
    );
    let host = emulator.address().to_string();
    assert_eq!(found["metadata"][0]["preferred_network"], host);
    let found = get(
        &emulator,
        "/common/UserRealm/alice@contoso.onmicrosoft.com?api-version=1.0",
    )
    .await;
    assert_eq!(found["account_type"], "Managed");
}
