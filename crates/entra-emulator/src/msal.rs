//! What MSAL asks before it signs a user in: instance metadata and the user's realm.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde_json::{Value, json};
use url::Url;

use super::{server::Shared, token_request::Fields};

/// `GET /{tenant}/discovery/instance?authorization_endpoint=…`: this host is known, with its aliases.
pub(super) async fn instance(State(authority): Shared, Query(query): Query<Fields>) -> Json<Value> {
    let asked = query.get("authorization_endpoint");
    let asked = asked.and_then(|address| Url::parse(address).ok());
    let tenant = asked
        .as_ref()
        .and_then(|address| address.path_segments()?.next())
        .filter(|tenant| !tenant.is_empty())
        .unwrap_or("common");
    let base = &authority.base;
    let host = base
        .split_once("://")
        .map_or(base.as_str(), |(_, host)| host);
    let port = host.rsplit(':').next().unwrap_or_default();
    // MSAL compares hosts sometimes with the port, and sometimes without.
    let aliases = [
        host.to_owned(),
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
    ];
    Json(json!({
        "tenant_discovery_endpoint": format!("{base}/{tenant}/v2.0/.well-known/openid-configuration"),
        "api-version": query.get("api-version").map_or("1.1", String::as_str),
        "metadata": [{
            "preferred_network": host,
            "preferred_cache": host,
            "aliases": aliases,
        }],
    }))
}

/// `GET /common/userrealm/{user}`: no domain here is federated.
pub(super) async fn user_realm(
    State(authority): Shared,
    Path((_, user)): Path<(String, String)>,
) -> Json<Value> {
    let domain = user.rsplit_once('@').map_or("", |(_, domain)| domain);
    Json(json!({
        "ver": "1.0",
        "account_type": "Managed",
        "domain_name": domain,
        "cloud_instance_name": authority.options.cloud_instance_name,
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    }))
}
