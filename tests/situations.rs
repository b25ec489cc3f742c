//! What people report who protect an API with Entra, tried: the answer names cause and remedy, and a page
//! of the book. `UPDATE_BOOK=1` writes `docs/situations.md` anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, header};
use axum::routing::get;
use axum_entra::explain::Explanation;
use axum_entra::guard::{
    DenyAgents, DenyGuests, Guard, RequireAppOnly, RequireAuthContext, RequireClientAuthMethod,
    RequireClientId, RequireDirectoryRole, RequireGroup, RequireMaxAge, RequireMfa, RequireRole,
    RequireScope, RequireUser,
};
use axum_entra::settings::Settings;
use axum_entra::{ClientAuthMethod, ConfigError, Entra, EntraBuilder, HttpClient};
use entra_emulator::{API_ID, CONTOSO, Emulator};
use serde_json::{Value, json};
use toml::Table;
use tower::ServiceExt;
use tower_http::cors::CorsLayer;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// How many of the sixty have to be answered.
const LEAST: usize = 57;

#[tokio::test]
async fn cause_and_remedy_of_the_situations_are_named() {
    let emulator = Emulator::start().await.unwrap();
    let situations = situations();
    assert_eq!(situations.len(), 60);
    let mut answered = 0;
    let mut wrong = Vec::new();
    let mut page = String::from(HEAD);
    for situation in &situations {
        let see = text(situation, "see");
        let answer = tried(situation, &emulator).await;
        let says = list(situation, "says");
        let missing: Vec<_> = says
            .iter()
            .filter(|says| !answer.contains(**says))
            .collect();
        match missing.is_empty() {
            true => answered += 1,
            false => wrong.push(format!("{see}: not {missing:?} in\n{answer}")),
        }
        let what = for_readers(&answer, &emulator);
        let link = text(situation, "page");
        let title = link.split('#').next().unwrap();
        writeln!(page, "| {see} | {what} | [{title}]({link}) |").unwrap();
    }
    let path = root().join("docs/situations.md");
    if std::env::var_os("UPDATE_BOOK").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(answered >= LEAST, "{answered}: {}", wrong.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let written = fs::read_to_string(path).unwrap();
    assert_eq!(written, page, "UPDATE_BOOK=1 cargo test --test situations");
}

/// The first line, with nothing that differs from run to run.
fn for_readers(answer: &str, emulator: &Emulator) -> String {
    let line = answer.lines().next().unwrap_or_default();
    let line = line.replace(emulator.url(), "https://login.microsoftonline.com");
    let words = line.split(' ').collect::<Vec<_>>();
    let is_age = |index: usize| words.get(index + 1..index + 3) == Some(&["s", "ago."][..]);
    let stable = words
        .iter()
        .enumerate()
        .map(|(index, word)| match is_age(index) {
            true => "…",
            false => word,
        });
    stable.collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

const HEAD: &str = "# Sixty situations

This page is for developers who have met a message somewhere and look for it: what people report who protect an API with Entra ID, \
and the answer of `explain`, of the start of the program, or of Entra itself. `tests/situations.rs` tries each of them and writes this page.

| what you see | what the answer begins with | page |
|---|---|---|
";

fn situations() -> Vec<Table> {
    let text = fs::read_to_string(root().join("tests/vectors/situations.toml")).unwrap();
    let file: Table = text.parse().unwrap();
    let all = file["situation"].as_array().unwrap();
    all.iter()
        .map(|one| one.as_table().unwrap().clone())
        .collect()
}

fn text<'a>(situation: &'a Table, name: &str) -> &'a str {
    situation[name].as_str().unwrap()
}

fn list<'a>(situation: &'a Table, name: &str) -> Vec<&'a str> {
    let all = situation[name].as_array().unwrap().iter();
    all.map(|one| one.as_str().unwrap()).collect()
}

/// What the crate, the program's start or the emulator answers; the first line is the gist.
async fn tried(situation: &Table, emulator: &Emulator) -> String {
    if let Some(form) = situation.get("sign_in") {
        return refused_sign_in(form.as_table().unwrap(), emulator).await;
    }
    let guard = situation
        .get("guard")
        .map(|name| guard(name.as_str().unwrap()));
    match situation.get("startup").and_then(toml::Value::as_str) {
        Some("guard") => return guard.unwrap().mistakes().join(" "),
        Some(_) => return configured(situation, emulator).unwrap_err().to_string(),
        None => {}
    }
    let entra = configured(situation, emulator).unwrap();
    if let Some(line) = situation.get("request") {
        return from_a_page(&entra, line.as_str().unwrap()).await;
    }
    let explanation = entra.explain(&token(situation, emulator)).await;
    let explanation = match guard {
        Some(guard) => explanation.with_guard("GET /todos", &*guard),
        None => explanation,
    };
    answer(situation, &explanation)
}

fn answer(situation: &Table, explanation: &Explanation) -> String {
    let reason = text(situation, "reason");
    if explanation.reason() != Some(reason) {
        return format!("not `{reason}`: {explanation}");
    }
    // The reason has its paragraph, and the answer says where.
    let errors = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    assert!(errors.contains(&format!("### `{reason}`")), "{reason}");
    let page = explanation.page().unwrap();
    assert!(page.ends_with(&format!("docs/errors.md#{reason}")));
    assert!(explanation.to_string().contains(&page));
    format!("`{reason}`: {}", explanation.hints().join(" "))
}

