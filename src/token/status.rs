//! How fresh the keys are, for `/ready` and for operators.

use std::sync::Arc;
use std::time::Duration;

use crate::authority::Purpose;
use crate::jwks::JwksFetchError;
use crate::token_version::TokenVersion;

use super::authority_state::AuthorityState;

/// One authority and its key documents.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{Entra, Tenant};
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
/// let status = &entra.status()[0];
/// // Nothing was fetched yet.
/// assert!(!status.is_ready());
/// assert!(status.jwks.iter().all(|document| document.key_count == 0));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AuthorityStatus {
    /// Its address, as it was configured.
    pub name: String,
    /// How far its clock is from the local one, in seconds: the authority's minus the local one.
    /// `None` before the first good answer with a `Date`.
    pub clock_offset_seconds: Option<i64>,
    /// Its documents: v1.0 and v2.0, or one for each B2C policy. For `common` and `organizations`
    /// with `TokenVersions` 1.0 the v2.0 document is read too, since it says whose tokens the v1.0
    /// keys verify; none of its keys verifies a token.
    pub jwks: Vec<JwksStatus>,
    /// Why the last call of Microsoft Graph, or of the token endpoint for it, had no answer, with
    /// every cause. `None` where it had one, and where Graph is not asked.
    pub graph_last_error: Option<String>,
    ready: bool,
}

/// One key document.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JwksStatus {
    /// `1.0`, `2.0` or the policy's name.
    pub name: String,
    /// Where its discovery document is.
    pub metadata_url: String,
    /// How many keys are in use; 0 where tokens of this document are answered with 503, also
    /// where the keys were read and the document that binds them to tenants was not.
    pub key_count: usize,
    /// How many of them the last answer lacks: they verify until their grace is over.
    pub withdrawn_key_count: usize,
    /// The time since the last good fetch.
    pub last_success_age: Option<Duration>,
    /// Why the last fetch failed, if it did.
    pub last_error: Option<Arc<JwksFetchError>>,
}

impl AuthorityStatus {
    pub(super) fn of(installed: &AuthorityState) -> Self {
        let trust = &installed.trust;
        let jwks = trust
            .documents
            .iter()
            .chain(&trust.binding)
            .zip(installed.all_readers())
            .map(|(document, reader)| {
                let keys = reader.keys();
                let snapshot = reader.load();
                JwksStatus {
                    name: match &document.purpose {
                        Purpose::Version(version) => version.as_str().to_owned(),
                        Purpose::Policy(policy) => policy.clone(),
                    },
                    metadata_url: document.address.to_string(),
                    key_count: keys.as_ref().map_or(0, |keys| keys.len()),
                    withdrawn_key_count: keys.as_ref().map_or(0, |keys| keys.withdrawn()),
                    last_success_age: snapshot.confirmed.map(|confirmed| confirmed.elapsed()),
                    last_error: snapshot.last_error.clone(),
                }
            });
        let jwks: Vec<JwksStatus> = jwks.collect();
        // v1.0 counts where v2.0 is off. Its keys are in use only after what binds them was read.
        let second = trust.version(TokenVersion::V2);
        Self {
            name: trust.name.clone(),
            clock_offset_seconds: trust.clock.offset(),
            graph_last_error: None,
            ready: jwks
                .iter()
                .take(trust.documents.len())
                .enumerate()
                .filter(|(place, _)| second.is_none_or(|second| second == *place))
                .all(|(_, document)| document.key_count > 0),
            jwks,
        }
    }

    /// Whether it is ready: its v2.0 document has keys in use, or its v1.0 document where v2.0 is
    /// off; for B2C each policy's.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Entra};
    /// use entra_emulator::{API_ID, CONTOSO, Emulator};
    ///
    /// let emulator = Emulator::start().await?;
    /// let of = |instance: &str| Authority::entra(CONTOSO.parse().unwrap(), API_ID).instance(instance);
    /// let unreachable = of("http://127.0.0.1:1/").issuer("https://id.contoso.example/");
    /// let entra = Entra::builder_for(of(emulator.url())).authority(unreachable).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// entra.validate(&token).await?;
    /// // One authority does not wait for the other.
    /// let ready: Vec<bool> = entra.status().iter().map(|authority| authority.is_ready()).collect();
    /// assert_eq!(ready, [true, false]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.ready
    }
}
