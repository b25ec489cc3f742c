//! For the tests of this package: a gate in their process, with an `Entra` of theirs.
//!
//! The program makes its `Entra` from settings, and no setting names a clock.

use std::future::{Future, pending};
use std::path::Path;
use std::sync::Arc;

use axum_core::response::Response;
use axum_entra::Entra;
use http::Request;
use hyper::body::{Body, Incoming};
use tokio::net::TcpListener;

use crate::assertion::SigningKey;
use crate::door::{Door, Gate, SharedGate};
#[cfg(feature = "grpc")]
use crate::door::{GrpcDoor, GrpcService, answer_grpc};
use crate::policy::Policy;
use crate::server;

/// A gate with every door.
#[derive(Clone)]
pub struct InProcess(SharedGate);

impl InProcess {
    /// Reads the rules file.
    ///
    /// # Errors
    /// What is wrong in the rules, or with the key file that they name.
    pub fn new(entra: Entra, rules: &Path) -> Result<Self, String> {
        let made = Arc::new(SigningKey::generate().map_err(|error| error.to_string())?);
        let policy = Policy::load(rules, &entra, &made, None).map_err(|error| error.to_string())?;
        let doors = vec![
            Door::Nginx,
            Door::Forward,
            Door::Envoy,
            Door::Grpc,
            Door::Haproxy,
            Door::Validate,
        ];
        Ok(Self(Arc::new(Gate::new(entra, policy, doors))))
    }

    /// What the listener of `--listen` answers.
    pub async fn answer<B>(&self, request: Request<B>) -> Response {
        self.0.answer(request).await
    }

    /// What the listener of `--grpc` answers.
    #[cfg(feature = "grpc")]
    pub async fn answer_grpc(
        &self,
        request: Request<Incoming>,
    ) -> http::Response<tonic::body::Body> {
        let service = GrpcService::new(GrpcDoor(Arc::clone(&self.0)));
        answer_grpc(service, request).await
    }
}

/// Serves like the program, until its future is dropped.
pub async fn serve<F, A, B>(listener: TcpListener, max_token_size: usize, answer: F)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = http::Response<B>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    server::serve(listener, max_token_size, pending(), answer).await;
}
