//! The program; `entra_gate` has its parts.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    entra_gate::main().await
}
