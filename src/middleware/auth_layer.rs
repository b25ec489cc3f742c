//! The layer that finds out who is asking.

use std::sync::Arc;

use http::{Request, StatusCode};
use tower_layer::Layer;

use crate::claims::Claims;
use crate::guard::Requirements;
use crate::metrics::{AgentActs, Outcome, Timer, called};
use crate::token::{InvalidToken, PopTokens, ValidationFailure, Validator, Verdict};

use super::bearer::{BearerCredential, Credentials, credentials};
use super::context::{Anonymous, LayerContext};
use super::head::{Head, IsSigned, RouteResource};
use super::patience::Patience;
use super::pop::{self, Proven};
use super::rejection::Rejection;
use super::service::{self, Decide, service};
use super::session_check::{SessionCheck, check_sessions};
use super::token_source::{Subprotocol, TokenSource, move_to_header};
use super::validate::count_binding;

/// Lets requests with a valid token through and puts [`Claims`](crate::Claims) into their
/// extensions; answers every other itself. From [`Entra::layer`](crate::Entra::layer).
///
/// Put it around the routes it protects with `route_layer`, so that a path that does not exist
/// stays 404, or around a whole router with `layer`. It exempts no method and no path: put a CORS
/// layer outside it, which then answers preflights itself, and lets a page read a refusal.
///
/// It reads one `Authorization: Bearer` header and nothing else, unless
/// [`token_source`](Self::token_source) adds a place: a token in the query or in the body is ignored. Whether the connection is encrypted is not checked.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum::{Router, body::Body, routing::get};
/// use axum_entra::{Claims, Entra, Tenant};
/// use http::{Request, StatusCode};
/// use tower::ServiceExt;
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
/// let app: Router = Router::new()
///     .route("/me", get(|claims: Claims| async move { claims.issuer().to_owned() }))
///     .route_layer(entra.layer())
///     .route("/health", get(|| async { "up" }));
///
/// let status = async |path: &str| {
///     let request = Request::get(path).body(Body::empty()).unwrap();
///     app.clone().oneshot(request).await.unwrap().status()
/// };
/// assert_eq!(status("/me").await, StatusCode::UNAUTHORIZED);
/// assert_eq!(status("/health").await, StatusCode::OK);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct EntraLayer(Authenticate);

service! {
    /// The service that [`EntraLayer`] makes.
    EntraService<S> of EntraLayer
}

#[derive(Debug, Clone)]
pub(super) struct Authenticate {
    /// One count, since axum clones a layer's service for each request, on all cores.
    pub(super) own: Arc<Inner>,
    anonymous_passes: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Inner {
    pub(super) validator: Arc<Validator>,
    pub(super) edge: Arc<LayerContext>,
    /// Whether a valid bearer token is not enough: some authority's users are asked about at the
    /// directory, or every request has to be signed.
    asks_more: bool,
    /// Whether the log or a span records who calls.
    records_caller: bool,
    sources: Vec<TokenSource>,
}

impl Inner {
    /// The refusal of a token whose audience is another address of this API than the route's.
    #[inline]
    pub(super) fn of_another_resource(&self, claims: &Claims, head: Head<'_>) -> Option<Rejection> {
        let resources = &self.edge.resources;
        let is_other =
            resources.are_several() && resources.are_for_another(head.path(), claims.audiences());
        let invalid = ValidationFailure::Invalid(InvalidToken::InvalidAudience);
        is_other.then(|| Rejection::refused(invalid, &self.edge, head))
    }
}

impl EntraLayer {
    pub(crate) fn new(validator: Arc<Validator>, edge: Arc<LayerContext>) -> Self {
        let checks_sessions = validator
            .contexts()
            .any(|context| context.checks_sessions());
        Self(Authenticate {
            own: Arc::new(Inner {
                asks_more: checks_sessions || edge.bound.pop == PopTokens::Require,
                records_caller: edge.records_caller || edge.pseudonyms.is_some(),
                sources: Vec::new(),
                validator,
                edge,
            }),
            anonymous_passes: false,
        })
    }

