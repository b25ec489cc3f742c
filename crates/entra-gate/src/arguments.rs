//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::door::Door;

/// Microsoft Entra ID authorization for services in every language, behind the proxy that is
/// already there.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Option<ServeArguments>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads a rules file and says what is in it, or where it is wrong.
    Check {
        /// The rules file (TOML).
        #[arg(long, value_name = "FILE")]
        rules: PathBuf,
    },
    /// Says what becomes of a request, check by check; the token is read from standard input.
    Explain(ExplainArguments),
    /// Runs the gate with an emulator of Entra ID, a sample service and sample rules.
    Demo {
        /// Where the gate listens; port 0 picks a free one.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
        listen: SocketAddr,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Settings with a section `AzureAd` or `AzureAdB2C` (JSON, comments allowed). Every key can
    /// also come from the environment: `AzureAd__TenantId`.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// The rules file (TOML); read again when it changes, and at SIGHUP.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: PathBuf,
    /// Where to listen, an address that clients cannot reach; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,
    /// Where to listen for Envoy's questions over gRPC (with --door grpc).
    #[cfg_attr(feature = "grpc", arg(long, value_name = "ADDR"))]
    #[cfg_attr(not(feature = "grpc"), arg(skip))]
    pub(crate) grpc: Option<SocketAddr>,
    /// The doors that answer, several by a comma or by the option given again.
    #[arg(long, value_name = "NAME", required = true, value_delimiter = ',', num_args = 1..)]
    pub(crate) door: Vec<Door>,
    /// A file with a text that every question has to bring as `X-Entra-Door`.
    #[arg(long, value_name = "FILE")]
    pub(crate) door_secret: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// As for the gate itself.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// The rules file (TOML).
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: PathBuf,
    /// The request's method.
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: String,
    /// The request's target, as the client sends it.
    #[arg(long, value_name = "PATH")]
    pub(crate) path: String,
    /// The request's host.
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    pub(crate) host: String,
}
