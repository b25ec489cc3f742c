//! From a section to the access to the directory it describes.

use std::path::Path;

use base64_simd::STANDARD;

use super::credential::{Credential as Given, ManagedIdentityName};
use super::section::Section;
use crate::config_error::ConfigError;
use crate::graph::{
    AuthorityWithGraph, ClientCredential, GraphConfig, HttpTransport, LastFailure, ManagedIdentity,
};
use crate::jwks::http_client::{Reach, http_client};

impl Section {
    /// The authority, with what Graph may be asked and what for; nothing without credentials.
    ///
    /// # Errors
    /// [`ConfigError`] if none of the credentials can be used, or Graph is to be asked without.
    pub(crate) fn with_graph(&self) -> Result<AuthorityWithGraph, ConfigError> {
        let Some(credential) = self.credential()? else {
            if self.graph.check_sessions {
                return Err(ConfigError::value(
                    "Graph:CheckSessions",
                    true,
                    "ClientSecret or ClientCredentials beside it, to ask Graph with",
                ));
            }
            return Ok(self.authority.clone().into());
        };
        let access = GraphConfig::with(credential, self.graph.clone());
        Ok(self.authority.clone().graph(access))
    }

    /// The first credential that works, as in Microsoft.Identity.Web.
    fn credential(&self) -> Result<Option<ClientCredential>, ConfigError> {
        let mut unusable = Vec::new();
        for given in &self.credentials {
            match self.usable(given) {
                Ok(credential) => {
                    for error in unusable {
                        tracing::warn!(%error, "a credential cannot be used");
                    }
                    return Ok(Some(credential));
                }
                Err(error) => unusable.push(error),
            }
        }
        unusable.into_iter().next().map_or(Ok(None), Err)
    }

    fn usable(&self, given: &Given) -> Result<ClientCredential, ConfigError> {
        match given {
            Given::Secret(secret) => Ok(ClientCredential::secret(secret.expose())),
            Given::CertificateFile { password, .. } | Given::CertificateText { password, .. }
                if password.is_some() =>
            {
                Err(ConfigError::InvalidValue {
                    setting: "ClientCredentials:CertificatePassword".to_owned(),
                    found: "a password".to_owned(),
                    expected: "none: a PEM file with the certificate and an RSA key that is not \
                               encrypted"
                        .to_owned(),
                })
            }
            Given::CertificateFile { path, .. } => ClientCredential::certificate(text(path)?),
            Given::CertificateText { base64, .. } => {
                let pem = STANDARD
                    .decode_to_vec(base64.expose())
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok());
                ClientCredential::certificate(pem.unwrap_or_default())
            }
            Given::AssertionFile { path } => {
                text(path)?;
                Ok(ClientCredential::federated_token_file(path))
            }
            Given::ManagedIdentity {
                identity,
                token_exchange_url,
            } => Ok(ClientCredential::assertion_provider(ManagedIdentity {
                door: HttpTransport {
                    client: http_client(Reach::Plain, &[])?,
                    timeout: self.authority.freshness.timeout,
                    max_bytes: self.authority.freshness.max_bytes,
                    last_failure: LastFailure::default(),
                },
                parameter: match identity {
                    ManagedIdentityName::System => None,
                    ManagedIdentityName::ClientId(id) => Some(("client_id", id.to_string())),
                    ManagedIdentityName::ObjectId(id) => Some(("object_id", id.to_string())),
                    ManagedIdentityName::ResourceId(id) => Some(("msi_res_id", id.clone())),
                },
                audience: token_exchange_url.clone(),
            })),
        }
    }
}

fn text(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|_| {
        ConfigError::value("ClientCredentials", path.display(), "a readable text file")
    })
}
