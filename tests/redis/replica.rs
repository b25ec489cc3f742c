//! One replica of an API.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;
use axum::{Router, routing::get};
use axum_entra::{
    AccountId, Authority, Entra, EntraBuilder, RedisStore, Rejection, StoreFailurePolicy, Tenant,
};
use entra_emulator::{API_ID, CONTOSO, Emulator};
use tower::ServiceExt as _;
use uuid::Uuid;

pub(crate) struct Replica {
    pub(crate) entra: Entra,
}

impl Replica {
    /// With connections of its own.
    pub(crate) fn new(emulator: &Emulator, url: &str, on_loss: StoreFailurePolicy) -> Self {
        Self::with(emulator, RedisStore::new(url, on_loss), |_| {})
    }

    pub(crate) fn with(
        emulator: &Emulator,
        redis: RedisStore,
        forget: impl Fn(&AccountId) + Send + Sync + 'static,
    ) -> Self {
        Self::built(emulator, redis, |builder| builder.on_sign_out(forget))
    }

    pub(crate) fn built(
        emulator: &Emulator,
        redis: RedisStore,
        more: impl FnOnce(EntraBuilder) -> EntraBuilder,
    ) -> Self {
        let authority = Authority::entra(Tenant::new(CONTOSO), API_ID)
            .instance(emulator.url())
            .sts_instance(emulator.url())
            .issued_at_backdate(Duration::ZERO);
        let builder = Entra::builder_for(authority).redis(redis);
        let entra = more(builder).build().unwrap();
        Self { entra }
    }

    /// Two of the same kind that both follow the store.
    pub(crate) async fn pair(
        emulator: &Emulator,
        url: &str,
        on_loss: StoreFailurePolicy,
    ) -> [Self; 2] {
        let pair = [
            Self::new(emulator, url, on_loss),
            Self::new(emulator, url, on_loss),
        ];
        for replica in &pair {
            replica.follows().await;
        }
        pair
    }

    /// Waits until it follows the store.
    pub(crate) async fn follows(&self) {
        eventually("it follows", async || self.is_following()).await;
    }

    pub(crate) fn is_following(&self) -> bool {
        self.entra.store_status().connected
    }

    /// Status and reason of a request.
    pub(crate) async fn get(&self, path: &str, token: &str) -> (u16, String) {
        let handler = || async { "in" };
        let app: Router = Router::new()
            .route("/me", get(handler))
            .route(
                "/replay",
                get(handler).route_layer(self.entra.replay_protection()),
            )
            .route_layer(self.entra.layer());
        let request = Request::get(path)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        let response = app.oneshot(request).await.unwrap();
        let reason = reason_of(&response);
        if response.status() == 503 {
            assert!(response.headers().contains_key("retry-after"));
        }
        (response.status().as_u16(), reason)
    }

    pub(crate) async fn reason(&self, token: &str) -> String {
        self.get("/me", token).await.1
    }
}

/// The account of this number only.
pub(crate) fn account(number: u128) -> AccountId {
    AccountId::Entra {
        tenant_id: CONTOSO.parse().unwrap(),
        object_id: object(number),
    }
}

pub(crate) fn object(number: u128) -> Uuid {
    Uuid::from_u128(0xacc0_0000_0000_4000_8000_0000_0000_0000 + number)
}

/// A token of that account, issued so many seconds ago.
pub(crate) fn token(emulator: &Emulator, number: u128, age: u64) -> String {
    emulator
        .token()
        .claim("oid", object(number).to_string())
        .issued_at(now() - age)
        .mint()
}

/// A second since 1970, as a time.
pub(crate) fn at(second: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(second)
}

pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// Waits, and not for long, until something has come true; says how long it took.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds().await {
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "timed out: {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    start.elapsed()
}

/// Why the layer refused, or `in`.
pub(crate) fn reason_of(response: &Response) -> String {
    let rejection = response.extensions().get::<Rejection>();
    rejection.map_or("in", Rejection::reason).to_owned()
}
