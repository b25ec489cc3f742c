//! The one place where errors become HTTP.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};

use crate::claims::Claims;
use crate::graph::GraphError;
use crate::guard::{DenialReason, Denied};
use crate::token::{InvalidToken, PolicyDenial, ValidationFailure};

use super::cause::{Cause, step_up};
use super::challenge::claims_challenge;
use super::context::{AuthorityContext, LayerContext};
use super::head::Head;
use super::mcp::McpFailure;
use super::problem::Problem;
use super::session_check::SessionFailure;

/// A rejected request and its HTTP answer.
///
/// It stays in the extensions of the response, so that a logging layer outside can say more than
/// the client sees. Status, header and body follow RFC 6750, RFC 9457 and
/// [`docs/errors.md`](https://github.com/axum-entra/axum-entra/blob/main/docs/errors.md).
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::response::{IntoResponse, Response};
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use axum_entra::{Claims, Rejection};
/// use tower::ServiceExt;
///
/// /// Answers also while the authority is down, with less.
/// async fn greet(claims: Result<Claims, Rejection>) -> Response {
///     match claims {
///         Ok(claims) => claims.issuer().to_owned().into_response(),
///         Err(rejection) if rejection.status() == 503 => String::from("hello").into_response(),
///         Err(rejection) => rejection.into_response(),
///     }
/// }
///
/// // A route without the layer is a mistake of the program, and no caller gets past it.
/// let app: Router = Router::new().route("/", get(greet));
/// let answer = app.oneshot(Request::get("/").body(Body::empty())?).await?;
/// assert_eq!(answer.status(), 500);
/// assert_eq!(answer.extensions().get::<Rejection>().unwrap().reason(), "not_configured");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Rejection {
    pub(super) cause: Cause,
    pub(super) edge: Option<Arc<LayerContext>>,
    grpc: bool,
    /// The place of the route's resource among the edge's.
    pub(super) resource: usize,
    /// Whether the request was a signed HTTP request.
    pub(super) signed: bool,
    /// Whether the answer is yet to be counted as a guard's decision.
    is_uncounted: bool,
}

impl Rejection {
    fn new(cause: Cause, edge: Option<Arc<LayerContext>>, head: Option<Head<'_>>) -> Self {
        let resource = edge.as_ref().map_or(0, |edge| edge.resources.of(head));
        Self {
            cause,
            edge,
            grpc: head.is_some_and(Head::is_grpc),
            resource,
            signed: head.is_some_and(Head::is_signed),
            is_uncounted: false,
        }
    }

    /// Refuses a valid caller with 403 `forbidden` and a code of the application's own as `reason`:
    /// for rules that need more than the token, in a handler or in
    /// [`check_fn`](crate::middleware::check_fn).
    ///
    /// The answer is that of a built-in guard's refusal: the same body and challenge, the hook given
    /// to [`map_rejection`](crate::EntraBuilder::map_rejection), the span field `entra.reason`, and a
    /// count in `axum_entra_guard_decisions_total`. `reason` is public and is a label of the metric:
    /// use a short word in snake case, with nothing of the caller in it.
    ///
    /// Returned by a handler, the answer has no gRPC form, and an API with several addresses names
    /// the metadata of the first; behind `check_fn` both follow the request.
    ///
    /// ```
    /// use axum::http::StatusCode;
    /// use axum_entra::{AccountId, Claims, Rejection};
    ///
    /// fn require_owner(claims: &Claims, owner: &AccountId) -> Result<(), Rejection> {
    ///     match claims.account_id().as_ref() == Some(owner) {
    ///         true => Ok(()),
    ///         false => Err(Rejection::forbidden(claims, "not_the_owner")),
    ///     }
    /// }
    /// # #[cfg(feature = "test-util")] {
    /// # use axum_entra::testing;
    /// let claims = testing::claims().build();
    /// let own = claims.account_id().unwrap();
    /// assert!(require_owner(&claims, &own).is_ok());
    ///
    /// let other = testing::claims().object_id("b0b00000-0000-4000-8000-000000000002").build();
    /// let refused = require_owner(&other, &own).unwrap_err();
    /// assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    /// assert_eq!(refused.reason(), "not_the_owner");
    /// # }
    /// ```
    #[must_use]
    pub fn forbidden(claims: &Claims, reason: &'static str) -> Self {
        let denied = Denied::custom(reason);
        let cause = Cause::Denied(PolicyDenial::of(&denied, claims));
        Self::uncounted(cause, claims)
    }

