//! `GET /validate`: what Microsoft's sidecar answers about a token.
//!
//! Source: <https://learn.microsoft.com/entra/msidweb/agent-id-sdk/endpoints>

use axum_core::response::Response;
use axum_entra::{Claims, TokenVersion};
use base64_simd::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Method, Request};
use serde_json::{Map, Value, json};

use crate::original::refuse_disguised;
use crate::policy::Policy;
use crate::problem::Problem;
use crate::{identity, status};

pub(super) async fn answer(policy: &Policy, parts: Parts) -> Response {
    if parts.method != Method::GET {
        return Problem::method().into_response();
    }
    if let Err(problem) = refuse_disguised(parts.headers.keys().map(|name| name.as_str())) {
        return problem.into_response();
    }
    let presented = presented(&parts.headers);
    let mut request = Request::new(());
    *request.uri_mut() = parts.uri;
    *request.headers_mut() = parts.headers;
    let claims = match policy.validate(request).await {
        Ok(claims) => claims,
        Err(response) => return response,
    };
    let (scheme, token) = presented.unwrap_or_default();
    let is_proof = scheme.eq_ignore_ascii_case("PoP");
    let mut answer = json!({
        "protocol": if is_proof { "PoP" } else { "Bearer" },
        // A proof has its token inside, and an encrypted token its claims.
        "claims": match is_proof {
            true => None,
            false => payload(&token),
        }
        .unwrap_or_else(|| known(&claims)),
    });
    if policy.validate_returns_token()
        && let Some(answer) = answer.as_object_mut()
    {
        answer.insert("token".to_owned(), json!(token));
    }
    let mut response = status::json(&answer);
    identity::put(Some(&claims), response.headers_mut());
    response
}

/// Scheme and token of a header that the layer then accepted or refused.
fn presented(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some((scheme.to_owned(), token.trim().to_owned()))
}

/// The claims of a signed token, as they are in it.
fn payload(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode_to_vec(payload).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// The claims that have accessors, and those that have none.
fn known(claims: &Claims) -> Value {
    let list = |values: Vec<&str>| (!values.is_empty()).then(|| json!(values));
    let text = |value: Option<&str>| value.map(|value| json!(value));
    let scopes: Vec<&str> = claims.scopes().collect();
    let client = match claims.version() {
        TokenVersion::V1 => "appid",
        _ => "azp",
    };
    let known = [
        ("iss", text(Some(claims.issuer()))),
        ("aud", list(claims.audiences().collect())),
        ("exp", Some(json!(claims.expires_at()))),
        ("nbf", claims.not_before().map(|time| json!(time))),
        ("iat", claims.issued_at().map(|time| json!(time))),
        ("ver", text(Some(claims.version().as_str()))),
        ("tid", claims.tenant_id().map(|id| json!(id.to_string()))),
        ("oid", text(claims.object_id_text())),
        ("sub", text(claims.subject())),
        (client, text(claims.client_id_text())),
        ("scp", (!scopes.is_empty()).then(|| json!(scopes.join(" ")))),
        ("roles", list(claims.roles().collect())),
        ("wids", list(claims.directory_roles().collect())),
        ("acrs", list(claims.acrs().collect())),
        ("name", text(claims.profile().display_name())),
    ];
    let mut all = Map::new();
    for name in claims.extra_claim_names() {
        if let Some(value) = claims.extra::<Value>(name) {
            all.insert(name.to_owned(), value);
        }
    }
    for (name, value) in known {
        if let Some(value) = value {
            all.insert(name.to_owned(), value);
        }
    }
    Value::Object(all)
}
