//! Whatever happens to the store, the keys and the clocks.

use std::time::Duration;

use tokio::time::sleep;

use super::authority::Mode;
use super::redis::{Seeded, Way};
use super::world::{REPUBLISHED, Settings, World};
use super::{elapsed, run, seeds};
use crate::{AccountId, JwksRefresh, Uuid};

/// What happens, one after the other, in an order that the seed chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Packets to the store and back take so many milliseconds, for some replicas or for all.
    Slow { there: u64, back: u64, all: bool },
    /// Some replicas' packets to the store vanish.
    Silent,
    /// Some replicas' connections to the store are refused.
    Refused,
    /// The store stops, and starts with nothing.
    Restart,
    /// The standby takes over; the last second is lost.
    FailOver,
    /// The same behind a proxy that keeps connections, and the new clock is behind.
    HiddenFailOver,
    /// Everything is deleted.
    Flush,
    /// Two masters, and then one.
    Split,
    /// The signing key is gone at once, and a new one signs at once.
    RollOver,
    /// The same while the key endpoint answers with the new or with the old document.
    FlappingRollOver,
    /// The key endpoint fails so many times in a hundred, hangs, or is gone.
    Authority(Mode),
}

const TROUBLES: [Trouble; 15] = [
    slow(300, 300, true),
    slow(950, 950, false),
    slow(20, 1_900, false),
    slow(2_500, 2_500, true),
    Trouble::Silent,
    Trouble::Refused,
    Trouble::Restart,
    Trouble::FailOver,
    Trouble::HiddenFailOver,
    Trouble::Flush,
    Trouble::Split,
    Trouble::RollOver,
    Trouble::FlappingRollOver,
    Trouble::Authority(Mode::Flaky(50)),
    Trouble::Authority(Mode::Hangs),
];

const fn slow(there: u64, back: u64, all: bool) -> Trouble {
    Trouble::Slow { there, back, all }
}

/// From two hours behind to three days ahead; most are near enough.
const CLOCKS: [i64; 10] = [0, 0, 1, -1, 60, -200, 250, -7_200, 259_200, 3_600];

struct Outcome {
    violations: Vec<String>,
    digest: u64,
    requests: u64,
    accepted: u64,
    refused: u64,
    unavailable: u64,
    revocations: u64,
    events: u64,
    commands: u64,
    fetches: u64,
    lasted: Duration,
}

fn suffered(
    seed: u64,
    replicas: usize,
    troubles: &[Trouble],
    seeded: Seeded,
    grace: Duration,
) -> Outcome {
    run(async move {
        let settings = Settings {
            seed,
            replicas,
            seeded,
            shared: true,
            refresh: JwksRefresh::default().withdrawal_grace(grace),
            clocks: &CLOCKS,
        };
        let mut world = World::start(&settings).await;
        // Every replica has its keys, and follows.
        sleep(Duration::from_secs(5)).await;
        for trouble in troubles.iter().copied() {
            begin(&mut world, trouble).await;
            let long = match trouble {
                // Long enough for answers that are on their way to be late.
                Trouble::Slow { .. } => world.chance.u64(12..20),
                _ => world.chance.u64(4..12),
            };
            let quiet = matches!(trouble, Trouble::FailOver | Trouble::HiddenFailOver);
            pass(&mut world, long, !quiet).await;
            heal(&mut world, trouble);
            pass(&mut world, REPUBLISHED.as_secs() + 2, true).await;
        }
        world.settle().await;
        // As long as an authority that failed need not be asked.
        sleep(Duration::from_secs(60)).await;
        world.has_recovered().await;
        let book = world.ledger.book();
        Outcome {
            violations: book.violations.clone(),
            requests: book.requests,
            accepted: book.accepted,
            refused: book.refused,
            unavailable: book.unavailable,
            revocations: book.revocations,
            events: book.events,
            commands: world.redis.commands(),
            fetches: world.endpoint.gets().values().sum(),
            lasted: elapsed(),
            digest: {
                drop(book);
                world.ledger.digest()
            },
        }
    })
}

/// Load and revocations for so many seconds.
async fn pass(world: &mut World, seconds: u64, revokes: bool) {
    let requests = (world.replicas.len() / 10).clamp(4, 32);
    for _ in 0..seconds * 4 {
        world.load(requests);
        if world.chance.u8(..8) == 0 && revokes {
            let is_new = world.chance.bool();
            world.revoke(is_new);
        }
        sleep(Duration::from_millis(250)).await;
    }
}

