//! The sign-in page, codes, refresh tokens and ID tokens.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use url::Url;

use super::*;

// RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(super) const BACK: &str = "http://localhost:4711/callback";
pub(super) const STEP_UP: &str = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;

pub(super) fn page() -> Vec<(&'static str, String)> {
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

pub(super) fn with(
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

pub(super) async fn pick(
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
pub(super) fn parameters(answer: &reqwest::Response) -> BTreeMap<String, String> {
    assert_eq!(answer.status(), 302);
    let target = Url::parse(answer.headers()[LOCATION].to_str().unwrap()).unwrap();
    assert!(target.as_str().starts_with(BACK));
    let text = target.fragment().or(target.query()).unwrap_or_default();
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
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
        ("client_id", "unknown"),
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
