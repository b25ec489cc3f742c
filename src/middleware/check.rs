//! Asynchronous checks: rules that need more than the token.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::Request;
use http::request::Parts;
use tower_layer::Layer;
use tower_service::Service;

use crate::claims::Claims;
use crate::graph::GraphError;
use crate::guard::Denied;
use crate::metrics::{Outcome, guarded};

use super::guard_layer::missing_claims;
use super::head::Head;
use super::rejection::Rejection;

/// Makes a layer of an asynchronous function that accepts or refuses a request: for rules that need
/// a path parameter, a row of the database or another service.
///
/// The function takes extractors – [`Claims`], `Path`, `State`, `Query`, every type that is
/// `FromRequestParts` – and returns `Ok(())` or an error: a [`Rejection`], such as
/// [`Rejection::forbidden`], a [`Denied`] or another response ([`CheckError`]). A refusal has the
/// body, the challenge, the hook, the span fields and the metric of a built-in guard's refusal. The
/// body of the request is not read.
///
/// [`EntraLayer`](crate::EntraLayer) has to be outside of it. Without claims the function is not
/// called: 500 `not_configured`, or 401 for an anonymous request behind the optional layer.
///
/// ```
/// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::collections::BTreeMap;
/// use std::sync::Arc;
///
/// use axum::extract::{Path, State};
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use axum_entra::middleware::check_fn_with_state;
/// use axum_entra::{AccountId, Claims, Rejection, testing};
/// use tower::ServiceExt;
///
/// /// Stands for a database: the owner of each list.
/// type Owners = Arc<BTreeMap<u64, AccountId>>;
///
/// async fn owns_list(
///     claims: Claims,
///     Path(list): Path<u64>,
///     State(owners): State<Owners>,
/// ) -> Result<(), Rejection> {
///     // Here the application would await its database.
///     match (owners.get(&list), claims.account_id()) {
///         (Some(owner), Some(account)) if *owner == account => Ok(()),
///         _ => Err(Rejection::forbidden(&claims, "not_the_owner")),
///     }
/// }
///
/// let alice = testing::claims().build().account_id().unwrap();
/// let owners: Owners = Arc::new(BTreeMap::from([(1, alice)]));
/// let app: Router = Router::new()
///     .route("/lists/{id}", get(|| async { "milk" }))
///     .route_layer(check_fn_with_state(owners, owns_list));
///     // .route_layer(entra.layer())
/// let status = async |path: &str| {
///     let request = Request::get(path).body(Body::empty()).unwrap();
///     app.clone().oneshot(testing::claims().insert_into(request)).await.unwrap().status()
/// };
/// assert_eq!(status("/lists/1").await, 200);
/// // Another owner's, or none at all: the answer does not say which lists exist.
/// assert_eq!(status("/lists/2").await, 403);
/// # Ok(()) }
/// # #[cfg(not(feature = "test-util"))] fn main() {}
/// ```
///
/// Whether the caller is authorized is decided before the handler runs; what the check read may
/// have changed by then. Where that matters, check in the handler's own transaction.
pub const fn check_fn_with_state<F, T, S>(state: S, check: F) -> CheckLayer<F, T, S>
where
    F: CheckFn<T, S>,
{
    CheckLayer {
        check,
        state,
        extractors: PhantomData,
    }
}

/// Makes a layer of an asynchronous function without state: see [`check_fn_with_state`].
///
/// ```
/// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::extract::Path;
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use axum_entra::middleware::check_fn;
/// use axum_entra::{Claims, Rejection, testing};
/// use tower::ServiceExt;
///
/// async fn own_tenant(claims: Claims, Path(tenant): Path<String>) -> Result<(), Rejection> {
///     match claims.tenant_id().is_some_and(|own| own.to_string() == tenant) {
///         true => Ok(()),
///         false => Err(Rejection::forbidden(&claims, "other_tenant")),
///     }
/// }
///
/// let app: Router = Router::new()
///     .route("/tenants/{id}", get(|| async { "report" }))
///     .route_layer(check_fn(own_tenant));
///     // .route_layer(entra.layer())
/// let status = async |path: String| {
///     let request = Request::get(path).body(Body::empty()).unwrap();
///     app.clone().oneshot(testing::claims().insert_into(request)).await.unwrap().status()
/// };
/// assert_eq!(status(format!("/tenants/{}", testing::TENANT)).await, 200);
/// assert_eq!(status("/tenants/22222222-2222-4222-8222-222222222222".to_owned()).await, 403);
/// # Ok(()) }
/// # #[cfg(not(feature = "test-util"))] fn main() {}
/// ```
pub const fn check_fn<F, T>(check: F) -> CheckLayer<F, T, ()>
where
    F: CheckFn<T, ()>,
{
    check_fn_with_state((), check)
}

