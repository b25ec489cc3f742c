//! The service that asks a guard for each message of a request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, Method, Request};
use serde_json::value::RawValue;
use tower_layer::Layer;
use tower_service::Service;

use crate::claims::Claims;
use crate::guard::{Caller, Every};

use super::super::evaluate::{GuardOutcome, checked, hold};
use super::super::expiry::TokenExpiry;
use super::super::guard_layer::missing_claims;
use super::super::head::Head;
use super::super::rejection::Rejection;
use super::ToolGuards;
use super::body::{Unread, is_encoded, is_too_long, read};
use super::failure::{McpFailure, UnsupportedVersion};
use super::headers::StatedVersion;
use super::message::{Message, Messages};
use super::sessions::{Owner, SessionIds};
use super::stream;

/// The service that [`ToolGuards`] makes of an MCP server.
#[derive(Debug, Clone)]
pub struct ToolGuardsService<S> {
    inner: S,
    guards: Arc<ToolGuards>,
}

impl<S> Layer<S> for ToolGuards {
    type Service = ToolGuardsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ToolGuardsService {
            inner,
            guards: Arc::new(self.clone()),
        }
    }
}

impl<S> Service<Request<Body>> for ToolGuardsService<S>
where
    S: Service<Request<Body>> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The service that was polled ready is the one to be called; its clone was not.
        let unready = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, unready);
        let guards = Arc::clone(&self.guards);
        Box::pin(async move {
            match guards.admit(request).await {
                Ok(admitted) => {
                    let mut response = ready.call(admitted.request).await?.into_response();
                    let owner = || Owner::of(&admitted.claims);
                    guards.sessions.seal(response.headers_mut(), owner);
                    Ok(match admitted.lasts_until {
                        Some(expiry) => stream::until(expiry, response),
                        None => response,
                    })
                }
                Err(rejection) => Ok(rejection.into_response()),
            }
        })
    }
}

/// A request that goes on to the server.
struct Admitted {
    request: Request<Body>,
    claims: Claims,
    /// Of a request that is answered with a stream without end: made before the server is called,
    /// since sign-outs count from then on.
    lasts_until: Option<TokenExpiry>,
}

/// What errors name.
const NAME: &str = "mcp::ToolGuards";

impl ToolGuards {
    /// Lets a request through to the server.
    async fn admit(&self, request: Request<Body>) -> Result<Admitted, Box<Rejection>> {
        let (mut parts, body) = request.into_parts();
        let Some(claims) = parts.extensions.get::<Claims>().cloned() else {
            return Err(Box::new(missing_claims(NAME, Head::of_parts(&parts))));
        };
        let refuse = |failure, parts: &Parts| {
            let head = Head::of_parts(parts);
            Box::new(Rejection::mcp(failure, &claims, head))
        };
        let has_message = parts.method == Method::POST;
        if has_message && is_encoded(&parts.headers) {
            return Err(refuse(McpFailure::Encoded, &parts));
        }
        let read = match is_too_long(&parts.headers) {
            true => Err(Unread::TooLong),
            false => read(body).await,
        };
        let bytes = read.map_err(|unread| {
            let failure = match unread {
                Unread::TooLong => McpFailure::TooLong,
                Unread::Broken => McpFailure::Body,
            };
            refuse(failure, &parts)
        })?;
        // GET is the stream of a server's own messages, up to 2025-11-25. What else is no POST is not
        // of the protocol.
        let mut lasts = !has_message;
        if has_message || !bytes.is_empty() {
            let needed = self.needed_by_body(&bytes, &parts.headers);
            let (needed, listens) = needed.map_err(|failure| refuse(failure, &parts))?;
            lasts |= listens;
            authorize(needed, &mut parts).await?;
        } else if StatedVersion::of(&parts.headers) == StatedVersion::Invalid {
            let failure = self.mismatch(&parts.headers, None);
            return Err(refuse(failure, &parts));
        }
        if StatedVersion::of(&parts.headers).is_stateless() {
            SessionIds::remove(&mut parts.headers);
        } else {
            let opened = self
                .sessions
                .open(&mut parts.headers, || Owner::of(&claims));
            opened.map_err(|_| refuse(McpFailure::SessionNotFound, &parts))?;
        }
        Ok(Admitted {
            request: Request::from_parts(parts, bytes.into()),
            lasts_until: lasts.then(|| TokenExpiry::with_skew(&claims)),
            claims,
        })
    }

    /// The guards of what a body asks for, and whether it asks for a stream of notifications.
    fn needed_by_body(
        &self,
        body: &[u8],
        headers: &HeaderMap,
    ) -> Result<(Every, bool), McpFailure> {
        if is_encoded(headers) {
            return Err(McpFailure::Encoded);
        }
        let version = StatedVersion::of(headers);
        let messages = Messages::read(body).map_err(|_| McpFailure::Body)?;
        if version.is_stateless() && matches!(messages, Messages::Batch(_)) {
            return Err(McpFailure::Body);
        }
        version
            .check(headers, &messages)
            .map_err(|_| self.mismatch(headers, messages.id()))?;
        let mut methods = messages.all().iter().map(Message::method);
        let listens = methods.any(|method| method == Some("subscriptions/listen"));
        Ok((self.needed(&messages), listens))
    }

    /// Headers that are not as they should be.
    fn mismatch(&self, headers: &HeaderMap, id: Option<&RawValue>) -> McpFailure {
        let requested = StatedVersion::requested(headers).filter(|_| !self.versions.is_empty());
        let unsupported = requested.map(|requested| UnsupportedVersion {
            supported: Arc::clone(&self.versions),
            requested: requested.to_owned(),
        });
        McpFailure::headers(id, unsupported)
    }
}

/// Asks the guards, and Microsoft Graph where they need it.
async fn authorize(needed: Every, parts: &mut Parts) -> Result<(), Box<Rejection>> {
    if needed.0.is_empty() {
        return Ok(());
    }
    let check = |caller: &Caller<'_>, head: Head<'_>| checked(&needed, caller, head);
    match hold(NAME, check, Head::of_parts(parts)) {
        GuardOutcome::Passes(_) => {}
        GuardOutcome::Refused(rejection) => return Err(rejection),
        GuardOutcome::Open(question) => {
            let settled = question.resolve(check).await.map_err(Box::new)?;
            parts.extensions.insert(settled.patience);
        }
    }
    Ok(())
}