    /// Lets requests without a token pass too, without claims. A bad token is still refused.
    ///
    /// `Option<Claims>` then shows a handler whether the client sent a token; `Claims` and guards
    /// refuse such a request with 401.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::{Claims, Entra, Tenant};
    /// use tower::ServiceExt;
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id).build()?;
    /// let greet = async |claims: Option<Claims>| if claims.is_some() { "user" } else { "guest" };
    /// let app: Router = Router::new()
    ///     .route("/greet", get(greet))
    ///     .route("/me", get(|claims: Claims| async move { claims.issuer().to_owned() }))
    ///     .route_layer(entra.layer().optional());
    ///
    /// let anonymous = |path: &str| Request::get(path).body(Body::empty());
    /// assert_eq!(app.clone().oneshot(anonymous("/greet")?).await?.status(), 200);
    /// assert_eq!(app.clone().oneshot(anonymous("/me")?).await?.status(), 401);
    /// let bad = Request::get("/greet").header("authorization", "Bearer a.b.c").body(Body::empty())?;
    /// assert_eq!(app.oneshot(bad).await?.status(), 401);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.0.anonymous_passes = true;
        self
    }

    /// Whether requests without a token pass: [`optional`](Self::optional) was called.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id).build()?;
    /// assert!(!entra.layer().is_optional());
    /// assert!(entra.layer().optional().is_optional());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub const fn is_optional(&self) -> bool {
        self.0.anonymous_passes
    }

    /// Accepts the token in a further place as well, where there is no `Authorization` header. May be
    /// called more than once.
    ///
    /// ```
    /// # async fn run(entra: axum_entra::Entra) {
    /// use axum::{Router, body::Body, routing::get};
    /// use axum_entra::{Claims, TokenSource};
    /// use http::{HeaderName, Request, StatusCode};
    /// use tower::ServiceExt;
    ///
    /// let forwarded = HeaderName::from_static("x-forwarded-access-token");
    /// let app: Router = Router::new()
    ///     .route("/", get(|claims: Claims| async move { claims.issuer().to_owned() }))
    ///     .route_layer(entra.layer().token_source(TokenSource::header(forwarded)));
    ///
    /// let request = Request::get("/").header("x-forwarded-access-token", "not a token");
    /// let refused = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    /// assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// #     let tenant = axum_entra::Tenant::new("11111111-1111-4111-8111-111111111111");
    /// #     let entra = axum_entra::Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
    /// #     run(entra.build().unwrap()).await;
    /// # });
    /// ```
    #[must_use]
    pub fn token_source(mut self, source: TokenSource) -> Self {
        Arc::make_mut(&mut self.0.own).sources.push(source);
        self
    }

    /// What the layer asks of every token beyond validity: the scopes of the setting `Scopes`.
    ///
    /// With several authorities a token has to satisfy the alternative of its own. That a token
    /// needs some permission is not part of it.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let authority = Authority::entra(tenant.clone(), client_id).required_scope("access_as_user");
    /// let entra = Entra::builder_for(authority).build()?;
    /// assert_eq!(entra.layer().describe().to_string(), "scope `access_as_user`");
    ///
    /// let entra = Entra::builder(tenant, client_id).build()?;
    /// assert!(entra.layer().describe().alternatives()[0].scopes().is_empty());
    /// # Ok(()) }
    /// ```
    pub fn describe(&self) -> Requirements {
        let validator = &self.0.own.validator;
        validator
            .trusts()
            .map(|trust| {
                let scopes = trust.required_scopes.iter();
                scopes
                    .map(Requirements::scope)
                    .reduce(Requirements::or)
                    .unwrap_or_else(Requirements::none)
            })
            .reduce(Requirements::or)
            .unwrap_or_else(Requirements::none)
    }
}

impl<S> Layer<S> for EntraLayer {
    type Service = EntraService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        EntraService::new(inner, self.clone())
    }
}

/// The accepted caller.
#[doc(hidden)]
#[derive(Debug)]
pub enum RequestExtension {
    Claims(Claims),
    #[expect(private_interfaces, reason = "callers outside cannot name it")]
    Anonymous(Anonymous),
    /// After a question to the directory; with what is left of the time for others.
    EvaluationState(Claims, Patience),
    /// After a signed HTTP request.
    #[expect(private_interfaces, reason = "callers outside cannot name it")]
    Proven(Box<Proven>),
}

impl RequestExtension {
    pub(super) fn after(patience: Option<Patience>, claims: Claims) -> Self {
        match patience {
            Some(patience) => Self::EvaluationState(claims, patience),
            None => Self::Claims(claims),
        }
    }
}

pub(super) type Decision = service::Decision<RequestExtension>;

#[expect(private_interfaces, reason = "callers outside cannot name it")]
impl Decide for EntraLayer {
    type RequestExtension = RequestExtension;

    #[inline]
    fn admit<B: 'static>(
        &self,
        admission: RequestExtension,
        request: &mut Request<B>,
    ) -> Option<Box<Subprotocol>> {
        let resources = &self.0.own.edge.resources;
        if resources.are_several() {
            let noted = RouteResource(resources.of_path(request.uri().path()));
            request.extensions_mut().insert(noted);
        }
        match admission {
            RequestExtension::Claims(claims) => {
                request.extensions_mut().insert(claims);
            }
            RequestExtension::EvaluationState(claims, patience) => {
                request.extensions_mut().insert(claims);
                request.extensions_mut().insert(patience);
            }
            RequestExtension::Proven(proven) => {
                let Proven {
                    claims,
                    patience,
                    body,
                    head: _,
                } = *proven;
                pop::put_back(request, body);
                request.extensions_mut().insert(claims);
                request.extensions_mut().insert(IsSigned);
                if let Some(patience) = patience {
                    request.extensions_mut().insert(patience);
                }
            }
            RequestExtension::Anonymous(anonymous) => {
                // An outer layer may have accepted a caller; behind this layer the request has none.
                request.extensions_mut().remove::<Claims>();
                request.extensions_mut().insert(anonymous);
            }
        }
        if self.0.own.sources.is_empty() {
            return None;
        }
        request.extensions_mut().remove().map(Box::new)
    }

    /// The decision, measured.
    fn decide<B: 'static>(&self, request: &mut Request<B>) -> Decision {
        let stopwatch = Timer::start();
        if !self.0.own.sources.is_empty() {
            move_to_header(&self.0.own.sources, request);
        }
        match self.0.decide(request) {
            Decision::Allow(admission) => {
                stopwatch.authenticated(self.0.admitted(&admission));
                Decision::Allow(admission)
            }
            Decision::Reject(rejection) => {
                stopwatch.authenticated(rejection.outcome());
                Decision::Reject(rejection)
            }
            Decision::Pending(waiting) => {
                let judge = self.0.clone();
                Decision::Pending(Box::pin(async move {
                    let judged = waiting.await;
                    stopwatch.authenticated(match &judged {
                        Ok(admission) => judge.admitted(admission),
                        Err(rejection) => rejection.outcome(),
                    });
                    judged
                }))
            }
        }
    }
}

