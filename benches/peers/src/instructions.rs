//! Instructions of one request, as callgrind counts them: the same on a busy machine.
//!
//! Callgrind's processor has neither ADX nor AVX-512, so a signature takes more instructions there
//! than on one that has.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::contender;
use crate::load::NEW;
use crate::once::BARE;

const COUNTED: [&str; 5] = [
    "one token",
    "never seen",
    "no token",
    "unknown key",
    "wrong signature",
];

pub fn run(only: &[&str]) {
    if Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        println!("\nInstructions: skipped, valgrind is not installed");
        return;
    }
    println!("\nInstructions of one request (callgrind)\n");
    println!("| | {} |", COUNTED.join(" | "));
    println!("|{}", "---|".repeat(1 + COUNTED.len()));
    if only.is_empty() {
        let count = count(BARE, &[]);
        println!("| {BARE} | | {} | | | |", count.first().expect("one"));
    }
    for name in contender::names(only) {
        let counts: Vec<String> = count(name, &COUNTED).iter().map(u64::to_string).collect();
        println!("| {name} | {} |", counts.join(" | "));
    }
}

fn count(name: &str, kinds: &[&str]) -> Vec<u64> {
    let folder = std::env::temp_dir().join(format!("peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let out = folder.join("callgrind");
    let program = std::env::current_exe().expect("this program");
    let status = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .args([
            "--toggle-collect=peers::once::measured*",
            "--dump-after=peers::once::counted*",
        ])
        .arg(program)
        .args(["once", name, &NEW.to_string()])
        .args(kinds)
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("valgrind").success(), "{name}");
    // One file for each dump, numbered; the last, without a number, is of the end.
    let counts = (1..=kinds.len().max(1))
        .map(|number| total(&numbered(&out, number)) / NEW as u64)
        .collect();
    std::fs::remove_dir_all(&folder).expect("our own folder");
    counts
}

fn numbered(out: &Path, number: usize) -> PathBuf {
    PathBuf::from(format!("{}.{number}", out.display()))
}

fn total(file: &Path) -> u64 {
    let text = std::fs::read_to_string(file).expect("a dump");
    let lines = text.lines();
    let mut totals = lines.filter_map(|line| line.strip_prefix("totals: "));
    totals
        .next()
        .and_then(|total| total.trim().parse().ok())
        .expect("a total")
}
