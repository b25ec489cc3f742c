//! tower's contract: the service that was polled ready is the one that is called.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{Method, Request, Response};
use axum_entra::guard::RequireScope;
use entra_emulator::Emulator;
use tower::{Layer, Service, ServiceExt as _};

use crate::clock::eventually;
use crate::service::{entra_for, request};
use crate::token::{authority, built, good, mint};

/// Panics when it is called without having been ready; a clone is never ready.
#[derive(Debug, Default)]
struct Fussy {
    is_ready: bool,
    polled: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Fussy {
    fn clone(&self) -> Self {
        Self {
            is_ready: false,
            polled: false,
            calls: Arc::clone(&self.calls),
        }
    }
}

impl Service<Request<Body>> for Fussy {
    type Response = Response<Body>;
    type Error = &'static str;
    type Future = Ready<Result<Response<Body>, &'static str>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        // Not at once, so that a service that does not check again is found.
        if !std::mem::replace(&mut self.polled, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(self.is_ready, "called without having been polled ready");
        (self.is_ready, self.polled) = (false, false);
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Response::new(Body::from("in"))))
    }
}

async fn call<S>(service: &mut S, token: &str) -> u16
where
    S: Service<Request<Body>, Response = axum::response::Response, Error = &'static str>,
{
    let request = request(Method::GET, "/", token);
    service
        .ready()
        .await
        .unwrap()
        .call(request)
        .await
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test]
async fn a_service_is_called_as_often_as_it_was_ready_and_no_more() {
    let entra = built(authority());
    let fussy = Fussy::default();
    let calls = Arc::clone(&fussy.calls);
    let guarded = RequireScope("access_as_user").layer(fussy);
    let mut service = entra.layer().layer(guarded);
    let token = mint(&good());
    for _ in 0..3 {
        assert_eq!(call(&mut service, &token).await, 200);
        assert_eq!(call(&mut service, "").await, 401);
        assert_eq!(call(&mut service, "junk").await, 401);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    let mut copy = service.clone();
    assert_eq!(call(&mut copy, &token).await, 200);
}

#[tokio::test]
async fn a_request_that_waits_for_keys_keeps_the_service_that_was_ready() {
    let emulator = Emulator::start().await.unwrap();
    let entra = entra_for(&emulator);
    eventually("keys", || entra.is_ready()).await;
    let fussy = Fussy::default();
    let calls = Arc::clone(&fussy.calls);
    let mut service = entra
        .layer()
        .layer(RequireScope("access_as_user").layer(fussy));
    emulator.rotate_keys();
    emulator.reset_request_counts();
    let token = emulator.token().mint();
    // The first waits for the new key; the service it leaves behind has to be polled anew.
    let waiting = service
        .ready()
        .await
        .unwrap()
        .call(request(Method::GET, "/", &token));
    let other = service
        .ready()
        .await
        .unwrap()
        .call(request(Method::GET, "/", &token));
    let (first, second) = tokio::join!(waiting, other);
    assert_eq!(first.unwrap().status(), 200);
    assert_eq!(second.unwrap().status(), 200);
    assert_eq!(call(&mut service, &token).await, 200);
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    assert_eq!(emulator.request_counts().keys, 1);
}

/// Never ready: its error must come out as it is.
#[derive(Debug, Clone)]
struct Broken;

impl Service<Request<Body>> for Broken {
    type Response = Response<Body>;
    type Error = &'static str;
    type Future = Ready<Result<Response<Body>, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        Poll::Ready(Err("broken"))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        panic!("a broken service is not called")
    }
}

#[tokio::test]
async fn an_error_of_the_inner_service_is_passed_on() {
    let entra = built(authority());
    let mut service = entra
        .layer()
        .layer(RequireScope("access_as_user").layer(Broken));
    assert_eq!(service.ready().await.err(), Some("broken"));
}
