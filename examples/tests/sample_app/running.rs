//! Any sample as a program of its own, on an authority of the test's.

use std::path::PathBuf;
use std::process::Stdio;

use axum_entra::HttpClient;
use entra_emulator::Emulator;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::program::{comes_true, environment};

/// A sample that serves; it ends with its handle.
pub(crate) struct Running {
    pub(crate) name: &'static str,
    /// Where it listens.
    pub(crate) base: String,
    _child: Child,
}

impl Running {
    /// Starts a built sample with the emulator's settings and these; `None`, with a line that says
    /// so, where it is not built.
    pub(crate) async fn start(
        name: &'static str,
        emulator: &Emulator,
        settings: &[(&str, &str)],
    ) -> Option<Self> {
        Self::start_with(name, emulator, settings, &[]).await
    }

    /// The same with more arguments.
    pub(crate) async fn start_with(
        name: &'static str,
        emulator: &Emulator,
        settings: &[(&str, &str)],
        arguments: &[&str],
    ) -> Option<Self> {
        if !is_built(name) {
            println!("skipped: the example {name} is not built");
            return None;
        }
        let mut child = Command::new(path(name)?)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .envs(environment("", &emulator.settings_with_graph()))
            .envs(settings.iter().copied())
            // `multi_replica` serves where it is a replica.
            .env("MULTI_REPLICA", "1")
            .env("RUST_LOG", "off")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().expect("a first line");
        let base = first.strip_prefix("listening on ").unwrap().to_owned();
        // The rest is for a person, and the pipe must not fill up.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let client = HttpClient::new();
        let answers = async || client.get(&base).send().await.is_ok();
        assert!(comes_true(answers).await, "{name} does not answer");
        Some(Self {
            name,
            base,
            _child: child,
        })
    }
}

pub(crate) fn is_built(name: &str) -> bool {
    path(name).is_some_and(|path| path.is_file())
}

/// Beside the folder of this test's own program.
fn path(name: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    Some(test.parent()?.parent()?.join("examples").join(name))
}