/// An asynchronous check as a layer: made by [`check_fn`] and [`check_fn_with_state`].
#[must_use = "a layer protects nothing before it is added to a router"]
pub struct CheckLayer<F, T, S> {
    check: F,
    state: S,
    extractors: PhantomData<fn() -> T>,
}

/// The service that [`CheckLayer`] makes.
pub struct CheckService<I, F, T, S> {
    inner: I,
    layer: CheckLayer<F, T, S>,
}

/// Why a check refuses a request; made of a [`Rejection`], a [`Denied`], a [`GraphError`] or any
/// other response.
///
/// ```
/// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::http::{Request, StatusCode};
/// use axum::{Router, body::Body, response::IntoResponse, routing::get};
/// use axum_entra::middleware::{CheckError, check_fn};
/// use axum_entra::{Claims, Rejection, testing::claims};
/// use tower::ServiceExt;
///
/// async fn is_subscriber(claims: Claims) -> Result<(), CheckError> {
///     match claims.roles().next() {
///         Some("Subscriber") => Ok(()),
///         Some(_) => Err(Rejection::forbidden(&claims, "no_subscription").into()),
///         // Another answer than a refusal of this crate.
///         None => Err(StatusCode::PAYMENT_REQUIRED.into_response().into()),
///     }
/// }
///
/// let app: Router = Router::new().route("/", get(|| async { "news" })).layer(check_fn(is_subscriber));
/// let status = async |role: Option<&str>| {
///     let claims = claims().roles(role);
///     app.clone().oneshot(claims.insert_into(Request::new(Body::empty()))).await.unwrap().status()
/// };
/// assert_eq!(status(Some("Subscriber")).await, 200);
/// assert_eq!(status(Some("Visitor")).await, 403);
/// assert_eq!(status(None).await, 402);
/// # Ok(()) }
/// # #[cfg(not(feature = "test-util"))] fn main() {}
/// ```
#[derive(Debug)]
pub struct CheckError(Refusal);

#[derive(Debug)]
enum Refusal {
    Rejection(Box<Rejection>),
    Denied(Denied<'static>),
    Response(Box<Response>),
}

impl From<Rejection> for CheckError {
    fn from(rejection: Rejection) -> Self {
        Self(Refusal::Rejection(Box::new(rejection)))
    }
}

impl From<GraphError> for CheckError {
    fn from(error: GraphError) -> Self {
        Rejection::from(error).into()
    }
}

impl From<Denied<'static>> for CheckError {
    fn from(denied: Denied<'static>) -> Self {
        Self(Refusal::Denied(denied))
    }
}

impl From<Response> for CheckError {
    fn from(response: Response) -> Self {
        Self(Refusal::Response(Box::new(response)))
    }
}

impl CheckError {
    fn answer(self, claims: &Claims, head: Head<'_>) -> Response {
        match self.0 {
            Refusal::Rejection(rejection) => rejection.of_check(head).into_response(),
            Refusal::Denied(denied) => Rejection::denied(&denied, claims, head)
                .of_check(head)
                .into_response(),
            Refusal::Response(response) => {
                guarded(match response.status().is_server_error() {
                    true => Outcome::Undecided(OTHER),
                    false => Outcome::Refused(OTHER),
                });
                *response
            }
        }
    }
}

/// The metric's reason for an answer of the application's own.
const OTHER: &str = "custom";

