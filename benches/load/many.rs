//! So many tokens in use at the same time: what the cache finds, and what an entry weighs.

use std::hint::black_box;
use std::time::Instant;

use axum::Router;
use http::HeaderValue;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::memory::{mebibytes, resident};
use crate::setup::{CACHE, Issuer, NoOp, app, behind, send};

const ROUNDS: usize = 12;

pub(crate) fn run(count: usize) {
    let issuer = Issuer::start();
    let mut tokens = issuer.tokens(count);
    let (mut bare, mut cached) = (behind(NoOp), app(&issuer.entra(CACHE)));
    let before = resident();
    let filling = pass(&mut cached, &tokens);
    let full = resident();
    shuffle(&mut tokens);
    let mut least = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        least[0] = least[0].min(pass(&mut bare, &tokens));
        least[1] = least[1].min(pass(&mut cached, &tokens));
    }
    let (hits, misses) = looked_up(&mut cached, &tokens);
    println!("{count} tokens, each sent in random order\n");
    println!("| | |\n|---|---|");
    println!("| no-op layer, ns | {:.0} |", least[0]);
    println!("| known, ns | {:.0} |", least[1]);
    println!("| first time, kept, ns (one pass) | {filling:.0} |");
    println!(
        "| found in the cache | {hits} of {} ({:.2} %) |",
        hits + misses,
        100.0 * hits as f64 / (hits + misses) as f64
    );
    println!(
        "| memory of the cache | {} |",
        mebibytes(full.saturating_sub(before))
    );
    println!(
        "| memory per token, bytes | {} |",
        full.saturating_sub(before) / count
    );
}

fn pass(app: &mut Router, tokens: &[HeaderValue]) -> f64 {
    let start = Instant::now();
    for token in tokens {
        black_box(send(app, Some(token)));
    }
    start.elapsed().as_nanos() as f64 / tokens.len() as f64
}

fn shuffle(tokens: &mut [HeaderValue]) {
    let mut seed = 7_u64;
    for place in (1..tokens.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        tokens.swap(place, (seed >> 33) as usize % (place + 1));
    }
}

/// Hits and misses of one pass, as the crate counts them for its operators.
pub(crate) fn looked_up(app: &mut Router, tokens: &[HeaderValue]) -> (u64, u64) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || pass(app, tokens));
    let text = handle.render();
    let value = |result: &str| {
        let name = format!("axum_entra_token_cache_total{{result=\"{result}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |value| value.parse().unwrap())
    };
    (value("hit"), value("miss"))
}