async fn begin(world: &mut World, trouble: Trouble) {
    world.ledger.book().events += 1;
    let all = 0..world.replicas.len();
    let some: Vec<usize> = {
        let chance = &mut world.chance;
        all.clone().filter(|_| chance.bool()).collect()
    };
    match trouble {
        Trouble::Slow {
            there,
            back,
            all: is_all,
        } => {
            let slow = if is_all { all.collect() } else { some };
            let [there, back] = [there, back].map(Duration::from_millis);
            for replica in slow {
                world.redis.set_latency(replica, there, back);
            }
        }
        Trouble::Silent => some
            .iter()
            .for_each(|own| world.redis.set_way(*own, Way::Silent)),
        Trouble::Refused => some
            .iter()
            .for_each(|own| world.redis.set_way(*own, Way::Refused)),
        Trouble::Restart => {
            world.ledger.book().loss(false);
            world.redis.stop();
        }
        Trouble::FailOver | Trouble::HiddenFailOver => {
            let is_hidden = trouble == Trouble::HiddenFailOver;
            let clock = if is_hidden { -30_000 } else { 500 };
            // One revocation is lost, and one comes in its place; then there is none for a while.
            world.revoke(true);
            sleep(Duration::from_millis(300)).await;
            world.ledger.book().loss(false);
            world
                .redis
                .fail_over(Duration::from_secs(1), is_hidden, clock);
            world.ledger.book().healed();
            world.revoke(true);
        }
        Trouble::Flush => {
            world.ledger.book().loss(false);
            world.redis.flush();
            world.ledger.book().healed();
        }
        Trouble::Split => {
            world
                .ledger
                .book()
                .split(|number| some.binary_search(&number).is_ok());
            world.redis.split(some.into_iter());
        }
        Trouble::RollOver | Trouble::FlappingRollOver => {
            let gone = world.endpoint.emulator().signing_key_id();
            world.ledger.book().key_is_gone(gone);
            let _ = world.endpoint.roll_over();
            if trouble == Trouble::FlappingRollOver {
                world.endpoint.set(Mode::Flaps);
            }
        }
        Trouble::Authority(mode) => world.endpoint.set(mode),
    }
}

fn heal(world: &mut World, trouble: Trouble) {
    for replica in 0..world.replicas.len() {
        world.redis.set_way(replica, Way::Open);
        let quick = Duration::from_millis(2);
        world.redis.set_latency(replica, quick, quick);
    }
    match trouble {
        Trouble::Restart => world.redis.start(),
        Trouble::Split => world.redis.heal_split(),
        // It flaps on, also in what comes next.
        Trouble::FlappingRollOver => return,
        _ => {}
    }
    world.endpoint.set(Mode::Up);
    world.ledger.book().healed();
}

fn replay(seed: u64, replicas: usize, most: usize) -> String {
    format!(
        "AXUM_ENTRA_FLEET_SEED={seed} AXUM_ENTRA_FLEET_REPLICAS={replicas} \
         AXUM_ENTRA_FLEET_TROUBLES={most} cargo test -p axum-entra --lib --all-features -- \
         a_small_fleet"
    )
}

fn report(seed: u64, replicas: usize, outcome: &Outcome, took: Duration) {
    println!(
        "seed {seed}: {replicas} replicas, {} virtual s ({:.1} virtual replica-hours) in {:.1} s, {} \
         events, {} revocations, {} requests ({} accepted, {} refused, {} unavailable), {} commands, \
         {} GETs, {} violations, digest {:016x}",
        outcome.lasted.as_secs(),
        outcome.lasted.as_secs_f64() * replicas as f64 / 3_600.0,
        took.as_secs_f64(),
        outcome.events,
        outcome.revocations,
        outcome.requests,
        outcome.accepted,
        outcome.refused,
        outcome.unavailable,
        outcome.commands,
        outcome.fetches,
        outcome.violations.len(),
        outcome.digest,
    );
}

fn holds(seed: u64, replicas: usize, most: usize) -> Outcome {
    let start = std::time::Instant::now();
    let troubles = shuffled(seed, most);
    let outcome = suffered(seed, replicas, &troubles, Seeded::None, super::GRACE);
    report(seed, replicas, &outcome, start.elapsed());
    assert!(
        outcome.violations.is_empty(),
        "{} violations; replay: {}\n{}",
        outcome.violations.len(),
        replay(seed, replicas, most),
        outcome.violations[..outcome.violations.len().min(20)].join("\n")
    );
    assert!(outcome.accepted > 100 && outcome.refused > 20 && outcome.revocations > 5);
    outcome
}

fn replicas(usual: usize) -> usize {
    let named = std::env::var("AXUM_ENTRA_FLEET_REPLICAS").ok();
    named.map_or(usual, |text| {
        text.parse().expect("AXUM_ENTRA_FLEET_REPLICAS: a number")
    })
}

#[test]
fn a_small_fleet_keeps_every_promise() {
    for seed in seeds(1..=3) {
        holds(seed, replicas(16), most(5));
    }
}

/// `.ci/fleet`
#[test]
#[ignore = "minutes: 1,000 replicas, every trouble"]
fn a_thousand_replicas_keep_every_promise() {
    for seed in seeds(1..=1) {
        holds(seed, replicas(1_000), most(6));
    }
}

