//! Two replicas and one Redis: an account that is revoked at one is refused at every proxy.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use axum_entra::EntraBuilder;
use axum_entra::settings::Settings;
use entra_emulator::{ALICE, BOB, CLI_ID, Emulator};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::program::Program;
use crate::proxy::{KINDS, free, is_installed};
use crate::smuggling::{RULES, environment};
use crate::upstream::Service;
use crate::wire;

async fn redis() -> Option<(Child, SocketAddr)> {
    if !is_installed("redis-server") {
        println!("skipped: redis-server is not installed");
        return None;
    }
    let address = free();
    let child = Command::new("redis-server")
        .args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no"])
        .current_dir(std::env::temp_dir())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    while tokio::net::TcpStream::connect(address).await.is_err() {
        sleep(Duration::from_millis(20)).await;
    }
    Some((child, address))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_reaches_every_proxy_within_a_second() {
    let Some((_server, redis)) = redis().await else {
        return;
    };
    let emulator = Emulator::start().await.unwrap();
    let folder = std::env::temp_dir().join(format!("entra-gate-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("rules.toml"), RULES).unwrap();
    let mut environment = environment(&emulator);
    environment.push(("AzureAd__Redis__Url".to_owned(), format!("redis://{redis}")));
    let gates = [
        Program::start(folder.join("rules.toml"), environment.clone()).await,
        Program::start(folder.join("rules.toml"), environment.clone()).await,
    ];
    let service = Service::start().await;
    let mut proxies = Vec::new();
    for gate in &gates {
        for kind in KINDS {
            proxies.extend(
                kind.start(gate.addresses(), &service)
                    .await
                    .map(|proxy| (kind, proxy)),
            );
        }
    }
    // A replica of another kind revokes: an application with the same store.
    let settings = Settings::from_parts(None, environment).unwrap();
    let other = EntraBuilder::from_settings(&settings)
        .unwrap()
        .build()
        .unwrap();
    let bearer = |user: &str| {
        let token = emulator
            .token()
            .user(user)
            .client(CLI_ID)
            .scope("Todo.Read")
            .mint();
        (token.clone(), format!("Bearer {token}").into_bytes())
    };
    let ((token, alice), (_, bob)) = (bearer(ALICE), bearer(BOB));
    let send =
        async |to, bearer: &[u8]| wire::send(to, "GET", "/me", &[("Authorization", bearer)]).await;
    for (kind, proxy) in &proxies {
        assert_eq!(send(proxy.address, &alice).await.status, 200, "{kind:?}");
    }
    while !other.is_ready() {
        sleep(Duration::from_millis(20)).await;
    }
    let claims = other.validate(&token).await.unwrap();
    // A revocation concerns tokens of earlier seconds.
    sleep(Duration::from_millis(1_100)).await;
    other
        .revoke_tokens(&claims.account_id().unwrap())
        .await
        .unwrap();
    let revoked = Instant::now();
    for (kind, proxy) in &proxies {
        while send(proxy.address, &alice).await.status != 401 {
            assert!(revoked.elapsed() < Duration::from_secs(1), "{kind:?}");
        }
        assert_eq!(send(proxy.address, &bob).await.status, 200, "{kind:?}");
    }
    println!(
        "revoked at {} proxies after {:?}",
        proxies.len(),
        revoked.elapsed()
    );
    let _ = std::fs::remove_dir_all(folder);
}
