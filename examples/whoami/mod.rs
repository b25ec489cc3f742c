//! `GET /me`: who is calling, as far as the token says.
#![allow(dead_code, reason = "each program uses its part")]

use axum::Json;
use axum_entra::{Claims, Groups};
use serde_json::{Value, json};

/// The body of contract §5.
pub(crate) async fn whoami(claims: Claims) -> Json<Value> {
    Json(body(&claims))
}

pub(crate) fn body(claims: &Claims) -> Value {
    let groups = claims.groups();
    let count = match groups {
        Groups::Complete(ids) => Some(ids.len()),
        _ => None,
    };
    json!({
        "ver": claims.version().as_str(),
        "iss": claims.issuer(),
        "tid": claims.tenant_id().map(|tenant| tenant.to_string()),
        "oid": claims.object_id_text(),
        "sub": claims.subject(),
        "principal": claims.principal().as_str(),
        "client": claims.client_id_text(),
        "client_auth": claims.client_auth_method().map(axum_entra::ClientAuthMethod::as_str),
        "scopes": claims.scopes().collect::<Vec<_>>(),
        "roles": claims.roles().collect::<Vec<_>>(),
        "groups": { "state": groups.as_str(), "count": count },
        "idp": claims.identity_provider(),
        "guest": claims.is_guest(),
        "agent": claims.agent().map(|agent| agent.kind().as_str()),
        "display_name": claims.profile().display_name(),
    })
}
