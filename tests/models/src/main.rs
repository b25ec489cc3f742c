//! Tries the orders in which threads can do their steps, over the library's own code.
//!
//! `models` checks every property, and that each seeded fault breaks it; each run in a process of its own.
//! `models --schedules N` is for shuttle, `models NAME` for one property; docs/annex/models.md has the results.
// `--all-targets` would compile the library's own tests here.
#![cfg(not(test))]
#![allow(
    warnings,
    clippy::all,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a copy of the library, of which models use a part"
)]

mod property;

include!(concat!(env!("OUT_DIR"), "/library/lib.rs"));

use std::process::{Command, ExitCode};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use property::{BROKEN, Property};

static RUNS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// Schedules of each property by shuttle, unless told.
const SCHEDULES: usize = 2_000;

/// The one property that is counted instead of tried.
const COUNTED: &str = "requests-on-a-hot-token-write-nothing-shared";

fn properties() -> Vec<Property> {
    let all = [
        token::models::cache::properties(),
        token::models::properties(),
        jwks::models::properties(),
        revocation::models::properties(),
        graph::models::properties(),
    ];
    all.into_iter().flatten().collect()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).cloned()
    };
    let schedules =
        after("--schedules").map_or(SCHEDULES, |number| number.parse().expect("a number"));
    if let Some(name) = after("--run") {
        if let Some(fault) = after("--fault") {
            let _ = sync::FAULT.set(fault);
        }
        let property = properties()
            .into_iter()
            .find(|own| own.name == name)
            .expect("a property");
        run(&property, schedules);
        println!("{}", RUNS.load(Relaxed));
        return ExitCode::SUCCESS;
    }
    let only = arguments.first().filter(|first| !first.starts_with("--"));
    // Without loom and shuttle only what is counted means something.
    let only = if cfg!(any(feature = "loom", feature = "shuttle")) {
        only.map(String::as_str)
    } else {
        Some(COUNTED)
    };
    let chosen = properties()
        .into_iter()
        .filter(|own| only.is_none_or(|only| own.name == only));
    let mut good = true;
    for property in chosen {
        good &= report(&property, schedules);
    }
    if only.is_none() && !every_fault_is_used() {
        good = false;
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// One line for a property; `false` where it is broken, or a fault does not break it.
fn report(property: &Property, schedules: usize) -> bool {
    let started = Instant::now();
    let output = child(property, None, schedules);
    let holds = output.status.success();
    let counts = String::from_utf8_lossy(&output.stderr).into_owned();
    let runs = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    println!(
        "{}: {runs} orders, {:.1} s",
        property.name,
        started.elapsed().as_secs_f32()
    );
    if cfg!(not(any(feature = "loom", feature = "shuttle"))) && holds {
        print!("  {counts}");
    }
    if !holds {
        println!("  BROKEN: {}", String::from_utf8_lossy(&output.stderr));
    }
    let mut good = holds;
    for fault in property.faults {
        let started = Instant::now();
        let output = child(property, Some(fault), schedules);
        let said = String::from_utf8_lossy(&output.stderr);
        // A future that nothing wakes is a broken property too.
        let found =
            !output.status.success() && (said.contains(BROKEN) || said.contains("deadlock"));
        let seconds = started.elapsed().as_secs_f32();
        println!(
            "  {} {fault}, {seconds:.1} s",
            if found { "found" } else { "NOT FOUND" }
        );
        if !found {
            println!("{said}");
        }
        good &= found;
    }
    good
}

fn child(property: &Property, fault: Option<&str>, schedules: usize) -> std::process::Output {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args([
        "--run",
        property.name,
        "--schedules",
        &schedules.to_string(),
    ]);
    command.env("RUST_BACKTRACE", "0");
    if let Some(fault) = fault {
        command.args(["--fault", fault]);
    }
    command.output().expect("this program")
}

/// A fault that no property names proves nothing.
fn every_fault_is_used() -> bool {
    let all = properties();
    let used = |name: &str| all.iter().any(|own| own.faults.contains(&name));
    let unused: Vec<_> = changes::FAULTS
        .iter()
        .map(|fault| fault.0)
        .filter(|name| !used(name))
        .collect();
    if !unused.is_empty() {
        println!("no property looks for {unused:?}");
    }
    unused.is_empty()
}

#[path = "changes.rs"]
mod changes;

fn run(property: &Property, schedules: usize) {
    let model = property.model;
    let counted = move || {
        RUNS.fetch_add(1, Relaxed);
        model();
    };
    #[cfg(feature = "loom")]
    {
        let mut builder = loom::model::Builder::new();
        builder.max_branches = 100_000;
        builder.check(move || sync::thread(0, counted).join().unwrap());
    }
    #[cfg(all(feature = "shuttle", not(feature = "loom")))]
    {
        let mut config = shuttle::Config::new();
        config.stack_size = 1 << 20;
        let scheduler = shuttle::scheduler::RandomScheduler::new_from_seed(1, schedules);
        shuttle::Runner::new(scheduler, config).run(counted);
    }
    #[cfg(not(any(feature = "shuttle", feature = "loom")))]
    counted();
}
