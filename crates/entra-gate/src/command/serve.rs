//! The gate itself.
#![allow(clippy::print_stdout, reason = "the contract's first lines")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum_entra::Entra;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Wrong, entra, reload};
use crate::arguments::ServeArguments;
use crate::assertion::SigningKey;
use crate::door::{Door, DoorSecret, Gate, SharedGate};
#[cfg(feature = "grpc")]
use crate::door::{GrpcDoor, GrpcService, answer_grpc};
use crate::policy::Policy;
use crate::{server, status};

/// Runs the gate until a signal ends it.
pub(crate) async fn serve(arguments: ServeArguments) -> Result<(), Wrong> {
    let has_grpc = arguments.door.contains(&Door::Grpc);
    if arguments.grpc.is_some() != has_grpc {
        return Err(Wrong(
            "expected --door grpc and --grpc ADDR together".to_owned(),
        ));
    }
    let metrics = status::install_recorder()?;
    let secret = arguments.door_secret.as_deref().map(DoorSecret::load);
    let secret = secret.transpose().map_err(Wrong)?;
    let entra = entra(arguments.settings.as_deref())?;
    let (mut gate, made) = gate(entra, &arguments.rules, arguments.door)?;
    gate.secret = secret;
    gate.metrics = Some(metrics);
    let gate = Arc::new(gate);
    let http = open("--listen", arguments.listen)?;
    let grpc = arguments
        .grpc
        .map(|address| open("--grpc", address))
        .transpose()?;
    // The signals are caught before any client can know the addresses.
    let stop = Stop::on_signals()?;
    let hangup = signal(SignalKind::hangup())?;
    println!("listening on http://{}", http.1);
    if let Some((_, address)) = &grpc {
        println!("listening on http://{address}");
    }
    tokio::spawn(reload::follow(
        Arc::clone(&gate),
        arguments.rules,
        made,
        hangup,
    ));
    run(gate, http.0, grpc.map(|(listener, _)| listener), stop).await;
    Ok(())
}

/// A gate with the rules of a file, and the key that it made for assertions.
pub(super) fn gate(
    entra: Entra,
    rules: &Path,
    doors: Vec<Door>,
) -> Result<(Gate, Arc<SigningKey>), Wrong> {
    let made = SigningKey::generate().map_err(|error| Wrong(error.to_string()))?;
    let made = Arc::new(made);
    let policy = Policy::load(rules, &entra, &made, None)?;
    for warning in policy.warnings() {
        tracing::warn!(file = %rules.display(), warning);
    }
    Ok((Gate::new(entra, policy, doors), made))
}

/// Opens a listener; the address says which port was picked.
pub(super) fn open(option: &str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), Wrong> {
    let taken = |error| {
        Wrong(format!(
            "{option} {address}: expected a free address: {error}"
        ))
    };
    let socket = server::bind(address).map_err(taken)?;
    let listener = server::listen(socket).map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    Ok((listener, address))
}

/// Serves both listeners until the signal, and then until the last request is answered.
pub(super) async fn run(
    gate: SharedGate,
    http: TcpListener,
    grpc: Option<TcpListener>,
    mut stop: Stop,
) {
    let most = gate.entra.max_token_size();
    let (stopping, stopped) = tokio::sync::watch::channel(());
    let graceful = |mut stopped: tokio::sync::watch::Receiver<()>| async move {
        stopped.changed().await.unwrap_or_default();
    };
    let answered = Arc::clone(&gate);
    let http = server::serve(http, most, graceful(stopped.clone()), move |request| {
        let gate = Arc::clone(&answered);
        async move { gate.answer(request).await }
    });
    #[cfg(feature = "grpc")]
    let grpc = async move {
        let Some(listener) = grpc else { return };
        let service = GrpcService::new(GrpcDoor(gate));
        server::serve(listener, most, graceful(stopped), move |request| {
            answer_grpc(service.clone(), request)
        })
        .await;
    };
    // Without the feature no argument opens such a listener.
    #[cfg(not(feature = "grpc"))]
    let grpc = async move { drop((grpc, gate, stopped)) };
    let both = async { tokio::join!(http, grpc) };
    let stop = async move {
        stop.signal().await;
        drop(stopping);
        // A client that never ends a request must not delay the end of the program.
        tokio::select! {
            () = stop.signal() => {}
            () = tokio::time::sleep(server::GRACE) => {}
        }
    };
    tokio::select! {
        _ = both => {}
        () = stop => {}
    }
}

/// The signals that end the program.
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    pub(super) fn on_signals() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn signal(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
