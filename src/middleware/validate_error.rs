//! A token that was validated without a request, and is not accepted.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::claims::Claims;
use crate::graph::GraphError;
use crate::guard::DenialReason;
use crate::token::{InvalidToken, ValidationFailure};

use super::cause::Cause;
use super::context::LayerContext;
use super::head::OwnedHead;
use super::rejection::Rejection;
use super::session_check::SessionFailure;

/// Why [`Entra::validate`](crate::Entra::validate) gives no claims.
///
/// It knows nothing of HTTP. In a handler, `?` makes the [`Rejection`] of it, in the form that
/// [`map_rejection`](crate::EntraBuilder::map_rejection) gives to the refusals of the same `Entra`;
/// of several resources, its challenge names the first.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{Entra, InvalidToken, Tenant};
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
/// let error = entra.validate("not a token").await.unwrap_err();
///
/// assert_eq!(error.invalid_token(), Some(&InvalidToken::Malformed));
/// assert_eq!(error.reason(), "malformed");
/// // Another attempt with the same token is of no use.
/// assert!(!error.is_unavailable());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ValidateError {
    failure: Failure,
    edge: Arc<LayerContext>,
}

#[derive(Debug, Clone)]
enum Failure {
    Token(ValidationFailure),
    Session {
        failure: SessionFailure,
        claims: Claims,
    },
}

impl ValidateError {
    pub(crate) fn of_token(failure: ValidationFailure, edge: &Arc<LayerContext>) -> Self {
        Self {
            failure: Failure::Token(failure),
            edge: Arc::clone(edge),
        }
    }

    pub(crate) fn of_session(
        failure: SessionFailure,
        claims: Claims,
        edge: &Arc<LayerContext>,
    ) -> Self {
        Self {
            failure: Failure::Session { failure, claims },
            edge: Arc::clone(edge),
        }
    }

    /// The stable code of what exactly was wrong, as `reason` in an answer has it.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::Entra;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read");
    /// for (token, reason) in [
    ///     (token.clone().audience("another API"), "audience"),
    ///     (token.clone().issuer("https://evil.example/"), "issuer"),
    ///     (token.clone().header("alg", "none"), "algorithm"),
    ///     (token.raw_signature("AAAA"), "bad_signature"),
    /// ] {
    ///     assert_eq!(entra.validate(&token.mint()).await.unwrap_err().reason(), reason);
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.cause().reason()
    }

    /// What is wrong with the token, if the token is at fault: a new one is needed.
    #[must_use]
    pub const fn invalid_token(&self) -> Option<&InvalidToken> {
        match &self.failure {
            Failure::Token(ValidationFailure::Invalid(invalid)) => Some(invalid),
            Failure::Token(ValidationFailure::Revoked { .. })
            | Failure::Session {
                failure: SessionFailure::Revoked(_),
                ..
            } => Some(&InvalidToken::Revoked),
            _ => None,
        }
    }

    /// Which rule for all routes refuses the token, if the token is good but for that: it has no
    /// permission, or none of the authority's required scopes.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::guard::DenialReason;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// // Valid, and without any permission for this API.
    /// let token = emulator.token().user("alice").without("scp").without("roles").mint();
    /// let refused = entra.validate(&token).await.unwrap_err();
    /// assert_eq!(refused.denial(), Some(DenialReason::NoPermissions));
    /// assert!(refused.invalid_token().is_none());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub const fn denial(&self) -> Option<DenialReason> {
        match &self.failure {
            Failure::Token(ValidationFailure::Denied { refused, .. }) => Some(refused.reason),
            _ => None,
        }
    }

    /// What Microsoft Graph answered when it was asked about the user's sessions.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::graph::{ClientCredential, GraphConfig};
    /// use axum_entra::Entra;
    /// use entra_emulator::{API_SECRET, Emulator, Endpoint, Fault};
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let access = GraphConfig::new(ClientCredential::secret(API_SECRET))
    ///     .graph_url(emulator.graph_url())
    ///     .check_sessions(true);
    /// let entra = Entra::builder_for(authority.graph(access)).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// assert!(entra.validate(&token).await.is_ok());
    ///
    /// emulator.inject_fault_at(Endpoint::Graph, Fault::Status(500));
    /// let token = emulator.token().user("bob").scope("Todo.Read").mint();
    /// let refused = entra.validate(&token).await.unwrap_err();
    /// assert!(refused.graph_error().is_some() && refused.is_unavailable());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub const fn graph_error(&self) -> Option<&GraphError> {
        match &self.failure {
            Failure::Session {
                failure: SessionFailure::Graph(error),
                ..
            } => Some(error),
            _ => None,
        }
    }

    /// Whether nothing was decided, so that the same token may pass later: keys, the store of
    /// revocations or Graph are out of reach.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.retry_after().is_some()
    }

    /// When to try again with the same token, if nothing was decided.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::{Emulator, Fault};
    ///
    /// let emulator = Emulator::start().await?;
    /// emulator.inject_fault(Fault::Status(503));
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// // Without keys nothing is decided: the same token may pass later.
    /// assert!(entra.validate(&token).await.unwrap_err().retry_after().is_some());
    /// // A new attempt with this one is of no use.
    /// assert!(entra.validate("not a token").await.unwrap_err().retry_after().is_none());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.cause().retry_after().map(Duration::from_secs)
    }

    fn cause(&self) -> Cause {
        match &self.failure {
            Failure::Token(failure) => Cause::from(failure.clone()),
            Failure::Session { failure, claims } => match failure {
                SessionFailure::Graph(error) => Cause::directory(error, claims),
                SessionFailure::Revoked(cut_off) => Cause::revoked(*cut_off, claims),
            },
        }
    }
}

impl From<ValidateError> for Rejection {
    fn from(error: ValidateError) -> Self {
        match error.failure {
            Failure::Token(failure) => Self::with_context(failure, &error.edge),
            Failure::Session { failure, claims } => {
                Self::session(&failure, &claims, OwnedHead::default().as_head())
            }
        }
    }
}

impl fmt::Debug for ValidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValidateError").field(&self.failure).finish()
    }
}

impl fmt::Display for ValidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause().sentence())
    }
}

impl std::error::Error for ValidateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match (self.invalid_token(), self.graph_error()) {
            (Some(invalid), _) => Some(invalid),
            (None, Some(error)) => Some(error),
            (None, None) => None,
        }
    }
}
