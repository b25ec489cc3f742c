//! An authority of the test's own, whose key is the test's; and a trap beside it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use axum_entra::{Clock, Entra, Tenant};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::signer::key;

pub(crate) const TENANT: &str = "fab11111-1111-4111-8111-111111111abc";
pub(crate) const OTHER_TENANT: &str = "22222222-2222-4222-8222-222222222222";
pub(crate) const API: &str = "aaaaaaaa-1111-4111-8111-111111111111";
pub(crate) const CLIENT: &str = "cccccccc-1111-4111-8111-111111111111";
pub(crate) const KID: &str = "the-published-key";

pub(crate) struct Authority {
    base: String,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    keys: AtomicUsize,
    trap: AtomicUsize,
}

impl Authority {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let counts = Arc::<Counts>::default();
        let v2 = document(&base, &format!("{base}/{TENANT}/v2.0"));
        let v1 = document(&base, &format!("{base}/{TENANT}/"));
        let router = Router::new()
            .route(
                &format!("/{TENANT}/v2.0/.well-known/openid-configuration"),
                get(move || async move { v2.to_string() }),
            )
            .route(
                &format!("/{TENANT}/.well-known/openid-configuration"),
                get(move || async move { v1.to_string() }),
            )
            .route("/keys", get(keys))
            .route("/trap/{*rest}", get(trap))
            .with_state(Arc::clone(&counts));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, counts }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn now(&self) -> u64 {
        Clock::system().now().as_secs()
    }

    pub(crate) fn entra(&self) -> Entra {
        Entra::builder_for(
            axum_entra::Authority::entra(Tenant::new(TENANT), API)
                .instance(format!("{}/", self.base))
                .sts_instance(format!("{}/", self.base)),
        )
        .build()
        .unwrap()
    }

    /// What a program is told of this authority.
    pub(crate) fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("AzureAd__Instance", format!("{}/", self.base)),
            ("AzureAd__StsInstance", format!("{}/", self.base)),
            ("AzureAd__TenantId", TENANT.to_owned()),
            ("AzureAd__ClientId", API.to_owned()),
        ]
    }

    /// How often keys were fetched, and the trap was visited.
    #[allow(dead_code, reason = "the attacks on encrypted tokens ask")]
    pub(crate) fn fetches(&self) -> (usize, usize) {
        let load = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        (load(&self.counts.keys), load(&self.counts.trap))
    }

    /// One fetch for each document at the start, one more for unknown key ids, and the trap is shut.
    pub(crate) fn was_asked_at_most_once_more(&self) {
        let keys = self.counts.keys.load(Ordering::SeqCst);
        assert!((2..=4).contains(&keys), "{keys} fetches of keys");
        assert_eq!(self.counts.trap.load(Ordering::SeqCst), 0, "the trap");
    }
}

fn document(base: &str, issuer: &str) -> Value {
    json!({ "issuer": issuer, "jwks_uri": format!("{base}/keys") })
}

async fn keys(State(counts): State<Arc<Counts>>) -> String {
    counts.keys.fetch_add(1, Ordering::SeqCst);
    key(0).jwks(KID).to_string()
}

/// Where tokens of attackers point to; no request may arrive there.
async fn trap(State(counts): State<Arc<Counts>>, Path(_): Path<String>) -> String {
    counts.trap.fetch_add(1, Ordering::SeqCst);
    key(1).jwks("stranger").to_string()
}

pub(crate) type Address = SocketAddr;
