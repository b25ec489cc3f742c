//! The one tower service and the one future of this crate.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::response::{IntoResponse, Response};
use http::Request;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::rejection::Rejection;

/// Decides on the head of a request, whatever its method and its path. Pure but for the clock.
#[doc(hidden)]
#[expect(private_interfaces, reason = "callers outside cannot name it")]
pub trait Decide: Clone {
    /// What an admitted request takes along.
    type RequestExtension;

    fn decide<B>(&self, request: &Request<B>) -> Decision<Self::RequestExtension>;

    /// Puts an admission into the request's extensions.
    fn admit<B>(&self, admission: Self::RequestExtension, request: &mut Request<B>);
}

/// What becomes of a request.
pub(super) enum Decision<A> {
    Allow(A),
    Reject(Box<Rejection>),
    /// Something has to be fetched first, which is rare.
    Pending(PendingDecision<A>),
}

/// A judgement to come.
pub(super) type PendingDecision<A> = Pin<Box<dyn Future<Output = Result<A, Rejection>> + Send>>;

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
    J: Decide,
{
    type Response = Response;
    type Error = S::Error;
    type Future = GateFuture<S, B, J>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.judge.decide(&request) {
            Decision::Allow(admission) => {
                self.judge.admit(admission, &mut request);
                GateFuture {
                    state: State::Forwarded {
                        answer: self.inner.call(request),
                    },
                }
            }
            Decision::Reject(rejection) => GateFuture {
                state: State::Refused {
                    rejection: Some(rejection),
                },
            },
            Decision::Pending(waiting) => self.hold(waiting, request),
        }
    }
}

impl<S: Clone, J: Decide> Gate<S, J> {
    #[cold]
    fn hold<B>(
        &mut self,
        waiting: PendingDecision<J::RequestExtension>,
        request: Request<B>,
    ) -> GateFuture<S, B, J>
    where
        S: Service<Request<B>>,
    {
        // The service that was polled ready is the one to be called; its clone was not.
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        GateFuture {
            state: State::PendingDecision {
                waiting,
                // Boxed, since it is rare and would make every answer's future greater.
                held: Some(Box::new((ready, self.judge.clone(), request))),
            },
        }
    }
}

pin_project! {
    /// The answer to come: the inner service's or this crate's.
    pub struct GateFuture<S, B, J>
    where
        S: Service<Request<B>>,
        J: Decide,
    {
        #[pin]
        state: State<S, B, J>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, J>
    where
        S: Service<Request<B>>,
        J: Decide,
    {
        Forwarded { #[pin] answer: S::Future },
        Refused { rejection: Option<Box<Rejection>> },
        PendingDecision { waiting: PendingDecision<J::RequestExtension>, held: Option<Box<(S, J, Request<B>)>> },
    }
}

impl<S, B, J> Future for GateFuture<S, B, J>
where
    S: Service<Request<B>>,
    S::Response: IntoResponse,
    J: Decide,
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
                StateProjection::PendingDecision { waiting, held } => {
                    let judgement = ready!(waiting.as_mut().poll(context));
                    match (judgement, held.take().map(|held| *held)) {
                        (Ok(admission), Some((mut ready, judge, mut request))) => {
                            judge.admit(admission, &mut request);
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

impl<S, B, J> std::fmt::Debug for GateFuture<S, B, J>
where
    S: Service<Request<B>>,
    J: Decide,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GateFuture")
    }
}
