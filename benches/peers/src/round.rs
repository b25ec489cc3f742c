//! One turn of one contender.

use std::hint::black_box;
use std::time::Instant;

use http::HeaderValue;

use crate::contender::App;
use crate::counting;
use crate::load::{COUNTED, KINDS, Load, NEW};

/// So long a turn takes: short, so that many fit between two disturbances of a shared machine.
const TURN_NANOSECONDS: f64 = 6e6;

/// Nanoseconds of one request of that kind.
pub async fn time(app: &mut App, load: &Load, kind: usize, round: usize) -> f64 {
    let tokens = load.tokens(kind, round);
    if KINDS[kind] == "never seen" {
        return requests(app, tokens, tokens.len()).await;
    }
    // The thousand are known from the first round on.
    let warm_up = if round == 0 { tokens.len().max(20) } else { 20 };
    let once = requests(app, tokens, warm_up).await;
    let times = (TURN_NANOSECONDS / once).clamp(20.0, 20_000.0) as usize;
    requests(app, tokens, times).await
}

async fn requests(app: &mut App, tokens: &[HeaderValue], times: usize) -> f64 {
    let start = Instant::now();
    for time in 0..times {
        black_box(app.call(tokens.get(time % tokens.len().max(1))).await);
    }
    start.elapsed().as_nanos() as f64 / times as f64
}

/// Allocations and bytes of one request of that kind.
pub async fn allocations(app: &mut App, load: &Load, kind: usize) -> (u64, u64) {
    let tokens = load.tokens(kind, COUNTED);
    let before = counting::so_far();
    for time in 0..NEW {
        app.call(tokens.get(time % tokens.len().max(1))).await;
    }
    let after = counting::so_far();
    let times = NEW as u64;
    ((after.0 - before.0) / times, (after.1 - before.1) / times)
}
