//! A managed identity as credential, where the API runs on a machine of Azure.
//!
//! Source: Microsoft, "Configure an application to trust a managed identity"; "Azure Instance
//! Metadata Service", whose address is link-local and the same on every machine.

use std::error::Error;

use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::credentials::{AssertionFuture, AssertionSource};
use super::failure::CallFailure;
use super::graph::{Call, Door};

/// Asks the machine for a token of its identity, which the authority takes as an assertion.
pub(crate) struct ManagedIdentity {
    pub(crate) door: Door,
    /// A user-assigned identity; the machine's own without it.
    pub(crate) client_id: Option<Uuid>,
    /// For whom the assertion is; `api://AzureADTokenExchange` without it.
    pub(crate) audience: Option<String>,
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
}

impl ManagedIdentity {
    async fn ask(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        const CALL: &str = "managed identity";
        let mut address = Url::parse(ENDPOINT)?;
        let audience = self.audience.as_deref().unwrap_or(AUDIENCE);
        address
            .query_pairs_mut()
            .append_pair("api-version", "2018-02-01")
            .append_pair("resource", audience.trim_end_matches("/.default"));
        if let Some(id) = self.client_id {
            let id = id.hyphenated().to_string();
            address.query_pairs_mut().append_pair("client_id", &id);
        }
        let call = Call {
            name: CALL,
            method: Method::GET,
            address,
            headers: HeaderMap::from_iter([(
                http::HeaderName::from_static("metadata"),
                HeaderValue::from_static("true"),
            )]),
            body: Vec::new(),
        };
        let answer = self.door.make(call).await?;
        if !answer.status.is_success() {
            let failure = CallFailure::Status {
                call: CALL,
                status: answer.status.as_u16(),
                code: String::new(),
            };
            return Err(failure.into());
        }
        let issued: Issued = serde_json::from_slice(&answer.body)
            .map_err(|_| CallFailure::NotADocument { call: CALL })?;
        Ok(issued.access_token)
    }
}

impl AssertionSource for ManagedIdentity {
    /// The metadata service keeps what it gave, so it is asked each time.
    fn assertion(&self) -> AssertionFuture<'_> {
        Box::pin(self.ask())
    }
}

const ENDPOINT: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
const AUDIENCE: &str = "api://AzureADTokenExchange";
