//! The same work on one core and on two at once: do they fight?

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum_entra::{Authority, Entra, JwksRefresh, Tenant};
use entra_emulator as emulator;
use http::HeaderValue;

use crate::setup::{CACHE, Issuer, NoOp, app, behind, header, route, send};

/// Rounds of one thread and of two, taken in turns.
const ROUNDS: usize = 8;
const REQUESTS: usize = 100_000;

pub(crate) fn run() {
    let issuer = Issuer::start();
    let tokens = issuer.tokens(1_000);
    println!("ns of one request, least (median) of {ROUNDS} rounds\n");
    println!("| | one thread | two threads, each | throughput of two |");
    println!("|---|---|---|---|");
    report(
        "unprotected, one token",
        &route().with_state(()),
        &tokens[..1],
    );
    report("no-op layer, one token", &behind(NoOp), &tokens[..1]);
    let cached = app(&issuer.entra(CACHE));
    report("one token", &cached, &tokens[..1]);
    report("1,000 tokens", &cached, &tokens);
    rollovers();
}

fn report(name: &str, app: &Router, tokens: &[HeaderValue]) {
    let mut spent = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for threads in [1, 2] {
            spent[threads - 1].push(on(threads, app, tokens));
        }
    }
    let [one, two] = spent.map(|mut spent| {
        spent.sort_by(f64::total_cmp);
        (spent[0], spent[ROUNDS / 2])
    });
    println!(
        "| {name} | {:.0} ({:.0}) | {:.0} ({:.0}) | {:.2} × |",
        one.0,
        one.1,
        two.0,
        two.1,
        2.0 * one.0 / two.0
    );
}

fn on(threads: usize, app: &Router, tokens: &[HeaderValue]) -> f64 {
    let barrier = Barrier::new(threads);
    let spent: Vec<f64> = std::thread::scope(|scope| {
        let start = || {
            // Own header values: their reference counts are the load generator's, not ours.
            let own = |token: &HeaderValue| HeaderValue::from_bytes(token.as_bytes()).unwrap();
            let tokens: Vec<HeaderValue> = tokens.iter().map(own).collect();
            let (mut app, barrier) = (app.clone(), &barrier);
            scope.spawn(move || {
                requests(&mut app, &tokens, 5_000);
                barrier.wait();
                requests(&mut app, &tokens, REQUESTS)
            })
        };
        let running: Vec<_> = (0..threads).map(|_| start()).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    spent.iter().sum::<f64>() / threads as f64
}

fn requests(app: &mut Router, tokens: &[HeaderValue], times: usize) -> f64 {
    let start = Instant::now();
    for time in 0..times {
        assert_eq!(send(app, Some(&tokens[time % tokens.len()])), 200);
    }
    start.elapsed().as_nanos() as f64 / times as f64
}

/// A new signing key every second, fetched because a token names it; the old ones stay published.
fn rollovers() {
    let issuer = Issuer::start();
    let authority = Authority::entra(Tenant::new(emulator::CONTOSO), emulator::API_ID)
        .instance(issuer.emulator.url())
        .jwks_refresh(JwksRefresh::default().unknown_kid_cooldown(Duration::from_secs(1)));
    let entra = issuer
        .runtime
        .block_on(async { Entra::builder_for(authority).build() });
    let entra = entra.unwrap();
    while !entra.is_ready() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let old = [header(&issuer.token(0))];
    let app = app(&entra);
    let ended = AtomicBool::new(false);
    let accepted = std::thread::scope(|scope| {
        let rolling = scope.spawn(|| {
            let mut accepted = 0;
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_secs(1));
                issuer.emulator.rotate_keys();
                let new = issuer.token(1);
                accepted += usize::from(issuer.runtime.block_on(entra.validate(&new)).is_ok());
            }
            accepted
        });
        report("one token, a rollover every second", &app, &old);
        ended.store(true, Ordering::Relaxed);
        rolling.join().unwrap()
    });
    println!("\n{accepted} rollovers, each with its first token accepted");
}
