//! Microsoft Entra ID authorization for services in every language: a proxy asks this program about
//! each request, and passes on what it learns of the caller.
//!
//! It decides nothing itself: tokens are validated, and guards checked, by `axum-entra`, through its
//! public interface. `docs/gate.md` has the doors, the rules and what is trusted.
//!
//! The library is for the program and for its tests: it promises no interface of its own.
#![allow(clippy::print_stdout, reason = "the program's answers")]

mod arguments;
mod assertion;
mod command;
mod door;
mod identity;
#[doc(hidden)]
pub mod in_process;
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
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::arguments::{Arguments, Command};
use self::command::Wrong;

/// What the program does, by its command line.
pub async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wanted = std::env::var("RUST_LOG")
        .ok()
        .filter(|text| !text.is_empty());
    let targets = wanted
        .and_then(|text| text.parse::<Targets>().ok())
        .unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let stderr = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry()
        .with(stderr.with_filter(targets))
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
