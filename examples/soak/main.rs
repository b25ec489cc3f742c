//! A long time of mixed traffic, rollovers and outages, with every answer checked against a model.
//!
//! `cargo run --example soak -- --seconds 600 --seed 1`. Ends with exit code 1 if an
//! answer was wrong, a request got stuck or memory grew. What is tried is chosen by the seed; what
//! happens at the same time is chosen by the machine.
#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "it reports what it measured, and may stop at a surprise"
)]

mod model;
mod traffic;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use axum_entra::guard::RequireScope;
use axum_entra::{Authority, Entra, JwksRefresh, Tenant};
use clap::Parser;
use entra_emulator::{API_ID, CONTOSO, Emulator, Fault};

use model::Model;
use traffic::{Batch, Tally};

#[derive(Debug, Parser)]
struct Arguments {
    /// How long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// What is tried, and in which order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many clients at once.
    #[arg(long, default_value_t = 8)]
    clients: u64,
}

/// What memory may grow by after the first quarter, in bytes.
const MOST_GROWTH: u64 = 24 << 20;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let emulator = Emulator::start().await?;
    let router = router(&emulator)?;
    let model = Arc::new(Model::new(Batch::mint(&emulator, 1)));
    let start = Instant::now();
    let end = start + Duration::from_secs(arguments.seconds);

    let clients: Vec<_> = (0..arguments.clients)
        .map(|client| {
            let chances = fastrand::Rng::with_seed(arguments.seed.wrapping_add(client));
            let (router, model) = (router.clone(), Arc::clone(&model));
            tokio::spawn(traffic::client(router, model, chances, end))
        })
        .collect();
    let settled = start + (end - start) / 4;
    let mut chances = fastrand::Rng::with_seed(!arguments.seed);
    let mut before = 0;
    let mut rollovers = 0;
    while Instant::now() < end {
        tokio::time::sleep(Duration::from_secs(1)).await;
        trouble(&emulator, &mut chances);
        rollovers += 1;
        let new = emulator.clone();
        // Making a key and signing are work for a thread of their own.
        let batch = tokio::task::spawn_blocking(move || {
            new.rotate_keys();
            Batch::mint(&new, rollovers + 1)
        })
        .await?;
        model.publish(batch);
        if rollovers % 3 == 0 {
            // First it is known that they go, then they go.
            model.retire_old();
            emulator.retire_old_keys();
        }
        if before == 0 && Instant::now() > settled {
            before = resident_bytes();
        }
    }
    let mut tally = Tally::default();
    for client in clients {
        tally.add(client.await?);
    }
    let after = resident_bytes();
    tally.report(rollovers);
    println!("memory: {before} bytes after a quarter, {after} at the end");
    let flat = before == 0 || after < before.saturating_add(MOST_GROWTH);
    let good = tally.is_good() && flat;
    println!(
        "{}",
        if good {
            "soak: all good"
        } else {
            "soak: FAILED"
        }
    );
    Ok(ExitCode::from(u8::from(!good)))
}

fn router(emulator: &Emulator) -> Result<Router, Box<dyn std::error::Error>> {
    let base = format!("{}/", emulator.url());
    let entra = Entra::builder_for(
        Authority::entra(Tenant::new(CONTOSO), API_ID)
            .instance(&base)
            .sts_instance(&base)
            .jwks_refresh(
                JwksRefresh::default()
                    .timeout(Duration::from_millis(500))
                    .unknown_kid_cooldown(Duration::from_secs(1)),
            ),
    )
    .token_cache_capacity(2 << 20)
    .build()?;
    Ok(Router::new()
        .route("/me", get(|| async {}))
        .route(
            "/scope",
            get(|| async {}).layer(RequireScope("access_as_user")),
        )
        .route_layer(entra.layer()))
}

/// One second in four is a bad one.
fn trouble(emulator: &Emulator, chances: &mut fastrand::Rng) {
    emulator.clear_faults();
    let outage = match chances.u8(..28) {
        0 => Fault::Hang,
        1 => Fault::CloseConnection,
        2 => Fault::NotJson,
        3 => Fault::EmptyKeys,
        4 => Fault::Oversized,
        5 => Fault::Status(503),
        6 => Fault::WrongIssuer,
        _ => return,
    };
    emulator.inject_fault(outage);
}

/// What `/proc/self/statm` says about this process; 0 where there is no such file.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let resident = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    resident.unwrap_or_default().saturating_mul(4_096)
}
