//! Many replicas, simulated, beside the formulas: key fetches, what caches find, Redis commands.
//!
//! Nothing of the crate runs here; the model follows `jwks/schedule` (intervals), `token/cache`
//! (one cache for each replica, large enough) and `revocation/subscriber` (a read waits a second).
//! Arrivals are Poisson; any replica takes any request.

use std::collections::HashMap;

use fastrand::Rng;

const REPLICAS: [u32; 3] = [1, 10, 1_000];

/// Both versions' documents of one authority.
const DOCUMENTS: u32 = 2;
/// Without `Cache-Control`; a day's `max-age`, as Entra sends, makes it 77,760 s.
const INTERVALS: [(&str, f64, f64); 2] = [
    ("1 h", 3_240.0, 3_960.0),
    ("max-age of a day", 77_760.0, 77_760.0),
];
const HOURS: f64 = 240.0;
/// A key changes far less often; but so it can be counted.
const HOURS_BETWEEN_ROLLOVERS: f64 = 24.0;

pub(crate) fn run() {
    let mut random = Rng::with_seed(7);
    println!("formula | simulated\n");
    println!("Key documents fetched in an hour, {DOCUMENTS} documents, a rollover a day\n");
    println!("| replicas | every | formula | simulated |\n|---|---|---|---|");
    for replicas in REPLICAS {
        for (name, shortest, longest) in INTERVALS {
            let mean = f64::midpoint(shortest, longest) / 3_600.0;
            let scheduled = f64::from(replicas * DOCUMENTS) / mean;
            // A rollover is seen by a request, of one version, or by the schedule before it.
            let asked = f64::from(replicas) / HOURS_BETWEEN_ROLLOVERS;
            let found = fetches(&mut random, replicas, shortest / 3_600.0, longest / 3_600.0);
            println!(
                "| {replicas} | {name} | {:.2} | {found:.2} |",
                scheduled + asked
            );
        }
    }
    println!("\nTokens found in the caches; a token's life is 75 minutes\n");
    println!(
        "| replicas | requests of a user in an hour | found: formula | simulated | tokens held by a replica, of a million users: formula | simulated |\n|---|---|---|---|---|---|"
    );
    for replicas in REPLICAS {
        for rate in [10.0, 100.0, 1_000.0, 100_000.0] {
            let life = 1.25;
            let each = rate * life / f64::from(replicas);
            let seen = 1.0 - (-each).exp();
            let (found, held) = caches(&mut random, replicas, rate, life);
            println!(
                "| {replicas} | {rate} | {:.2} % | {:.2} % | {:.0} | {:.0} |",
                100.0 * (1.0 - seen / each),
                100.0 * found,
                1e6 * (1.0 - seen / each),
                1e6 * held,
            );
        }
    }
    println!(
        "\nRedis commands in a second, from all replicas, without replay protection (one more for each of its requests)\n"
    );
    println!("| replicas | revocations in a second | formula | simulated |\n|---|---|---|---|");
    for replicas in REPLICAS {
        for rate in [0.0, 0.1, 1.0, 10.0] {
            let formula = f64::from(replicas) * reads(rate) + rate;
            let found = commands(&mut random, replicas, rate);
            println!("| {replicas} | {rate} | {formula:.1} | {found:.1} |");
        }
    }
}

/// Fetches in an hour, of all replicas.
fn fetches(random: &mut Rng, replicas: u32, shortest: f64, longest: f64) -> f64 {
    let mut count = 0;
    for _ in 0..replicas {
        for document in 0..DOCUMENTS {
            let wait = |random: &mut Rng| shortest + random.f64() * (longest - shortest);
            // Replicas are not started together: somewhere in their first interval.
            let mut next = random.f64() * longest;
            let mut rollover = random.f64() * HOURS_BETWEEN_ROLLOVERS;
            // Only one version's document is asked for by tokens.
            let asked = document == 0;
            while next.min(rollover) < HOURS {
                if asked && rollover < next {
                    // The next token names the new key, and that fetch counts for the schedule.
                    count += 1;
                    next = rollover + wait(random);
                    rollover += HOURS_BETWEEN_ROLLOVERS;
                } else {
                    count += 1;
                    next += wait(random);
                    if !asked {
                        rollover = f64::INFINITY;
                    }
                }
            }
        }
    }
    f64::from(count) / HOURS
}

/// What part of the requests finds its token, and what part of the users one replica holds.
fn caches(random: &mut Rng, replicas: u32, rate: f64, life: f64) -> (f64, f64) {
    let tokens = (2e6 / (rate * life)).clamp(20.0, 20_000.0) as u32;
    let (mut requests, mut misses, mut held) = (0_u64, 0_u64, 0.0);
    for _ in 0..tokens {
        let mut seen: HashMap<u32, f64> = HashMap::new();
        let mut now = exponential(random, rate);
        while now < life {
            requests += 1;
            seen.entry(random.u32(..replicas)).or_insert(now);
            now += exponential(random, rate);
        }
        misses += seen.len() as u64;
        held += seen
            .values()
            .map(|since| (life - since) / life)
            .sum::<f64>();
    }
    let found = 1.0 - misses as f64 / requests as f64;
    (found, held / f64::from(tokens) / f64::from(replicas))
}

/// Commands of one replica in a second: a read ends with an event or after a second, and one that
/// brings nothing is followed by a look at where the store is.
fn reads(rate: f64) -> f64 {
    if rate == 0.0 {
        return 2.0;
    }
    let silent = (-rate).exp();
    (1.0 + silent) * rate / (1.0 - silent)
}

fn commands(random: &mut Rng, replicas: u32, rate: f64) -> f64 {
    const SECONDS: f64 = 200.0;
    let mut events = Vec::new();
    let mut at = exponential(random, rate);
    while at < SECONDS {
        events.push(at);
        at += exponential(random, rate);
    }
    let mut count = events.len();
    for _ in 0..replicas {
        let (mut now, mut next) = (random.f64(), 0);
        while now < SECONDS {
            while events.get(next).is_some_and(|event| *event <= now) {
                next += 1;
            }
            count += 1;
            match events.get(next) {
                Some(event) if *event <= now + 1.0 => now = *event,
                _ => {
                    count += 1;
                    now += 1.0;
                }
            }
        }
    }
    count as f64 / SECONDS
}

fn exponential(random: &mut Rng, rate: f64) -> f64 {
    -(1.0 - random.f64()).ln() / rate
}
