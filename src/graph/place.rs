//! Where Microsoft Graph is: known from the start, or named by the authority's document.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use url::Url;

use super::http::Graph;
use super::request_error::GraphRequestError;
use super::transport::GraphTransport;
use crate::authority::Cloud;
use crate::jwks::Endpoints;

/// Microsoft Graph, or how to find out which one.
pub(super) enum Place {
    CacheEntry(Arc<Graph>),
    /// Several clouds share the authority's host: the document names the tenant's.
    Named {
        transport: GraphTransport,
        endpoints: watch::Receiver<Option<Endpoints>>,
        among: &'static [Cloud],
    },
}

impl Place {
    /// Microsoft Graph, once the first discovery document is there.
    pub(super) async fn graph(&self) -> Result<Arc<Graph>, GraphRequestError> {
        let (transport, endpoints, among) = match self {
            Self::CacheEntry(graph) => return Ok(Arc::clone(graph)),
            Self::Named {
                transport,
                endpoints,
                among,
            } => (transport, endpoints, among),
        };
        let host = known(endpoints, transport.timeout()).await?.graph_host;
        let named = among.iter().find_map(|cloud| {
            let base = Url::parse(cloud.graph_url()).ok()?;
            let is_named = host.as_deref().is_some_and(|host| {
                base.host_str()
                    .is_some_and(|own| own.eq_ignore_ascii_case(host))
            });
            is_named.then_some((base, cloud.graph_scope()))
        });
        let (base, scope) = named.ok_or(GraphRequestError::NoGraph)?;
        let transport = transport.clone();
        Ok(Arc::new(Graph {
            transport,
            base,
            scope,
        }))
    }
}

/// What the first discovery document says, once it is there.
pub(super) async fn known(
    endpoints: &watch::Receiver<Option<Endpoints>>,
    timeout: Duration,
) -> Result<Endpoints, GraphRequestError> {
    let mut endpoints = endpoints.clone();
    let known = tokio::time::timeout(timeout, endpoints.wait_for(Option::is_some));
    let known = known.await.ok().and_then(Result::ok);
    known
        .and_then(|known| known.clone())
        .ok_or(GraphRequestError::NoTokenEndpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: &[Cloud] = &[Cloud::UsGovernment, Cloud::UsGovernmentDod];

    async fn graph_of(host: Option<&str>) -> Result<String, String> {
        let (sender, endpoints) = watch::channel(None);
        let place = Place::Named {
            transport: GraphTransport::idle(),
            endpoints,
            among: US,
        };
        sender.send_replace(Some(Endpoints {
            token: Url::parse("https://login.microsoftonline.us/t").unwrap(),
            graph_host: host.map(str::to_owned),
        }));
        let graph = place.graph().await.map_err(|error| error.to_string())?;
        Ok(format!("{} {}", graph.base, graph.scope))
    }

    #[tokio::test]
    async fn the_document_says_which_of_the_clouds_that_share_a_host_it_is() {
        for (host, expected) in [
            (
                "graph.microsoft.us",
                "https://graph.microsoft.us/v1.0 https://graph.microsoft.us/.default",
            ),
            (
                "DOD-graph.microsoft.us",
                "https://dod-graph.microsoft.us/v1.0 https://dod-graph.microsoft.us/.default",
            ),
        ] {
            assert_eq!(graph_of(Some(host)).await.as_deref(), Ok(expected));
        }
        for other in [
            None,
            Some("graph.microsoft.com"),
            Some("graph.microsoft.us.evil.example"),
            Some("graph.microsoft.us:443"),
            Some(""),
        ] {
            let error = graph_of(other).await.unwrap_err();
            assert!(error.contains("Graph:BaseUrl"), "{other:?}: {error}");
        }
    }
}
