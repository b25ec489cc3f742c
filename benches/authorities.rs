//! What a token costs with 1, 10 and 1,000 authorities: `cargo bench --bench authorities`
//!
//! No cache; the least of many rounds, since the machine may be shared. The token is of the last
//! authority, so that looking through them one by one would show.
#![allow(clippy::print_stdout, reason = "a table")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use axum_entra::emulator::{API_ID, Emulator};
use axum_entra::{Authority, Entra, Tenant, Uuid};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::start().await?;
    let mut keys = emulator.keys_document();
    // Not bound to one tenant's issuer, since every authority is given the same keys.
    let list = keys.get_mut("keys").and_then(|keys| keys.as_array_mut());
    for key in list.into_iter().flatten() {
        key.as_object_mut().map(|key| key.remove("issuer"));
    }
    let keys = keys.to_string();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
    println!(
        "{:>11} {:>12} {:>12} {:>12}",
        "authorities", "accepted", "forged", "no issuer"
    );
    for count in [1_u128, 10, 1_000] {
        let tenant = |n: u128| Uuid::from_u128(0x4000_8000_0000_0000_0000 + n);
        let authority = |n| {
            Authority::entra(Tenant::Id(tenant(n)), API_ID)
                .instance(emulator.url())
                .static_keys(&keys)
        };
        let builder = Entra::trusting(authority(1)).token_cache_bytes(0);
        let entra = (2..=count)
            .fold(builder, |builder, n| builder.authority(authority(n)))
            .build()?;
        let token = |issuer: Uuid| {
            let id = issuer.to_string();
            let token = emulator.token().tenant(&id).issuer(emulator.issuer(&id));
            token.mint()
        };
        let good = token(tenant(count));
        let (text, _) = good.rsplit_once('.').ok_or("three parts")?;
        let forged = format!("{text}.{}", "A".repeat(342));
        let stranger = token(Uuid::from_u128(7));
        entra.validate_at(&good, now)?;
        let least = |token: &str| {
            let round = |_| {
                let start = Instant::now();
                for _ in 0..50 {
                    let _ = black_box(entra.validate_at(black_box(token), now));
                }
                start.elapsed() / 50
            };
            (0..60).map(round).min().unwrap_or(Duration::ZERO)
        };
        println!(
            "{count:>11} {:>12?} {:>12?} {:>12?}",
            least(&good),
            least(&forged),
            least(&stranger)
        );
    }
    Ok(())
}
