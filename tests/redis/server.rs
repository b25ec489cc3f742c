//! A Redis of the test's own, which can be stopped, started and held up.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// One process on one port; ends with the test.
pub(crate) struct Server {
    port: u16,
    folder: PathBuf,
    process: Option<Child>,
}

/// A running Redis, or `None` and a line on why not.
pub(crate) fn server() -> Option<Server> {
    let found = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok();
    if !found {
        println!("skipped: redis-server not found");
        return None;
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let folder = std::env::temp_dir().join(format!("axum-entra-redis-{port}"));
    std::fs::create_dir_all(&folder).unwrap();
    let mut server = Server {
        port,
        folder,
        process: None,
    };
    server.start();
    Some(server)
}

impl Server {
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Starts with what was saved, which is nothing: the worst of restarts.
    pub(crate) fn start(&mut self) {
        let process = Command::new("redis-server")
            .args(["--port", &self.port.to_string()])
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(&self.folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.process = Some(process);
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "Redis does not start"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills the process: nothing is saved, connections break.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Holds the process up: connections stay open without an answer.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        let done = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(done.success());
    }

    /// Runs a command, as an operator would.
    pub(crate) fn run(&self, command: &[&str]) -> redis::Value {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_connection().unwrap();
        let mut it = redis::cmd(command[0]);
        for argument in &command[1..] {
            it.arg(argument);
        }
        it.query(&mut connection).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.thaw();
        }
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
