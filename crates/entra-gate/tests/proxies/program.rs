//! The gate as a program of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::proxy::Addresses;
use crate::wire;

/// A gate that runs, or can be started again at the same addresses.
pub(crate) struct Program {
    pub(crate) http: SocketAddr,
    grpc: SocketAddr,
    rules: PathBuf,
    environment: Vec<(String, String)>,
    child: Child,
}

impl Program {
    /// With every door, and ready.
    pub(crate) async fn start(
        rules: PathBuf,
        environment: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        let environment = environment.into_iter();
        let environment = environment.map(|(name, value)| (name.into(), value.into()));
        let environment: Vec<(String, String)> = environment.collect();
        let any = "127.0.0.1:0".parse().unwrap();
        let (child, http, grpc) = run(&rules, &environment, any, any).await;
        let program = Self {
            http,
            grpc,
            rules,
            environment,
            child,
        };
        program.wait().await;
        program
    }

    pub(crate) fn addresses(&self) -> Addresses {
        Addresses {
            http: self.http,
            grpc: self.grpc,
        }
    }

    /// Ends it as the kernel would: no answer to what is on its way.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    pub(crate) async fn restart(&mut self) {
        let (rules, environment) = (&self.rules, &self.environment);
        (self.child, ..) = run(rules, environment, self.http, self.grpc).await;
        self.wait().await;
    }

    async fn wait(&self) {
        let ready = async {
            while wire::get(self.http, "/ready").await.status != 200 {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(20), ready)
            .await
            .expect("a gate that is ready");
    }
}

async fn run(
    rules: &PathBuf,
    environment: &[(String, String)],
    http: SocketAddr,
    grpc: SocketAddr,
) -> (Child, SocketAddr, SocketAddr) {
    let doors = "nginx,forward,envoy,grpc,haproxy,validate";
    let mut child = Command::new(env!("CARGO_BIN_EXE_entra-gate"))
        .arg("--rules")
        .arg(rules)
        .args(["--listen", &http.to_string(), "--grpc", &grpc.to_string()])
        .args(["--door", doors])
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut address = async || {
        let line = lines.next_line().await.unwrap().expect("a line");
        line.strip_prefix("listening on http://")
            .unwrap()
            .parse()
            .unwrap()
    };
    let (http, grpc) = (address().await, address().await);
    (child, http, grpc)
}
