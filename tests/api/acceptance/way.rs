//! How the requests of the acceptance cases reach the library.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum_entra::Entra;

use crate::service::{Answer, Runs, request};

type Sent = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A router in this process, or a gate behind a proxy.
#[derive(Clone)]
pub(super) struct Way {
    /// How often the handler ran.
    pub(super) runs: Runs,
    /// Whether the body of a refusal arrives too.
    pub(super) has_bodies: bool,
    /// Whether more than the status of a 503 arrives.
    pub(super) has_unavailable: bool,
    send: Arc<dyn Fn(Entra, Request<Body>) -> Sent + Send + Sync>,
}

impl Way {
    pub(super) fn new<F>(
        runs: Runs,
        send: impl Fn(Entra, Request<Body>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self {
            runs,
            has_bodies: true,
            has_unavailable: true,
            send: Arc::new(move |entra, request| Box::pin(send(entra, request))),
        }
    }

    pub(super) async fn send(&self, entra: &Entra, request: Request<Body>) -> Answer {
        (self.send)(entra.clone(), request).await
    }

    /// `GET` with a token.
    pub(super) async fn get(&self, entra: &Entra, path: &str, token: &str) -> Answer {
        self.send(entra, request("GET".parse().unwrap(), path, token))
            .await
    }

    /// 401 with the challenge of a token that is refused.
    #[track_caller]
    pub(super) fn refused(&self, answer: &Answer, reason: &str) {
        assert_eq!(answer.status, 401, "{}", answer.text);
        assert_eq!(answer.challenge(), Some("Bearer error=\"invalid_token\""));
        if self.has_bodies {
            assert_eq!(answer.member("error"), "invalid_token");
            assert_eq!(answer.member("reason"), reason);
        }
    }

    /// 503, and when to come back.
    #[track_caller]
    pub(super) fn unavailable(&self, answer: &Answer, reason: &str, after: Option<u32>) {
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert_eq!(answer.challenge(), None);
        if !self.has_unavailable {
            return;
        }
        let told = answer.header("retry-after").unwrap().parse().unwrap();
        assert_eq!(after.unwrap_or(told), told);
        if self.has_bodies {
            assert_eq!(answer.member("error"), "temporarily_unavailable");
            assert_eq!(answer.member("reason"), reason);
        }
    }
}