/// Answers that take 1.9 s, and so come before any time-out: a mark that is raised just after the store
/// was asked is in force 5.7 s later. The replica says so after four.
#[test]
fn a_slow_store_delays_no_revocation_unseen() {
    for seed in seeds(1..=2) {
        let outcome = suffered(
            seed,
            6,
            &[slow(20, 1_900, false); 2],
            Seeded::None,
            super::GRACE,
        );
        assert!(
            outcome.violations.is_empty(),
            "seed {seed}: {:?}",
            outcome.violations
        );
        assert!(
            outcome.unavailable > 0,
            "it is too slow to be followed now and then"
        );
    }
}

/// The store comes back on the connection that was slow: no reconnect publishes what was withheld.
#[test]
fn a_sign_out_while_the_store_is_slow_is_published_when_it_is_quick_again() {
    for seed in seeds(1..=3) {
        run(async move {
            let settings = Settings {
                seed,
                replicas: 2,
                seeded: Seeded::None,
                shared: true,
                refresh: JwksRefresh::default(),
                clocks: &[0],
            };
            let world = World::start(&settings).await;
            sleep(Duration::from_secs(5)).await;
            let entra = &world.replicas[0].entra;
            let [there, back] = [20, 1_900].map(Duration::from_millis);
            world.redis.set_latency(0, there, back);
            while entra.store_status().connected {
                sleep(Duration::from_millis(50)).await;
            }
            let before = world.redis.marks();
            let account = AccountId::Entra {
                tenant_id: Uuid::from_u128(1),
                object_id: Uuid::from_u128(2),
            };
            entra.remove_account(&account).await;
            world
                .redis
                .set_latency(0, Duration::ZERO, Duration::from_millis(1));
            sleep(REPUBLISHED).await;
            assert!(entra.store_status().connected, "seed {seed}");
            assert_eq!(world.redis.marks(), before + 1, "seed {seed}");
        });
    }
}

#[test]
fn a_seed_replays_to_the_last_answer() {
    let of = |seed| suffered(seed, 6, &shuffled(seed, 3), Seeded::None, super::GRACE);
    let [first, second] = [of(9), of(9)];
    assert_eq!(first.digest, second.digest);
    assert_eq!(
        (first.requests, first.commands, first.fetches),
        (second.requests, second.commands, second.fetches)
    );
    assert_ne!(first.digest, of(10).digest);
}

/// Each fault breaks a promise, and the run says which one.
#[test]
fn seeded_faults_are_found() {
    let calm = slow(1, 1, true);
    let revoked = "accepted a revoked token";
    let table = [
        (Seeded::LosesWrites, super::GRACE, calm, revoked),
        (Seeded::TellsNobody, super::GRACE, calm, revoked),
        (Seeded::StaleReads, super::GRACE, calm, revoked),
        (
            Seeded::RefusesForEver,
            super::GRACE,
            Trouble::Refused,
            "has not recovered",
        ),
    ];
    for (seeded, grace, trouble, expected) in table {
        let outcome = suffered(1, 8, &[trouble], seeded, grace);
        let texts = outcome.violations.iter();
        let found = texts.filter(|text| text.starts_with(expected)).count();
        println!("{seeded:?}, grace {grace:?}, {trouble:?}: {found} × {expected}");
        assert!(found > 0, "{seeded:?}: {expected}");
        // The same without the fault.
        let outcome = suffered(1, 8, &[trouble], Seeded::None, super::GRACE);
        assert!(outcome.violations.is_empty(), "{:?}", outcome.violations);
    }
}

/// Without grace the tokens of a key that has vanished are refused.
#[test]
fn a_fleet_without_grace_is_found_to_refuse_good_tokens() {
    // Tokens of the key have to be there before it vanishes.
    let troubles = [slow(1, 1, true), Trouble::RollOver];
    let outcome = suffered(1, 6, &troubles, Seeded::None, Duration::ZERO);
    let expected = "refused a good token";
    let texts = outcome.violations.iter();
    let found = texts.filter(|text| text.starts_with(expected)).count();
    println!(
        "{found} × {expected}, {} accepted, {} refused, {} fetches",
        outcome.accepted, outcome.refused, outcome.fetches
    );
    assert!(found > 0);
}

/// So many troubles in an order that the seed chooses.
fn shuffled(seed: u64, most: usize) -> Vec<Trouble> {
    let mut troubles = TROUBLES.to_vec();
    fastrand::Rng::with_seed(seed).shuffle(&mut troubles);
    troubles.truncate(most);
    troubles
}

/// How many kinds of trouble there are, or as many as the environment says.
fn most(usual: usize) -> usize {
    let named = std::env::var("AXUM_ENTRA_FLEET_TROUBLES").ok();
    named.map_or(usual, |text| {
        text.parse().expect("AXUM_ENTRA_FLEET_TROUBLES: a number")
    })
}
