//! An API behind the layer, its authority, and tokens for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{Request, StatusCode};
use axum::routing::any;
use axum_entra::{Authority, Claims, Clock, Entra, EntraBuilder, Rejection, Tenant};
use entra_emulator::{API_ID, CONTOSO, Emulator};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) challenges: Vec<String>,
    pub(crate) text: String,
    /// The answer to HEAD has no body.
    rejection: Option<Rejection>,
}

impl Answer {
    /// `reason`, or `in` for the handler's answer.
    pub(crate) fn brief(&self) -> String {
        if self.status == StatusCode::OK {
            return "in".to_owned();
        }
        let reason = self.rejection.as_ref().unwrap().reason();
        if !self.text.is_empty() {
            let body: Value = serde_json::from_str(&self.text).unwrap();
            assert_eq!(body["reason"], reason);
        }
        match self.status {
            StatusCode::UNAUTHORIZED => reason.to_owned(),
            status => format!("{} {reason}", status.as_u16()),
        }
    }

    /// The schemes that are challenged, in order.
    pub(crate) fn schemes(&self) -> Vec<&str> {
        let first = |text: &'_ String| text.split(' ').next().unwrap().len();
        self.challenges
            .iter()
            .map(|text| &text[..first(text)])
            .collect()
    }
}

/// The API: it answers with what it got, and counts.
#[derive(Clone, Default)]
pub(crate) struct Runs(Arc<AtomicUsize>);

impl Runs {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

async fn handler(State(runs): State<Runs>, claims: Claims, body: Body) -> String {
    runs.0.fetch_add(1, Ordering::SeqCst);
    let binding = claims.confirmation().map(|bound| bound.binding());
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    format!("{} {body}", binding.unwrap_or("none"))
}

pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) entra: Entra,
    pub(crate) router: Router,
    pub(crate) runs: Runs,
    pub(crate) now: u64,
}

impl World {
    /// One route for every path and method, behind a layer that is built like this.
    pub(crate) async fn new(describe: impl FnOnce(EntraBuilder) -> EntraBuilder) -> Self {
        let emulator = Emulator::builder().start().await.unwrap();
        let now = Clock::system().now();
        let authority = Authority::entra(Tenant::new(CONTOSO), API_ID)
            .instance(emulator.url())
            .sts_instance(emulator.url());
        // A clock that stands still: an age of 300 seconds is one, however long the test takes.
        let builder = Entra::builder_for(authority).clock(Clock::from_fn(move || now));
        let entra = describe(builder).build().unwrap();
        let runs = Runs::default();
        let router = Router::new()
            .fallback(any(handler))
            .with_state(runs.clone())
            .layer(entra.layer());
        Self {
            emulator,
            entra,
            router,
            runs,
            now: now.as_secs(),
        }
    }

    /// A token with this `cnf`; null for none.
    pub(crate) fn token(&self, confirmation: Value) -> String {
        let token = self.emulator.token().v2().user("alice");
        token.claim("cnf", confirmation).mint()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let rejection = head.extensions.get::<Rejection>().cloned();
    let challenges = head.headers.get_all(WWW_AUTHENTICATE).iter();
    Answer {
        status: head.status,
        challenges: challenges
            .map(|value| value.to_str().unwrap().to_owned())
            .collect(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
        rejection,
    }
}
