//! Many clients at once, in real time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum_entra::{Entra, JwksRefresh};
use entra_emulator::Emulator;
use serde_json::json;

use crate::clock::eventually;
use crate::service::{Runs, contoso, entra_for, fetch, protected};

async fn service(emulator: &Emulator, entra: &Entra) -> Router {
    eventually("keys", || {
        entra.status()[0].jwks.iter().all(|keys| keys.key_count > 0)
    })
    .await;
    emulator.reset_request_counts();
    protected(entra, &Runs::default())
}

/// The keys change under twenty clients; no client is refused or notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollover_under_load_costs_no_request() {
    let emulator = Emulator::start().await.unwrap();
    let entra = entra_for(&emulator);
    let router = service(&emulator, &entra).await;
    let (done, answered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let clients: Vec<_> = (0..20)
        .map(|_| {
            let (emulator, router) = (emulator.clone(), router.clone());
            let (done, answered) = (Arc::clone(&done), Arc::clone(&answered));
            tokio::spawn(async move {
                let mut refused = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    // A fresh token of whichever key signs at the moment.
                    let token = emulator.token().mint();
                    let answer = fetch(&router, "/", &token).await;
                    if answer.status.as_u16() != 200 {
                        refused.push(answer.brief());
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                refused
            })
        })
        .collect();
    let until = |least: usize| {
        let answered = Arc::clone(&answered);
        eventually("load", move || answered.load(Ordering::Relaxed) >= least)
    };
    until(50).await;
    let old = emulator.token().mint();
    emulator.rotate_keys();
    let rotated = answered.load(Ordering::Relaxed);
    until(rotated + 200).await;
    done.store(true, Ordering::Relaxed);
    for client in clients {
        assert_eq!(client.await.unwrap(), []);
    }
    assert_eq!(
        fetch(&router, "/", &old).await.status,
        200,
        "the old key is published still"
    );
    let fetches = emulator.request_counts().keys;
    assert_eq!(fetches, 1);
    println!(
        "rollover: {} requests, 0 refused, {fetches} fetch",
        answered.load(Ordering::Relaxed)
    );
}

/// Ten thousand unknown `kid`s from fifty clients: at most one fetch a cooldown, and tokens with
/// known keys are answered as ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_random_key_ids_costs_one_fetch_a_cooldown() {
    const CLIENTS: usize = 50;
    const EACH: usize = 200;
    let cooldown = Duration::from_secs(1);
    let emulator = Emulator::start().await.unwrap();
    let authority =
        contoso(&emulator).jwks_refresh(JwksRefresh::default().unknown_kid_cooldown(cooldown));
    let entra = Entra::builder_for(authority).build().unwrap();
    let router = service(&emulator, &entra).await;
    let payload = json!({ "iss": emulator.issuer(entra_emulator::CONTOSO), "ver": "2.0" });
    let payload = Arc::new(payload.to_string());
    let start = Instant::now();
    let flood: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (router, payload) = (router.clone(), Arc::clone(&payload));
            tokio::spawn(async move {
                for _ in 0..EACH {
                    let kid = format!("{:032x}", fastrand::u128(..));
                    let header = json!({ "alg": "RS256", "kid": kid }).to_string();
                    let token = format!(
                        "{}.AAAA",
                        crate::signer::unsigned(&header, payload.as_str())
                    );
                    let answer = fetch(&router, "/", &token).await;
                    assert_eq!(answer.brief(), (401, "unknown_key".to_owned()));
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let mut latencies = Vec::new();
    while flood.iter().any(|client| !client.is_finished()) {
        let token = emulator.token().mint();
        let before = Instant::now();
        assert_eq!(fetch(&router, "/", &token).await.status, 200);
        latencies.push(before.elapsed());
        tokio::task::yield_now().await;
    }
    for client in flood {
        client.await.unwrap();
    }
    let took = start.elapsed();
    let allowed = 1 + (took.as_secs_f64() / cooldown.as_secs_f64()) as usize;
    let fetches = emulator.request_counts().keys;
    assert!(
        (1..=allowed).contains(&fetches),
        "{fetches} fetches in {took:?}"
    );
    latencies.sort_unstable();
    let at = |share: usize| latencies[(latencies.len() - 1) * share / 100];
    println!(
        "flood: {} refused in {took:?}, {fetches} fetches; {} good tokens meanwhile: median {:?}, 99 % {:?}, worst {:?}",
        CLIENTS * EACH,
        latencies.len(),
        at(50),
        at(99),
        at(100)
    );
    assert!(
        at(50) < Duration::from_millis(500),
        "good tokens do not wait: {:?}",
        at(50)
    );
}
