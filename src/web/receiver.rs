//! Services that take messages about accounts: what they have in common.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::extract::{DefaultBodyLimit, FromRequest as _};
use axum_core::response::{IntoResponse as _, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use tower_service::Service;

use crate::token::{Ended, Refusal, Transmitter, Validator};

use super::edge::Edge;
use super::head::{Head, OwnedHead};
use super::rejection::Rejection;
use super::{shared_signals, sign_out};

/// A service that learns of revocations and sign-outs; from the methods of
/// [`Entra`](crate::Entra) that name one.
///
/// Mount it with `route_service`. It answers every request itself.
#[derive(Clone)]
pub struct Receiver {
    house: Arc<House>,
    kind: Kind,
}

/// Which messages a receiver takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    SignOut,
    BackChannel,
    FrontChannel,
    SharedSignals,
}

/// What the receivers of one [`Entra`](crate::Entra) work with.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) validator: Arc<Validator>,
    pub(crate) edge: Arc<Edge>,
    pub(crate) transmitters: Vec<Transmitter>,
}

/// A request, read to its end.
pub(super) struct Received {
    pub(super) query: String,
    pub(super) head: OwnedHead,
    pub(super) headers: HeaderMap,
    pub(super) extensions: http::Extensions,
    pub(super) body: String,
}

/// Longer messages are refused before anything is decoded.
const MOST_BYTES: usize = 65_536;

impl Receiver {
    pub(crate) const fn new(house: Arc<House>, kind: Kind) -> Self {
        Self { house, kind }
    }
}

impl Service<Request<Body>> for Receiver {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { house, kind } = self.clone();
        Box::pin(async move {
            let mut response = house.receive(kind, request).await;
            // Both logout specifications ask for it, and nothing here is for a cache.
            let headers = response.headers_mut();
            headers.insert(
                CACHE_CONTROL,
                HeaderValue::from_static("no-cache, no-store"),
            );
            headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
            Ok(response)
        })
    }
}

impl House {
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
        // The limit is an extension, and the body is read under it.
        DefaultBodyLimit::max(MOST_BYTES).apply(&mut request);
        let body = match String::from_request(request, &()).await {
            Ok(body) => body,
            Err(rejection) => return rejection.into_response(),
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

    /// Has what ended refused and forgotten; everything, also where telling others fails.
    pub(super) async fn end(&self, ended: &Ended) -> Result<(), Refusal> {
        let (accounts, now) = (&self.edge.accounts, self.edge.clock.now());
        let mut told = Ok(());
        if let Some((tenant, session)) = &ended.session {
            told = told.and(accounts.end_session(*tenant, session, ended.at, now).await);
        }
        for account in &ended.accounts {
            if ended.all_sessions {
                told = told.and(accounts.revoke(account, ended.at, now).await);
            }
            accounts.sign_out(account, now).await;
        }
        told.map_err(|_| Refusal::StoreUnavailable)
    }

    /// 503, for what is not the sender's fault.
    pub(super) fn unavailable(&self, refusal: Refusal) -> Response {
        Rejection::on_edge(refusal, &self.edge).into_response()
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

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
