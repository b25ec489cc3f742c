//! What the targets of requests have in common: an API that takes them, and two keys.
#![allow(dead_code, reason = "each target uses its part")]

use std::convert::Infallible;
use std::sync::{LazyLock, OnceLock};

use axum_core::body::Body;
use axum_core::response::Response;
use axum_entra::__fuzz::{API, ISSUER, TENANT};
use axum_entra::{Authority, Clock, Entra, SecurityEventTransmitter, Tenant, UnixTime};
use http::Request;
use serde_json::{Value, json};
use tower_service::Service;

#[path = "../../../tests/api/signer.rs"]
#[allow(dead_code)]
mod signer;

pub const NOW: u64 = 1_800_000_000;
pub const SKEW: f64 = 300.0;
pub const TRANSMITTER: &str = "https://ssf.example.com/";
pub const EVENTS_FOR: &str = "https://api.example/events";

pub static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
});

/// An API that believes one authority, and one transmitter with the same key.
pub fn entra() -> &'static Entra {
    static ENTRA: OnceLock<Entra> = OnceLock::new();
    ENTRA.get_or_init(|| {
        let _inside = RUNTIME.enter();
        let keys = || signer::key(0).jwks("k").to_string();
        let authority = Authority::entra(Tenant::new(TENANT), API).static_jwks(keys());
        let signals = SecurityEventTransmitter::new(TRANSMITTER, EVENTS_FOR).static_jwks(keys());
        Entra::builder_for(authority)
            .security_event_transmitter(signals)
            .clock(Clock::from_fn(|| UnixTime::from_secs(NOW)))
            .build()
            .expect("good settings")
    })
}

/// An access token of a user's client, with these scopes.
pub fn access_token(scopes: &str) -> String {
    let claims = json!({
        "aud": API, "iss": ISSUER, "tid": TENANT, "ver": "2.0", "iat": NOW, "nbf": NOW, "exp": NOW + 60,
        "azp": API, "azpacr": "0", "sub": "s", "oid": TENANT, "scp": scopes,
    });
    let header = json!({ "alg": "RS256", "kid": "k" });
    signer::key(0).sign(&header.to_string(), &claims.to_string())
}

/// Whether by the published key, header, payload and the token of both.
pub fn signed(data: &str) -> Option<(bool, &str, &str, String)> {
    let (key, rest) = match (data.strip_prefix('s'), data.strip_prefix('o')) {
        (Some(rest), _) => (0, rest),
        (_, Some(rest)) => (1, rest),
        _ => return None,
    };
    let (header, payload) = rest.split_once('\n')?;
    Some((
        key == 0,
        header,
        payload,
        signer::key(key).sign(header, payload),
    ))
}

pub fn status<S>(service: &S, media_type: &str, body: String) -> u16
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone,
{
    let request = Request::post("/").header("content-type", media_type);
    let request = request.body(Body::from(body)).expect("a request");
    let answer = RUNTIME.block_on(service.clone().call(request));
    answer.expect("an answer, whatever comes").status().as_u16()
}

pub fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}
