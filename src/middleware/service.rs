//! What the services of all layers are made of: one gate and one future.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::response::{IntoResponse, Response};
use http::Request;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::rejection::Rejection;
use super::token_source::Subprotocol;

/// Decides on the head of a request, whatever its method and its path. Pure but for the clock.
///
/// The layers of this crate do; other code cannot name the trait.
#[expect(private_interfaces, reason = "callers outside cannot name it")]
pub trait Decide: Clone {
    /// What an admitted request takes along.
    type RequestExtension;

    /// May take the body out of the request, if the admission puts it back.
    fn decide<B: 'static>(&self, request: &mut Request<B>) -> Decision<Self::RequestExtension>;

    /// Puts an admission into the request's extensions; returns what the answer has to name.
    fn admit<B: 'static>(
        &self,
        admission: Self::RequestExtension,
        request: &mut Request<B>,
    ) -> Option<Box<Subprotocol>>;
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

/// Forwards requests to a service, or answers them itself.
#[derive(Debug, Clone)]
pub(super) struct Gate<S, J> {
    inner: S,
    judge: J,
}

impl<S, J> Gate<S, J> {
    pub(super) const fn new(inner: S, judge: J) -> Self {
        Self { inner, judge }
    }

    pub(super) const fn inner(&self) -> &S {
        &self.inner
    }

    pub(super) const fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    #[inline]
    pub(super) fn call<B>(&mut self, mut request: Request<B>) -> ResponseFuture<S, B, J>
    where
        S: Service<Request<B>> + Clone,
        J: Decide,
        B: 'static,
    {
        match self.judge.decide(&mut request) {
            Decision::Allow(admission) => {
                let subprotocol = self.judge.admit(admission, &mut request);
                ResponseFuture {
                    state: State::Forwarded {
                        answer: self.inner.call(request),
                        subprotocol,
                    },
                }
            }
            Decision::Reject(rejection) => ResponseFuture {
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
    ) -> ResponseFuture<S, B, J>
    where
        S: Service<Request<B>>,
    {
        // The service that was polled ready is the one to be called; its clone was not.
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        ResponseFuture {
            state: State::PendingDecision {
                waiting,
                // Boxed, since it is rare and would make every answer's future greater.
                held: Some(Box::new((ready, self.judge.clone(), request))),
            },
        }
    }
}

/// Declares the service that a layer makes: a type of its own around the one gate.
macro_rules! service {
    ($(#[$doc:meta])* $service:ident<S $(, $parameter:ident: $bound:path)?> of $layer:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $service<S $(, $parameter)?> {
            gate: $crate::middleware::service::Gate<S, $layer>,
        }

        impl<S $(, $parameter)?> $service<S $(, $parameter)?> {
            pub(super) const fn new(inner: S, layer: $layer) -> Self {
                Self { gate: $crate::middleware::service::Gate::new(inner, layer) }
            }

            /// The service behind this one.
            pub const fn get_ref(&self) -> &S {
                self.gate.inner()
            }

            /// The service behind this one.
            pub const fn get_mut(&mut self) -> &mut S {
                self.gate.inner_mut()
            }
        }

        impl<S, B $(, $parameter)?> tower_service::Service<http::Request<B>>
            for $service<S $(, $parameter)?>
        where
            S: tower_service::Service<http::Request<B>> + Clone,
            S::Response: axum_core::response::IntoResponse,
            B: 'static,
            $($parameter: $bound + Clone + Send + 'static,)?
        {
            type Response = axum_core::response::Response;
            type Error = S::Error;
            type Future = $crate::middleware::ResponseFuture<S, B, $layer>;

            #[inline]
            fn poll_ready(
                &mut self,
                context: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Result<(), S::Error>> {
                self.gate.inner_mut().poll_ready(context)
            }

            #[inline]
            fn call(&mut self, request: http::Request<B>) -> Self::Future {
                self.gate.call(request)
            }
        }
    };
}

pub(super) use service;

pin_project! {
    /// The answer to come from the service of a layer `J`: the inner service's, or the layer's own.
    ///
    /// The type of `Service::call` of [`EntraService`](crate::EntraService),
    /// [`GuardService`](crate::GuardService) and
    /// [`ReplayProtectionService`](crate::middleware::ReplayProtectionService).
    pub struct ResponseFuture<S, B, J>
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
        Forwarded { #[pin] answer: S::Future, subprotocol: Option<Box<Subprotocol>> },
        Refused { rejection: Option<Box<Rejection>> },
        PendingDecision { waiting: PendingDecision<J::RequestExtension>, held: Option<Box<(S, J, Request<B>)>> },
    }
}

impl<S, B, J> Future for ResponseFuture<S, B, J>
where
    S: Service<Request<B>>,
    S::Response: IntoResponse,
    J: Decide,
    B: 'static,
{
    type Output = Result<Response, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Forwarded {
                    answer,
                    subprotocol,
                } => {
                    let mut response = ready!(answer.poll(context))?.into_response();
                    if let Some(subprotocol) = subprotocol.take() {
                        subprotocol.name_in(&mut response);
                    }
                    return Poll::Ready(Ok(response));
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
                            let subprotocol = judge.admit(admission, &mut request);
                            State::Forwarded {
                                answer: ready.call(request),
                                subprotocol,
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

impl<S, B, J> std::fmt::Debug for ResponseFuture<S, B, J>
where
    S: Service<Request<B>>,
    J: Decide,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResponseFuture")
    }
}
