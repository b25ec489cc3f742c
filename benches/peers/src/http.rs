//! Whole servers on loopback: HTTP/1.1, kept alive, 64 connections, 1,000 tokens, loaded by `wrk`.
//!
//! The server has one thread and one core, `wrk` the other. What counts is the processor time of a
//! request: throughput and latency are those of this machine at that moment.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::contender;

const BURSTS: usize = 3;
const SECONDS: u64 = 3;

/// Sends the tokens one after the other, and says how many answers were not 2xx or 3xx.
const SCRIPT: &str = r#"
local tokens, number = {}, 0
for line in io.lines(os.getenv("TOKENS")) do
    tokens[#tokens + 1] = wrk.format("GET", "/", {
        ["Authorization"] = "Bearer " .. line, ["Host"] = "localhost" })
end
function request()
    number = number % #tokens + 1
    return tokens[number]
end
function done(summary, latency)
    io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99), summary.errors.status))
end
"#;

struct Server {
    child: Child,
    address: String,
    tokens: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, or has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy)]
struct Burst {
    per_second: f64,
    cpu_microseconds: f64,
    p50: u64,
    p99: u64,
}

pub fn run(only: &[&str]) {
    let missing = |program: &str| {
        let mut asked = Command::new(program);
        asked.arg("-v").stdout(Stdio::null()).stderr(Stdio::null());
        asked.status().is_err()
    };
    if missing("wrk") || missing("taskset") {
        println!("\nOver HTTP: skipped, wrk or taskset is not installed");
        return;
    }
    let folder = std::env::temp_dir().join(format!("peers-http-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let script = folder.join("tokens.lua");
    std::fs::write(&script, SCRIPT).expect("room for it");

    let names: Vec<&str> = contender::names(only)
        .into_iter()
        .filter(|name| !name.ends_with("twice") && !name.contains("guard"))
        .collect();
    let mut bursts: Vec<Vec<Burst>> = vec![Vec::new(); names.len()];
    let servers: Vec<Server> = names
        .iter()
        .enumerate()
        .map(|(number, name)| start(name, folder.join(format!("{number}.txt"))))
        .collect();
    for _ in 0..BURSTS {
        for (server, bursts) in servers.iter().zip(&mut bursts) {
            bursts.push(burst(server, &script));
        }
    }
    drop(servers);
    std::fs::remove_dir_all(&folder).expect("our own folder");

    println!(
        "\nOver HTTP, one core, 64 connections, 1,000 tokens: {BURSTS} interleaved bursts of {SECONDS} s\n"
    );
    println!("| | CPU µs a request: least (median) | requests/s, median | p50 µs | p99 µs |");
    println!("|{}", "---|".repeat(5));
    for (name, bursts) in names.iter().zip(&bursts) {
        let median = |value: fn(&Burst) -> f64| {
            let mut values: Vec<f64> = bursts.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let least = bursts.iter().map(|burst| burst.cpu_microseconds);
        println!(
            "| {name} | {:.2} ({:.2}) | {:.0} | {:.0} | {:.0} |",
            least.fold(f64::INFINITY, f64::min),
            median(|burst| burst.cpu_microseconds),
            median(|burst| burst.per_second),
            median(|burst| burst.p50 as f64),
            median(|burst| burst.p99 as f64),
        );
    }
}

fn start(name: &str, tokens: PathBuf) -> Server {
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new("taskset")
        .args(["-c", "0"])
        .arg(program)
        .args(["serve", name])
        .arg(&tokens)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a server");
    let mut address = String::new();
    let output = child.stdout.take().expect("piped");
    let read = BufReader::new(output).read_line(&mut address);
    assert!(read.expect("a line") > 0, "{name} does not serve");
    Server {
        child,
        address: address.trim_end().to_owned(),
        tokens,
    }
}

fn burst(server: &Server, script: &PathBuf) -> Burst {
    // Half a second beforehand: connections, and tokens that are known where that counts.
    wrk(server, script, Duration::from_millis(500));
    let before = cpu_nanoseconds(server);
    let (requests, microseconds, p50, p99) = wrk(server, script, Duration::from_secs(SECONDS));
    let spent = cpu_nanoseconds(server) - before;
    Burst {
        per_second: requests * 1e6 / microseconds,
        cpu_microseconds: spent as f64 / 1e3 / requests,
        p50,
        p99,
    }
}

fn wrk(server: &Server, script: &PathBuf, time: Duration) -> (f64, f64, u64, u64) {
    let seconds = time.as_secs().max(1);
    let output = Command::new("taskset")
        .args(["-c", "1", "wrk", "-t1", "-c64"])
        .arg(format!("-d{seconds}s"))
        .arg("-s")
        .arg(script)
        .arg(&server.address)
        .env("TOKENS", &server.tokens)
        .output()
        .expect("wrk");
    let text = String::from_utf8_lossy(&output.stdout);
    let result = text.lines().find_map(|line| line.strip_prefix("RESULT "));
    let numbers: Vec<u64> = result
        .expect("a result")
        .split(' ')
        .filter_map(|number| number.parse().ok())
        .collect();
    let &[requests, microseconds, p50, p99, refused] = numbers.as_slice() else {
        panic!("five numbers, not {text}");
    };
    assert_eq!(refused, 0, "every token is good");
    (requests as f64, microseconds as f64, p50, p99)
}

/// The server's own thread; its authority's is idle, and is not counted.
fn cpu_nanoseconds(server: &Server) -> u64 {
    let id = server.child.id();
    let text = std::fs::read_to_string(format!("/proc/{id}/task/{id}/schedstat"));
    let text = text.expect("Linux, and a server that runs");
    let spent = text
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok());
    spent.expect("nanoseconds")
}
