//! How far behind the shared revocations a replica says it is.
#![cfg(feature = "metrics")]

use axum_entra::StoreFailurePolicy;
use entra_emulator::Emulator;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::replica::{Replica, eventually};
use crate::server::server;

/// What the gauge says, in seconds.
fn lag(replica: &Replica) -> f64 {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || replica.entra.update_metrics());
    let page = recorder.handle().render();
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix("axum_entra_revocation_lag_seconds "));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_lag_grows_while_the_store_is_away_and_falls_when_it_is_back() {
    let Some(mut server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let replica = Replica::new(&emulator, &server.url(), StoreFailurePolicy::default());
    eventually("it follows", async || replica.is_following()).await;
    server.stop();
    eventually("it is behind", async || lag(&replica) > 2.5).await;
    server.start();
    eventually("it has caught up", async || lag(&replica) < 1.0).await;
    assert!(replica.is_following());
}