/// A function that [`check_fn`] makes a layer of: asynchronous, of up to eight extractors, with
/// `Result<(), E>`, where `E` is a [`Rejection`] or something else that becomes a [`CheckError`].
///
/// ```compile_fail
/// # use axum_entra::middleware::check_fn;
/// // A check says yes or no; this one returns neither.
/// async fn no_check(claims: axum_entra::Claims) {}
/// let layer = check_fn(no_check);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a check",
    label = "not an asynchronous function of extractors that returns `Result<(), E>`",
    note = "write `async fn check(claims: Claims, …) -> Result<(), Rejection>`; each argument is \
            `FromRequestParts` of the state"
)]
pub trait CheckFn<T, S>: Clone + Send + Sync + 'static {
    /// Extracts the arguments and calls the function.
    #[doc(hidden)]
    fn check<'c>(&'c self, parts: &'c mut Parts, state: &'c S) -> CheckFuture<'c>;
}

type CheckFuture<'c> = Pin<Box<dyn Future<Output = Result<(), CheckError>> + Send + 'c>>;

macro_rules! check_fns {
    ($(($($extractor:ident),*))+) => {
        $(
            impl<F, Future_, E, S, $($extractor,)*> CheckFn<($($extractor,)*), S> for F
            where
                F: Fn($($extractor,)*) -> Future_ + Clone + Send + Sync + 'static,
                Future_: Future<Output = Result<(), E>> + Send,
                E: Into<CheckError>,
                S: Send + Sync,
                $($extractor: FromRequestParts<S> + Send,)*
            {
                #[allow(
                    non_snake_case,
                    unused_variables,
                    reason = "arguments are named as their types; a function may have none"
                )]
                fn check<'c>(&'c self, parts: &'c mut Parts, state: &'c S) -> CheckFuture<'c> {
                    Box::pin(async move {
                        $(
                            let $extractor = $extractor::from_request_parts(parts, state)
                                .await
                                .map_err(IntoResponse::into_response)?;
                        )*
                        self($($extractor,)*).await.map_err(Into::into)
                    })
                }
            }
        )+
    };
}

check_fns! {
    ()
    (A)
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, G)
    (A, B, C, D, G, H)
    (A, B, C, D, G, H, I)
    (A, B, C, D, G, H, I, J)
}

impl<I, F: Clone, T, S: Clone> Layer<I> for CheckLayer<F, T, S> {
    type Service = CheckService<I, F, T, S>;

    fn layer(&self, inner: I) -> Self::Service {
        CheckService {
            inner,
            layer: self.clone(),
        }
    }
}

impl<I, B, F, T, S> Service<Request<B>> for CheckService<I, F, T, S>
where
    I: Service<Request<B>> + Clone + Send + 'static,
    I::Response: IntoResponse,
    I::Future: Send,
    B: Send + 'static,
    F: CheckFn<T, S>,
    S: Clone + Send + Sync + 'static,
    T: 'static,
{
    type Response = Response;
    type Error = I::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, I::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was polled ready is the one to be called; its clone was not.
        let unready = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, unready);
        let CheckLayer { check, state, .. } = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let Some(claims) = parts.extensions.get::<Claims>().cloned() else {
                let rejection = missing_claims(type_name::<F>(), Head::of_parts(&parts));
                guarded(rejection.outcome());
                return Ok(rejection.into_response());
            };
            match check.check(&mut parts, &state).await {
                Ok(()) => {
                    guarded(Outcome::Admitted);
                    let request = Request::from_parts(parts, body);
                    ready.call(request).await.map(IntoResponse::into_response)
                }
                Err(error) => Ok(error.answer(&claims, Head::of_parts(&parts))),
            }
        })
    }
}

impl<F: Clone, T, S: Clone> Clone for CheckLayer<F, T, S> {
    fn clone(&self) -> Self {
        Self {
            check: self.check.clone(),
            state: self.state.clone(),
            extractors: PhantomData,
        }
    }
}

impl<I: Clone, F: Clone, T, S: Clone> Clone for CheckService<I, F, T, S> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<F, T, S> fmt::Debug for CheckLayer<F, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckLayer")
            .field(&type_name::<F>())
            .finish()
    }
}

impl<I, F, T, S> fmt::Debug for CheckService<I, F, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckService").finish_non_exhaustive()
    }
}
