//! A proxy with the configuration of `deploy/gate`, at addresses of the test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command as StdCommand, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::upstream::Service;
use crate::wire;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Caddy,
    EnvoyHttp,
    EnvoyGrpc,
    Haproxy,
}

pub(crate) const KINDS: [Kind; 5] = [
    Kind::Nginx,
    Kind::Caddy,
    Kind::EnvoyHttp,
    Kind::EnvoyGrpc,
    Kind::Haproxy,
];

/// Where a gate listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    /// For HTTP/2 without TLS, by prior knowledge.
    pub(crate) h2: SocketAddr,
    folder: PathBuf,
    child: Child,
}

impl Kind {
    fn program(self) -> Option<PathBuf> {
        let (name, variable) = match self {
            Self::Nginx => ("nginx", "NGINX"),
            Self::Caddy => ("caddy", "CADDY"),
            Self::EnvoyHttp | Self::EnvoyGrpc => ("envoy", "ENVOY"),
            Self::Haproxy => ("haproxy", "HAPROXY"),
        };
        if let Some(path) = std::env::var_os(variable) {
            return Some(path.into());
        }
        let path = std::env::var_os("PATH")?;
        let usual = [PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")];
        let mut folders = std::env::split_paths(&path).chain(usual);
        folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.is_file()))
    }

    /// The files of `deploy/gate`, and the arguments of the program.
    fn files(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Nginx => (
                &["nginx.conf"],
                &["-p", ".", "-c", "nginx.conf", "-g", "daemon off;"],
            ),
            Self::Caddy => (
                &["Caddyfile"],
                &["run", "--config", "Caddyfile", "--adapter", "caddyfile"],
            ),
            Self::EnvoyHttp => (
                &["envoy-http.yaml"],
                &[
                    "-c",
                    "envoy-http.yaml",
                    "--concurrency",
                    "1",
                    "--use-dynamic-base-id",
                    "-l",
                    "error",
                ],
            ),
            Self::EnvoyGrpc => (
                &["envoy-grpc.yaml"],
                &[
                    "-c",
                    "envoy-grpc.yaml",
                    "--concurrency",
                    "1",
                    "--use-dynamic-base-id",
                    "-l",
                    "error",
                ],
            ),
            Self::Haproxy => (
                &["haproxy.cfg", "entra_gate.lua"],
                &["-db", "-f", "haproxy.cfg"],
            ),
        }
    }

    /// A shipped file with HTTP/2 besides, where it is not there anyway.
    fn with_h2(self, text: &str, own: SocketAddr, h2: SocketAddr) -> String {
        let (line, more) = match self {
            Self::Nginx => (format!("listen {own};"), format!("listen {h2} http2;")),
            Self::Haproxy => (format!("bind {own}"), format!("    bind {h2} proto h2")),
            Self::Caddy => ("servers {".to_owned(), "protocols h1 h2c".to_owned()),
            // `codec_type: AUTO`.
            Self::EnvoyHttp | Self::EnvoyGrpc => return text.to_owned(),
        };
        text.replace(&line, &format!("{line}\n{more}"))
    }

    /// Starts the proxy; `None`, with a line that says so, where it is not installed.
    pub(crate) async fn start(self, gate: Addresses, service: &Service) -> Option<Proxy> {
        let Some(program) = self.program() else {
            println!("skipped: {self:?} is not installed");
            return None;
        };
        let address = free();
        let h2 = match self {
            Self::Nginx | Self::Haproxy => free(),
            Self::Caddy | Self::EnvoyHttp | Self::EnvoyGrpc => address,
        };
        let folder = std::env::temp_dir().join(format!("entra-gate-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let (files, arguments) = self.files();
        for file in files {
            let shipped = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../../deploy/gate")
                .join(file);
            let text = std::fs::read_to_string(shipped).unwrap();
            let text = at_addresses(&text, gate, service.address, address);
            let text = self.with_h2(&text, address, h2);
            std::fs::write(folder.join(file), text).unwrap();
        }
        let child = Command::new(program)
            .args(arguments)
            .current_dir(&folder)
            .env("HOME", &folder)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("log")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let proxy = Proxy {
            address,
            h2,
            folder,
            child,
        };
        let ready = async {
            // What the service answers, not the proxy itself.
            while wire::get(address, "/open").await.body["target"] != "/open" {
                sleep(Duration::from_millis(50)).await;
            }
        };
        let is_ready = timeout(Duration::from_secs(20), ready).await;
        assert!(is_ready.is_ok(), "{self:?}: {}", proxy.log());
        Some(proxy)
    }
}

impl Proxy {
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        log.chars().take(4_000).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx ends its workers only if it is asked to end.
        if let Some(id) = self.child.id() {
            let id = id.to_string();
            let _ = StdCommand::new("kill").args(["-s", "TERM", &id]).status();
            for _ in 0..100 {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A shipped file with the test's addresses; each has to be in it.
fn at_addresses(text: &str, gate: Addresses, service: SocketAddr, own: SocketAddr) -> String {
    let pairs = [
        ("127.0.0.1", 3000, gate.http),
        ("127.0.0.1", 3001, gate.grpc),
        ("127.0.0.1", 8080, service),
        ("0.0.0.0", 8000, own),
        ("http://", 8000, own),
    ];
    let mut text = text.to_owned();
    for (host, port, to) in pairs {
        let yaml = format!("address: {host}, port_value: {port} ");
        text = text.replace(
            &yaml,
            &format!("address: {}, port_value: {} ", to.ip(), to.port()),
        );
        let plain = format!("{host}:{port}");
        let to = match host {
            // Whatever the request's host.
            "http://" => format!("http://:{}", to.port()),
            _ => to.to_string(),
        };
        text = text.replace(&plain, &to);
    }
    text
}

/// An address that is free at the moment.
pub(crate) fn free() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Whether a program is there.
pub(crate) fn is_installed(name: &str) -> bool {
    let mut version = StdCommand::new(name);
    let version = version.arg("--version");
    let version = version.stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok()
}
