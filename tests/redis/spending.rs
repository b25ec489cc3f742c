//! Each token once, on whichever replica.

use axum_entra::StoreFailurePolicy;
use entra_emulator::Emulator;

use crate::replica::{Replica, eventually, token};
use crate::server::server;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_once_on_all_replicas_together() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let replicas: Vec<_> = (0..2)
        .map(|_| Replica::new(&emulator, &server.url(), StoreFailurePolicy::DangerAllow))
        .collect();
    let token = token(&emulator, 1, 60);
    let mut uses = tokio::task::JoinSet::new();
    for turn in 0..40 {
        let (entra, token) = (replicas[turn % 2].entra.clone(), token.clone());
        uses.spawn(async move { Replica { entra }.get("/replay", &token).await });
    }
    let answers = uses.join_all().await;
    let passed = answers.iter().filter(|answer| answer.0 == 200).count();
    assert_eq!(passed, 1);
    let replayed = answers.iter().filter(|answer| answer.1 == "replay").count();
    assert_eq!(replayed, 39, "{answers:?}");
}

#[tokio::test]
async fn without_the_store_no_token_is_spent() {
    let Some(mut server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let replica = Replica::new(&emulator, &server.url(), StoreFailurePolicy::DangerAllow);
    let token = |number| token(&emulator, number, 60);
    assert_eq!(replica.get("/replay", &token(1)).await.0, 200);
    server.stop();
    let (good, used) = (token(2), token(1));
    assert_eq!(
        replica.get("/replay", &good).await,
        (503, "store_unavailable".to_owned())
    );
    assert_eq!(replica.get("/me", &good).await.0, 200);
    // This replica remembers what it saw itself, also when Redis forgets everything.
    let again = token(3);
    server.start();
    assert_eq!(replica.get("/replay", &again).await.0, 200);
    server.run(&["FLUSHALL"]);
    assert_eq!(replica.get("/replay", &again).await.1, "replay");
    let other = Replica::new(&emulator, &server.url(), StoreFailurePolicy::DangerAllow);
    eventually("it follows", async || other.is_following()).await;
    assert_eq!(other.get("/replay", &used).await.0, 200);
}
