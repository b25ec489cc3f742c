//! Where Microsoft Graph is: known from the start, or named by the authority's document.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use url::Url;

use super::failure::CallFailure;
use super::graph::{Door, Graph};
use crate::authority::Cloud;
use crate::keys::Endpoints;

/// Microsoft Graph, or how to find out which one.
pub(super) enum Place {
    Known(Arc<Graph>),
    /// Several clouds share the authority's host: the document names the tenant's.
    Named {
        door: Door,
        endpoints: watch::Receiver<Option<Endpoints>>,
        among: &'static [Cloud],
    },
}

impl Place {
    /// Microsoft Graph, once the first discovery document is there.
    pub(super) async fn graph(&self) -> Result<Arc<Graph>, CallFailure> {
        let (door, endpoints, among) = match self {
            Self::Known(graph) => return Ok(Arc::clone(graph)),
            Self::Named {
                door,
                endpoints,
                among,
            } => (door, endpoints, among),
        };
        let host = known(endpoints, door.timeout).await?.graph_host;
        let named = among.iter().find_map(|cloud| {
            let base = Url::parse(cloud.graph_url()).ok()?;
            let is_named = host.as_deref().is_some_and(|host| {
                base.host_str()
                    .is_some_and(|own| own.eq_ignore_ascii_case(host))
            });
            is_named.then_some((base, cloud.graph_scope()))
        });
        let (base, scope) = named.ok_or(CallFailure::NoGraph)?;
        let door = door.clone();
        Ok(Arc::new(Graph { door, base, scope }))
    }
}

/// What the first discovery document says, once it is there.
pub(super) async fn known(
    endpoints: &watch::Receiver<Option<Endpoints>>,
    timeout: Duration,
) -> Result<Endpoints, CallFailure> {
    let mut endpoints = endpoints.clone();
    let known = tokio::time::timeout(timeout, endpoints.wait_for(Option::is_some));
    let known = known.await.ok().and_then(Result::ok);
    known
        .and_then(|known| known.clone())
        .ok_or(CallFailure::NoTokenEndpoint)
}
