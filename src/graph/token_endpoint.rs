//! The token endpoint of an authority: where this API gets tokens of its own.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::watch;
use url::Url;
use uuid::Uuid;

use super::access_token::AccessToken;
use super::backoff::{Backoff, Backoffs};
use super::credential::ClientCredential;
use super::error::GraphError;
use super::place::known;
use super::refusal::{self, ValidationFailure};
use super::request_error::GraphRequestError;
use super::transport::GraphTransport;
use crate::clock::Clock;
use crate::jwks::Endpoints;
use crate::transport::HttpRequest;

/// Asks an authority for tokens, as the application that this API is.
#[derive(Debug, Clone)]
pub(crate) struct TokenEndpointClient {
    pub(super) transport: GraphTransport,
    /// As the discovery document names it; the keys' task keeps it up to date.
    pub(super) endpoints: watch::Receiver<Option<Endpoints>>,
    client_id: String,
    credential: ClientCredential,
    pub(super) clock: Clock,
    backoffs: Arc<Backoffs>,
}

/// On what grounds a token is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Grant<'a> {
    /// As the application itself (RFC 6749 section 4.4).
    Own,
    /// On behalf of the user of this access token (RFC 7523 section 2.1; Microsoft, "OAuth 2.0
    /// On-Behalf-Of flow").
    OnBehalfOf(&'a SecretString),
}

/// RFC 6749 section 5.1; `expires_in` is text in v1.0 answers.
#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: Option<serde_json::Value>,
}

impl TokenEndpointClient {
    pub(crate) fn new(
        transport: GraphTransport,
        endpoints: watch::Receiver<Option<Endpoints>>,
        client_id: String,
        credential: ClientCredential,
        clock: Clock,
    ) -> Self {
        Self {
            transport,
            endpoints,
            client_id,
            credential,
            clock,
            backoffs: Arc::default(),
        }
    }

    /// Asks the token endpoint of a tenant for a token, unless it refused this API a moment ago.
    pub(super) async fn ask(
        &self,
        tenant: Option<Uuid>,
        scopes: &str,
        grant: Grant<'_>,
    ) -> Result<AccessToken, GraphError> {
        let wanted = self.backoffs.of(tenant, scopes);
        let backoffs @ [own, others] = [&self.backoffs.credential, &*wanted];
        let _trials = (own.pass().await?, others.pass().await?);
        let endpoint = of_tenant(
            known(&self.endpoints, self.transport.timeout())
                .await?
                .token,
            tenant,
        );
        let proof = self
            .credential
            .proof(&self.client_id, endpoint.as_str(), self.clock.seconds())
            .await?;
        let request = self.form(endpoint, &fields(scopes, grant), &proof);
        let answer = match self.transport.send(request).await {
            Ok(answer) => answer,
            Err(failure) => {
                backoffs.into_iter().for_each(Backoff::untold);
                return Err(failure.into());
            }
        };
        if !answer.status.is_success() {
            return Err(match refusal::read(CALL, &answer, scopes, grant) {
                ValidationFailure::Caller(error) => {
                    backoffs.into_iter().for_each(Backoff::opened);
                    error
                }
                ValidationFailure::Api {
                    failure,
                    credential,
                } => {
                    let refused = match credential {
                        true => own,
                        false => {
                            own.opened();
                            others
                        }
                    };
                    refused.refused(failure, answer.retry_after())
                }
                ValidationFailure::Later(failure) => {
                    backoffs.into_iter().for_each(Backoff::untold);
                    GraphError::unavailable(failure, answer.retry_after())
                }
            });
        }
        backoffs.into_iter().for_each(Backoff::opened);
        let issued: Issued = serde_json::from_slice(&answer.body)
            .map_err(|_| GraphRequestError::InvalidJson { call: CALL })?;
        let lifetime = issued.expires_in.as_ref().and_then(|value| {
            value
                .as_u64()
                .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
        });
        let lifetime = Duration::from_secs(lifetime.unwrap_or_default());
        Ok(AccessToken::new(issued.access_token, lifetime))
    }

    fn form(
        &self,
        address: Url,
        grant: &[(&'static str, &str)],
        proof: &[(&'static str, SecretString)],
    ) -> HttpRequest {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", &self.client_id);
        form.extend_pairs(grant.iter().copied());
        form.extend_pairs(
            proof
                .iter()
                .map(|(name, secret)| (name, secret.expose_secret())),
        );
        HttpRequest {
            name: CALL,
            peer: None,
            method: Method::POST,
            address,
            headers: HeaderMap::from_iter([
                (ACCEPT, HeaderValue::from_static("application/json")),
                (
                    CONTENT_TYPE,
                    HeaderValue::from_static("application/x-www-form-urlencoded"),
                ),
            ]),
            body: form.finish().into_bytes(),
            reads_refusals: true,
        }
    }
}

/// The endpoint of one tenant, where the document's stands for many.
///
/// Tokens on behalf of a guest or of another tenant's account come from the tenant of the
/// caller's token, a validated GUID; nothing else of a token reaches an address.
fn of_tenant(mut endpoint: Url, tenant: Option<Uuid>) -> Url {
    let Some(tenant) = tenant else {
        return endpoint;
    };
    let many = |segment: &str| {
        ["common", "organizations", "{tenantid}", "%7btenantid%7d"]
            .iter()
            .any(|word| segment.eq_ignore_ascii_case(word))
    };
    let path: Option<Vec<String>> = endpoint.path_segments().map(|segments| {
        segments
            .map(|segment| match many(segment) {
                true => tenant.hyphenated().to_string(),
                false => segment.to_owned(),
            })
            .collect()
    });
    if let Some(path) = path {
        endpoint.set_path(&path.join("/"));
    }
    endpoint
}

fn fields<'a>(scopes: &'a str, grant: Grant<'a>) -> Vec<(&'static str, &'a str)> {
    match grant {
        Grant::Own => vec![("grant_type", "client_credentials"), ("scope", scopes)],
        Grant::OnBehalfOf(assertion) => vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.expose_secret()),
            ("scope", scopes),
            ("requested_token_use", "on_behalf_of"),
        ],
    }
}

const CALL: &str = "token endpoint";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_for_many_becomes_the_callers_tenants() {
        let tenant = Uuid::try_parse("11111111-1111-4111-8111-111111111111").ok();
        let path = |text: &str, tenant| {
            of_tenant(Url::parse(text).unwrap(), tenant)
                .path()
                .to_owned()
        };
        let own = "/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token";
        for many in ["common", "organizations", "{tenantid}", "Common"] {
            let text = format!("https://login.microsoftonline.com/{many}/oauth2/v2.0/token");
            assert_eq!(path(&text, tenant), own, "{many}");
        }
        for one in ["contoso.onmicrosoft.com", "consumers", "commons"] {
            let text = format!("https://login.microsoftonline.com/{one}/oauth2/v2.0/token");
            assert_eq!(path(&text, tenant), format!("/{one}/oauth2/v2.0/token"));
        }
        assert_eq!(
            path(
                "https://login.microsoftonline.com/common/oauth2/v2.0/token",
                None
            ),
            "/common/oauth2/v2.0/token"
        );
    }
}
