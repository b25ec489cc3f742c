//! The acceptance cases that are a story: keys that change, and an authority that is down.

use std::time::Duration;

use axum::http::StatusCode;
use axum_entra::{Clock, Entra, UnixTime};
use serde_json::{Map, Value, json};

use super::accounts;
use super::case::{T0, file};
use super::stage::{API_V2, KID, Stage, T_V2};
use super::way::Way;
use crate::clock::{StoppedClock, eventually};
use crate::documents::{Page, discovery_path};
use crate::service::Answer;
use crate::signer::key;

const INTERVAL: Duration = Duration::from_secs(3_960);

pub(super) async fn play(name: &str, way: &Way) {
    let clock = StoppedClock::new();
    match name {
        "unknown_key_published_later" => unknown_key_published_later(way).await,
        "unknown_key_flood" => unknown_key_flood(way, &clock).await,
        "rollover" => rollover(way, &clock).await,
        "outage" => outage(way, &clock).await,
        "cold_start" => cold_start(way, &clock).await,
        "app_keys" => app_keys(way).await,
        "overage_by_names" => accounts::overage_by_names(way).await,
        "overage_with_a_strange_address" => accounts::overage_with_a_strange_address(way).await,
        "overage_by_hasgroups" => accounts::overage_by_hasgroups(way).await,
        "overage_while_graph_is_down" => accounts::overage_while_graph_is_down(way).await,
        "replay" => accounts::replay(way).await,
        "cut_off_after" => accounts::cut_off_after(way).await,
        "cut_off_at" => accounts::cut_off_at(way).await,
        "sign_out" => accounts::sign_out(way).await,
        other => panic!("no scenario {other}"),
    }
}

/// The v2.0 sample, signed by a key of the tests under an id.
fn v2r(number: usize, kid: &str) -> String {
    damaged(number, json!({ "kid": kid }), json!({}))
}

/// The same with members of its header and claims set.
pub(super) fn damaged(number: usize, header: Value, claims: Value) -> String {
    let sample = &file().tokens["V2R"];
    let set = |mut object: Map<String, Value>, changes: Value| {
        object.extend(changes.as_object().unwrap().clone());
        Value::Object(object).to_string()
    };
    key(number).sign(
        &set(sample.header.clone(), header),
        &set(sample.claims.clone(), claims),
    )
}

pub(super) fn noon() -> Clock {
    Clock::from_fn(|| UnixTime::from_secs(T0))
}

async fn me(way: &Way, entra: &Entra, token: &str) -> Answer {
    way.get(entra, "/me", token).await
}

fn last_fetch_failed(entra: &Entra) -> bool {
    entra.status()[0].jwks[0].last_error.is_some()
}

