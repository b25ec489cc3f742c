//! From a section to the access to the directory it describes.

use std::path::Path;

use base64_simd::STANDARD;
use secrecy::zeroize::Zeroizing;

use super::credential::{Credential as Given, ManagedIdentityName, Secret};
use super::section::Section;
use crate::clock::Clock;
use crate::config_error::ConfigError;
use crate::graph::{
    AuthorityWithGraph, ClientCredential, GraphConfig, GraphTransport, ManagedIdentity,
};
use crate::jwks::fetch::transport;
use crate::transport::http_client::{Reach, http_client};

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
            Given::CertificateFile { path, password } => {
                let file = Zeroizing::new(std::fs::read(path).map_err(|_| unreadable(path))?);
                ClientCredential::certificate_file(&file, password.as_ref().map(Secret::expose))
            }
            Given::CertificateText { base64, password } => {
                let file = STANDARD.decode_to_vec(base64.expose().trim());
                let file = Zeroizing::new(file.unwrap_or_default());
                ClientCredential::certificate_file(&file, password.as_ref().map(Secret::expose))
            }
            Given::AssertionFile { path } => {
                std::fs::read_to_string(path).map_err(|_| unreadable(path))?;
                Ok(ClientCredential::federated_token_file(path))
            }
            Given::ManagedIdentity {
                identity,
                token_exchange_url,
            } => Ok(ClientCredential::assertion_provider(ManagedIdentity {
                transport: GraphTransport::new(transport(
                    &http_client(Reach::Plain, &[])?,
                    &Clock::system(),
                    &self.authority.freshness,
                )),
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

fn unreadable(path: &Path) -> ConfigError {
    ConfigError::value("ClientCredentials", path.display(), "a readable file")
}
