//! The program as an operator meets it: command line, exit codes, first lines, rules that change.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test stops at the first surprise"
)]

use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use entra_emulator::{ALICE, CLI_ID, Emulator};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

const OPEN: &str = "[[rule]]\npath = \"/open\"\nallow = \"open\"\n";
const OTHER: &str = "[[rule]]\npath = \"/other\"\nallow = \"open\"\n";

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("entra-gate-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn settings(&self, emulator: &Emulator) -> PathBuf {
        self.write("appsettings.json", &emulator.settings().to_string())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn gate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entra-gate"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().to_lowercase().starts_with("azuread") {
            command.env_remove(name);
        }
    }
    command.kill_on_drop(true);
    command
}

async fn output(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    timeout(Duration::from_secs(60), output)
        .await
        .unwrap()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
}

impl Running {
    async fn start(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = listening(&mut lines).await;
        Self {
            child,
            lines,
            address,
        }
    }

    /// The status of a question about a target.
    async fn ask(&self, target: &str) -> u16 {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let question = format!(
            "GET /auth/forward HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\
             X-Forwarded-Method: GET\r\nX-Forwarded-Uri: {target}\r\nX-Forwarded-Host: a\r\n\r\n"
        );
        stream.write_all(question.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    async fn until(&self, target: &str, status: u16) {
        let asked = async {
            while self.ask(target).await != status {
                sleep(Duration::from_millis(50)).await;
            }
        };
        let in_time = timeout(Duration::from_secs(20), asked).await;
        assert!(in_time.is_ok(), "{target} is never {status}");
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        let status = std::process::Command::new("kill")
            .args(["-s", name, &id])
            .status();
        assert!(status.unwrap().success());
    }
}

async fn listening(lines: &mut Lines<BufReader<ChildStdout>>) -> SocketAddr {
    let line = timeout(Duration::from_secs(60), lines.next_line()).await;
    let line = line.unwrap().unwrap().unwrap();
    line.strip_prefix("listening on http://")
        .unwrap()
        .parse()
        .unwrap()
}

fn serving(settings: &Path, rules: &Path) -> Command {
    let mut command = gate();
    command
        .arg("--settings")
        .arg(settings)
        .arg("--rules")
        .arg(rules);
    command.args(["--listen", "127.0.0.1:0", "--door", "forward"]);
    command
}

#[tokio::test]
async fn a_wrong_start_is_exit_code_2_and_one_line() {
    let emulator = Emulator::start().await.unwrap();
    let folder = Folder::new();
    let settings = folder.settings(&emulator);
    let rules = folder.write("rules.toml", OPEN);
    let empty = folder.write("empty.toml", "");
    let wrong = folder.write(
        "wrong.toml",
        "[[rule]]\npath = \"/a\"\nallow = 'scoped(\"a\")'\n",
    );
    let never = folder.write(
        "never.toml",
        "[[rule]]\npath = \"/a//b\"\nallow = \"open\"\n",
    );
    let nothing = folder.write("nothing.json", "{}");
    let blank = folder.write("blank", "\n");
    let file = |path: &Path| path.display().to_string();
    let mut cases = Vec::new();
    for (rules, place) in [(&empty, ":1:1: "), (&wrong, ":3:10: "), (&never, ":2:8: ")] {
        let start = format!("{}{place}", file(rules));
        cases.push((serving(&settings, rules), start.clone()));
        let mut check = gate();
        check.arg("check").arg("--rules").arg(rules);
        cases.push((check, start));
    }
    let absent = folder.0.join("absent.toml");
    cases.push((serving(&settings, &absent), file(&absent)));
    cases.push((
        serving(&nothing, &rules),
        format!("--settings {}", file(&nothing)),
    ));
    let mut secret = serving(&settings, &rules);
    secret.arg("--door-secret").arg(&blank);
    cases.push((secret, "--door-secret".to_owned()));
    let mut grpc = serving(&settings, &rules);
    grpc.args(["--door", "grpc"]);
    cases.push((grpc, "expected --door grpc and --grpc".to_owned()));
    for (mut command, start) in cases {
        command.env("RUST_LOG", "off");
        let output = output(&mut command).await;
        let line = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(
            line.starts_with(&start) && line.contains("expected"),
            "{line}"
        );
        assert_eq!(line.trim_end().lines().count(), 1, "{line}");
        assert!(output.stdout.is_empty());
    }
    // The counterpart.
    let mut check = gate();
    let output = output(check.arg("check").arg("--rules").arg(&rules)).await;
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("/open"));
}

#[tokio::test]
async fn the_first_lines_name_both_addresses_and_a_signal_ends_it() {
    let emulator = Emulator::start().await.unwrap();
    let folder = Folder::new();
    let rules = folder.write("rules.toml", OPEN);
    for signal in ["TERM", "INT"] {
        let mut command = serving(&folder.settings(&emulator), &rules);
        command.args(["--door", "grpc,nginx", "--grpc", "127.0.0.1:0"]);
        let mut running = Running::start(&mut command).await;
        let grpc = listening(&mut running.lines).await;
        assert_ne!(grpc, running.address);
        TcpStream::connect(grpc).await.unwrap();
        assert_eq!(running.ask("/open").await, 200);
        running.signal(signal);
        let ended = timeout(Duration::from_secs(20), running.child.wait()).await;
        assert_eq!(ended.unwrap().unwrap().code(), Some(0), "{signal}");
    }
}

#[tokio::test]
async fn rules_change_with_their_file_whole_or_not_at_all() {
    let emulator = Emulator::start().await.unwrap();
    let folder = Folder::new();
    // As Kubernetes mounts a config map: a link to a link that is replaced.
    for (name, text) in [("one", OPEN), ("two", OTHER), ("three", OPEN)] {
        std::fs::create_dir(folder.0.join(name)).unwrap();
        folder.write(&format!("{name}/rules.toml"), text);
    }
    let point = |to: &str| {
        symlink(to, folder.0.join("..new")).unwrap();
        std::fs::rename(folder.0.join("..new"), folder.0.join("..data")).unwrap();
    };
    point("one");
    symlink("..data/rules.toml", folder.0.join("rules.toml")).unwrap();
    let rules = folder.0.join("rules.toml");
    let running = Running::start(&mut serving(&folder.settings(&emulator), &rules)).await;
    running.until("/open", 200).await;
    point("two");
    running.until("/other", 200).await;
    running.until("/open", 401).await;
    // A wrong file changes nothing, at a change as at a signal.
    folder.write(
        "three/rules.toml",
        "[[rule]]\npath = \"/open\"\nallow = \"opened\"\n",
    );
    point("three");
    running.signal("HUP");
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(
        (running.ask("/other").await, running.ask("/open").await),
        (200, 401)
    );
    folder.write("three/rules.toml", OPEN);
    running.until("/open", 200).await;
    running.until("/other", 401).await;
}

#[tokio::test]
async fn explain_tells_rule_checks_status_and_reason() {
    let emulator = Emulator::start().await.unwrap();
    let folder = Folder::new();
    let settings = folder.settings(&emulator);
    let rules = folder.write(
        "rules.toml",
        &format!(
            "{OPEN}[[rule]]\npath = \"/me\"\nallow = \"authenticated\"\n\
             [[rule]]\nhost = \"b.example\"\npath = \"/admin\"\nallow = 'role(\"Admin\")'\n"
        ),
    );
    let token = emulator
        .token()
        .user(ALICE)
        .client(CLI_ID)
        .scope("Todo.Read")
        .mint();
    for (path, host, token, parts) in [
        ("/open", "", "", ["rules.toml:1", "status  200", "open"]),
        (
            "/me",
            "",
            &*token,
            ["rules.toml:4", "status  200", "signature"],
        ),
        (
            "/me",
            "",
            "",
            ["rules.toml:4", "status  401", "reason  missing_token"],
        ),
        (
            "/me",
            "",
            "a.b.c",
            ["rules.toml:4", "status  401", "reason  malformed"],
        ),
        (
            "/admin",
            "b.example",
            &*token,
            ["rules.toml:7", "status  403", "reason  role"],
        ),
        (
            "/admin",
            "",
            &*token,
            ["rule    none", "status  403", "reason  no_rule"],
        ),
        ("/a/../b", "", "", ["status  400", "reason  path", "detail"]),
    ] {
        let mut command = gate();
        command
            .arg("explain")
            .arg("--settings")
            .arg(&settings)
            .arg("--rules")
            .arg(&rules);
        command.args(["--method", "GET", "--path", path]);
        if !host.is_empty() {
            command.args(["--host", host]);
        }
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(token.as_bytes()).await.unwrap();
        drop(input);
        let output = timeout(Duration::from_secs(60), child.wait_with_output()).await;
        let output = output.unwrap().unwrap();
        let told = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{path}");
        assert!(
            parts.iter().all(|part| told.contains(part)),
            "{path} {parts:?}\n{told}"
        );
        assert!(token.is_empty() || !told.contains(token), "{path}");
    }
}
