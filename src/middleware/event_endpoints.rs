//! Services that take messages about accounts: what they have in common.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_core::body::Body;
use axum_core::extract::{DefaultBodyLimit, FromRequest as _};
use axum_core::response::{IntoResponse as _, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use tokio::time::timeout;
use tower_service::Service;

use crate::revocation::RevocationKey;
use crate::token::{SessionTermination, Transmitter, ValidationFailure, Validator};

use super::context::LayerContext;
use super::head::{Head, OwnedHead};
use super::rejection::Rejection;
use super::{shared_signals, sign_out};

/// Declares the service of one endpoint, with a page of its own.
macro_rules! endpoints {
    ($($(#[$doc:meta])* $service:ident, $kind:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone)]
            pub struct $service {
                state: Arc<ServiceState>,
            }

            impl $service {
                pub(crate) const fn new(state: Arc<ServiceState>) -> Self {
                    Self { state }
                }
            }

            impl Service<Request<Body>> for $service {
                type Response = Response;
                type Error = Infallible;
                type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

                fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                    Poll::Ready(Ok(()))
                }

                fn call(&mut self, request: Request<Body>) -> Self::Future {
                    let state = Arc::clone(&self.state);
                    Box::pin(async move { Ok(state.answer(Kind::$kind, request).await) })
                }
            }

            impl fmt::Debug for $service {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($service)).finish_non_exhaustive()
                }
            }
        )+
    };
}

endpoints! {
    /// Forgets what is kept of the caller's account, as
    /// [`Entra::remove_account`](crate::Entra::remove_account) does, and answers 204. From
    /// [`Entra::sign_out_service`](crate::Entra::sign_out_service).
    ///
    /// For a route inside of [`EntraLayer`](crate::EntraLayer): it takes the account from the token.
    /// It revokes nothing. Takes GET and POST, and reads no body.
    SignOutService, SignOut;

    /// Takes logout tokens (OpenID Connect Back-Channel Logout 1.0). From
    /// [`Entra::back_channel_logout`](crate::Entra::back_channel_logout).
    ///
    /// For a route of its own outside of the layer. Takes POST; answers 200, 400, and 503 while keys
    /// or the store are out of reach.
    ///
    /// ```
    /// # fn routes(entra: &axum_entra::Entra) -> axum::Router {
    /// axum::Router::new().route_service("/backchannel-logout", entra.back_channel_logout())
    /// # }
    /// ```
    BackChannelLogoutService, BackChannel;

    /// The page that an authority loads in a frame when a user signs out (OpenID Connect
    /// Front-Channel Logout 1.0). From
    /// [`Entra::front_channel_logout`](crate::Entra::front_channel_logout).
    ///
    /// For a route of its own outside of the layer. Takes GET. Nothing proves who sent the browser
    /// there: a client that knows a session's id can end that session.
    FrontChannelLogoutService, FrontChannel;

    /// Receives security event tokens (RFC 8935, "SET Recipient"). From
    /// [`Entra::security_event_receiver`](crate::Entra::security_event_receiver).
    ///
    /// For a route of its own outside of the layer. Takes POST; answers 202, 400, and 503 while keys
    /// or the store are out of reach.
    SecurityEventReceiver, SharedSignals;
}

/// Which messages a service takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    SignOut,
    BackChannel,
    FrontChannel,
    SharedSignals,
}

/// What the services of one [`Entra`](crate::Entra) work with.
#[derive(Debug)]
pub(crate) struct ServiceState {
    pub(crate) validator: Arc<Validator>,
    pub(crate) edge: Arc<LayerContext>,
    pub(crate) transmitters: Vec<Transmitter>,
}

/// A request, and its body where the message is in the body.
pub(super) struct Received {
    pub(super) query: String,
    pub(super) head: OwnedHead,
    pub(super) headers: HeaderMap,
    pub(super) extensions: http::Extensions,
    pub(super) body: String,
}

/// Longer messages are refused before anything is decoded.
const MOST_BYTES: usize = 65_536;

/// How long a body may take: messages have a few hundred bytes.
const MOST_TIME: Duration = Duration::from_secs(10);

