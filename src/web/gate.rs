//! The one tower service and the one future of this crate.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::response::{IntoResponse, Response};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{Method, Request};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::claims::Claims;

use super::edge::Anonymous;
use super::once::FirstUse;
use super::rejection::Rejection;

/// Decides on the head of a request. Pure but for the clock.
pub(super) trait Judge {
    fn judge<B>(&self, request: &Request<B>) -> Judgement;
}

/// What becomes of a request.
pub(super) enum Judgement {
    Admit(Admission),
    Refuse(Box<Rejection>),
    /// Something has to be fetched first, which is rare.
    Wait(Waiting),
}

/// What an admitted request takes along.
pub(super) enum Admission {
    Claims(Claims),
    Anonymous(Anonymous),
    FirstUse(FirstUse),
    Nothing,
}

impl Admission {
    pub(super) fn first_use(first_use: Option<FirstUse>) -> Self {
        first_use.map_or(Self::Nothing, Self::FirstUse)
    }
}

/// A judgement to come.
pub(super) type Waiting = Pin<Box<dyn Future<Output = Result<Admission, Rejection>> + Send>>;

/// Lets requests through to a service, or answers them itself.
#[derive(Debug, Clone)]
pub struct Gate<S, J> {
    inner: S,
    judge: J,
}

impl<S, J> Gate<S, J> {
    pub(super) const fn new(inner: S, judge: J) -> Self {
        Self { inner, judge }
    }
}

impl<S, J, B> Service<Request<B>> for Gate<S, J>
where
    S: Service<Request<B>> + Clone,
    S::Response: IntoResponse,
    J: Judge,
{
    type Response = Response;
    type Error = S::Error;
    type Future = GateFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.judge.judge(&request) {
            Judgement::Admit(admission) => {
                admit(&mut request, admission);
                GateFuture {
                    state: State::Forwarded {
                        answer: self.inner.call(request),
                    },
                }
            }
            Judgement::Refuse(rejection) => GateFuture {
                state: State::Refused {
                    rejection: Some(rejection),
                },
            },
            Judgement::Wait(waiting) => self.hold(waiting, request),
        }
    }
}

impl<S: Clone, J> Gate<S, J> {
    #[cold]
    fn hold<B>(&mut self, waiting: Waiting, request: Request<B>) -> GateFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        // The service that was polled ready is the one to be called; its clone was not.
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        GateFuture {
            state: State::Waiting {
                waiting,
                // Boxed, since it is rare and would make every answer's future greater.
                held: Some(Box::new((ready, request))),
            },
        }
    }
}

#[inline]
fn admit<B>(request: &mut Request<B>, admission: Admission) {
    match admission {
        Admission::Claims(claims) => {
            request.extensions_mut().insert(claims);
        }
        Admission::Anonymous(anonymous) => {
            // A layer further out may have admitted somebody; behind this one nobody signed in.
            request.extensions_mut().remove::<Claims>();
            request.extensions_mut().insert(anonymous);
        }
        Admission::FirstUse(first_use) => {
            request.extensions_mut().insert(first_use);
        }
        Admission::Nothing => {}
    }
}

/// A CORS preflight, which browsers send without credentials (Fetch standard, "CORS-preflight
/// fetch"). It goes to the inner service, where the CORS layer or the router answers it.
pub(super) fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

pin_project! {
    /// The answer to come: the inner service's or this crate's.
    pub struct GateFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        Forwarded { #[pin] answer: S::Future },
        Refused { rejection: Option<Box<Rejection>> },
        Waiting { waiting: Waiting, held: Option<Box<(S, Request<B>)>> },
    }
}

impl<S, B> Future for GateFuture<S, B>
where
    S: Service<Request<B>>,
    S::Response: IntoResponse,
{
    type Output = Result<Response, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Forwarded { answer } => {
                    return answer.poll(context).map_ok(IntoResponse::into_response);
                }
                StateProjection::Refused { rejection } => {
                    return match rejection.take() {
                        Some(rejection) => Poll::Ready(Ok(rejection.into_response())),
                        // Polled again after its answer, which a future may not be.
                        None => Poll::Pending,
                    };
                }
                StateProjection::Waiting { waiting, held } => {
                    let judgement = ready!(waiting.as_mut().poll(context));
                    match (judgement, held.take().map(|held| *held)) {
                        (Ok(admission), Some((mut ready, mut request))) => {
                            admit(&mut request, admission);
                            State::Forwarded {
                                answer: ready.call(request),
                            }
                        }
                        (Err(rejection), _) => State::Refused {
                            rejection: Some(Box::new(rejection)),
                        },
                        (Ok(_), None) => return Poll::Pending,
                    }
                }
            };
            state.set(next);
        }
    }
}

impl<S, B> std::fmt::Debug for GateFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GateFuture")
    }
}
