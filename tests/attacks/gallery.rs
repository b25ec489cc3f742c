//! The gallery as a program of its own.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::authority::{Address, Authority};

pub(crate) struct Gallery {
    pub(crate) address: Address,
    _program: Child,
}

impl Gallery {
    /// Starts the built example; `None`, with a line that says so, where it is not built.
    pub(crate) async fn start(authority: &Authority) -> Option<Self> {
        let Some(path) = path() else {
            println!("skipped: the example guard_gallery is not built");
            return None;
        };
        let mut program = Command::new(path)
            .args(["--listen", "127.0.0.1:0"])
            .envs(authority.environment())
            .env("RUST_LOG", "debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().expect("a first line");
        let address = first.strip_prefix("listening on http://").unwrap();
        Some(Self {
            address: address.parse().unwrap(),
            _program: program,
        })
    }
}

/// Beside the folder of this test's own program.
fn path() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let path = test.parent()?.parent()?.join("examples/guard_gallery");
    path.is_file().then_some(path)
}