    /// Refuses a valid caller with 503 `temporarily_unavailable` and `Retry-After`, because a check
    /// cannot be made at the moment: the database does not answer, say. `reason` as for
    /// [`forbidden`](Self::forbidden).
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum::response::IntoResponse;
    /// use axum_entra::{Rejection, testing::claims};
    ///
    /// let rejection = Rejection::undecided(&claims().build(), "database_down");
    /// assert_eq!((rejection.status().as_u16(), rejection.reason()), (503, "database_down"));
    /// // Not 401 or 403: the client keeps its token and comes back.
    /// assert!(rejection.into_response().headers().contains_key("retry-after"));
    /// # }
    /// ```
    #[must_use]
    pub fn undecided(claims: &Claims, reason: &'static str) -> Self {
        Self::uncounted(Cause::Undecided { reason }, claims)
    }

    fn uncounted(cause: Cause, claims: &Claims) -> Self {
        let edge = AuthorityContext::of(claims).map(|origin| Arc::clone(&origin.edge));
        let mut rejection = Self::new(cause, edge, None);
        rejection.is_uncounted = true;
        rejection
    }

    /// The same as the answer of a check to this request.
    pub(super) fn of_check(mut self, head: Head<'_>) -> Self {
        self.is_uncounted = true;
        self.grpc = head.is_grpc();
        self.signed = head.is_signed();
        if let Some(edge) = &self.edge {
            self.resource = edge.resources.of(Some(head));
        }
        self
    }

    /// Has a refusal name its scopes as a client can request them, at the route's resource.
    fn in_full(mut self, origin: Option<&AuthorityContext>) -> Self {
        if let (Cause::Denied(refused), Some(origin)) = (&mut self.cause, origin) {
            refused.scopes = origin.full_scope_names(&refused.scopes, self.resource);
        }
        self
    }

    /// For a caller with a valid token, with the context of the layer that accepted it.
    fn for_claims(cause: Cause, claims: &Claims, head: Head<'_>) -> Self {
        let origin = AuthorityContext::of(claims);
        let edge = origin.map(|origin| Arc::clone(&origin.edge));
        Self::new(cause, edge, Some(head)).in_full(origin)
    }

    pub(super) fn missing_token(edge: &Arc<LayerContext>, head: Head<'_>) -> Self {
        Self::new(Cause::MissingToken, Some(Arc::clone(edge)), Some(head))
    }

    pub(super) fn malformed_header(edge: &Arc<LayerContext>, head: Head<'_>) -> Self {
        Self::new(Cause::MalformedHeader, Some(Arc::clone(edge)), Some(head))
    }

    pub(super) fn not_configured(used: &'static str, head: Head<'_>) -> Self {
        tracing::error!(used, "a route needs claims and no EntraLayer is around it");
        Self::new(Cause::NotConfigured { used }, None, Some(head))
    }

    pub(super) fn refused(
        refusal: ValidationFailure,
        edge: &Arc<LayerContext>,
        head: Head<'_>,
    ) -> Self {
        Self::of_token(refusal, edge, Some(head))
    }

    fn of_token(
        refusal: ValidationFailure,
        edge: &Arc<LayerContext>,
        head: Option<Head<'_>>,
    ) -> Self {
        let denied = match &refusal {
            ValidationFailure::Denied { claims, .. } => Some(claims.clone()),
            _ => None,
        };
        let origin = denied.as_ref().and_then(AuthorityContext::of);
        Self::new(refusal.into(), Some(Arc::clone(edge)), head).in_full(origin)
    }

