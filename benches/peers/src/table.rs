//! Times and allocations, everybody beside everybody in the same run.

use std::time::Instant;

use crate::contender::{self, App};
use crate::load::{KINDS, Load, ROUNDS};
use crate::round;
use crate::tokens::Authority;
use crate::verify;
use crate::worker::Worker;

/// Everything is compared with this.
const OURS: &str = "axum-entra";

enum Contender {
    Here(App),
    Apart(Worker),
}

impl Contender {
    async fn time(&mut self, load: &Load, kind: usize, round: usize) -> f64 {
        match self {
            Self::Here(app) => round::time(app, load, kind, round).await,
            Self::Apart(worker) => {
                let answer = worker.ask(kind, &round.to_string());
                answer.parse().expect("nanoseconds")
            }
        }
    }

    async fn allocations(&mut self, load: &Load, kind: usize) -> String {
        match self {
            Self::Here(app) => {
                let (count, bytes) = round::allocations(app, load, kind).await;
                format!("{count} ({bytes})")
            }
            Self::Apart(worker) => {
                let answer = worker.ask(kind, "count");
                let (count, bytes) = answer.split_once(' ').expect("two numbers");
                format!("{count} ({bytes})")
            }
        }
    }
}

/// Nanoseconds of one request in each round.
#[derive(Default, Clone)]
struct Times(Vec<f64>);

impl Times {
    fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn cell(&self) -> String {
        format!("{:.0} ({:.0})", self.least(), self.median())
    }
}

pub async fn run(only: &[&str]) {
    let authority = Authority::start().await;
    let load = Load::new(&authority);
    let names = contender::names(only);
    let mut contenders = Vec::new();
    for name in &names {
        contenders.push(if contender::is_apart(name) {
            Contender::Apart(Worker::start(name))
        } else {
            Contender::Here(contender::build(name, &authority).await)
        });
    }
    let bare = verify::Verify::new(&authority);
    let (signed, signature) = verify::split(&authority.token(0));

    // A round goes to everybody, so that a slow moment of the machine is shared.
    let mut check = Times::default();
    let mut rows = vec![vec![Times::default(); KINDS.len()]; names.len()];
    for round in 0..ROUNDS {
        const CHECKS: u32 = 400;
        let start = Instant::now();
        for _ in 0..CHECKS {
            assert!(bare.verify(&signed, &signature));
        }
        let spent = start.elapsed().as_nanos() as f64;
        check.0.push(spent / f64::from(CHECKS));
        for kind in 0..KINDS.len() {
            for (contender, row) in contenders.iter_mut().zip(&mut rows) {
                row[kind].0.push(contender.time(&load, kind, round).await);
            }
        }
    }

    let columns = |range: std::ops::Range<usize>| KINDS[range].join(" | ");
    println!("\nIn process, ns of one request: least (median) of {ROUNDS} interleaved rounds\n");
    println!(
        "| | {} | allocations (bytes), one token | never seen |",
        columns(0..3)
    );
    println!("|{}", "---|".repeat(6));
    println!(
        "| bare RS256 check, key prepared | | | {} | 0 | 0 |",
        check.cell()
    );
    for ((name, contender), row) in names.iter().zip(&mut contenders).zip(&rows) {
        let cells: Vec<String> = row[..3].iter().map(Times::cell).collect();
        let known = contender.allocations(&load, 0).await;
        let new = contender.allocations(&load, 2).await;
        println!("| {name} | {} | {known} | {new} |", cells.join(" | "));
    }
    println!("\nRefusals, ns: least (median)\n");
    println!("| | {} | allocations, wrong signature |", columns(3..8));
    println!("|{}", "---|".repeat(7));
    for ((name, contender), row) in names.iter().zip(&mut contenders).zip(&rows) {
        if contender::is_protected(name) {
            let cells: Vec<String> = row[3..].iter().map(Times::cell).collect();
            let forged = contender.allocations(&load, 6).await;
            println!("| {name} | {} | {forged} |", cells.join(" | "));
        }
    }
    ratios(&names, &rows);
}

/// How many times our cost, by the least of both.
fn ratios(names: &[&str], rows: &[Vec<Times>]) {
    let Some(ours) = names.iter().position(|name| *name == OURS) else {
        return;
    };
    println!(
        "\nTimes the cost of `{OURS}`, by the leasts (for a token never seen: its cache is being filled)\n"
    );
    println!("| | {} |", KINDS.join(" | "));
    println!("|{}", "---|".repeat(1 + KINDS.len()));
    for (name, row) in names.iter().zip(rows) {
        if contender::is_protected(name) && !name.starts_with(OURS) {
            let ratio =
                |kind: usize| format!("{:.2}", row[kind].least() / rows[ours][kind].least());
            let cells: Vec<String> = (0..KINDS.len()).map(ratio).collect();
            println!("| {name} | {} |", cells.join(" | "));
        }
    }
}