impl Rejection {
    /// What is counted of it.
    pub(super) fn outcome(&self) -> Outcome {
        match self.status() {
            StatusCode::SERVICE_UNAVAILABLE => Outcome::Undecided(self.reason()),
            _ => Outcome::Refused(self.reason()),
        }
    }
}

impl Authenticate {
    #[cold]
    fn record(&self, claims: &Claims) {
        let edge = &self.own.edge;
        if edge.records_caller {
            edge.record_caller(claims);
        }
        if let Some(pseudonyms) = &edge.pseudonyms {
            pseudonyms.log(claims);
        }
    }

    fn admitted(&self, admission: &RequestExtension) -> Outcome {
        match admission {
            RequestExtension::Claims(claims) | RequestExtension::EvaluationState(claims, _) => {
                if self.own.records_caller {
                    self.record(claims);
                }
                called(|| acts(claims));
                Outcome::Admitted
            }
            RequestExtension::Proven(proven) => {
                if self.own.records_caller {
                    self.record(&proven.claims);
                }
                called(|| acts(&proven.claims));
                Outcome::Admitted
            }
            RequestExtension::Anonymous(_) => Outcome::Anonymous,
        }
    }

    fn decide<B: 'static>(&self, request: &mut Request<B>) -> Decision {
        let head = Head::of(request);
        let presented = match credentials(head.headers) {
            Credentials::Token(presented) => presented,
            Credentials::None => return self.no_credentials(head),
            Credentials::Other(other) => {
                return match self.bound(other, head) {
                    Some(decision) => decision,
                    None => self.signed(request),
                };
            }
            Credentials::Malformed => return self.malformed(head),
        };
        let now = self.own.edge.clock.seconds();
        match self.own.validator.lookup_cached(presented.as_bytes(), now) {
            Some(Verdict::Valid(claims)) => self.admit_claims(claims, presented, head),
            known => self.validate_uncached(known, presented, now, head),
        }
    }

    pub(super) fn no_credentials(&self, head: Head<'_>) -> Decision {
        let edge = &self.own.edge;
        match self.anonymous_passes {
            true => Decision::Allow(RequestExtension::Anonymous(Anonymous(Arc::clone(edge)))),
            false => refuse(Rejection::missing_token(edge, head)),
        }
    }

    /// The token is good; what is left are the sessions of its user.
    #[inline]
    pub(super) fn admit_claims(
        &self,
        claims: Claims,
        presented: BearerCredential<'_>,
        head: Head<'_>,
    ) -> Decision {
        if let Some(rejection) = self.own.of_another_resource(&claims, head) {
            return match self.own.edge.bound.pop {
                PopTokens::Require => self.unsigned(presented, head),
                _ => refuse(rejection),
            };
        }
        if !self.own.asks_more {
            return Decision::Allow(RequestExtension::Claims(claims));
        }
        if self.own.edge.bound.pop == PopTokens::Require {
            return self.unsigned(presented, head);
        }
        match check_sessions(&claims) {
            SessionCheck::Valid => Decision::Allow(RequestExtension::Claims(claims)),
            SessionCheck::Refused(failure) => refuse(Rejection::session(&failure, &claims, head)),
            open @ SessionCheck::Unresolved(..) => {
                let Some(token) = presented.token().map(str::to_owned) else {
                    return self.malformed(head);
                };
                let head = head.to_owned();
                Decision::Pending(Box::pin(async move {
                    let settled = open.resolve(&claims, &token).await;
                    let refused = |failure| Rejection::session(&failure, &claims, head.as_head());
                    let patience = settled.map_err(refused)?;
                    count_binding(&claims);
                    Ok(RequestExtension::after(patience, claims))
                }))
            }
        }
    }

    pub(super) fn malformed(&self, head: Head<'_>) -> Decision {
        refuse(Rejection::malformed_header(&self.own.edge, head))
    }
}

/// Whether an agent acts.
fn acts(claims: &Claims) -> AgentActs {
    match claims.agent() {
        Some(_) => AgentActs::Yes,
        None if claims.tells_actor_facets() => AgentActs::No,
        None => AgentActs::Unknown,
    }
}

pub(super) fn refuse(rejection: Rejection) -> Decision {
    Decision::Reject(Box::new(rejection))
}
