//! Each signed HTTP request once, on whichever replica.

use std::time::SystemTime;

use axum::body::Body;
use axum::http::Request;
use axum::{Router, routing::get};
use axum_entra::{PopTokens, RedisStore, StoreFailurePolicy};
use entra_emulator::Emulator;
use serde_json::json;
use tower::ServiceExt as _;

use crate::key::{RSA, base64url};
use crate::replica::{Replica, now, object, reason_of};
use crate::server::{Server, server};

/// Each replica goes on without revocations: what is refused here is so for its proof.
fn replica(emulator: &Emulator, server: &Server) -> Replica {
    let redis = RedisStore::new(server.url(), StoreFailurePolicy::DangerAllow);
    Replica::built(emulator, redis, |builder| {
        builder.pop_tokens(PopTokens::Accept)
    })
}

/// A signed `GET` of this path at `a.example`, signed at this second, with a token of that account.
fn signed(emulator: &Emulator, account: u128, path: &str, at: u64) -> String {
    let token = emulator
        .token()
        .claim("oid", object(account).to_string())
        .claim("cnf", json!({ "kid": RSA.thumbprint() }))
        .mint();
    let payload = json!({
        "at": token, "ts": at, "m": "GET", "u": "a.example", "p": path,
        "cnf": { "jwk": RSA.jwk() },
    });
    let header = json!({ "typ": "pop", "alg": "RS256" }).to_string();
    let input = format!("{}.{}", base64url(header), base64url(payload.to_string()));
    format!("{input}.{}", base64url(RSA.sign(input.as_bytes())))
}

/// Status and reason of `GET /me` with this proof; the challenge of a refused proof is `PoP`.
async fn sent(replica: &Replica, proof: &str) -> (u16, String) {
    let app: Router = Router::new()
        .route("/me", get(|| async { "in" }))
        .route_layer(replica.entra.layer());
    let request = Request::get("/me")
        .header("host", "a.example")
        .header("authorization", format!("PoP {proof}"))
        .body(Body::empty())
        .unwrap();
    let response = app.oneshot(request).await.unwrap();
    let reason = reason_of(&response);
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    match response.status().as_u16() {
        401 => assert!(header("www-authenticate").unwrap().starts_with("PoP ")),
        503 => assert!(header("retry-after").is_some()),
        _ => {}
    }
    (response.status().as_u16(), reason)
}

fn is_in() -> (u16, String) {
    (200, "in".to_owned())
}

fn is_refused() -> (u16, String) {
    (401, "proof".to_owned())
}

fn is_unavailable() -> (u16, String) {
    (503, "store_unavailable".to_owned())
}

/// How many records there are, and the longest that one of them is kept, in seconds.
fn records(server: &Server) -> (usize, i64) {
    let redis::Value::Array(keys) = server.run(&["KEYS", "*used:*"]) else {
        panic!("a list of keys")
    };
    let mut longest = 0;
    for key in &keys {
        let redis::Value::BulkString(key) = key else {
            panic!("a key")
        };
        let key = std::str::from_utf8(key).unwrap();
        let redis::Value::Int(left) = server.run(&["TTL", key]) else {
            panic!("a number of seconds")
        };
        assert!(left > 0, "{key} is kept for ever");
        longest = longest.max(left);
    }
    (keys.len(), longest)
}

#[tokio::test]
async fn a_signed_request_is_good_once_on_all_replicas_together() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let [one, other] = [replica(&emulator, &server), replica(&emulator, &server)];
    let first = signed(&emulator, 1, "/me", now());
    assert_eq!(sent(&one, &first).await, is_in());
    assert_eq!(sent(&other, &first).await, is_refused(), "on the other");
    assert_eq!(sent(&one, &first).await, is_refused(), "and on the same");
    // The counterpart differs in its account alone; the other replica takes it, and the first not then.
    let second = signed(&emulator, 2, "/me", now());
    assert_eq!(sent(&other, &second).await, is_in());
    assert_eq!(sent(&one, &second).await, is_refused());
    // A replica that starts later knows both from the store.
    let late = replica(&emulator, &server);
    for used in [&first, &second] {
        assert_eq!(sent(&late, used).await, is_refused());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_copies_at_once_one_is_accepted() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let replicas = [replica(&emulator, &server), replica(&emulator, &server)];
    let proof = signed(&emulator, 1, "/me", now());
    let mut uses = tokio::task::JoinSet::new();
    for turn in 0..40 {
        let (entra, proof) = (replicas[turn % 2].entra.clone(), proof.clone());
        uses.spawn(async move { sent(&Replica { entra }, &proof).await });
    }
    let answers = uses.join_all().await;
    let count = |expected: &(u16, String)| answers.iter().filter(|one| *one == expected).count();
    assert_eq!(
        (count(&is_in()), count(&is_refused())),
        (1, 39),
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_record_ends_when_the_request_would_be_too_old_and_only_good_ones_make_one() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let replica = replica(&emulator, &server);
    let good = signed(&emulator, 1, "/me", now());
    let elsewhere = signed(&emulator, 1, "/other", now());
    let old = signed(&emulator, 1, "/me", now() - 301);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    let broken = format!("{input}.A{}", &turned[1..]);
    for refused in [&elsewhere, &old, &broken] {
        assert_eq!(sent(&replica, refused).await, is_refused());
    }
    assert_eq!(records(&server), (0, 0));
    // The latest time that is accepted is kept longest: 300 s ahead, 300 s behind it, the skew of
    // 300 s, and 600 s for the clocks of others.
    let latest = signed(&emulator, 1, "/me", now() + 299);
    for (proof, count, most) in [(&good, 1, 1_200), (&latest, 2, 1_500)] {
        assert_eq!(sent(&replica, proof).await, is_in());
        let (records, longest) = records(&server);
        assert_eq!(records, count);
        assert!((most - 30..=most).contains(&longest), "{longest} s");
    }
}

#[tokio::test]
async fn without_the_store_no_signed_request_is_accepted() {
    let Some(mut server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let replica = replica(&emulator, &server);
    let [used, fresh] = [1, 2].map(|account| signed(&emulator, account, "/me", now()));
    assert_eq!(sent(&replica, &used).await, is_in());
    server.stop();
    // A replay is refused all the same: this replica has seen it.
    assert_eq!(sent(&replica, &used).await, is_refused());
    assert_eq!(sent(&replica, &fresh).await, is_unavailable());
    // A bearer token needs no record.
    let bearer = crate::replica::token(&emulator, 3, 60);
    assert_eq!(replica.get("/me", &bearer).await, is_in());
    server.start();
    let back = SystemTime::now();
    while sent(&replica, &fresh).await == is_unavailable() {
        assert!(back.elapsed().unwrap().as_secs() < 15, "Redis is back");
    }
    // It was accepted in that loop, and is spent; the record that Redis lost is still here.
    assert_eq!(sent(&replica, &fresh).await, is_refused());
    assert_eq!(sent(&replica, &used).await, is_refused());
}