    /// Turns a guard's refusal into an answer; a check that cannot be made is a refusal too.
    pub(super) fn denied(denied: &Denied<'_>, claims: &Claims, head: Head<'_>) -> Self {
        let cause = denied
            .required_auth_context()
            .and_then(|context| {
                let wanted = claims_challenge("acrs", context);
                step_up(DenialReason::AuthContext.as_str(), &wanted, claims)
            })
            .unwrap_or_else(|| match denied.reason() {
                // The client can come back with a proof.
                DenialReason::Proof => Cause::Invalid(InvalidToken::Proof),
                _ => Cause::Denied(PolicyDenial::of(denied, claims)),
            });
        Self::for_claims(cause, claims, head)
    }

    /// The user's sessions do not cover the token, or it is not known whether they do.
    pub(super) fn session(failure: &SessionFailure, claims: &Claims, head: Head<'_>) -> Self {
        match failure {
            SessionFailure::Graph(error) => Self::directory(error, claims, head),
            SessionFailure::Revoked(cut_off) => {
                Self::for_claims(Cause::revoked(*cut_off, claims), claims, head)
            }
        }
    }

    /// The directory did not answer, or what it answered is for the caller to act on.
    pub(super) fn directory(error: &GraphError, claims: &Claims, head: Head<'_>) -> Self {
        Self::for_claims(Cause::directory(error, claims), claims, head)
    }

    /// A token that was used before, which is the token's fault and not its bearer's.
    pub(super) fn replayed(claims: &Claims, head: Head<'_>) -> Self {
        Self::for_claims(Cause::Invalid(InvalidToken::Replayed), claims, head)
    }

    /// The record of used tokens is out of reach, or the claims came from nowhere.
    pub(super) fn store_unavailable(claims: &Claims, head: Head<'_>) -> Self {
        Self::for_claims(Cause::StoreUnavailable, claims, head)
    }

    /// A request of a wrong form to an MCP server, or a session of another caller.
    pub(super) fn mcp(failure: McpFailure, claims: &Claims, head: Head<'_>) -> Self {
        Self::for_claims(Cause::Mcp(failure), claims, head)
    }

    /// Without a request, but with the answer settings of a layer.
    pub(crate) fn with_context(refusal: ValidationFailure, edge: &Arc<LayerContext>) -> Self {
        Self::of_token(refusal, edge, None)
    }

    /// Of an application's own call, without a request.
    pub(super) fn store_out_of_reach(edge: Arc<LayerContext>) -> Self {
        Self::new(Cause::StoreUnavailable, Some(edge), None)
    }

