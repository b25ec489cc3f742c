//! What both sample programs do before they serve: arguments, settings, logs, the socket.
#![allow(dead_code, reason = "each program uses its part")]
#![allow(clippy::print_stdout, reason = "the contract's first line")]

pub(crate) mod server;
mod walk;

use std::io::IsTerminal;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum_entra::settings::Settings;
use axum_entra::{Entra, EntraBuilder};
use axum_entra_openapi::SecuritySchemes;
use clap::Parser;
use entra_emulator::{Emulator, EmulatorBuilder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[path = "../problems/mod.rs"]
pub(crate) mod problems;

/// A sample API that is protected with Microsoft Entra ID access tokens.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Settings with a section `AzureAd` or `AzureAdB2C` (JSON, comments allowed). Every key can
    /// also come from the environment: `AzureAd__TenantId`. Without any settings the embedded
    /// emulator is the authority.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// The registration (single-page application) that the page /docs signs in with. With the
    /// emulator: its app `cli`.
    #[arg(long, value_name = "CLIENT_ID")]
    docs_client: Option<String>,
    /// Serve /inspect, which says why a token is accepted or refused, to requests from this
    /// machine. For development: behind a proxy on this machine everybody is on this machine.
    #[arg(long)]
    inspect: bool,
}

/// What a sample wants of the start; all but the last when it brings its own authority.
pub(crate) struct Plan {
    pub(crate) emulator: EmulatorBuilder,
    pub(crate) settings: fn(&Emulator) -> Value,
    pub(crate) authorities: fn(EntraBuilder, &Emulator) -> EntraBuilder,
    /// Also with settings; it gets the address to listen on, as a URL.
    pub(crate) describe: fn(EntraBuilder, String) -> EntraBuilder,
    /// Registers at the emulator what depends on the address to listen on, and says it in the settings.
    pub(crate) registered: fn(EmulatorBuilder, &str) -> EmulatorBuilder,
    pub(crate) settings_at: fn(Value, &str) -> Value,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            emulator: Emulator::builder(),
            settings: Emulator::settings,
            authorities: |builder, _| builder,
            describe: |builder, _| builder,
            registered: |emulator, _| emulator,
            settings_at: |settings, _| settings,
        }
    }
}

/// A sample, ready to be served.
pub(crate) struct Sample {
    pub(crate) entra: Entra,
    pub(crate) metrics: PrometheusHandle,
    listener: TcpListener,
    address: SocketAddr,
    emulator: Option<Emulator>,
    docs_client: Option<String>,
    inspect: bool,
    walk: OnceLock<walk::Walk>,
    /// Changes when the program has to stop.
    stopping: watch::Sender<()>,
}

/// Something the person at the keyboard has to change: exit code 2 and one line.
pub(crate) struct Wrong(String);

impl<E: std::error::Error> From<E> for Wrong {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Runs a sample to its end.
pub(crate) async fn run(routes: impl AsyncFnOnce(&Sample) -> Router) -> ExitCode {
    run_planned(Plan::default(), routes).await
}

/// The same, with an emulator and a builder to the sample's taste.
pub(crate) async fn run_planned(
    plan: Plan,
    routes: impl AsyncFnOnce(&Sample) -> Router,
) -> ExitCode {
    match start(plan, routes).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Wrong(line)) => {
            eprintln!("{}", line.replace('\n', " "));
            ExitCode::from(2)
        }
    }
}

/// Logs on standard error, filtered by `RUST_LOG` (`info`, `axum_entra=debug,info`; `info` where it is
/// absent or cannot be read). A filter of targets does without regular expressions, which cost the first
/// build more than the rest of the logs.
fn start_logs() {
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
}

async fn start(plan: Plan, routes: impl AsyncFnOnce(&Sample) -> Router) -> Result<(), Wrong> {
    let arguments = Arguments::parse();
    start_logs();
    let metrics = install_metrics()?;
    let settings = Settings::load(arguments.settings.as_deref())?;
    // The address is known before the socket is open, and a wrong setting never opens it.
    let taken = |error| Wrong(format!("--listen {}: {error}", arguments.listen));
    let bound = bind(arguments.listen).map_err(taken);
    let address = bound.as_ref().ok().map(TcpSocket::local_addr).transpose()?;
    let url = format!("http://{}", reachable(address.unwrap_or(arguments.listen)));
    let (builder, emulator) = if settings.is_empty() {
        // An operator who names a file means its authority, not one that accepts public passwords.
        if let Some(file) = &arguments.settings {
            return Err(Wrong(format!(
                "--settings {}: expected a section AzureAd or AzureAdB2C, in the file or the environment",
                file.display()
            )));
        }
        let emulator = (plan.registered)(plan.emulator, &url).start().await?;
        let text = (plan.settings_at)((plan.settings)(&emulator), &url).to_string();
        let settings = Settings::from_parts(Some(("the emulator", &text)), [])?;
        let builder = (plan.authorities)(EntraBuilder::from_settings(&settings)?, &emulator);
        (builder, Some(emulator))
    } else {
        (EntraBuilder::from_settings(&settings)?, None)
    };
    let socket = bound?;
    let address = socket.local_addr()?;
    let entra = (plan.describe)(builder, url).build()?;
    let listener = socket.listen(1_024).map_err(taken)?;
    let sample = Sample {
        entra,
        metrics,
        listener,
        address,
        emulator,
        docs_client: arguments.docs_client,
        inspect: arguments.inspect,
        walk: OnceLock::new(),
        stopping: watch::Sender::new(()),
    };
    let app = server::around(routes(&sample).await);
    sample.serve(app).await
}

