//! A store that stops, hangs, loses its connections or its memory: who passes, and what is kept.

use std::time::Duration;

use axum_entra::{Rejection, RevokeError, StoreFailurePolicy};
use entra_emulator::Emulator;

use crate::replica::{Replica, account, at, eventually, now, token};
use crate::server::server;

const YOUNGER: StoreFailurePolicy = StoreFailurePolicy::AllowIssuedWithin(Duration::from_secs(600));

#[tokio::test]
async fn each_policy_answers_as_it_says_while_redis_is_away() {
    let Some(mut server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let policies = [
        StoreFailurePolicy::Deny,
        YOUNGER,
        StoreFailurePolicy::DangerAllow,
    ];
    let replicas = policies.map(|policy| Replica::new(&emulator, &server.url(), policy));
    for replica in &replicas {
        replica.follows().await;
    }
    let (young, old) = (token(&emulator, 1, 60), token(&emulator, 1, 601));
    let undated = emulator.token().without("iat").mint();
    let known = token(&emulator, 9, 60);
    replicas[0].entra.revoke_tokens(&account(9)).await.unwrap();
    for replica in &replicas {
        eventually("revoked", async || {
            replica.reason(&known).await == "revoked"
        })
        .await;
        for token in [&young, &old, &undated] {
            assert_eq!(replica.reason(token).await, "in");
        }
    }
    server.stop();
    let away = "store_unavailable";
    let table = [[away, away, away], ["in", away, away], ["in", "in", "in"]];
    for ((replica, policy), expected) in replicas.iter().zip(policies).zip(table) {
        eventually("it notices", async || !replica.is_following()).await;
        let status = replica.entra.store_status();
        assert_eq!(status.failure_policy, Some(policy));
        for (token, expected) in [&young, &old, &undated].into_iter().zip(expected) {
            assert_eq!(replica.reason(token).await, expected, "{policy:?}");
        }
        // What is known to be revoked stays so under every policy.
        assert_eq!(replica.reason(&known).await, "revoked", "{policy:?}");
        eventually("it says why", async || {
            replica.entra.store_status().last_error.is_some()
        })
        .await;
    }
    server.start();
    for replica in &replicas {
        eventually("it is back", async || replica.is_following()).await;
        assert_eq!(replica.reason(&old).await, "in");
        assert_eq!(replica.reason(&known).await, "revoked");
    }
}

#[tokio::test]
async fn what_is_revoked_while_redis_is_away_is_told_when_it_is_back() {
    let Some(mut server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let [one, other] =
        Replica::pair(&emulator, &server.url(), StoreFailurePolicy::DangerAllow).await;
    one.entra.revoke_tokens(&account(1)).await.unwrap();
    let (first, second) = (token(&emulator, 1, 60), token(&emulator, 2, 60));
    eventually("told", async || other.reason(&first).await == "revoked").await;

    server.stop();
    let refused = one.entra.revoke_tokens(&account(2)).await.unwrap_err();
    let answer = Rejection::from(refused);
    assert_eq!(
        (answer.status().as_u16(), answer.reason()),
        (503, "store_unavailable")
    );
    assert_eq!(one.reason(&second).await, "revoked");
    assert_eq!(
        other.reason(&second).await,
        "in",
        "it could not be published"
    );

    // It comes back with nothing of what it had.
    server.start();
    eventually("told", async || other.reason(&second).await == "revoked").await;
    let late = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    late.follows().await;
    eventually("told", async || {
        late.reason(&first).await == "revoked" && late.reason(&second).await == "revoked"
    })
    .await;
}

#[tokio::test]
async fn a_program_starts_without_redis_and_joins_when_it_comes() {
    let Some(mut server) = server() else { return };
    server.stop();
    let emulator = Emulator::start().await.unwrap();
    let replica = Replica::new(&emulator, &server.url(), YOUNGER);
    let (young, old) = (token(&emulator, 1, 60), token(&emulator, 1, 601));
    assert_eq!(replica.get("/me", &young).await.0, 200);
    assert_eq!(replica.get("/me", &old).await.0, 503);
    assert_eq!(replica.get("/replay", &young).await.0, 503);
    let refused = replica
        .entra
        .revoke_tokens_issued_before(&account(1), at(now() - 100))
        .await;
    assert!(matches!(refused, Err(RevokeError::NotShared(_))));
    assert_eq!(replica.reason(&old).await, "revoked");
    server.start();
    replica.follows().await;
    assert_eq!(replica.reason(&old).await, "revoked");
    assert_eq!(replica.get("/replay", &young).await.0, 200);
}

#[tokio::test]
async fn a_flush_undoes_no_revocation() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let [one, other] = Replica::pair(&emulator, &server.url(), StoreFailurePolicy::Deny).await;
    for number in 0..20 {
        let replica = if number % 2 == 0 { &one } else { &other };
        replica.entra.revoke_tokens(&account(number)).await.unwrap();
    }
    eventually("all are known", async || {
        one.entra.store_status().revocation_count == 20
            && other.entra.store_status().revocation_count == 20
    })
    .await;
    server.run(&["FLUSHALL"]);
    for number in 0..20 {
        assert_eq!(one.reason(&token(&emulator, number, 60)).await, "revoked");
    }
    // It is noticed, and the store gets everything again: from the replicas that are left.
    drop(other);
    eventually("published again", async || {
        matches!(
            server.run(&["HLEN", "{axum-entra}:marks"]),
            redis::Value::Int(20)
        )
    })
    .await;
    let late = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    late.follows().await;
    for number in 0..20 {
        assert_eq!(late.reason(&token(&emulator, number, 60)).await, "revoked");
    }
    // And news arrive as before.
    late.entra.revoke_tokens(&account(50)).await.unwrap();
    let fresh = token(&emulator, 50, 60);
    eventually("told", async || one.reason(&fresh).await == "revoked").await;
}

#[tokio::test]
async fn a_trimmed_stream_is_a_gap_that_is_noticed() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let [one, other] = Replica::pair(&emulator, &server.url(), StoreFailurePolicy::Deny).await;
    // Frozen by the server, both miss what happens and is trimmed in one go.
    let script = "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) \
                  redis.call('HINCRBY', KEYS[2], 'sequence', 1) return 0";
    let mark = format!(
        r#"["account","object","{}","{}"]"#,
        entra_emulator::CONTOSO,
        crate::replica::object(1)
    );
    let time = now().to_string();
    let (marks, place) = ("{axum-entra}:marks", "{axum-entra}:place");
    server.run(&["EVAL", script, "2", marks, place, &mark, &time]);
    let token = token(&emulator, 1, 60);
    for replica in [&one, &other] {
        eventually("noticed", async || {
            replica.reason(&token).await == "revoked"
        })
        .await;
    }
}

