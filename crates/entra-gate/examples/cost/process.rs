//! The processes that are measured, each on the first core.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use entra_emulator::Emulator;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::envoy::{Filter, configuration};

/// A process on a core of its own.
pub(crate) struct Measured {
    child: Child,
    addresses: Vec<SocketAddr>,
}

/// Those of `/proc/PID/stat` on Linux (`USER_HZ`).
const TICKS_PER_SECOND: u64 = 100;

impl Measured {
    pub(crate) async fn gate(program: &Path, rules: &Path, emulator: &Emulator) -> Self {
        let settings = emulator.settings();
        let section = settings["AzureAd"].as_object().unwrap().clone();
        let texts = section.into_iter().map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (format!("AzureAd__{name}"), text)
        });
        let mut child = pinned(program)
            .arg("--rules")
            .arg(rules)
            .args(["--listen", "127.0.0.1:0", "--grpc", "127.0.0.1:0"])
            .args(["--door", "nginx,forward,envoy,haproxy,validate,grpc"])
            .envs(texts)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = || {
            let line = lines.next().unwrap().unwrap();
            let address = line.strip_prefix("listening on http://").unwrap();
            address.parse().unwrap()
        };
        let addresses = vec![address(), address()];
        // Its keys are there after its first refresh.
        sleep(Duration::from_millis(500)).await;
        Self { child, addresses }
    }

    pub(crate) async fn envoy(
        program: &Path,
        folder: &Path,
        filter: Filter,
        keys: &str,
        emulator: &Emulator,
        gate: &Self,
    ) -> Self {
        let address = free();
        let file = folder.join("envoy.yaml");
        std::fs::write(&file, configuration(filter, address, keys, emulator, gate)).unwrap();
        let child = pinned(program)
            .arg("-c")
            .arg(&file)
            .args(["--concurrency", "1", "--use-dynamic-base-id", "-l", "error"])
            .spawn()
            .unwrap();
        let opened = async {
            while TcpStream::connect(address).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(20), opened)
            .await
            .expect("Envoy");
        Self {
            child,
            addresses: vec![address],
        }
    }

    pub(crate) fn http(&self) -> SocketAddr {
        self.addresses[0]
    }

    pub(crate) fn grpc(&self) -> SocketAddr {
        self.addresses[1]
    }

    /// KiB of memory in use.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// In user and kernel mode, of all threads.
    fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The name in parentheses can hold blanks; `utime` and `stime` are fields 14 and 15.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = fields
            .split(' ')
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().unwrap());
        Duration::from_millis(ticks.sum::<u64>() * 1_000 / TICKS_PER_SECOND)
    }
}

pub(crate) fn processor_time(of: &[&Measured]) -> Duration {
    of.iter().map(|process| process.processor_time()).sum()
}

impl Drop for Measured {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program).stdin(Stdio::null());
    command
}

fn free() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
