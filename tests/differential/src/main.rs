//! Whole tokens, mutated, before this library and two others: `differential [CASES] [SEED]`.
//!
//! Each case is a token that an authority could have signed, with one to three changes, most of them well signed
//! afterwards. Three verdicts are compared. Where they differ, the difference has to be one of those that
//! `difference.rs` knows, by a look at the token that does not ask this library; any other ends the run with exit code 1
//! and the line that repeats it.

mod difference;
mod mutate;
mod parts;
mod peers;
#[allow(dead_code, reason = "other tests use all of it")]
#[path = "../../api/signer.rs"]
mod signer;
mod twice;

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use axum_entra::{Authority, Entra, Tenant, UnixTime};

use crate::parts::Parts;
use crate::peers::Peers;

pub const TENANT: &str = "11111111-2222-4333-8444-555555555555";
pub const API: &str = "aaaaaaaa-1111-4111-8111-111111111111";
pub const KID: &str = "k";
/// Seconds of tolerance, the same for all three.
pub const SKEW: u64 = 300;

pub fn issuer() -> String {
    format!("https://login.microsoftonline.com/{TENANT}/v2.0")
}

fn entra() -> Entra {
    let authority = Authority::entra(Tenant::new(TENANT), API)
        .static_jwks(signer::key(0).jwks(KID).to_string());
    Entra::builder_for(authority)
        .build()
        .expect("good settings")
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| text.parse::<u64>().expect("a number"));
    let cases = arguments.next().unwrap_or(20_000);
    let seed = arguments.next().unwrap_or(16);
    let only = arguments.next();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let _inside = runtime.enter();
    let (entra, peers) = (entra(), Peers::new());
    let mut random = fastrand::Rng::with_seed(seed);
    let start = Instant::now();
    let good = Parts::good(1_800_000_000, &mut random).sign(&mut random);
    difference::must_not_explain_anything_of(&good, 1_800_000_000);
    let (mut told, mut unknown) = (BTreeMap::<String, u64>::new(), 0_u32);
    for case in only.map_or(0..cases, |one| one..one + 1) {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let mut random =
            fastrand::Rng::with_seed(seed.wrapping_mul(1_000_000_007).wrapping_add(case));
        let mut parts = Parts::good(now, &mut random);
        let changes = mutate::some(&mut parts, now, &mut random);
        let token = parts.sign(&mut random);
        let ours = entra
            .validate_at(&token, UnixTime::from_secs(now))
            .map(|_| ())
            .map_err(|refused| refused.reason());
        let theirs = peers.verdicts(&token, now);
        if only.is_some() {
            println!(
                "{changes:?}\n{}\n{}\n{token}\nours {ours:?}, others {theirs:?}",
                parts.header(),
                parts.payload()
            );
        }
        match difference::between(ours, &theirs, &token, now) {
            Ok(classes) => classes
                .into_iter()
                .for_each(|class| *told.entry(class).or_default() += 1),
            Err(problem) => {
                unknown += 1;
                println!("UNKNOWN {problem}: differential 1 {seed} {case}\n  {changes:?}");
            }
        }
        if unknown == 20 {
            break;
        }
    }
    println!(
        "seed {seed}, {cases} tokens, {} s",
        start.elapsed().as_secs()
    );
    for (class, count) in &told {
        println!("{count:>9}  {class}");
    }
    if unknown > 0 {
        println!("differential: FAILED: {unknown} differences that nothing explains");
        std::process::exit(1);
    }
    let least = |class: &str| told.get(class).is_some_and(|count| *count >= cases / 50);
    assert!(
        only.is_some() || (least("all accept") && least("all refuse")),
        "both kinds of tokens come up"
    );
}
