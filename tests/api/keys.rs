//! How keys are fetched, kept and given up.

mod document;
mod refresh;
mod tenant;
mod under_load;
mod unknown;

use std::time::Duration;

use axum_entra::{Authority, Clock, Entra, Tenant, TokenVersion, UnixTime};
use serde_json::{Value, json};

use crate::clock::eventually;
use crate::documents::{Documents, client};
use crate::service::{Answer, Runs, fetch, protected};
use crate::signer::key;
use crate::token::{API, KID, T0, TENANT, good, good_header, text};

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

fn issuer() -> String {
    format!("https://login.microsoftonline.com/{TENANT}/v2.0")
}

/// One tenant, v2.0 alone, whose documents are on loopback.
fn authority(documents: &Documents) -> Authority {
    documents.put_authority("/v2", &issuer(), &key(0).jwks(KID));
    Authority::entra(Tenant::new(TENANT), API)
        .token_versions([TokenVersion::V2])
        .metadata_address(documents.discovery("/v2"))
        .clock_skew(Duration::ZERO)
}

fn started(authority: Authority) -> Entra {
    Entra::builder_for(authority)
        .clock(Clock::from_fn(|| UnixTime::from_secs(T0)))
        .http_client(client())
        .build()
        .unwrap()
}

async fn ready(authority: Authority) -> Entra {
    let entra = started(authority);
    has_keys(&entra).await;
    entra
}

async fn has_keys(entra: &Entra) {
    eventually("keys", || entra.is_ready()).await;
}

/// A good token, signed by a key of the tests under an id.
fn signed(number: usize, kid: &str) -> String {
    let mut header = good_header();
    header.insert("kid".to_owned(), json!(kid));
    key(number).sign(&text(&header), &text(&good()))
}

async fn ask(entra: &Entra, token: &str) -> Answer {
    fetch(&protected(entra, &Runs::default()), "/", token).await
}

/// What a token brings, waiting for nothing: `in`, or the reason of its refusal.
fn at_once(entra: &Entra, token: &str) -> &'static str {
    match entra.validate_at(token, UnixTime::from_secs(T0)) {
        Ok(_) => "in",
        Err(rejection) => rejection.reason(),
    }
}

fn last_error(entra: &Entra) -> Option<String> {
    let error = entra.status()[0].jwks[0].last_error.clone();
    error.map(|error| error.to_string())
}

fn count(entra: &Entra) -> usize {
    entra.status()[0].jwks[0].key_count
}

fn jwks(keys: &[Value]) -> Value {
    json!({ "keys": keys })
}
