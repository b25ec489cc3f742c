//! A contender in a process of its own, because its crypto library is chosen for a whole process.
//!
//! The parent writes a kind and a round on a line and reads nanoseconds, or for the round `count`
//! allocations and bytes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::contender;
use crate::load::Load;
use crate::round;
use crate::tokens::Authority;

/// The parent's end.
pub struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    pub fn start(name: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args(["worker", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut worker = Self {
            child,
            input,
            output,
        };
        assert_eq!(worker.line(), "ready", "{name}");
        worker
    }

    pub fn ask(&mut self, kind: usize, round: &str) -> String {
        writeln!(self.input, "{kind} {round}").expect("a worker that reads");
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It has ended already, or has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child's end.
pub async fn run(name: &str) {
    let authority = Authority::start().await;
    let load = Load::new(&authority);
    let mut app = contender::build(name, &authority).await;
    println!("ready");
    for line in std::io::stdin().lines() {
        let line = line.expect("text");
        let (kind, round) = line.split_once(' ').expect("a kind and a round");
        let kind = crate::number(kind);
        if round == "count" {
            let (count, bytes) = round::allocations(&mut app, &load, kind).await;
            println!("{count} {bytes}");
        } else {
            let round = crate::number(round);
            println!("{}", round::time(&mut app, &load, kind, round).await);
        }
    }
}
