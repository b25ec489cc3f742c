//! An API with its authority, a clock that moves by hand, and its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Request};
use axum::{Router, routing::get};
use axum_entra::guard::RequireRole;
use axum_entra::{
    AccountId, Authority, Claims, Clock, Entra, EntraBuilder, Permit, Tenant, UnixTime, guards,
};
use entra_emulator::{API_ID, CONTOSO, Emulator, TokenBuilder};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

guards! {
    pub(crate) HasRole = RequireRole("No.One.Has.It");
}

/// When every test begins.
pub(crate) const NOON: u64 = 1_537_233_200;

pub(crate) struct House {
    pub(crate) emulator: Emulator,
    pub(crate) entra: Entra,
    now: Arc<AtomicU64>,
}

/// Status, `reason`, and what else came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn of(&self) -> (u16, &str) {
        (self.status, self.body["reason"].as_str().unwrap_or("in"))
    }

    pub(crate) fn challenge(&self) -> &str {
        self.headers["www-authenticate"].to_str().unwrap()
    }
}

/// A second since 1970, as a time.
pub(crate) fn at(second: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(second)
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_with(|builder| builder).await
    }

    pub(crate) async fn open_with(more: impl FnOnce(EntraBuilder) -> EntraBuilder) -> Self {
        Self::of(Emulator::start().await.unwrap(), more).await
    }

    /// Tokens say when they were issued, not five minutes earlier.
    pub(crate) async fn of(
        emulator: Emulator,
        more: impl FnOnce(EntraBuilder) -> EntraBuilder,
    ) -> Self {
        let exact = |authority: Authority| authority.issued_at_backdate(Duration::ZERO);
        Self::described(emulator, exact, more).await
    }

    #[expect(clippy::unused_async, reason = "build() needs a runtime around it")]
    pub(crate) async fn described(
        emulator: Emulator,
        authority: impl FnOnce(Authority) -> Authority,
        more: impl FnOnce(EntraBuilder) -> EntraBuilder,
    ) -> Self {
        let now = Arc::new(AtomicU64::new(NOON));
        let reading = Arc::clone(&now);
        let ours = Authority::entra(Tenant::new(CONTOSO), API_ID)
            .instance(emulator.url())
            .sts_instance(emulator.url());
        let builder = Entra::builder_for(authority(ours)).clock(Clock::from_fn(move || {
            UnixTime::from_secs(reading.load(Ordering::SeqCst))
        }));
        let entra = more(builder).build().unwrap();
        Self {
            emulator,
            entra,
            now,
        }
    }

    pub(crate) fn at(&self, now: u64) {
        self.now.store(now, Ordering::SeqCst);
    }

    /// A token of alice, issued at a time and good for an hour from then.
    pub(crate) fn token(&self, issued_at: u64) -> TokenBuilder {
        self.emulator
            .token()
            .user("alice")
            .issued_at(issued_at)
            .not_before(issued_at)
            .expires_at(issued_at + 3_600)
    }

    pub(crate) fn app(&self) -> Router {
        let handler = || async { "in" };
        let once = || self.entra.replay_protection();
        Router::new()
            .route(
                "/me",
                get(|claims: Claims| async move { format!("{:?}", claims.principal()) }),
            )
            .route("/replay", get(handler).route_layer(once()))
            .route(
                "/twice",
                get(handler).route_layer(once()).route_layer(once()),
            )
            .route(
                "/guard-outside",
                get(handler)
                    .route_layer(once())
                    .route_layer(RequireRole("No.One.Has.It")),
            )
            .route(
                "/guard-inside",
                get(|_: Permit<HasRole>| async { "in" }).route_layer(once()),
            )
            .route_layer(self.entra.layer())
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(
            self.app(),
            Request::get(path)
                .header(AUTHORIZATION, format!("Bearer {token}"))
                .body(Body::empty())
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn send(&self, app: Router, request: Request<Body>) -> Answer {
        let response = app.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    pub(crate) async fn key_of(&self, token: &str) -> AccountId {
        self.entra
            .validate(token)
            .await
            .unwrap()
            .account_id()
            .unwrap()
    }
}