/// A20: twenty requests with a new key wait for one fetch, and all get in.
async fn unknown_key_published_later(way: &Way) {
    let stage = Stage::set("P-V2", None).await;
    let entra = stage.entra(noon()).await;
    stage
        .documents
        .put("/v2/keys", Page::json(&key(1).jwks("k2")));
    let before = stage.documents.count("/v2/keys");
    let requests: Vec<_> = (0..20)
        .map(|_| {
            let (way, entra) = (way.clone(), entra.clone());
            tokio::spawn(async move { me(&way, &entra, &v2r(1, "k2")).await.status })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(stage.documents.count("/v2/keys") - before, 1);
}

/// A21: a hundred unknown `kid`s in a minute cost one fetch for each cooldown.
async fn unknown_key_flood(way: &Way, clock: &StoppedClock) {
    let stage = Stage::set("P-V2", None).await;
    let entra = stage.entra(noon()).await;
    let before = stage.documents.count("/v2/keys");
    for number in 0..100 {
        let token = v2r(0, &format!("unknown {number}"));
        let answer = me(way, &entra, &token).await;
        way.refused(&answer, "unknown_key");
        clock.pass(Duration::from_millis(590)).await;
    }
    assert_eq!(stage.documents.count("/v2/keys") - before, 2);
}

/// A22: the background refresh brings the new key and takes the old one away.
async fn rollover(way: &Way, clock: &StoppedClock) {
    let stage = Stage::set("P-V2", None).await;
    let entra = stage.entra(noon()).await;
    assert_eq!(me(way, &entra, &v2r(0, KID)).await.status, StatusCode::OK);
    stage
        .documents
        .put("/v2/keys", Page::json(&key(1).jwks("k2")));
    clock.pass(INTERVAL).await;
    eventually("the new key", || stage.documents.count("/v2/keys") == 2).await;
    // Not by a token with it, whose unknown key would be a reason to fetch.
    eventually("its publication", || {
        entra.status()[0].jwks[0].key_count == 2
    })
    .await;

    let before = stage.documents.seen().len();
    assert_eq!(me(way, &entra, &v2r(1, "k2")).await.status, StatusCode::OK);
    assert_eq!(
        stage.documents.seen().len(),
        before,
        "no fetch for a request"
    );
    // It may have vanished by mistake, so it verifies for two hours more.
    assert_eq!(me(way, &entra, &v2r(0, KID)).await.status, StatusCode::OK);
    clock.pass(Duration::from_secs(7_201)).await;
    eventually("its end", || entra.status()[0].jwks[0].key_count == 1).await;
    let gone = me(way, &entra, &v2r(0, KID)).await;
    way.refused(&gone, "unknown_key");
}

/// A23a: three failed refreshes do not cost a request.
async fn outage(way: &Way, clock: &StoppedClock) {
    let stage = Stage::set("P-V2", None).await;
    let entra = stage.entra(noon()).await;
    stage
        .documents
        .put(&discovery_path("/v2"), Page::status(500));
    stage.documents.put("/v2/keys", Page::status(500));
    for _ in 0..3 {
        let before = stage.documents.seen().len();
        clock.pass(INTERVAL).await;
        let minute = Duration::from_secs(60);
        clock
            .pass_until("a failed fetch", minute, || {
                stage.documents.seen().len() > before && last_fetch_failed(&entra)
            })
            .await;
        assert_eq!(me(way, &entra, &v2r(0, KID)).await.status, StatusCode::OK);
    }
}

/// A23b: a start while the authority is down, and its recovery.
async fn cold_start(way: &Way, clock: &StoppedClock) {
    let stage = Stage::set("P-V2", None).await;
    let issuer = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0";
    stage
        .documents
        .put(&discovery_path("/v2"), Page::status(500));
    let entra = stage.entra_without_keys(noon());
    let answer = me(way, &entra, &v2r(0, KID)).await;
    way.unavailable(&answer, "keys_unavailable", None);

    stage
        .documents
        .put_authority("/v2", issuer, &key(0).jwks(KID));
    clock.pass(Duration::from_secs(2)).await;
    eventually("recovery", || entra.is_ready()).await;
    assert_eq!(me(way, &entra, &v2r(0, KID)).await.status, StatusCode::OK);
}

/// A24: only the keys under `?appid=` count, and both documents are asked for with it.
async fn app_keys(way: &Way) {
    const APP: &str = "6731de76-14a6-49ae-97bc-6eba6914391e";
    let stage = Stage::set("P-V2", None).await;
    let discovery = stage.documents.discovery("/v2");
    let stage = stage.change(|_| {
        axum_entra::Authority::entra(axum_entra::Tenant::new(T_V2), APP)
            .token_versions([axum_entra::TokenVersion::V2])
            .audience(API_V2)
            .metadata_address(discovery)
            .application_signing_keys()
            .clock_skew(Duration::ZERO)
    });
    stage
        .documents
        .put("/v2/keys", Page::json(&key(2).jwks("app key")));
    let entra = stage.entra(noon()).await;
    assert_eq!(
        me(way, &entra, &v2r(2, "app key")).await.status,
        StatusCode::OK
    );
    let common = me(way, &entra, &v2r(0, KID)).await;
    way.refused(&common, "unknown_key");
    let seen = stage.documents.seen();
    assert!(!seen.is_empty());
    for target in seen {
        assert!(target.ends_with(&format!("?appid={APP}")), "{target}");
    }
}