#[tokio::test]
async fn cut_connections_are_made_again_and_nothing_is_missed() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let [one, other] = Replica::pair(&emulator, &server.url(), StoreFailurePolicy::Deny).await;
    for number in 0..10 {
        server.run(&["CLIENT", "KILL", "TYPE", "normal"]);
        let told = one.entra.revoke_tokens(&account(number)).await;
        assert!(
            told.is_ok(),
            "the command is tried again on a new connection"
        );
    }
    for number in 0..10 {
        let token = token(&emulator, number, 60);
        assert_eq!(one.reason(&token).await, "revoked");
        eventually("told", async || other.reason(&token).await == "revoked").await;
    }
    other.follows().await;
}

#[tokio::test]
async fn a_store_that_hangs_is_noticed_within_four_seconds() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let replica = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    replica.follows().await;
    server.freeze();
    let took = eventually("it notices", async || !replica.is_following()).await;
    assert!(took < Duration::from_secs(4), "{took:?}");
    let token = token(&emulator, 1, 60);
    assert_eq!(replica.reason(&token).await, "store_unavailable");
    assert_eq!(replica.get("/replay", &token).await.0, 503);
    server.thaw();
    eventually("it is back", async || replica.is_following()).await;
    assert_eq!(replica.reason(&token).await, "in");
}

#[tokio::test]
async fn the_task_ends_with_the_last_handle() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let replica = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    replica.follows().await;
    drop(replica);
    let connected = || match server.run(&["CLIENT", "LIST"]) {
        redis::Value::BulkString(text) => String::from_utf8_lossy(&text).lines().count(),
        redis::Value::VerbatimString { text, .. } => text.lines().count(),
        other => panic!("{other:?}"),
    };
    // The one that asks.
    eventually("it is gone", async || connected() == 1).await;
}
