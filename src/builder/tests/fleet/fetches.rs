//! How often a fleet asks the authority for keys: a formula, and whether the simulation agrees.

use std::time::Duration;

use tokio::time::sleep;

use super::authority::{Kind, Mode};
use super::redis::Seeded;
use super::world::{Settings, World};
use super::{elapsed, run, seeds};
use crate::JwksRefresh;

const HOUR: f64 = 3_600.0;

/// The clocks do not matter here.
const CLOCKS: [i64; 1] = [0];

/// Fetches of one document by a fleet, as `docs/annex/fleet.md` has it:
/// `N × (1/2 + (T − G) / 0.95 R + E + G / 0.95 W)`, where `N` replicas run for `T`, the interval is `R`
/// less up to a tenth, an emergency rollover costs each replica one fetch (`E`), and for the time `G`
/// that withdrawn keys verify the interval is `W` less up to a tenth.
///
/// A renewal process with intervals that are even between 0.9 R and R has `T / 0.95 R - 1/2` renewals
/// in `T`, to which the first fetch is added.
fn expected(replicas: usize, lasts: f64, rollovers: f64, mode: Mode) -> f64 {
    let (interval, withdrawn, grace) = (HOUR, 300.0, 2.0 * HOUR);
    let watched = rollovers * grace;
    let each =
        0.5 + (lasts - watched) / (0.95 * interval) + rollovers + watched / (0.95 * withdrawn);
    assert_eq!(mode, Mode::Up, "an authority that answers");
    each * replicas as f64
}

struct Counted {
    /// Of each of both documents.
    fetches: [u64; 2],
    /// The most v2.0 key requests in one second, an hour after the rollover and later.
    late_peak: u64,
    violations: Vec<String>,
}

/// `hours` virtual hours with an emergency rollover in the middle.
fn counted(seed: u64, replicas: usize, hours: u64, mode: Mode) -> Counted {
    run(async move {
        let settings = Settings {
            seed,
            replicas,
            seeded: Seeded::None,
            shared: false,
            refresh: JwksRefresh::default(),
            clocks: &CLOCKS,
        };
        let mut world = World::start(&settings).await;
        world.endpoint.set(mode);
        let half = Duration::from_secs(hours * 1_800);
        sleep(half).await;
        let gone = world.endpoint.emulator().signing_key_id();
        world.ledger.book().key_is_gone(gone);
        let _ = world.endpoint.roll_over();
        let rolled = elapsed();
        // Every replica sees tokens of both versions that the new key signed, within seconds.
        world.ask_everyone();
        world.settle().await;
        sleep(half - Duration::from_secs(60)).await;
        // The tokens of the key are good everywhere.
        world.ask_everyone();
        world.settle().await;
        let gets = world.endpoint.gets();
        let of = |kind| gets.get(&kind).copied().unwrap_or_default();
        // A fetch is two requests: for the discovery document, and for the keys.
        if mode == Mode::Up {
            assert_eq!(of(Kind::DiscoveryV2), of(Kind::KeysV2));
        }
        let book = world.ledger.book();
        Counted {
            fetches: [of(Kind::DiscoveryV1), of(Kind::DiscoveryV2)],
            late_peak: world.endpoint.peak_since(rolled.as_secs() + 3_600),
            violations: book.violations.clone(),
        }
    })
}

/// How far the simulation is from the formula, as a share.
fn difference(counted: &Counted, replicas: usize, hours: u64) -> f64 {
    let expected = expected(replicas, hours as f64 * HOUR, 1.0, Mode::Up);
    let shares = counted
        .fetches
        .map(|fetches| fetches as f64 / expected - 1.0);
    println!(
        "{replicas} replicas, {hours} h: {:?} fetches, {expected:.0} expected, {:+.2} % and {:+.2} %, at most \
         {} requests in one second later",
        counted.fetches,
        shares[0] * 100.0,
        shares[1] * 100.0,
        counted.late_peak,
    );
    shares[0].abs().max(shares[1].abs())
}

fn agrees(replicas: usize, hours: u64) {
    for seed in seeds(1..=1) {
        let counted = counted(seed, replicas, hours, Mode::Up);
        assert!(counted.violations.is_empty(), "{:?}", counted.violations);
        let difference = difference(&counted, replicas, hours);
        assert!(difference < 0.05, "{:.1} %", difference * 100.0);
        // All replicas read the new key within seconds of each other. They do not stay together.
        let most = 2 + replicas as u64 / 10;
        assert!(
            counted.late_peak <= most,
            "{} requests in one second, {most} at most expected",
            counted.late_peak
        );
    }
}

#[test]
fn the_fetches_of_a_small_fleet_are_those_of_the_formula() {
    agrees(50, 24);
}

/// `cargo test -p axum-entra --lib --all-features -- --ignored --nocapture fleet`
#[test]
#[ignore = "minutes: 1,000 replicas for a day"]
fn the_fetches_of_a_thousand_replicas_are_those_of_the_formula() {
    agrees(1_000, 24);
}

/// A seeded fault: of an authority that fails often more is fetched than the formula says.
#[test]
fn the_formula_tells_a_fleet_that_fetches_too_often() {
    let counted = counted(1, 10, 24, Mode::Flaky(30));
    assert!(difference(&counted, 10, 24) > 0.05);
}
