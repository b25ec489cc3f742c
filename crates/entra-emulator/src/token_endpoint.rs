//! The token endpoints: `client_credentials` and `password`.

use std::sync::Arc;

use axum::{
    Form, Json,
    extract::{Path, Query, rejection::FormRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use base64_simd::STANDARD;

use super::{
    authority::Authority,
    documents::Version,
    server::{Place, Shared},
    token_request::{Fields, TokenRequest},
};

type Posted = Result<Form<Fields>, FormRejection>;

/// `POST /{tenant}/oauth2/token`
pub(super) async fn v1(
    authority: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    form: Posted,
) -> Response {
    respond(&authority, Version::V1, &tenant, None, &headers, form)
}

/// `POST /{tenant}/oauth2/v2.0/token`, for B2C with `?p={policy}` or as
/// `/{tenant}/{policy}/oauth2/v2.0/token`.
pub(super) async fn v2(
    authority: Shared,
    Path(Place { tenant, policy }): Path<Place>,
    Query(mut query): Query<Fields>,
    headers: HeaderMap,
    form: Posted,
) -> Response {
    let policy = policy.or_else(|| query.remove("p"));
    respond(&authority, Version::V2, &tenant, policy, &headers, form)
}

fn respond(
    authority: &Arc<Authority>,
    version: Version,
    tenant: &str,
    policy: Option<String>,
    headers: &HeaderMap,
    form: Posted,
) -> Response {
    // A body of another type has none of the parameters.
    let mut fields = form.map(|Form(fields)| fields).unwrap_or_default();
    if let Some((client, secret)) = basic_credentials(headers) {
        fields.entry("client_id".to_owned()).or_insert(client);
        fields.entry("client_secret".to_owned()).or_insert(secret);
    }
    let request = TokenRequest {
        authority,
        version,
        tenant,
        policy,
        fields,
    };
    match request.answer() {
        Ok(answer) => {
            let headers = [
                (header::CACHE_CONTROL, "no-store"),
                (header::PRAGMA, "no-cache"),
            ];
            (headers, Json(answer)).into_response()
        }
        Err(refusal) => refusal.into_response_at(&authority.base),
    }
}

/// RFC 6749 §2.3.1. Ids and secrets of the emulator need no form encoding, so none is undone.
fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let encoded = value.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode_to_vec(encoded).ok()?).ok()?;
    let (client, secret) = decoded.split_once(':')?;
    Some((client.to_owned(), secret.to_owned()))
}
