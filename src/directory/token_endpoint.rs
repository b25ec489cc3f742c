//! The token endpoint of an authority: where this API gets tokens of its own.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::watch;
use url::Url;
use uuid::Uuid;

use super::access_token::AccessToken;
use super::credentials::Credential;
use super::error::DirectoryError;
use super::failure::CallFailure;
use super::graph::{Answer, Call, Door, printable};
use crate::clock::Clock;

/// Asks an authority for tokens, as the application that this API is.
#[derive(Debug, Clone)]
pub(crate) struct TokenDesk {
    pub(crate) door: Door,
    /// As the discovery document names it; the keys' task keeps it up to date.
    pub(crate) endpoint: watch::Receiver<Option<Url>>,
    pub(crate) client_id: String,
    pub(crate) credential: Credential,
    pub(crate) clock: Clock,
}

/// RFC 6749 section 5.1; `expires_in` is text in v1.0 answers.
#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: Option<serde_json::Value>,
}

/// RFC 6749 section 5.2, with what Entra adds.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: String,
    error_codes: Vec<u64>,
    claims: Option<String>,
}

impl TokenDesk {
    /// Posts a grant to the token endpoint of a tenant.
    pub(super) async fn ask(
        &self,
        tenant: Option<Uuid>,
        grant: &[(&str, &str)],
    ) -> Result<AccessToken, DirectoryError> {
        let endpoint = of_tenant(self.endpoint().await?, tenant);
        let proof = self
            .credential
            .proof(&self.client_id, endpoint.as_str(), self.clock.now())
            .await?;
        let answer = self.door.make(self.form(endpoint, grant, &proof)).await?;
        if !answer.status.is_success() {
            return Err(refusal(&answer));
        }
        let issued: Issued = serde_json::from_slice(&answer.body)
            .map_err(|_| CallFailure::NotADocument { call: CALL })?;
        let lifetime = issued.expires_in.as_ref().and_then(|value| {
            value
                .as_u64()
                .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
        });
        let lifetime = Duration::from_secs(lifetime.unwrap_or_default());
        Ok(AccessToken::new(issued.access_token, lifetime))
    }

    /// The address, once the first discovery document is there.
    async fn endpoint(&self) -> Result<Url, DirectoryError> {
        let mut endpoint = self.endpoint.clone();
        let known = tokio::time::timeout(self.door.timeout, endpoint.wait_for(Option::is_some));
        let known = known.await.ok().and_then(Result::ok);
        known
            .and_then(|known| known.clone())
            .ok_or_else(|| CallFailure::NoTokenEndpoint.into())
    }

    fn form(&self, address: Url, grant: &[(&str, &str)], proof: &[(&str, SecretString)]) -> Call {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", &self.client_id);
        form.extend_pairs(grant);
        form.extend_pairs(
            proof
                .iter()
                .map(|(name, secret)| (name, secret.expose_secret())),
        );
        Call {
            name: CALL,
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

fn refusal(answer: &Answer) -> DirectoryError {
    let refused: Refused = serde_json::from_slice(&answer.body).unwrap_or_default();
    let claims = refused.claims.filter(|claims| is_challenge(claims));
    let wants_user = refused.error == "interaction_required"
        || (refused.error == "invalid_grant" && claims.is_some());
    if wants_user && answer.status.is_client_error() {
        return DirectoryError::InteractionRequired { claims };
    }
    let revoked = |code| REVOKED.contains(code);
    if refused.error == "invalid_grant" && refused.error_codes.iter().any(revoked) {
        return DirectoryError::Revoked;
    }
    let mut code = printable(&refused.error);
    for number in refused.error_codes.iter().take(4) {
        code.push_str(&format!(" AADSTS{number}"));
    }
    let failure = CallFailure::Status {
        call: CALL,
        status: answer.status.as_u16(),
        code,
    };
    DirectoryError::unavailable(failure, answer.retry_after)
}

/// A JSON object of a size that fits into a header.
fn is_challenge(claims: &str) -> bool {
    claims.len() <= 4_096
        && serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(claims).is_ok()
}

const CALL: &str = "token endpoint";

/// Of a grant that was good once (Microsoft, "Microsoft Entra authentication and authorization
/// error codes"): UserDisabled; SsoArtifactInvalidOrExpired, after a change of password;
/// FreshTokenNeeded, after the sessions were revoked.
const REVOKED: [u64; 3] = [50_057, 50_133, 50_173];

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
