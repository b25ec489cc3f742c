//! The sample as a program of its own, on an authority of the test's.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use entra_emulator::Emulator;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// Longer than anything here takes on a busy machine, shorter than the grace of ten seconds.
pub(crate) const SOON: Duration = Duration::from_secs(8);

pub(crate) struct Program {
    pub(crate) address: SocketAddr,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Program {
    /// Starts the built example; `None`, with a line that says so, where it is not built.
    pub(crate) async fn start(emulator: &Emulator, level: &str) -> Option<Self> {
        let Some(path) = path() else {
            println!("skipped: the example protected_api is not built");
            return None;
        };
        let mut child = Command::new(path)
            .args(["--listen", "127.0.0.1:0"])
            .envs(environment("", &emulator.settings_with_graph()))
            .env("RUST_LOG", level)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Arc::<Mutex<String>>::default();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let heard = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok(Some(line)) = said.next_line().await {
                *heard.lock().unwrap() += &(line + "\n");
            }
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().expect("a first line");
        let address = first.strip_prefix("listening on http://").unwrap();
        let program = Self {
            address: address.parse().unwrap(),
            child,
            log,
        };
        let ready = async || program.ask("GET /ready", "").await.starts_with(OK);
        assert!(comes_true(ready).await, "{}", program.log());
        Some(program)
    }

    /// Sends a request with these headers, and gives the whole answer.
    pub(crate) async fn ask(&self, request: &str, headers: &str) -> String {
        let mut stream = self.begin(request, headers).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Sends a request and waits for nothing.
    pub(crate) async fn begin(&self, request: &str, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let text = format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// SIGTERM, as a container runtime sends it.
    pub(crate) async fn terminate(&self) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.unwrap().success());
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) async fn ends_soon(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(SOON, self.child.wait()).await;
        ended.expect("an end within the grace").unwrap()
    }
}

/// Runs the built example to its end with a settings file of this text, and no `AzureAd` in the
/// environment: exit code, standard output and standard error.
pub(crate) async fn ended_with(name: &str, settings: &str) -> Option<(i32, String, String)> {
    let Some(path) = path() else {
        println!("skipped: the example protected_api is not built");
        return None;
    };
    let file = std::env::temp_dir().join(format!("{name}-{}.json", std::process::id()));
    std::fs::write(&file, settings).unwrap();
    let run = Command::new(path)
        .args(["--listen", "127.0.0.1:0", "--settings"])
        .arg(&file)
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(SOON, run)
        .await
        .expect("an end")
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = ended.status.code().expect("an exit code");
    Some((code, text(&ended.stdout), text(&ended.stderr)))
}

/// The beginning of a good answer.
pub(crate) const OK: &str = "HTTP/1.1 200 ";

/// Asks again and again, for a while.
pub(crate) async fn comes_true(mut question: impl AsyncFnMut() -> bool) -> bool {
    let asking = async {
        while !question().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, asking).await.is_ok()
}

/// Settings as a program's environment has them: `AzureAd__TenantId`.
pub(crate) fn environment(name: &str, settings: &Value) -> Vec<(String, String)> {
    let Some(members) = settings.as_object() else {
        return vec![(name.to_owned(), settings.as_str().unwrap().to_owned())];
    };
    let all = members.iter().flat_map(|(member, value)| {
        let separator = if name.is_empty() { "" } else { "__" };
        environment(&format!("{name}{separator}{member}"), value)
    });
    all.collect()
}

/// Beside the folder of this test's own program.
pub(crate) fn path() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let path = test.parent()?.parent()?.join("examples/protected_api");
    path.is_file().then_some(path)
}
