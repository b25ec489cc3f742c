//! A gate that is killed and started again under load, and a key rollover under load.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use entra_emulator::{ALICE, CLI_ID, Emulator};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::program::Program;
use crate::proxy::{KINDS, Kind};
use crate::smuggling::{RULES, environment};
use crate::upstream::Service;
use crate::wire;

type Statuses = BTreeMap<u16, usize>;

/// Requests one after the other until told to stop, and how often each status came.
fn load(
    to: SocketAddr,
    token: impl Fn() -> Option<String> + Send + 'static,
    stop: &Arc<AtomicBool>,
) -> JoinHandle<Statuses> {
    let stop = Arc::clone(stop);
    tokio::spawn(async move {
        let mut statuses = Statuses::new();
        while !stop.load(Ordering::SeqCst) {
            let bearer = token().map(|token| format!("Bearer {token}").into_bytes());
            let lines: Vec<(&str, &[u8])> = bearer
                .iter()
                .map(|value| ("Authorization", value.as_slice()))
                .collect();
            let answer = wire::send(to, "GET", "/me", &lines).await;
            *statuses.entry(answer.status).or_default() += 1;
        }
        statuses
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_is_killed_under_load_lets_nothing_through() {
    let emulator = Emulator::start().await.unwrap();
    let folder = std::env::temp_dir().join(format!("entra-gate-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("rules.toml"), RULES).unwrap();
    let mut gate = Program::start(folder.join("rules.toml"), environment(&emulator)).await;
    let service = Service::start().await;
    let token = emulator
        .token()
        .user(ALICE)
        .client(CLI_ID)
        .scope("Todo.Read")
        .mint();
    for kind in KINDS {
        let Some(proxy) = kind.start(gate.addresses(), &service).await else {
            continue;
        };
        let stop = Arc::new(AtomicBool::new(false));
        let token = token.clone();
        let known = load(proxy.address, move || Some(token.clone()), &stop);
        let without = load(proxy.address, || None, &stop);
        sleep(Duration::from_millis(400)).await;
        gate.kill().await;
        sleep(Duration::from_millis(600)).await;
        // While it is down nothing passes, also not what is open.
        for path in ["/open", "/me"] {
            let before = service.requests();
            let answer = wire::get(proxy.address, path).await;
            assert_eq!(
                (answer.status, service.requests()),
                (503, before),
                "{kind:?} {path}"
            );
        }
        gate.restart().await;
        sleep(Duration::from_millis(600)).await;
        stop.store(true, Ordering::SeqCst);
        let (known, without) = (known.await.unwrap(), without.await.unwrap());
        println!("{kind:?}: with a token {known:?}, without one {without:?}");
        assert!(
            known.keys().all(|status| [200, 503].contains(status)),
            "{kind:?} {known:?}"
        );
        assert!(
            without.keys().all(|status| [401, 503].contains(status)),
            "{kind:?} {without:?}"
        );
        for statuses in [&known, &without] {
            assert!(statuses.contains_key(&503), "{kind:?} {statuses:?}");
        }
        // It is back.
        let answer = wire::get(proxy.address, "/open").await;
        assert_eq!(answer.status, 200, "{kind:?}");
    }
    let _ = std::fs::remove_dir_all(folder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_rollover_under_load_refuses_no_request() {
    let emulator = Emulator::start().await.unwrap();
    let folder = std::env::temp_dir().join(format!("entra-gate-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("rules.toml"), RULES).unwrap();
    for kind in [Kind::EnvoyHttp, Kind::EnvoyGrpc] {
        let gate = Program::start(folder.join("rules.toml"), environment(&emulator)).await;
        let service = Service::start().await;
        let Some(proxy) = kind.start(gate.addresses(), &service).await else {
            continue;
        };
        let stop = Arc::new(AtomicBool::new(false));
        let users: Vec<_> = (0..3)
            .map(|_| {
                let minting = emulator.clone();
                // A new token for each request, with the key of the moment.
                let token = move || {
                    let token = minting
                        .token()
                        .user(ALICE)
                        .client(CLI_ID)
                        .scope("Todo.Read");
                    Some(token.mint())
                };
                load(proxy.address, token, &stop)
            })
            .collect();
        sleep(Duration::from_millis(500)).await;
        emulator.rotate_keys();
        sleep(Duration::from_millis(1_500)).await;
        stop.store(true, Ordering::SeqCst);
        let mut all = Statuses::new();
        for user in users {
            for (status, count) in user.await.unwrap() {
                *all.entry(status).or_default() += count;
            }
        }
        println!("{kind:?}: a rollover under load {all:?}");
        assert_eq!(all.keys().copied().collect::<Vec<_>>(), [200], "{kind:?}");
    }
    let _ = std::fs::remove_dir_all(folder);
}
