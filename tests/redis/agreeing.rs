//! What one replica is told, every replica knows.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum_entra::{AccountId, RedisStore, StoreFailurePolicy, TokenExpiry};
use entra_emulator::{CONTOSO, Emulator};

use crate::replica::{Replica, account, at, eventually, now, token};
use crate::server::server;

#[tokio::test]
async fn a_hundred_revocations_are_seen_by_the_other_within_a_second() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let [one, other] = Replica::pair(&emulator, &server.url(), StoreFailurePolicy::Deny).await;
    let tokens: Vec<String> = (0..100)
        .map(|number| token(&emulator, number, 60))
        .collect();
    for token in &tokens {
        assert_eq!(other.reason(token).await, "in");
    }
    for number in 0..100 {
        one.entra
            .revoke_tokens_issued_before(&account(number), at(now()))
            .await
            .unwrap();
    }
    // Of the last one; those before it are behind by less.
    let start = Instant::now();
    eventually("the other knows all", async || {
        other.entra.store_status().revocation_count == 100
    })
    .await;
    let took = start.elapsed();
    println!("the last of 100 revocations was known by the other replica after {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    for token in &tokens {
        assert_eq!(one.reason(token).await, "revoked");
        assert_eq!(other.reason(token).await, "revoked");
    }
    assert_eq!(other.reason(&token(&emulator, 100, 60)).await, "in");
}

#[tokio::test]
async fn a_replica_that_starts_later_knows_what_was_revoked_before() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let early = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    early.follows().await;
    early.entra.revoke_tokens(&account(1)).await.unwrap();
    // Far more events than the stream keeps are no harm: the hash has the cut-offs.
    server.run(&["XTRIM", "{axum-entra}:events", "MAXLEN", "0"]);
    let late = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    late.follows().await;
    assert_eq!(late.reason(&token(&emulator, 1, 60)).await, "revoked");
    assert_eq!(late.reason(&token(&emulator, 2, 60)).await, "in");
}

#[tokio::test]
async fn a_lower_cut_off_from_another_replica_lowers_nothing() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let [one, other] = Replica::pair(&emulator, &server.url(), StoreFailurePolicy::Deny).await;
    let time = now();
    one.entra
        .revoke_tokens_issued_before(&account(1), at(time - 10))
        .await
        .unwrap();
    other
        .entra
        .revoke_tokens_issued_before(&account(1), at(time - 100))
        .await
        .unwrap();
    let third = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    third.follows().await;
    let token = token(&emulator, 1, 50);
    for replica in [&one, &other, &third] {
        eventually("revoked", async || {
            replica.reason(&token).await == "revoked"
        })
        .await;
    }
}

#[tokio::test]
async fn a_lifted_revocation_is_lifted_everywhere_and_stays_so() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let [one, other] = Replica::pair(&emulator, &server.url(), StoreFailurePolicy::Deny).await;
    let token = token(&emulator, 1, 50);
    one.entra.revoke_tokens(&account(1)).await.unwrap();
    eventually("revoked", async || other.reason(&token).await == "revoked").await;
    other.entra.lift_revocation(&account(1)).await.unwrap();
    eventually("lifted", async || one.reason(&token).await == "in").await;
    // All is told again after the store has lost it, by replicas that know both marks.
    server.run(&["FLUSHALL"]);
    let late = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    late.follows().await;
    for replica in [&one, &other, &late] {
        eventually("in", async || replica.reason(&token).await == "in").await;
    }
    // The next revocation holds on all of them.
    one.entra
        .revoke_tokens_issued_before(&account(1), at(1))
        .await
        .unwrap();
    for replica in [&one, &other, &late] {
        eventually("revoked", async || {
            replica.reason(&token).await == "revoked"
        })
        .await;
    }
}

#[tokio::test]
async fn sessions_and_sign_outs_are_told_too() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let told: Arc<Mutex<Vec<AccountId>>> = Arc::default();
    let kept = Arc::clone(&told);
    let redis = RedisStore::new(server.url(), StoreFailurePolicy::Deny);
    let one = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    let other = Replica::with(&emulator, redis, move |account| {
        kept.lock().unwrap().push(account.clone());
    });
    one.follows().await;
    other.follows().await;
    for _ in 0..2 {
        one.entra.remove_account(&account(1)).await;
    }
    // The second of the same second as well.
    eventually("it is told", async || told.lock().unwrap().len() == 2).await;
    assert_eq!(other.reason(&token(&emulator, 1, 60)).await, "in");
    let session = emulator.token().claim("sid", "s-1").mint();
    assert_eq!(other.reason(&session).await, "in");
    let tenant = CONTOSO.parse().unwrap();
    one.entra.revoke_session(tenant, "s-1").await.unwrap();
    eventually("revoked", async || {
        other.reason(&session).await == "revoked"
    })
    .await;
}

#[tokio::test]
async fn apis_with_another_prefix_do_not_share() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let one = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    let redis = RedisStore::with_client(
        redis::Client::open(server.url()).unwrap(),
        StoreFailurePolicy::Deny,
    );
    let unrelated = Replica::with(&emulator, redis.key_prefix("unrelated"), |_| {});
    one.follows().await;
    unrelated.follows().await;
    one.entra.revoke_tokens(&account(1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(unrelated.reason(&token(&emulator, 1, 60)).await, "in");
}

#[tokio::test]
async fn settings_name_the_store() {
    use axum_entra::EntraBuilder;
    use axum_entra::settings::Settings;
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let mut settings = emulator.settings();
    settings["AzureAd"]["Redis"] = serde_json::json!({
        "Url": server.url(),
        "OnLoss": "fail_closed",
    });
    let text = settings.to_string();
    let settings = Settings::from_parts(Some(("appsettings.json", &text)), []).unwrap();
    let entra = EntraBuilder::from_settings(&settings)
        .unwrap()
        .build()
        .unwrap();
    let status = entra.store_status();
    assert_eq!(
        (status.is_shared, status.failure_policy),
        (true, Some(StoreFailurePolicy::Deny))
    );
    let one = Replica { entra };
    let other = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    one.follows().await;
    other.follows().await;
    one.entra.revoke_tokens(&account(1)).await.unwrap();
    let token = token(&emulator, 1, 60);
    eventually("told", async || other.reason(&token).await == "revoked").await;
}

#[tokio::test]
async fn a_stream_that_is_open_at_one_ends_with_a_revocation_or_a_sign_out_at_the_other() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let [one, other] = Replica::pair(&emulator, &server.url(), StoreFailurePolicy::Deny).await;
    let mut open = Vec::new();
    for number in [1, 2, 3] {
        let claims = other.entra.validate(&token(&emulator, number, 60)).await;
        open.push(tokio::spawn(TokenExpiry::new(&claims.unwrap())));
    }
    let unrelated = open.pop().unwrap();
    one.entra.revoke_tokens(&account(1)).await.unwrap();
    one.entra.remove_account(&account(2)).await;
    for ended in open {
        let ended = tokio::time::timeout(Duration::from_secs(5), ended).await;
        ended.expect("it stays open").unwrap();
    }
    assert!(!unrelated.is_finished());
}
