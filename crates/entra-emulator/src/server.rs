//! The addresses the emulator answers at.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use base64_simd::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;

use super::{
    authority::Authority,
    authorize,
    conditions::as_conditions_allow,
    connection::{AbortHandle, LoopbackListener},
    documents::{self, Version},
    front_page, graph, msal,
    outage::Endpoint,
    token_endpoint,
};

pub(super) type Shared = State<Arc<Authority>>;

/// Serves until the last handle of the emulator is gone.
pub(super) fn spawn(doorkeeper: LoopbackListener, authority: Arc<Authority>) {
    let stopped = authority.until_stopped();
    let service = router(authority).into_make_service_with_connect_info::<AbortHandle>();
    tokio::spawn(async move {
        // It ends without an error: failing accepts are tried again.
        let _ = axum::serve(doorkeeper, service)
            .with_graceful_shutdown(stopped)
            .await;
    });
}

fn router(authority: Arc<Authority>) -> Router {
    let document = |version, endpoint| {
        get(
            move |state: Shared,
                  place: Path<Place>,
                  query: Query<Parameters>,
                  headers: HeaderMap| async move {
                document(&state, version, endpoint, place, query, &headers)
            },
        )
    };
    let discovery = |version| document(version, Endpoint::Discovery);
    let keys = |version| document(version, Endpoint::Keys);
    Router::new()
        .route("/", get(front_page::show))
        .route("/mint", post(front_page::mint))
        .route(
            "/{tenant}/.well-known/openid-configuration",
            discovery(Version::V1),
        )
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            discovery(Version::V2),
        )
        .route(
            "/{tenant}/{policy}/v2.0/.well-known/openid-configuration",
            discovery(Version::V2),
        )
        .route(
            "/tfp/{tenant}/{policy}/v2.0/.well-known/openid-configuration",
            discovery(Version::V2),
        )
        .route("/{tenant}/discovery/keys", keys(Version::V1))
        .route("/{tenant}/discovery/v2.0/keys", keys(Version::V2))
        .route("/{tenant}/{policy}/discovery/v2.0/keys", keys(Version::V2))
        .route("/{tenant}/oauth2/token", post(token_endpoint::v1))
        .route("/{tenant}/oauth2/v2.0/token", post(token_endpoint::v2))
        .route(
            "/{tenant}/{policy}/oauth2/v2.0/token",
            post(token_endpoint::v2),
        )
        .route(
            "/{tenant}/oauth2/v2.0/authorize",
            get(authorize::show).post(authorize::pick),
        )
        .route(
            "/{tenant}/{policy}/oauth2/v2.0/authorize",
            get(authorize::show).post(authorize::pick),
        )
        .route(
            "/{tenant}/oauth2/v2.0/logout",
            get(authorize::sign_out).post(authorize::sign_out),
        )
        .route(
            "/{tenant}/{policy}/oauth2/v2.0/logout",
            get(authorize::sign_out).post(authorize::sign_out),
        )
        .route("/{tenant}/discovery/instance", get(msal::instance))
        .route("/{tenant}/userrealm/{user}", get(msal::user_realm))
        .route("/{tenant}/UserRealm/{user}", get(msal::user_realm))
        .route("/graph/{version}/{*path}", any(graph::answer))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&authority),
            as_conditions_allow,
        ))
        .layer(CorsLayer::permissive())
        .with_state(authority)
}

/// Whose address it is: a tenant's, or a policy's of a B2C tenant.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    pub(super) tenant: String,
    pub(super) policy: Option<String>,
}

/// The parameters of discovery and key addresses.
#[derive(Debug, Deserialize)]
struct Parameters {
    appid: Option<String>,
    p: Option<String>,
}

fn document(
    authority: &Authority,
    version: Version,
    endpoint: Endpoint,
    Path(Place { tenant, policy }): Path<Place>,
    Query(parameters): Query<Parameters>,
    headers: &HeaderMap,
) -> Response {
    let policy_in_query = policy.is_none() && parameters.p.is_some();
    let policy = policy.or(parameters.p);
    let Some(request) = documents::Request::new(authority, version, &tenant, policy.as_deref())
    else {
        return unknown_address(&tenant);
    };
    // It is repeated in addresses, so nothing but an id may stand in it.
    let is_id = |app: &String| {
        app.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let app = parameters.appid.filter(is_id);
    let request = documents::Request {
        policy_in_query,
        app,
        ..request
    };
    if endpoint == Endpoint::Discovery {
        return cacheable(authority, &request.discovery(authority), headers);
    }
    if let Some(replaced) = authority.replaced_keys().as_ref() {
        return cacheable(authority, replaced, headers);
    }
    match request.keys(authority) {
        Ok(keys) => cacheable(authority, &keys, headers),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The document with `ETag` and `Cache-Control`, or 304 for a client that has it.
fn cacheable(authority: &Authority, document: &Value, headers: &HeaderMap) -> Response {
    let body = document.to_string();
    let hash = digest(&SHA256, body.as_bytes());
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode_to_string(hash));
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| {
        known
            .split(',')
            .any(|one| one.trim() == "*" || one.trim().trim_start_matches("W/") == etag)
    });
    let max_age = authority.options.keys_max_age.as_secs();
    let cache = [
        (header::ETAG, etag),
        (header::CACHE_CONTROL, format!("max-age={max_age}, private")),
    ];
    if is_known {
        return (StatusCode::NOT_MODIFIED, cache).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (cache, kind, body).into_response()
}

fn unknown_address(tenant: &str) -> Response {
    let body = json!({
        "error": "invalid_tenant",
        "error_description": format!("AADSTS90002: Tenant '{tenant}' (or its policy) not found."),
        "error_codes": [90002],
    });
    (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
}
