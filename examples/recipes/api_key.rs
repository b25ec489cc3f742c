//! Another credential beside Entra's tokens: an API key.

// ANCHOR: middleware
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_entra::guard::RequireScope;
use axum_entra::{Claims, Entra, Permit, guards};
use serde_json::json;

/// A partner that proved itself with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partner(&'static str);

/// Outside the layer: takes the other credential, and refuses two at once. It never goes on with a key that it
/// does not know.
async fn api_key(mut request: Request, next: Next) -> Response {
    // Nothing that a client sends becomes this extension; only the lines below set it.
    let keys: Vec<&HeaderValue> = request.headers().get_all("x-api-key").iter().collect();
    let partner = match *keys.as_slice() {
        [] => return next.run(request).await,
        [key] if !request.headers().contains_key(header::AUTHORIZATION) => partner_of(key),
        _ => return refuse(StatusCode::BAD_REQUEST, "two_credentials"),
    };
    let Some(partner) = partner else {
        return refuse(StatusCode::UNAUTHORIZED, "unknown_api_key");
    };
    request.extensions_mut().insert(partner);
    next.run(request).await
}

/// The SHA-256 of each key (`printf %s "$KEY" | sha256sum`), never the key: who reads the list cannot call. A key
/// is 32 random bytes (`openssl rand -base64 32`), so a fast hash is enough, and a comparison that ends early
/// says nothing that helps to find one.
const KEYS: [(&str, &str); 1] = [(
    "6425b94d2b803d8f3b9995efd3f3be04acc247b405586e6e035d203af82c47d1",
    "fabrikam",
)];

fn partner_of(key: &HeaderValue) -> Option<Partner> {
    let hash: String = digest(&SHA256, key.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let found = KEYS.iter().find(|(known, _)| *known == hash);
    found.map(|(_, name)| Partner(name))
}

/// A refusal in the form of the layer's: status, challenge, problem body with a `reason`.
fn refuse(status: StatusCode, reason: &str) -> Response {
    let problem = json!({
        "type": "about:blank", "title": status.canonical_reason(), "status": status.as_u16(),
        "error": "invalid_request", "reason": reason,
    });
    let json = HeaderValue::from_static("application/problem+json");
    let mut response = (status, problem.to_string()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
// ANCHOR_END: middleware

// ANCHOR: caller
guards! {
    /// What a caller with a token needs. A token that is only valid proves no permission.
    CanReport = RequireScope("Todo.Read");
}

/// Who may call. A handler that takes it is protected: neither credential is 401, a token without the permission
/// 403.
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
        Permit::<CanReport>::from_request_parts(parts, state)
            .await
            .map(|permit| Self::Entra(Box::new(permit.into_claims())))
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
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test stops at the first surprise"
    )]

    use axum::http::header::WWW_AUTHENTICATE;
    use entra_emulator::Emulator;

    use super::app;
    use crate::asked::{json, request, send, trusting};

    #[tokio::test]
    async fn one_credential_gets_in_and_none_two_or_a_bad_one_do_not() {
        let emulator = Emulator::start().await.unwrap();
        let app = app(&trusting(&emulator, &[]).build().unwrap());
        let good = emulator.token().scope("Todo.Read");
        let poor = emulator.token().scope("Other");
        let late = emulator.token().scope("Todo.Read").expired();
        let key = "partner-key-for-this-sample";
        for (token, keys, expected) in [
            (Some(&good), vec![], 200),
            (Some(&poor), vec![], 403),
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

    #[tokio::test]
    async fn an_unknown_key_is_refused_as_the_layer_refuses() {
        let emulator = Emulator::start().await.unwrap();
        let app = app(&trusting(&emulator, &[]).build().unwrap());
        let mut unknown = request("GET /report", None);
        unknown
            .headers_mut()
            .insert("x-api-key", "x".parse().unwrap());
        let refused = send(&app, unknown).await;
        assert_eq!(refused.headers()[WWW_AUTHENTICATE], "Bearer");
        assert_eq!(json(refused).await["reason"], "unknown_api_key");
    }
}