    /// The status code of the answer.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Rejection, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id).build()?;
    /// let rejection: Rejection = entra.validate("not a token").await.unwrap_err().into();
    /// // A new token may help; 403 would say that this caller may not do it, 503 that nothing is decided.
    /// assert_eq!(rejection.status(), 401);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match &self.cause {
            Cause::MalformedHeader => StatusCode::BAD_REQUEST,
            Cause::MissingToken | Cause::Invalid(_) | Cause::StepUp { .. } => {
                StatusCode::UNAUTHORIZED
            }
            Cause::Denied(_) | Cause::ConsentRequired { .. } => StatusCode::FORBIDDEN,
            Cause::KeysUnavailable
            | Cause::StoreUnavailable
            | Cause::Undecided { .. }
            | Cause::DirectoryUnavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Cause::NotFound => StatusCode::NOT_FOUND,
            Cause::NotConfigured { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Cause::Mcp(failure) => failure.status(),
        }
    }

    /// The body's `error`, RFC 6750's code where it has one.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{Rejection, testing::claims};
    ///
    /// let claims = claims().build();
    /// // RFC 6750 has codes for scopes and tokens only.
    /// assert_eq!(Rejection::forbidden(&claims, "not_the_owner").oauth_error(), "forbidden");
    /// let undecided = Rejection::undecided(&claims, "database_down");
    /// assert_eq!(undecided.oauth_error(), "temporarily_unavailable");
    /// # }
    /// ```
    #[must_use]
    pub fn oauth_error(&self) -> &'static str {
        match &self.cause {
            Cause::MissingToken => "missing_token",
            Cause::MalformedHeader => "invalid_request",
            Cause::Invalid(_) => "invalid_token",
            Cause::Denied(PolicyDenial {
                reason: DenialReason::Scope,
                ..
            }) => "insufficient_scope",
            Cause::Denied(_) | Cause::ConsentRequired { .. } => "forbidden",
            Cause::StepUp { .. } => "insufficient_claims",
            Cause::KeysUnavailable
            | Cause::StoreUnavailable
            | Cause::Undecided { .. }
            | Cause::DirectoryUnavailable { .. } => "temporarily_unavailable",
            Cause::NotFound => "not_found",
            Cause::NotConfigured { .. } => "server_error",
            Cause::Mcp(failure) => failure.error(),
        }
    }

    /// The body's `reason`: the stable code of what exactly was wrong.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::{Entra, Rejection, Tenant};
    /// use tower::ServiceExt;
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id).build()?;
    /// let app: Router = Router::new().route("/", get(|| async { "milk" })).layer(entra.layer());
    /// // A logging layer outside finds it in the extensions of the answer.
    /// let answer = app.oneshot(Request::get("/").body(Body::empty())?).await?;
    /// let rejection = answer.extensions().get::<Rejection>().unwrap();
    /// assert_eq!(rejection.reason(), "missing_token");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.cause.reason()
    }

    /// What was wrong with the token, if it was the token.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, InvalidToken, Rejection, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id).max_token_size(1_024).build()?;
    /// let rejection: Rejection = entra.validate(&"a".repeat(2_000)).await.unwrap_err().into();
    /// assert!(matches!(rejection.invalid_token(), Some(InvalidToken::TooLarge { .. })));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn invalid_token(&self) -> Option<&InvalidToken> {
        self.cause.invalid_token()
    }

    /// The body's `detail`: a sentence with nothing of the token in it.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Rejection, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id).build()?;
    /// let rejection: Rejection = entra.validate("secret").await.unwrap_err().into();
    /// assert_eq!(rejection.detail(), "The access token is not a well-formed JWT.");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn detail(&self) -> String {
        self.cause.sentence().into_owned()
    }
}

impl From<GraphError> for Rejection {
    /// Without the caller, so with no claims challenge.
    fn from(error: GraphError) -> Self {
        Self::new(Cause::from(&error), None, None)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        tracing::debug!(
            status = self.status().as_u16(),
            reason = self.reason(),
            "request rejected"
        );
        if let Some(edge) = &self.edge {
            edge.record_reason(self.reason());
        }
        if self.is_uncounted {
            crate::metrics::guarded(self.outcome());
        }
        let mut response = self.usual();
        if response.headers().contains_key(WWW_AUTHENTICATE) {
            crate::metrics::challenged(self.status().as_u16(), self.oauth_error());
        }
        let map = self
            .edge
            .as_ref()
            .and_then(|edge| edge.map_rejection.clone());
        if let Some(map) = map {
            // The application's own code must not leave the client without an answer.
            let mapped = catch_unwind(AssertUnwindSafe(|| map(&self, response)));
            response = mapped.unwrap_or_else(|_| {
                tracing::error!("the hook given to map_rejection panicked");
                self.usual()
            });
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl Rejection {
    /// The answer as it is without the application's changes.
    fn usual(&self) -> Response {
        let status = self.status();
        let detail = self.cause.sentence();
        let problem = Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: &detail,
            error: self.oauth_error(),
            reason: self.reason(),
        };
        let json_rpc = match &self.cause {
            Cause::Mcp(failure) => failure.json_rpc_response(),
            _ => None,
        };
        let mut response = match json_rpc {
            _ if self.grpc => problem.into_grpc_response(status),
            Some(response) => response,
            None => problem.into_response(status),
        };
        for challenge in self.challenges() {
            response.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.cause.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("status", &self.status().as_u16())
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause.sentence())
    }
}

impl std::error::Error for Rejection {}
