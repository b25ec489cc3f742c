//! Authorities with their keys and their connections.

use std::sync::Arc;

use tokio::sync::watch;

use crate::authority::{Document, ResolvedAuthority};
use crate::config_error::ConfigError;
use crate::graph::{Connection, GraphConfig, GraphTransport, TokenEndpointClient};
use crate::jwks::fetch::{Remote, transport};
use crate::jwks::refresh::Refresher;
use crate::jwks::snapshot::{KeyReader, fixed_set, refreshing};
use crate::jwks::{Endpoints, KeySet};
use crate::middleware::{AuthorityContext, LayerContext, Resource};
use crate::token::AuthorityState;
use crate::token_version::TokenVersion;
use crate::transport::HttpClient;

/// Gives an authority its connection to Graph.
pub(super) fn connect(
    access: GraphConfig,
    trust: &ResolvedAuthority,
    client: &HttpClient,
    edge: &Arc<LayerContext>,
    endpoints: watch::Receiver<Option<Endpoints>>,
) -> Result<Arc<Connection>, ConfigError> {
    let token_endpoint = TokenEndpointClient::new(
        GraphTransport::new(transport(client, &edge.clock, &trust.freshness)),
        endpoints,
        trust.client_id.clone(),
        access.credential().clone(),
        edge.clock.clone(),
    );
    let answers = edge.accounts.answers();
    access.connect(trust, token_endpoint, answers).map(Arc::new)
}

/// Gives an authority its keys, or the task that will.
pub(super) fn install(
    trust: ResolvedAuthority,
    client: &HttpClient,
    edge: &Arc<LayerContext>,
    directory: Option<Arc<Connection>>,
    resources: &[Arc<Resource>],
    endpoints: &watch::Sender<Option<Endpoints>>,
    refreshers: &mut Vec<Refresher>,
) -> Result<AuthorityState, ConfigError> {
    let tenant_from_discovery = trust.tenant_from_discovery;
    let discovered_tenant = Arc::default();
    let mut readers: Vec<KeyReader> = Vec::new();
    let mut fetched = |document: &Document, endpoints| {
        let (publisher, reader) = refreshing(&trust.freshness);
        let remote = Remote {
            transport: transport(client, &edge.clock, &trust.freshness),
            document: document.clone(),
            tenant_from_discovery,
            discovered_tenant: Arc::clone(&discovered_tenant),
            last: None,
            clock: Some(Arc::clone(&trust.clock)),
            endpoints,
        };
        let name = document.address.to_string();
        refreshers.push(Refresher::new(name, remote, publisher, &trust.freshness));
        reader
    };
    for (index, document) in trust.documents.iter().enumerate() {
        if let Some(jwks) = &trust.static_jwks {
            endpoints.send_replace(trust.token_endpoint().map(|token| Endpoints {
                token,
                graph_host: None,
            }));
            let issuer = document.issuers.first().cloned();
            let keys = issuer
                .ok_or_else(|| ConfigError::missing("Issuer", "the exact issuer"))
                .and_then(|issuer| {
                    KeySet::read(jwks.as_bytes(), issuer, document)
                        .map_err(|error| ConfigError::value("static_jwks", error, "a JWK set"))
                })?;
            readers.push(fixed_set(keys));
            continue;
        }
        // Each policy of B2C has its own; the first policy's is taken.
        let known = (index == 0 || !trust.is_b2c()).then(|| endpoints.clone());
        readers.push(fetched(document, known));
    }
    // An application that brings its own keys says itself whose tokens each of them verifies.
    let binding = trust
        .binding
        .as_ref()
        .filter(|_| trust.static_jwks.is_none());
    let binding = binding.map(|document| fetched(document, None));
    if trust.static_jwks.is_none()
        && let Some(first) = trust.version(TokenVersion::V1)
    {
        let (before, after) = readers.split_at_mut(first.saturating_add(1));
        // In the order of their versions: v2.0 comes after v1.0.
        let second = after.first().or(binding.as_ref());
        if let (Some(first), Some(second)) = (before.last_mut(), second) {
            first.bind_to(second, trust.v1_keys_need_binding);
        }
    }
    let context = Arc::new(AuthorityContext {
        edge: Arc::clone(edge),
        authorization_uri: trust.authorization_uri.clone(),
        backdate: Arc::clone(&trust.backdate),
        app_id_uris: app_id_uris(&trust, resources),
        clock_skew: trust.clock_skew,
        directory,
    });
    Ok(AuthorityState {
        trust,
        readers,
        binding,
        tenant_from_discovery,
        discovered_tenant,
        context: Some(context),
    })
}

/// What full scope names begin with, at each address of this API; one where there is none.
fn app_id_uris(trust: &ResolvedAuthority, resources: &[Arc<Resource>]) -> Vec<String> {
    if resources.is_empty() {
        return vec![trust.app_id_uri(None).to_owned()];
    }
    let of = |resource: &Arc<Resource>| trust.app_id_uri(Some(resource.address())).to_owned();
    resources.iter().map(of).collect()
}
