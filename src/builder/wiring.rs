//! Authorities with their keys and their connections.

use std::sync::Arc;

use tokio::sync::watch;

use crate::authority::{Purpose, Trust};
use crate::claims::Home;
use crate::config_error::ConfigError;
use crate::graph::{Connection, DirectoryAccess, Door, TokenDesk};
use crate::jwks::refresh::Refresher;
use crate::jwks::fetch::Remote;
use crate::jwks::snapshot::{KeyReader, fixed, kept_fresh};
use crate::jwks::{Endpoints, HttpClient, KeySet};
use crate::token::Installed;
use crate::token_version::TokenVersion;
use crate::middleware::{Edge, Origin, Resource};

/// Gives an authority its connection to Graph.
pub(super) fn connect(
    access: DirectoryAccess,
    trust: &Trust,
    client: &HttpClient,
    edge: &Arc<Edge>,
    endpoints: watch::Receiver<Option<Endpoints>>,
) -> Result<Arc<Connection>, ConfigError> {
    let door = Door {
        client: client.clone(),
        timeout: trust.freshness.timeout,
        max_bytes: trust.freshness.max_bytes,
    };
    let desk = TokenDesk::new(
        door,
        endpoints,
        trust.client_id.clone(),
        access.credential().clone(),
        edge.clock.clone(),
    );
    access.connect(trust, desk).map(Arc::new)
}

/// Gives an authority its keys, or the task that will.
pub(super) fn install(
    trust: Trust,
    client: &HttpClient,
    edge: &Arc<Edge>,
    directory: Option<Arc<Connection>>,
    resources: &[Arc<Resource>],
    endpoints: &watch::Sender<Option<Endpoints>>,
    refreshers: &mut Vec<Refresher>,
) -> Result<Installed, ConfigError> {
    let learns = trust.learns;
    let learnt = Arc::default();
    let mut readers: Vec<KeyReader> = Vec::new();
    let mut versions = Vec::new();
    for (index, document) in trust.documents.iter().enumerate() {
        if let Some(jwks) = &trust.static_keys {
            endpoints.send_replace(trust.token_endpoint().map(|token| Endpoints {
                token,
                graph_host: None,
            }));
            let issuer = document.issuers.first().cloned();
            let keys = issuer
                .ok_or_else(|| ConfigError::missing("Issuer", "the exact issuer"))
                .and_then(|issuer| {
                    KeySet::read(jwks.as_bytes(), issuer, document)
                        .map_err(|error| ConfigError::value("static_keys", error, "a JWK set"))
                })?;
            readers.push(fixed(keys));
            continue;
        }
        let (publisher, reader) = kept_fresh(&trust.freshness);
        let remote = Remote {
            client: client.clone(),
            document: document.clone(),
            timeout: trust.freshness.timeout,
            max_bytes: trust.freshness.max_bytes,
            learns,
            learnt: Arc::clone(&learnt),
            last: None,
            // Each policy of B2C has its own; the first policy's is taken.
            clocks: Some((Arc::clone(&trust.clock), edge.clock.clone())),
            endpoints: (index == 0 || !trust.is_b2c()).then(|| endpoints.clone()),
        };
        let name = document.address.to_string();
        let refresher = Refresher::new(name, remote, publisher, &trust.freshness);
        if let Purpose::Version(version) = document.purpose {
            versions.push((version, refreshers.len()));
        }
        refreshers.push(refresher);
        readers.push(reader);
    }
    let refresher_of = |wanted| {
        let found = versions.iter().find(|(version, _)| *version == wanted);
        found.and_then(|(_, place)| refreshers.get(*place))
    };
    if let (Some(first), Some(second)) = (
        refresher_of(TokenVersion::V1),
        refresher_of(TokenVersion::V2),
    ) {
        first.bound_by(second);
    }
    let home = Home(Arc::new(Origin {
        edge: Arc::clone(edge),
        authorization_uri: trust.authorization_uri.clone(),
        backdate: Arc::clone(&trust.backdate),
        app_id_uris: app_id_uris(&trust, resources),
        clock_skew: trust.clock_skew,
        directory,
    }));
    Ok(Installed {
        trust,
        readers,
        learns,
        learnt,
        home: Some(home),
    })
}

/// What full scope names begin with, at each address of this API; one where there is none.
fn app_id_uris(trust: &Trust, resources: &[Arc<Resource>]) -> Vec<String> {
    if resources.is_empty() {
        return vec![trust.app_id_uri(None).to_owned()];
    }
    let of = |resource: &Arc<Resource>| trust.app_id_uri(Some(resource.address())).to_owned();
    resources.iter().map(of).collect()
}
