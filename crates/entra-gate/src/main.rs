//! Microsoft Entra ID authorization for services in every language: a proxy asks this program about
//! each request, and passes on what it learns of the caller.
//!
//! It decides nothing itself: tokens are validated, and guards checked, by `axum-entra`, through its
//! public interface. `docs/gate.md` has the doors, the rules and what is trusted.
#![allow(clippy::print_stdout, reason = "the program's answers")]

mod arguments;
mod assertion;
mod command;
mod door;
mod identity;
mod original;
mod path;
mod policy;
mod problem;
mod rules;
mod server;
mod status;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, error::ErrorKind};
use tracing_subscriber::EnvFilter;

use self::arguments::{Arguments, Command};
use self::command::Wrong;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Wrong(line)) => {
            eprintln!("{}", line.replace('\n', " "));
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Wrong> {
    match (arguments.command, arguments.serve) {
        (Some(Command::Check { rules }), _) => {
            print!("{}", command::check(&rules)?);
            Ok(())
        }
        (Some(Command::Explain(explain)), _) => {
            print!("{}", command::explain(explain).await?);
            Ok(())
        }
        (Some(Command::Demo { listen }), _) => command::demo(listen).await,
        (None, Some(serve)) => command::serve(serve).await,
        (None, None) => {
            let missing = "expected --rules FILE and --door NAME, or a command";
            Arguments::command()
                .error(ErrorKind::MissingRequiredArgument, missing)
                .exit()
        }
    }
}
