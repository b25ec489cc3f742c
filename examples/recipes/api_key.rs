//! Another credential beside Entra's tokens: an API key here; a second issuer's token works the same way.

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header::AUTHORIZATION};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_entra::{Claims, Entra};

// ANCHOR: middleware
/// A partner that proved itself with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partner(&'static str);

/// Outside the layer: takes the other credential, and refuses two at once.
async fn api_key(mut request: Request, next: Next) -> Response {
    // Nothing that a client sends becomes this extension; only the lines below set it.
    let keys: Vec<&HeaderValue> = request.headers().get_all("x-api-key").iter().collect();
    let partner = match *keys.as_slice() {
        [] => return next.run(request).await,
        [key] if !request.headers().contains_key(AUTHORIZATION) => partner_of(key),
        _ => return (StatusCode::BAD_REQUEST, "one credential at a time").into_response(),
    };
    let Some(partner) = partner else {
        return (StatusCode::UNAUTHORIZED, "unknown API key").into_response();
    };
    request.extensions_mut().insert(partner);
    next.run(request).await
}

/// Keys are kept as hashes where they are many; what is compared takes the same time for every key.
fn partner_of(key: &HeaderValue) -> Option<Partner> {
    const KEYS: [(&str, &str); 1] = [("partner-key-for-this-sample", "fabrikam")];
    let is_same = |known: &str| {
        let (known, key) = (known.as_bytes(), key.as_bytes());
        let pairs = known.iter().zip(key);
        known.len() == key.len() && pairs.fold(0, |found, (a, b)| found | (a ^ b)) == 0
    };
    let found = KEYS.iter().find(|(known, _)| is_same(known));
    found.map(|(_, name)| Partner(name))
}
// ANCHOR_END: middleware

// ANCHOR: caller
/// Who calls. A handler that takes it is protected: neither credential is 401.
#[derive(Debug)]
pub(crate) enum Caller {
    Partner(Partner),
    // The claims are large next to a name.
    Entra(Box<Claims>),
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        if let Some(partner) = parts.extensions.get::<Partner>() {
            return Ok(Self::Partner(partner.clone()));
        }
        let claims = <Claims as FromRequestParts<S>>::from_request_parts(parts, state).await;
        claims
            .map(|claims| Self::Entra(Box::new(claims)))
            .map_err(IntoResponse::into_response)
    }
}
// ANCHOR_END: caller

// ANCHOR: app
pub(crate) fn app(entra: &Entra) -> Router {
    Router::new()
        .route("/report", get(report))
        // No token is anonymous, a bad token is still 401. So a handler here takes `Caller`.
        .route_layer(entra.layer().optional())
        .route_layer(from_fn(api_key))
}

async fn report(caller: Caller) -> String {
    match caller {
        Caller::Partner(Partner(name)) => format!("for the partner {name}"),
        Caller::Entra(claims) => format!("for a {}", claims.principal().as_str()),
    }
}
// ANCHOR_END: app

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use entra_emulator::Emulator;

    use super::app;
    use crate::asked::{request, send, trusting};

    #[tokio::test]
    async fn one_credential_gets_in_and_none_two_or_a_bad_one_do_not() {
        let emulator = Emulator::start().await.unwrap();
        let app = app(&trusting(&emulator, &[]).build().unwrap());
        let good = emulator.token();
        let late = emulator.token().expired();
        let key = "partner-key-for-this-sample";
        for (token, keys, expected) in [
            (Some(&good), vec![], 200),
            (None, vec![key], 200),
            (None, vec![], 401),
            (Some(&late), vec![], 401),
            (None, vec!["partner-key-for-this-sampl"], 401),
            (None, vec!["partner-key-for-this-samplf"], 401),
            (None, vec![""], 401),
            (None, vec![key, key], 400),
            (Some(&good), vec![key], 400),
            (Some(&late), vec![key], 400),
        ] {
            let mut request = request("GET /report", token);
            for key in &keys {
                request
                    .headers_mut()
                    .append("x-api-key", key.parse().unwrap());
            }
            assert_eq!(send(&app, request).await.status(), expected, "{keys:?}");
        }
    }
}
