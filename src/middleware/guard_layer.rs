//! Guards as layers.

use std::any::type_name;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use http::Request;
use tower_layer::Layer;

use crate::guard::{
    And, Caller, DenyAgents, DenyGuests, DenyKnownAgents, FromFn, Guard, Or, RequireAccountId,
    RequireAcr, RequireAgent, RequireAppOnly, RequireAuthContext, RequireB2cPolicy,
    RequireBoundToken, RequireClientAuthMethod, RequireClientId, RequireDirectoryRole,
    RequireGroup, RequireMaxAge, RequireMfa, RequireObjectId, RequireRole, RequireScope,
    RequireTenant, RequireUser,
};

use super::context::Anonymous;
use super::evaluate::{GuardOutcome, checked, hold};
use super::head::Head;
use super::patience::Patience;
use super::rejection::Rejection;
use super::service::{Decide, Decision, service};
use super::token_source::Subprotocol;

/// A guard as a layer: it forwards the requests of callers that the guard accepts and answers
/// every other.
///
/// The guards of this crate, their combinations and the names that [`guards!`](crate::guards)
/// makes are layers by themselves. Custom guards, and guards behind an `Arc`, need this type.
/// [`EntraLayer`](crate::EntraLayer) has to be outside of it: without claims the answer is 500
/// `not_configured`.
///
/// ```
/// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use axum_entra::guard::{Guard, RequireRole, RequireScope};
/// use axum_entra::{GuardLayer, testing::claims};
/// use tower::ServiceExt;
///
/// /// Which rule applies is read from the configuration.
/// fn rule(admins_only: bool) -> Arc<dyn Guard + Send + Sync> {
///     match admins_only {
///         true => Arc::new(RequireRole("Todo.Admin")),
///         false => Arc::new(RequireScope("Todo.Read")),
///     }
/// }
///
/// let status = async |admins_only| {
///     let app: Router = Router::new()
///         .route("/todos", get(|| async { "milk" }))
///         .route_layer(GuardLayer::new(rule(admins_only)));
///         // .route_layer(entra.layer())
///     let request = Request::get("/todos").body(Body::empty()).unwrap();
///     app.oneshot(claims().scope("Todo.Read").insert_into(request)).await.unwrap().status()
/// };
/// assert_eq!(status(false).await, 200);
/// assert_eq!(status(true).await, 403);
/// # Ok(()) }
/// # #[cfg(not(feature = "test-util"))] fn main() {}
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "a layer protects nothing before it is added to a router"]
pub struct GuardLayer<G> {
    guard: G,
}

impl<G: Guard> GuardLayer<G> {
    /// Makes a layer of a guard.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::{GuardLayer, guard::RequireScope, testing::claims};
    /// use tower::ServiceExt;
    ///
    /// let app: Router = Router::new()
    ///     .route("/", get(|| async { "milk" }))
    ///     .route_layer(GuardLayer::new(RequireScope("Todo.Read")));
    /// let request = || Request::new(Body::empty());
    /// let status = async |request: Request<Body>| app.clone().oneshot(request).await.unwrap().status();
    /// assert_eq!(status(claims().scope("Todo.Read").insert_into(request())).await, 200);
    /// assert_eq!(status(claims().scope("Other").insert_into(request())).await, 403);
    /// // No `EntraLayer` outside, so no caller is known.
    /// assert_eq!(status(request()).await, 500);
    /// # Ok(()) }
    /// # #[cfg(not(feature = "test-util"))] fn main() {}
    /// ```
    pub const fn new(guard: G) -> Self {
        Self { guard }
    }
}

impl<S, G: Guard + Clone> Layer<S> for GuardLayer<G> {
    type Service = GuardService<S, G>;

    /// Puts the guard around a service, and says in the log what of it can never match.
    fn layer(&self, inner: S) -> Self::Service {
        tell_mistakes(&self.guard);
        GuardService::new(inner, self.clone())
    }
}

service! {
    /// The service that a guard makes as a layer.
    GuardService<S, G: Guard> of GuardLayer<G>
}

/// Logs what can never match in a guard, each sentence once however many routes have the guard.
#[doc(hidden)]
pub fn tell_mistakes(guard: &dyn Guard) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mistakes = guard.mistakes();
    if mistakes.is_empty() {
        return;
    }
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    for mistake in mistakes {
        if told.len() < MOST_TOLD && told.insert(mistake.clone()) {
            tracing::warn!(mistake, "a guard can never match");
        }
    }
}

/// More than a program has guards; guards that are made in requests must not grow it for ever.
const MOST_TOLD: usize = 1_000;

#[expect(private_interfaces, reason = "callers outside cannot name it")]
impl<G: Guard + Clone + Send + 'static> Decide for GuardLayer<G> {
    /// What is left of the time for questions to Microsoft Graph.
    type RequestExtension = Option<Patience>;

    #[inline]
    fn admit<B: 'static>(
        &self,
        patience: Option<Patience>,
        request: &mut Request<B>,
    ) -> Option<Box<Subprotocol>> {
        if let Some(patience) = patience {
            request.extensions_mut().insert(patience);
        }
        None
    }

    fn decide<B: 'static>(&self, request: &mut Request<B>) -> Decision<Option<Patience>> {
        let guard = &self.guard;
        let check = |caller: &Caller<'_>, head: Head<'_>| checked(guard, caller, head);
        match hold(type_name::<G>(), check, Head::of(request)) {
            GuardOutcome::Passes(_) => Decision::Allow(None),
            GuardOutcome::Refused(rejection) => Decision::Reject(rejection),
            GuardOutcome::Open(question) => {
                let guard = guard.clone();
                let check =
                    move |caller: &Caller<'_>, head: Head<'_>| checked(&guard, caller, head);
                Decision::Pending(Box::pin(async move {
                    let settled = question.resolve(check).await?;
                    Ok(Some(settled.patience))
                }))
            }
        }
    }
}

/// The client sent no token, or the auth layer is missing.
pub(super) fn missing_claims(used: &'static str, head: Head<'_>) -> Rejection {
    match head.extensions.get::<Anonymous>() {
        Some(Anonymous(edge)) => Rejection::missing_token(edge, head),
        None => Rejection::not_configured(used, head),
    }
}

macro_rules! layers {
    ($([$($parameter:ident),*] $guard:ty;)+) => {
        $(
            impl<Service $(, $parameter: Clone)*> Layer<Service> for $guard
            where
                Self: Guard,
            {
                type Service = GuardService<Service, Self>;

                fn layer(&self, inner: Service) -> Self::Service {
                    GuardLayer::new(self.clone()).layer(inner)
                }
            }
        )+
    };
}

layers! {
    [N] RequireScope<N>;
    [N] RequireRole<N>;
    [N] RequireTenant<N>;
    [N] RequireGroup<N>;
    [N] RequireDirectoryRole<N>;
    [N] RequireClientId<N>;
    [N] RequireObjectId<N>;
    [N] RequireB2cPolicy<N>;
    [N] RequireAcr<N>;
    [S] RequireAuthContext<S>;
    [] RequireClientAuthMethod;
    [] RequireUser;
    [] RequireAppOnly;
    [] DenyGuests;
    [] RequireAccountId;
    [] DenyAgents;
    [] DenyKnownAgents;
    [] RequireAgent;
    [] RequireMfa;
    [] RequireMaxAge;
    [] RequireBoundToken;
    [F] FromFn<F>;
    [A, B] And<A, B>;
    [A, B] Or<A, B>;
}