impl ServiceState {
    async fn answer(&self, kind: Kind, request: Request<Body>) -> Response {
        let mut response = self.receive(kind, request).await;
        // Both logout specifications ask for it, and nothing here is for a cache.
        let headers = response.headers_mut();
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("no-cache, no-store"),
        );
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        response
    }

    async fn receive(&self, kind: Kind, mut request: Request<Body>) -> Response {
        let method = request.method().clone();
        let allowed: &[Method] = match kind {
            Kind::SignOut => &[Method::GET, Method::POST],
            Kind::FrontChannel => &[Method::GET],
            Kind::BackChannel | Kind::SharedSignals => &[Method::POST],
        };
        if !allowed.contains(&method) {
            let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
            let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
            if let Ok(names) = HeaderValue::try_from(names.join(", ")) {
                response.headers_mut().insert(ALLOW, names);
            }
            return response;
        }
        let query = request.uri().query().unwrap_or_default().to_owned();
        let head = Head::of(&request).without_credentials();
        let headers = request.headers().clone();
        let extensions = std::mem::take(request.extensions_mut());
        let body = match kind {
            // Nothing in a body would matter, so it is not waited for.
            Kind::SignOut | Kind::FrontChannel => String::new(),
            Kind::BackChannel | Kind::SharedSignals => match read(request).await {
                Ok(body) => body,
                Err(refused) => return *refused,
            },
        };
        let received = Received {
            query,
            head,
            headers,
            extensions,
            body,
        };
        match kind {
            Kind::SignOut => sign_out::sign_out(self, &received).await,
            Kind::BackChannel => sign_out::back_channel(self, &received).await,
            Kind::FrontChannel => sign_out::front_channel(self, &received).await,
            Kind::SharedSignals => shared_signals::push(self, &received).await,
        }
    }

    /// Has what ended refused and forgotten: here at once, and all of it before anything is waited
    /// for. The others are informed by tasks that go on when the sender hangs up.
    pub(super) async fn end(&self, ended: &[SessionTermination]) -> Result<(), ValidationFailure> {
        let marks = ended.iter().flat_map(marks).collect();
        let told = self.edge.accounts.advance(marks, self.edge.clock.seconds());
        told.await.map_err(|_| ValidationFailure::StoreUnavailable)
    }

    /// 503, for what is not the sender's fault.
    pub(super) fn unavailable(&self, refusal: ValidationFailure) -> Response {
        Rejection::with_context(refusal, &self.edge).into_response()
    }
}

/// What has to be remembered of an end.
fn marks(ended: &SessionTermination) -> Vec<(RevocationKey, u64)> {
    let session = ended
        .session
        .iter()
        .map(|(tenant, session)| RevocationKey::Session {
            tenant: *tenant,
            session: session.as_str().into(),
        });
    let accounts = ended.accounts.iter().cloned().map(|account| {
        if ended.all_sessions {
            RevocationKey::Account(account)
        } else {
            RevocationKey::Forgotten(account)
        }
    });
    session
        .chain(accounts)
        .map(|mark| (mark, ended.at))
        .collect()
}

/// Reads a body within its limits; else the answer.
async fn read(mut request: Request<Body>) -> Result<String, Box<Response>> {
    // The limit is an extension, and the body is read under it.
    DefaultBodyLimit::max(MOST_BYTES).apply(&mut request);
    match timeout(MOST_TIME, String::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) => Err(Box::new(rejection.into_response())),
        Err(_) => Err(Box::new(status(StatusCode::REQUEST_TIMEOUT))),
    }
}

/// An answer without a body.
pub(super) fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// 400 with two members that say why, as both specifications want it.
pub(super) fn bad_request(
    [code, text]: [&'static str; 2],
    error: &str,
    description: &str,
) -> Response {
    let body = serde_json::json!({ code: error, text: description }).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Whether the body is of a media type, whatever its parameters.
pub(super) fn has_type(headers: &HeaderMap, expected: &str) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|found| found.trim().eq_ignore_ascii_case(expected))
}
