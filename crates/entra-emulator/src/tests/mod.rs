//! The emulator over its real socket.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto::aws_lc::DEFAULT_PROVIDER};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::*;

mod agents;
mod binding;
mod code_flow;
mod documents;
mod encryption;
mod grants;
mod graph;
mod kinds;
mod on_behalf_of;
mod running;
mod sign_in;
mod tls;
mod tokens;

fn client() -> reqwest::Client {
    let redirects = reqwest::redirect::Policy::none();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(redirects)
        .build()
        .unwrap()
}

async fn get(emulator: &Emulator, path: &str) -> Value {
    let answer = client()
        .get(format!("{}{path}", emulator.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

async fn post(emulator: &Emulator, path: &str, body: &str) -> (StatusCode, Value) {
    let answer = client()
        .post(format!("{}{path}", emulator.url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    let status = answer.status();
    (
        status,
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap(),
    )
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(part).unwrap()).unwrap()
}

fn claims(token: &str) -> Value {
    part(token, 1)
}

/// Whether a key of the document, chosen by its id, verifies the token.
fn verifies(token: &str, document: &Value) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let kid = &part(token, 0)["kid"];
    let Some(jwk) = document["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|jwk| jwk["kid"] == *kid)
    else {
        return false;
    };
    let (n, e) = (jwk["n"].as_str().unwrap(), jwk["e"].as_str().unwrap());
    let key = DecodingKey::from_rsa_components(n, e).unwrap();
    let verifier = (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::RS256, &key).unwrap();
    let signature = URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
    verifier.verify(signed.as_bytes(), &signature).is_ok()
}

/// What Graph answers to a token.
async fn graph(
    emulator: &Emulator,
    method: reqwest::Method,
    path: &str,
    token: &str,
    body: Value,
) -> (StatusCode, Value) {
    let request = client()
        .request(method, format!("{}/graph{path}", emulator.url()))
        .header("authorization", format!("Bearer {token}"))
        .header("consistencylevel", "eventual");
    let request = match body {
        Value::Null => request,
        body => request
            .header("content-type", "application/json")
            .body(body.to_string()),
    };
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let bytes = answer.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// A token of the sample API itself for Graph.
async fn graph_app_token(emulator: &Emulator) -> String {
    let body = format!(
        "grant_type=client_credentials&client_id={API_ID}&client_secret={API_SECRET}\
         &scope=https://graph.microsoft.com/.default"
    );
    let (_, answer) = post(emulator, &format!("/{CONTOSO}/oauth2/v2.0/token"), &body).await;
    answer["access_token"].as_str().unwrap().to_owned()
}

/// The body of an on-behalf-of request of the sample API.
fn on_behalf_of(assertion: &str, scope: &str) -> String {
    format!(
        "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&client_id={API_ID}\
         &client_secret={API_SECRET}&requested_token_use=on_behalf_of&assertion={assertion}\
         &scope={scope}"
    )
}

/// A Graph token on behalf of the user of that API token.
async fn graph_user_token(emulator: &Emulator, assertion: &str, scope: &str) -> String {
    let body = on_behalf_of(assertion, scope);
    let (_, answer) = post(emulator, &format!("/{CONTOSO}/oauth2/v2.0/token"), &body).await;
    answer["access_token"].as_str().unwrap().to_owned()
}
