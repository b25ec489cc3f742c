//! What the gate costs: processor time of a question about a known token by each door, questions a second on
//! one core, and memory; and the same of Envoy's own `jwt_authn`.
//!
//! `.ci/gate-cost` builds and runs it: this program and `wrk` on one core, what is measured on the other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "it measures once, and stops at the first surprise"
)]

mod envoy;
mod grpc;
mod process;
mod row;
mod wrk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use entra_emulator::{ALICE, CLI_ID, CONTOSO, Emulator};

use self::envoy::Filter;
use self::process::Measured;
use self::row::Row;
use self::wrk::Wrk;

/// What the gate costs.
#[derive(Debug, Parser)]
struct Arguments {
    /// The gate, as it is released.
    #[arg(long)]
    gate: PathBuf,
    /// Envoy; without it its rows are left out.
    #[arg(long)]
    envoy: Option<PathBuf>,
    /// How long each row is under load, in each round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How often each row is measured; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// As many as a busy proxy keeps open.
const CONNECTIONS: usize = 64;
const TOKENS: usize = 1_000;

const RULES: &str = r#"
[[rule]]
path = "/open"
allow = "open"
[[rule]]
path = "/todos/*"
allow = 'scope("Todo.Read") or (app_only and role("Todo.Read.All"))'
"#;

/// The doors of the listener, and what a proxy with the shipped configuration asks there.
const DOORS: [(&str, &str, &str); 6] = [
    ("no door, /health", "/health", ""),
    ("validate", "/validate", ""),
    ("nginx", "/auth/nginx", "X-Original"),
    ("haproxy", "/auth/haproxy", "X-Original"),
    ("forward", "/auth/forward", "X-Forwarded"),
    ("envoy", "/auth/envoy/todos/1", ""),
];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The emulator answers a few questions about keys, and the load over gRPC is this program's.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let folder = std::env::temp_dir().join(format!("entra-gate-cost-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let ends_well = runtime.block_on(measure(&arguments, &folder));
    std::fs::remove_dir_all(&folder).unwrap();
    match ends_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

async fn measure(arguments: &Arguments, folder: &Path) -> bool {
    let emulator = Emulator::start().await.unwrap();
    let tokens: Vec<String> = (0..TOKENS).map(|number| token(&emulator, number)).collect();
    std::fs::write(folder.join("tokens"), tokens.join("\n")).unwrap();
    std::fs::write(folder.join("rules.toml"), RULES).unwrap();
    println!(
        "{TOKENS} tokens of {} bytes, {CONNECTIONS} connections",
        tokens[0].len()
    );

    let gate = Measured::gate(&arguments.gate, &folder.join("rules.toml"), &emulator).await;
    let wrk = Wrk::new(folder, arguments.seconds, CONNECTIONS);
    let idle = gate.resident();
    let mut rows: Vec<Row> = DOORS
        .map(|(name, ..)| Row::new(&format!("gate, HTTP: {name}")))
        .into();
    let mut by_grpc = Row::new("gate, gRPC");
    for _ in 0..arguments.rounds {
        for (row, (_, target, prefix)) in rows.iter_mut().zip(DOORS) {
            let headers = match prefix {
                "" => Vec::new(),
                prefix => vec![
                    (format!("{prefix}-Method"), "GET"),
                    (format!("{prefix}-URI"), "/todos/1"),
                    (format!("{prefix}-Host"), "api.example.com"),
                ],
            };
            row.add(wrk.run(gate.http(), target, &headers, &[&gate]));
        }
        let seconds = arguments.seconds;
        by_grpc.add(grpc::run(gate.grpc(), &tokens, seconds, CONNECTIONS, &gate).await);
    }
    let resident = gate.resident();
    rows.push(by_grpc);

    let mut beside = Vec::new();
    match &arguments.envoy {
        None => println!("skipped: the rows of Envoy, which is not installed"),
        Some(program) => {
            let keys = envoy::keys(&emulator).await;
            for filter in Filter::ALL {
                let envoy = Measured::envoy(program, folder, filter, &keys, &emulator, &gate).await;
                let mut row = Row::new(filter.name());
                for _ in 0..arguments.rounds {
                    let processes: &[&Measured] = match filter {
                        Filter::Gate(_) => &[&envoy, &gate],
                        _ => &[&envoy],
                    };
                    row.add(wrk.run(envoy.http(), "/todos/1", &[], processes));
                }
                row.resident = Some(envoy.resident());
                beside.push(row);
            }
        }
    }
    report(&rows, &beside, idle, resident)
}

fn token(emulator: &Emulator, number: usize) -> String {
    let token = emulator.token().user(ALICE).client(CLI_ID);
    let token = token.scope("Todo.Read Todo.ReadWrite access_as_user");
    // As long as those of a user in some groups.
    let groups = (0..20).map(|group| format!("aaaaaaaa-0000-4000-8000-{group:012}"));
    token
        .groups(groups)
        .claim("uti", format!("{number:022}"))
        .mint()
}

/// The tables, and whether the targets are met.
fn report(rows: &[Row], beside: &[Row], idle: u64, resident: u64) -> bool {
    println!("\n{}", Row::HEAD);
    rows.iter().for_each(|row| println!("{row}"));
    println!(
        "\ngate, resident: {idle} KiB at the start, {resident} KiB with {TOKENS} tokens known"
    );
    if let Some((plain, others)) = beside.split_first() {
        println!("\n{}", Row::HEAD);
        beside.iter().for_each(|row| println!("{row}"));
        println!();
        for row in others {
            let added = row.micros() - plain.micros();
            println!("added by {}: {added:.1} µs", row.name);
        }
    }
    let doors = &rows[1..rows.len() - 1];
    let by_grpc = &rows[rows.len() - 1];
    let slowest = |rows: &[Row]| rows.iter().map(Row::micros).fold(0.0, f64::max);
    let fewest = rows[1..]
        .iter()
        .map(Row::per_second)
        .fold(f64::MAX, f64::min);
    println!();
    let targets = [
        (
            "µs a question by HTTP, the dearest door",
            slowest(doors),
            60.0,
            true,
        ),
        ("µs a question by gRPC", by_grpc.micros(), 80.0, true),
        ("MiB resident", resident as f64 / 1_024.0, 25.0, true),
        (
            "questions a second, the slowest door",
            fewest,
            10_000.0,
            false,
        ),
    ];
    let mut all = true;
    for (what, found, bound, is_most) in targets {
        let is_met = if is_most {
            found <= bound
        } else {
            found >= bound
        };
        all &= is_met;
        let sign = if is_most { "≤" } else { "≥" };
        let verdict = if is_met { "met" } else { "MISSED" };
        println!("{what}: {found:.1}, target {sign} {bound}: {verdict}");
    }
    all
}

/// Where the emulator's tokens say that they are from.
pub(crate) fn issuer(emulator: &Emulator) -> String {
    format!("{}/{CONTOSO}/v2.0", emulator.url())
}
