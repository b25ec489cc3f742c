//! A managed identity as credential, where the API runs on a machine of Azure.
//!
//! Source: Microsoft, "Configure an application to trust a managed identity"; "Azure Instance
//! Metadata Service", whose address is link-local and the same on every machine.

use std::error::Error;

use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;
use url::Url;

use super::credential::{AssertionFuture, ClientAssertionProvider};
use super::request_error::GraphRequestError;
use super::transport::GraphTransport;
use crate::transport::HttpRequest;

/// Asks the machine for a token of its identity, which the authority takes as an assertion.
pub(crate) struct ManagedIdentity {
    pub(crate) transport: GraphTransport,
    /// A user-assigned identity, by `client_id`, `object_id` or `msi_res_id`; the machine's own
    /// without it.
    pub(crate) parameter: Option<(&'static str, String)>,
    /// The audience of the assertion; `api://AzureADTokenExchange` without it.
    pub(crate) audience: Option<String>,
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
}

impl ManagedIdentity {
    fn address(&self) -> Result<Url, url::ParseError> {
        let mut address = Url::parse(ENDPOINT)?;
        let audience = self.audience.as_deref().unwrap_or(AUDIENCE);
        address
            .query_pairs_mut()
            .append_pair("api-version", "2018-02-01")
            .append_pair("resource", audience.trim_end_matches("/.default"));
        if let Some((name, id)) = &self.parameter {
            address.query_pairs_mut().append_pair(name, id);
        }
        Ok(address)
    }

    async fn ask(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        const CALL: &str = "managed identity";
        let request = HttpRequest {
            name: CALL,
            peer: None,
            method: Method::GET,
            address: self.address()?,
            headers: HeaderMap::from_iter([(
                http::HeaderName::from_static("metadata"),
                HeaderValue::from_static("true"),
            )]),
            body: Vec::new(),
            reads_refusals: false,
        };
        let answer = self.transport.send(request).await?;
        if !answer.status.is_success() {
            let failure = GraphRequestError::Status {
                call: CALL,
                status: answer.status.as_u16(),
                code: String::new(),
            };
            return Err(failure.into());
        }
        let issued: Issued = serde_json::from_slice(&answer.body)
            .map_err(|_| GraphRequestError::InvalidJson { call: CALL })?;
        Ok(issued.access_token)
    }
}

impl ClientAssertionProvider for ManagedIdentity {
    /// The metadata service keeps what it gave, so it is asked each time.
    fn assertion(&self) -> AssertionFuture<'_> {
        Box::pin(self.ask())
    }
}

const ENDPOINT: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
const AUDIENCE: &str = "api://AzureADTokenExchange";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_names_the_identity_as_it_was_named() {
        let address = |parameter: Option<(&'static str, &str)>| {
            let identity = ManagedIdentity {
                transport: GraphTransport::idle(),
                parameter: parameter.map(|(name, id)| (name, id.to_owned())),
                audience: None,
            };
            identity.address().unwrap().to_string()
        };
        let start = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=api%3A%2F%2FAzureADTokenExchange";
        assert_eq!(address(None), start);
        assert_eq!(
            address(Some(("object_id", "a"))),
            format!("{start}&object_id=a")
        );
        assert_eq!(
            address(Some(("msi_res_id", "/s/1"))),
            format!("{start}&msi_res_id=%2Fs%2F1")
        );
    }
}
