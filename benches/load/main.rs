//! Figures of the whole: cores, many tokens, floods, growth, replicas.
//!
//! `cargo bench --bench load -- cores | many [COUNT] | flood [COUNT] | growth | replicas`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints what it found"
)]

mod cores;
mod flood;
mod growth;
mod many;
mod memory;
mod plot;
mod replicas;
#[path = "../setup/mod.rs"]
mod setup;

fn main() {
    // cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|text| text != "--bench")
        .collect();
    let count = |default: usize| {
        arguments
            .get(1)
            .map_or(default, |text| text.parse().expect("a number"))
    };
    match arguments.first().map(String::as_str) {
        Some("cores") => cores::run(),
        Some("many") => many::run(count(100_000)),
        Some("flood") => flood::run(count(40_000)),
        Some("growth") => growth::run(),
        Some("replicas") => replicas::run(),
        _ => println!(
            "cargo bench --bench load -- cores | many [COUNT] | flood [COUNT] | growth | replicas"
        ),
    }
}
