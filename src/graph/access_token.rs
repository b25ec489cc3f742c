//! A token that was issued to this API.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

/// An access token for another API: on a user's behalf, or this API's own. Cheap to clone.
///
/// It is not shown in `Debug` and wiped when the last clone is dropped.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum_entra::graph::AccessToken;
/// use entra_emulator::Emulator;
///
/// fn authorization(token: &AccessToken) -> String {
///     format!("Bearer {}", token.expose_secret())
/// }
///
/// let emulator = Emulator::start().await?;
/// # let access = axum_entra::graph::GraphConfig::new(axum_entra::graph::ClientCredential::secret(entra_emulator::API_SECRET));
/// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
/// # let authority = authority.instance(emulator.url()).graph(access.graph_url(emulator.graph_url()));
/// # let entra = axum_entra::Entra::builder_for(authority).build()?;
/// let scopes = ["https://graph.microsoft.com/.default"];
/// let token = entra.graph().client_credentials_token(None, &scopes).await?;
/// assert!(authorization(&token).starts_with("Bearer ey"));
/// assert!(!format!("{token:?}").contains("ey"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct AccessToken {
    text: Arc<SecretString>,
    ends: Instant,
}

impl AccessToken {
    pub(super) fn new(text: String, lifetime: Duration) -> Self {
        let now = Instant::now();
        Self {
            text: Arc::new(text.into()),
            ends: now.checked_add(lifetime).unwrap_or(now),
        }
    }

    /// The text, for the `Authorization` header of a call.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.text.expose_secret()
    }

    /// How long it lives on, by the `expires_in` it came with.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    /// How long it may be handed out: until five minutes before its end, or half of a short life.
    pub(super) fn is_kept_for(&self) -> Duration {
        let rest = self.expires_in();
        rest.saturating_sub(MARGIN)
            .max(rest.checked_div(2).unwrap_or_default())
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_in", &self.expires_in())
            .finish_non_exhaustive()
    }
}

/// A token must outlive the call it is used for; MSAL renews five minutes before the end, too.
const MARGIN: Duration = Duration::from_secs(300);
