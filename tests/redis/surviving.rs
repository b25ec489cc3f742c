//! What must not end the following, nor fill the store's connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum_entra::{Clock, RedisStore, StoreFailurePolicy, UnixTime};
use entra_emulator::{CONTOSO, Emulator};

use crate::replica::{Replica, account, eventually, now, token};
use crate::server::{Server, server};

#[tokio::test]
async fn a_hook_that_panics_does_not_end_the_following() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let one = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    let redis = RedisStore::new(server.url(), StoreFailurePolicy::Deny);
    let other = Replica::with(&emulator, redis, |_| panic!("the application's own"));
    one.follows().await;
    other.follows().await;
    for number in 1..=3 {
        one.entra.revoke_tokens(&account(number)).await.unwrap();
        let token = token(&emulator, number, 60);
        eventually("told", async || other.reason(&token).await == "revoked").await;
    }
    assert!(other.is_following());
    let said = other.entra.store_status().last_error.unwrap();
    assert!(said.contains("on_sign_out panicked"), "{said}");
    assert_eq!(one.entra.store_status().last_error, None);
}

#[tokio::test]
async fn a_follower_that_panics_begins_again_and_says_so() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let one = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    let broken = Arc::new(AtomicBool::new(false));
    let is_broken = Arc::clone(&broken);
    let clock = Clock::from_fn(move || {
        assert!(!is_broken.load(Ordering::SeqCst), "the clock is broken");
        UnixTime::from_secs(now())
    });
    let redis = RedisStore::new(server.url(), StoreFailurePolicy::Deny);
    let other = Replica::built(&emulator, redis, |builder| builder.clock(clock));
    one.follows().await;
    other.follows().await;
    broken.store(true, Ordering::SeqCst);
    one.entra.revoke_tokens(&account(1)).await.unwrap();
    eventually("it says so", async || {
        let status = other.entra.store_status();
        !status.connected
            && status
                .last_error
                .is_some_and(|last| last.contains("panicked"))
    })
    .await;
    broken.store(false, Ordering::SeqCst);
    other.follows().await;
    assert_eq!(other.reason(&token(&emulator, 1, 60)).await, "revoked");
}

fn connections(server: &Server) -> u64 {
    let text = match server.run(&["INFO", "stats"]) {
        redis::Value::BulkString(text) => String::from_utf8_lossy(&text).into_owned(),
        redis::Value::VerbatimString { text, .. } => text,
        other => panic!("{other:?}"),
    };
    let count = text
        .lines()
        .find_map(|line| line.strip_prefix("total_connections_received:"));
    count.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn three_hundred_who_wait_for_a_store_that_hangs_share_a_connection() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let replica = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    replica.follows().await;
    let before = connections(&server);
    server.freeze();
    let tenant = CONTOSO.parse().unwrap();
    let mut ends = tokio::task::JoinSet::new();
    for number in 0..300 {
        let entra = replica.entra.clone();
        ends.spawn(async move { entra.revoke_session(tenant, &format!("s{number}")).await });
    }
    let told = ends.join_all().await;
    assert!(told.iter().all(Result::is_err));
    server.thaw();
    eventually("it is back", async || replica.is_following()).await;
    // The questioner's own among them, and the follower's attempts to come back.
    let made = connections(&server) - before;
    println!("{made} connections were made");
    assert!(made < 15, "{made}");
    // What could not be told is told now.
    eventually("told", async || {
        matches!(
            server.run(&["HLEN", "{axum-entra}:marks"]),
            redis::Value::Int(300)
        )
    })
    .await;
}

#[tokio::test]
async fn a_session_that_ended_stays_ended_on_every_replica_and_in_the_store() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let [one, other] = Replica::pair(&emulator, &server.url(), StoreFailurePolicy::Deny).await;
    let of = |session: &str| emulator.token().claim("sid", session).mint();
    one.entra
        .revoke_session(CONTOSO.parse().unwrap(), "s-1")
        .await
        .unwrap();
    // Issued a minute after the end.
    let later = emulator
        .token()
        .claim("sid", "s-1")
        .issued_at(now() + 60)
        .mint();
    for replica in [&one, &other] {
        eventually("ended", async || replica.reason(&later).await == "revoked").await;
        assert_eq!(replica.reason(&of("s-2")).await, "in");
    }
    // A token of it was seen: the store is told again, once.
    let mark = format!(r#"["session","sid","{CONTOSO}","s-1"]"#);
    let written = |server: &Server| match server.run(&["HGET", "{axum-entra}:marks", &mark]) {
        redis::Value::BulkString(text) => String::from_utf8(text).unwrap(),
        other => panic!("{other:?}"),
    };
    assert!(written(&server).contains(' '));
}