/// Counts for Prometheus; a histogram has buckets from a look-up to a wait for keys.
fn install_metrics() -> Result<PrometheusHandle, Wrong> {
    let seconds = [
        1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 2.0, 5.0,
    ];
    let durations = Matcher::Suffix("_duration_seconds".to_owned());
    let recorder = PrometheusBuilder::new().set_buckets_for_metric(durations, &seconds)?;
    let recorder = recorder.install_recorder()?;
    // Measurements are kept until they are sorted into buckets, whether `/metrics` is asked for or not.
    let handle = recorder.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            handle.run_upkeep();
        }
    });
    Ok(recorder)
}

/// `GET /metrics`: Prometheus text.
pub(crate) async fn metrics(entra: Entra, metrics: PrometheusHandle) -> impl IntoResponse {
    entra.update_metrics();
    let text = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, text)], metrics.render())
}

fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Where a client on this machine finds a listener, also one on every address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            address.set_ip(Ipv6Addr::LOCALHOST.into());
        }
        _ => {}
    }
    address
}

/// Puts the protected-resource metadata on a router, where there is one.
pub(crate) fn with_metadata(entra: &Entra, mut app: Router) -> Router {
    for (path, service) in entra.metadata_routes() {
        app = app.route_service(&path, service);
    }
    app
}

impl Sample {
    /// The client that the page `/docs` signs in with.
    pub(crate) fn docs_client(&self) -> Option<&str> {
        let of_emulator = self.emulator.is_some().then_some(entra_emulator::CLI_ID);
        self.docs_client.as_deref().or(of_emulator)
    }

    /// Whether `/inspect` was asked for.
    pub(crate) const fn inspects(&self) -> bool {
        self.inspect
    }

    /// Lines that get a token and call `path` with it.
    pub(crate) fn lines(&self, path: &str) -> String {
        let call = format!(
            "curl -i -H \"Authorization: Bearer $TOKEN\" http://{}{path}\n",
            self.address
        );
        let get = match &self.emulator {
            Some(emulator) => {
                let get = emulator.curl_for_user("alice");
                format!(r#"TOKEN=$({get} | sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p')"#)
            }
            None => {
                let scopes = SecuritySchemes::of(&self.entra).qualified_scopes(["access_as_user"]);
                let scope = scopes.first().map(String::as_str).unwrap_or_default();
                format!(
                    "TOKEN=$(az account get-access-token --scope {scope} --query accessToken -o tsv)"
                )
            }
        };
        format!("{get}\n{call}")
    }

    /// Says what to print when the sample serves on the emulator, in place of the usual lines.
    pub(crate) fn show(&self, lines: impl FnOnce(&mut walk::Walk, &Emulator)) {
        if let Some(emulator) = &self.emulator {
            let base = format!("http://{}", reachable(self.address));
            let mut walk = walk::Walk::new(emulator, base);
            lines(&mut walk, emulator);
            let _ = self.walk.set(walk);
        }
    }

    /// Completes when the program has to stop: for streams that would stay open.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stopping = self.stopping.subscribe();
        async move { stopping.changed().await.unwrap_or_default() }
    }

    async fn serve(self, app: Router) -> Result<(), Wrong> {
        // The signals are caught before any client can know the address.
        let (mut terminate, mut interrupt) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        println!("listening on http://{}", self.address);
        if let Some(emulator) = &self.emulator {
            println!();
            println!(
                "No AzureAd settings: the embedded emulator at {} is the authority.",
                emulator.url()
            );
            println!("Get a token, then call the API:");
            println!();
            match self.walk.get() {
                Some(walk) => println!("{}", walk.text()),
                None => print!("{}", self.lines("/me")),
            }
        }
        let (stopping, graceful) = (self.stopping.clone(), self.stopped());
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            // `changed` of every receiver.
            stopping.send_replace(());
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = tokio::time::sleep(GRACE) => {}
            }
        };
        let most = self.entra.max_token_size();
        tokio::select! {
            () = server::serve(self.listener, app, most, graceful) => {}
            // A client that never ends a request must not delay the end of the program.
            () = stop => {}
        }
        Ok(())
    }
}

/// How long requests may go on after the signal to stop; a second signal ends it at once.
const GRACE: Duration = Duration::from_secs(10);