/// The emulator's settings with the situation's changes.
fn configured(situation: &Table, emulator: &Emulator) -> Result<Entra, ConfigError> {
    let mut settings = emulator.settings();
    if let Some(changes) = situation.get("settings") {
        for (key, value) in changes.as_table().unwrap() {
            settings["AzureAd"][key] = serde_json::to_value(value).unwrap();
        }
    }
    let text = settings.to_string();
    let settings = Settings::from_parts(Some(("appsettings.json", &text)), [])?;
    EntraBuilder::from_settings(&settings)?.build()
}

fn guard(name: &str) -> Box<dyn Guard> {
    let (kind, name) = name.split_once(':').unwrap_or((name, ""));
    let name = name.to_owned();
    match kind {
        "scope" => Box::new(RequireScope(name)),
        "role" => Box::new(RequireRole(name)),
        "group" => Box::new(RequireGroup(name)),
        "directory_role" => Box::new(RequireDirectoryRole(name)),
        "auth_context" => Box::new(RequireAuthContext(name)),
        "client" => Box::new(RequireClientId(name)),
        "app_only" => Box::new(RequireAppOnly),
        "user_only" => Box::new(RequireUser),
        "mfa" => Box::new(RequireMfa),
        "client_auth" => Box::new(RequireClientAuthMethod(ClientAuthMethod::Secret)),
        "no_agents" => Box::new(DenyAgents),
        "no_guests" => Box::new(DenyGuests),
        "max_age" => Box::new(RequireMaxAge(Duration::from_secs(600))),
        other => panic!("no guard {other}"),
    }
}

/// A valid token, changed step by step.
fn token(situation: &Table, emulator: &Emulator) -> String {
    let mut token = emulator.token();
    let (mut prefix, mut raw, mut change) = (String::new(), None, false);
    for step in situation["token"].as_array().unwrap() {
        let step: Vec<&str> = step
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part.as_str().unwrap())
            .collect();
        token = match *step.as_slice() {
            ["v1"] => token.v1(),
            ["user", who] => token.user(who).client("cli"),
            ["app", which] => token.app(which),
            ["audience", "api"] => token.audience(API_ID),
            ["audience", audience] => token.audience(audience),
            ["scope", scope] => token.scope(scope),
            ["roles", role] => token.roles([role]),
            ["no_roles"] => token.without("roles"),
            ["groups", group] => token.groups([group]),
            ["groups_overage"] => token.groups_overage(),
            ["tenant", tenant] => token.tenant(tenant),
            ["issuer", issuer] => token.issuer(issuer),
            ["id_token"] => token.id_token(),
            ["without", claim] => token.without(claim),
            ["header", name, value] => token.header(name, value),
            ["unpublished_key"] => token.unpublished_key(),
            ["expired"] => token.expired(),
            ["future"] => token.not_before(now() + 3_600).expires_at(now() + 7_200),
            ["change_signature"] => {
                change = true;
                token
            }
            ["prefix", text] => {
                text.clone_into(&mut prefix);
                token
            }
            ["raw", text] => {
                raw = Some(text.to_owned());
                token
            }
            _ => panic!("no step {step:?}"),
        };
    }
    let mut text = raw.unwrap_or_else(|| token.mint());
    if change {
        let (claims, signature) = text.rsplit_once('.').unwrap();
        text = format!("{claims}.{}{}", "A".repeat(8), &signature[8..]);
    }
    prefix + &text
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// A refusal of the token endpoint, in Entra's words.
async fn refused_sign_in(form: &Table, emulator: &Emulator) -> String {
    let body: Vec<String> = form
        .iter()
        .map(|(name, value)| {
            let value = value.as_str().unwrap();
            format!("{name}={}", value.replace(':', "%3A").replace('/', "%2F"))
        })
        .collect();
    let answer = HttpClient::new()
        .post(emulator.token_endpoint(CONTOSO))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.join("&"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 400);
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    body["error_description"]
        .as_str()
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned()
}

/// What a page of another origin can read of a refusal.
async fn from_a_page(entra: &Entra, line: &str) -> String {
    let (method, path) = line.split_once(' ').unwrap();
    let origin = HeaderValue::from_static("https://spa.example");
    let cors = CorsLayer::new()
        .allow_origin(origin.clone())
        .expose_headers([header::WWW_AUTHENTICATE]);
    let app: Router = Router::new()
        .route(path, get(|| async { "all" }))
        .route_layer(entra.layer())
        .layer(cors);
    let request = Request::builder().method(method).uri(path);
    let request = request.header(header::ORIGIN, origin).body(Body::empty());
    let answer = app.oneshot(request.unwrap()).await.unwrap();
    let mut told = format!(
        "{}, with the CORS layer outermost: ",
        answer.status().as_u16()
    );
    for (name, value) in answer.headers() {
        if name.as_str().starts_with("access-control") {
            write!(told, "`{name}: {}` ", value.to_str().unwrap()).unwrap();
        }
    }
    let body = to_bytes(answer.into_body(), 1 << 16).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or(json!({}));
    told.replace('`', "") + &format!("reason {}", body["reason"].as_str().unwrap_or("none"))
}
