//! Load over HTTP/1.1, by `wrk`.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{Measured, processor_time};
use crate::row::Sample;

pub(crate) struct Wrk {
    folder: PathBuf,
    seconds: u64,
    connections: usize,
}

/// Requests are made at the start, one for each token, and sent in turn.
const SCRIPT: &str = r#"
local requests, number = {}, 0
init = function()
    local headers = { @HEADERS }
    for token in io.lines("@FOLDER/tokens") do
        headers["Authorization"] = "Bearer " .. token
        requests[#requests + 1] = wrk.format("GET", "@TARGET", headers)
    end
end
request = function()
    number = number % #requests + 1
    return requests[number]
end
done = function(summary)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.timeout
    io.write(string.format("found %d %d %d\n", summary.requests, errors.status + failed, summary.duration))
end
"#;

impl Wrk {
    pub(crate) fn new(folder: &Path, seconds: u64, connections: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            seconds,
            connections,
        }
    }

    /// Asks for one address, with a token each time.
    pub(crate) fn run(
        &self,
        to: SocketAddr,
        target: &str,
        headers: &[(String, &str)],
        measured: &[&Measured],
    ) -> Sample {
        let mut own = String::new();
        for (name, value) in headers {
            let _ = write!(own, "[\"{name}\"] = \"{value}\", ");
        }
        let script = SCRIPT.replace("@HEADERS", &own).replace("@TARGET", target);
        let script = script.replace("@FOLDER", &self.folder.display().to_string());
        let file = self.folder.join("requests.lua");
        std::fs::write(&file, script).unwrap();
        // What is not known yet becomes known.
        self.once(to, 1, &file);
        let before = processor_time(measured);
        let (answered, refused, took) = self.once(to, self.seconds, &file);
        Sample {
            answered,
            refused,
            took,
            processor: processor_time(measured) - before,
        }
    }

    fn once(&self, to: SocketAddr, seconds: u64, script: &Path) -> (u64, u64, Duration) {
        let output = Command::new("wrk")
            .args([
                "-t1",
                &format!("-c{}", self.connections),
                &format!("-d{seconds}s"),
                "-s",
            ])
            .arg(script)
            .arg(format!("http://{to}/"))
            .output()
            .expect("wrk");
        let text = String::from_utf8_lossy(&output.stdout);
        let found = text.lines().find_map(|line| line.strip_prefix("found "));
        let found =
            found.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
        let numbers: Vec<u64> = found
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        (numbers[0], numbers[1], Duration::from_micros(numbers[2]))
    }
}
