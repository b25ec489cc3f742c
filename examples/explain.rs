//! "Why 401?" on the command line: `cargo run --example explain -- --settings FILE < token`
//!
//! The token is read from standard input, not from the arguments, which other users of the machine
//! can see. It is explained by the settings in FILE and the environment; without any of both the
//! program says so and ends, for no rules would be an explanation of nothing. (The emulator of
//! `protected_api` makes its keys anew in each process: use that sample's `/inspect` for its tokens.)
//! Exit code 0 for a token that is accepted, 1 for one that is not, 2 for settings that cannot be used.
#![allow(clippy::print_stdout, reason = "it is a command")]

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use axum_entra::guard::{RequireRole, RequireScope};
use axum_entra::settings::Settings;
use axum_entra::{ConfigError, EntraBuilder};
use clap::Parser;

/// Says, check by check, why a token is accepted or refused.
#[derive(Debug, Parser)]
struct Arguments {
    /// Settings with a section `AzureAd` or `AzureAdB2C`, as the API has them.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// A scope that the route needs.
    #[arg(long)]
    scope: Option<String>,
    /// A role that the route needs.
    #[arg(long)]
    role: Option<String>,
    /// JSON in place of the table.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match explain(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

async fn explain(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let settings = Settings::load(arguments.settings.as_deref()).map_err(ConfigError::from)?;
    let entra = EntraBuilder::from_settings(&settings)?.build()?;
    let mut token = String::new();
    std::io::stdin().read_to_string(&mut token)?;
    // A line break at the end comes from the shell, and `Bearer` from a copied header.
    let token = token.trim();
    let token = token.strip_prefix("Bearer ").unwrap_or(token);
    let mut explanation = entra.explain(token).await;
    if let Some(scope) = &arguments.scope {
        explanation = explanation.with_guard("--scope", &RequireScope(scope));
    }
    if let Some(role) = &arguments.role {
        explanation = explanation.with_guard("--role", &RequireRole(role));
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&explanation)?);
    } else {
        print!("{explanation}");
    }
    Ok(explanation.is_accepted())
}
