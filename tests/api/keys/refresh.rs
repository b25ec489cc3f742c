//! The background refresh: when it comes, and what a bad one costs (nothing, for long).

use std::time::Duration;

use axum_entra::{Entra, HttpClient, JwksRefresh};
use entra_emulator::{Emulator, Fault};
use serde_json::json;

use super::{
    HOUR, MINUTE, ask, at_once, authority, count, has_keys, issuer, jwks, last_error, ready,
    signed, started,
};
use crate::clock::{StoppedClock, eventually, settle};
use crate::documents::{Documents, Page, discovery_path};
use crate::service::{contoso, entra_for};
use crate::signer::key;
use crate::token::KID;

/// Seconds without a fetch, and seconds after which there was one.
async fn fetches_between(clock: &StoppedClock, documents: &Documents, from: u64, to: u64) {
    let before = documents.count("/v2/keys");
    clock.pass(Duration::from_secs(from)).await;
    settle().await;
    assert_eq!(documents.count("/v2/keys"), before, "before {from} s");
    clock.pass(Duration::from_secs(to - from)).await;
    eventually("a fetch", || documents.count("/v2/keys") == before + 1).await;
    settle().await;
}

#[tokio::test]
async fn keys_are_fetched_hourly_less_up_to_a_tenth() {
    let (clock, documents) = (StoppedClock::new(), Documents::start().await);
    let entra = ready(authority(&documents)).await;
    for _ in 0..3 {
        fetches_between(&clock, &documents, 3_239, 3_601).await;
        assert_eq!(at_once(&entra, &signed(0, KID)), "in");
    }
    let every = JwksRefresh::default().interval(MINUTE);
    let documents = Documents::start().await;
    let entra = ready(authority(&documents).jwks_refresh(every)).await;
    fetches_between(&clock, &documents, 53, 61).await;
    assert!(entra.is_ready());
}

#[tokio::test]
async fn cache_control_makes_the_next_refresh_earlier_and_never_later() {
    let clock = StoppedClock::new();
    let keys = || Page::json(&key(0).jwks(KID)).tagged("\"1\"");
    // max-age, then the earliest and the latest second of the next fetch.
    for (age, from, to) in [
        (0, 299, 301),
        (600, 539, 601),
        (7_200, 3_239, 3_601),
        (86_400, 3_239, 3_601),
        (10_000_000, 3_239, 3_601),
    ] {
        let documents = Documents::start().await;
        let authority = authority(&documents);
        let split = keys().with("cache-control", "private");
        documents.put("/v2/keys", split.max_age(age));
        let entra = ready(authority).await;
        fetches_between(&clock, &documents, from, to).await;
        // The second answer is 304, and its max-age counts as well.
        assert_eq!(
            documents.conditions().last(),
            Some(&Some("\"1\"".to_owned()))
        );
        fetches_between(&clock, &documents, from, to).await;
        assert!(entra.is_ready(), "{age}");
    }
}

#[tokio::test]
async fn the_same_keys_are_asked_for_conditionally_and_stay() {
    let (clock, documents) = (StoppedClock::new(), Documents::start().await);
    let authority = authority(&documents);
    documents.put("/v2/keys", Page::json(&key(0).jwks(KID)).tagged("\"1\""));
    let strict = JwksRefresh::default().withdrawal_grace(Duration::ZERO);
    let entra = ready(authority.jwks_refresh(strict)).await;
    fetches_between(&clock, &documents, 3_239, 3_601).await;
    assert_eq!(documents.conditions()[3].as_deref(), Some("\"1\""));
    assert_eq!(at_once(&entra, &signed(0, KID)), "in");
    eventually("a confirmation", || {
        entra.status()[0].jwks[0].last_success_age.unwrap() < Duration::from_secs(1)
    })
    .await;

    documents.put("/v2/keys", Page::json(&key(1).jwks("k2")).tagged("\"2\""));
    fetches_between(&clock, &documents, 3_239, 3_601).await;
    eventually("the new key", || at_once(&entra, &signed(1, "k2")) == "in").await;
    assert_eq!(documents.conditions()[5].as_deref(), Some("\"1\""));
    fetches_between(&clock, &documents, 3_239, 3_601).await;
    assert_eq!(documents.conditions()[7].as_deref(), Some("\"2\""));
    assert_eq!(
        documents.conditions()[6],
        None,
        "discovery is read anew each time"
    );
}

/// Contract §6: "refresh that fails, is empty, has no usable key, is not JSON, is too large,
/// redirects or times out".
#[tokio::test]
async fn a_bad_document_of_any_kind_leaves_the_old_keys_in_use() {
    let clock = StoppedClock::new();
    let elsewhere = Documents::start().await;
    let good_keys = key(0).jwks(KID);
    let discovery =
        |issuer: &str, keys: &str| Page::json(&json!({ "issuer": issuer, "jwks_uri": keys }));
    let text = |body: &str| Page {
        body: body.to_owned(),
        ..Page::status(200)
    };
    let at = discovery_path("/v2");
    let documents = Documents::start().await;
    let here = documents.url("/v2/keys");
    let table = vec![
        (
            "discovery 500",
            at.as_str(),
            Page::status(500),
            "status 500",
        ),
        ("discovery 404", &at, Page::status(404), "status 404"),
        ("discovery 204", &at, Page::status(204), "status 204"),
        (
            "discovery 304 without a condition",
            &at,
            Page::status(304),
            "status 304",
        ),
        (
            "discovery moved",
            &at,
            Page::status(302).with("location", elsewhere.url("/x")),
            "status 302",
        ),
        ("discovery in HTML", &at, text("<html>"), "not the JSON"),
        ("discovery an array", &at, text("[]"), "not the JSON"),
        ("discovery without members", &at, text("{}"), "not the JSON"),
        ("discovery empty", &at, text(""), "not the JSON"),
        (
            "another issuer",
            &at,
            discovery("https://evil.example/v2.0", &here),
            "it states the issuer",
        ),
        (
            "the issuer with a slash",
            &at,
            discovery(&format!("{}/", issuer()), &here),
            "it states the issuer",
        ),
        (
            "a template",
            &at,
            discovery("https://login.microsoftonline.com/{tenantid}/v2.0", &here),
            "it states the issuer",
        ),
        (
            "keys on another port",
            &at,
            discovery(&issuer(), &elsewhere.url("/v2/keys")),
            "another host",
        ),
        (
            "keys without TLS",
            &at,
            discovery(&issuer(), "http://login.microsoftonline.com/keys"),
            "another host",
        ),
        (
            "keys on a like host",
            &at,
            discovery(
                &issuer(),
                "https://login.microsoftonline.com.evil.example/keys",
            ),
            "another host",
        ),
        (
            "keys in a file",
            &at,
            discovery(&issuer(), "file:///etc/passwd"),
            "another host",
        ),
        (
            "keys nowhere",
            &at,
            discovery(&issuer(), ""),
            "another host",
        ),
        ("keys 500", "/v2/keys", Page::status(500), "status 500"),
        ("keys 404", "/v2/keys", Page::status(404), "status 404"),
        (
            "keys 206",
            "/v2/keys",
            Page::json(&good_keys).with_status(206),
            "status 206",
        ),
        (
            "keys moved",
            "/v2/keys",
            Page::status(307).with("location", elsewhere.url("/x")),
            "status 307",
        ),
        ("keys in HTML", "/v2/keys", text("<html>"), "not the JSON"),
        ("keys an array", "/v2/keys", text("[]"), "not the JSON"),
        ("keys without keys", "/v2/keys", text("{}"), "not the JSON"),
        (
            "keys of another type",
            "/v2/keys",
            text(r#"{"keys":{}}"#),
            "not the JSON",
        ),
        (
            "keys broken off",
            "/v2/keys",
            text(&good_keys.to_string()[..40]),
            "not the JSON",
        ),
        (
            "no keys",
            "/v2/keys",
            text(r#"{"keys":[]}"#),
            "none of its 0 keys",
        ),
        (
            "no usable key",
            "/v2/keys",
            Page::json(&jwks(&[json!({ "kty": "EC", "kid": KID }), json!(5)])),
            "none of its 2 keys",
        ),
        (
            "too much",
            "/v2/keys",
            text(&format!("{}{good_keys}", " ".repeat(1_048_577))),
            "more than 1048576 bytes",
        ),
    ];
    let entra = ready(authority(&documents)).await;
    for (name, path, page, expected) in table {
        documents.put(path, page);
        // With a day between good fetches, one minute after another is enough for the next try.
        clock
            .pass_until(name, 66 * MINUTE, || {
                last_error(&entra).is_some_and(|error| error.contains(expected))
            })
            .await;
        assert_eq!(at_once(&entra, &signed(0, KID)), "in", "{name}");
        assert_eq!(count(&entra), 1, "{name}");
        documents.put_authority("/v2", &issuer(), &good_keys);
        clock
            .pass_until("a good one", MINUTE, || last_error(&entra).is_none())
            .await;
    }
    assert_eq!(elsewhere.seen(), [""; 0], "nothing was asked for elsewhere");
}

#[tokio::test]
async fn a_client_of_the_applications_own_follows_no_redirects_either() {
    let (documents, elsewhere) = (Documents::start().await, Documents::start().await);
    elsewhere.put_authority("/x", &issuer(), &key(1).jwks(KID));
    let authority = authority(&documents);
    let moved = Page::status(302).with("location", elsewhere.discovery("/x"));
    documents.put(&discovery_path("/v2"), moved);
    // reqwest's own default is to follow ten of them.
    let entra = Entra::builder_for(authority)
        .http_client(HttpClient::builder())
        .build()
        .unwrap();
    eventually("an error", || last_error(&entra).is_some()).await;
    assert!(last_error(&entra).unwrap().contains("status 302"));
    assert_eq!(elsewhere.seen(), [""; 0], "nothing was asked for elsewhere");
    assert!(!entra.is_ready());
}

#[tokio::test]
async fn an_authority_that_does_not_answer_is_given_up_after_the_timeout() {
    let clock = StoppedClock::new();
    let emulator = Emulator::start().await.unwrap();
    let entra = entra_for(&emulator);
    has_keys(&entra).await;
    eventually("both", || {
        entra.status()[0].jwks.iter().all(|keys| keys.key_count > 0)
    })
    .await;
    let token = emulator.token().mint();
    for outage in [Fault::Hang, Fault::CloseConnection] {
        emulator.inject_fault(outage.clone());
        emulator.reset_request_counts();
        clock.pass(HOUR).await;
        eventually("the request", || emulator.request_counts().discovery >= 2).await;
        // While it hangs, a token with a known key is not kept waiting.
        assert!(entra.validate(&token).await.is_ok(), "{outage:?}");
        clock.pass(Duration::from_secs(6)).await;
        eventually("giving up", || last_error(&entra).is_some()).await;
        assert!(entra.validate(&token).await.is_ok());
        emulator.clear_faults();
        clock
            .pass_until("recovery", MINUTE, || {
                entra.status()[0]
                    .jwks
                    .iter()
                    .all(|keys| keys.last_error.is_none())
            })
            .await;
    }
}

#[tokio::test]
async fn keys_that_are_too_old_are_given_up_and_come_back() {
    let (clock, documents) = (StoppedClock::new(), Documents::start().await);
    let freshness = JwksRefresh::default().max_stale(3 * HOUR);
    let entra = ready(authority(&documents).jwks_refresh(freshness)).await;
    let token = signed(0, KID);
    documents.put(&discovery_path("/v2"), Page::status(500));
    clock.pass(66 * MINUTE).await;
    clock
        .pass_until("a failure", MINUTE, || last_error(&entra).is_some())
        .await;
    while entra.status()[0].jwks[0].last_success_age.unwrap() < 3 * HOUR - 2 * MINUTE {
        assert_eq!(
            ask(&entra, &token).await.status,
            200,
            "old keys are good keys"
        );
        clock.pass(MINUTE).await;
    }
    clock
        .pass_until("giving up", MINUTE, || count(&entra) == 0)
        .await;
    let age = entra.status()[0].jwks[0].last_success_age.unwrap();
    assert!(age >= 3 * HOUR && age < 3 * HOUR + 3 * MINUTE, "{age:?}");
    let answer = ask(&entra, &token).await;
    assert_eq!(answer.brief(), (503, "keys_unavailable".into()));
    assert!(answer.header("retry-after").is_some());
    assert!(!entra.is_ready());

    documents.put_authority("/v2", &issuer(), &key(0).jwks(KID));
    clock
        .pass_until("recovery", MINUTE, || entra.is_ready())
        .await;
    assert_eq!(ask(&entra, &token).await.status, 200);
}

#[tokio::test]
async fn a_start_without_the_authority_is_retried_from_one_second_to_a_minute() {
    let (clock, documents) = (StoppedClock::new(), Documents::start().await);
    let authority = authority(&documents);
    documents.put(&discovery_path("/v2"), Page::status(503));
    let entra = started(authority);
    eventually("the first", || last_error(&entra).is_some()).await;
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let before = documents.seen().len();
        let mut pause = 0;
        while documents.seen().len() == before {
            clock.pass(Duration::from_secs(1)).await;
            pause += 1;
        }
        settle().await;
        pauses.push(pause);
    }
    // 1 s, doubled up to 60 s, less up to a half; the steps here are whole seconds.
    let bounds = [1, 2, 4, 8, 16, 32, 60, 60, 60];
    for (pause, most) in pauses.iter().zip(bounds) {
        assert!(*pause <= most + 2 && *pause >= most / 2, "{pauses:?}");
    }
    assert_eq!(
        ask(&entra, &signed(0, KID)).await.brief(),
        (503, "keys_unavailable".into())
    );
    documents.put_authority("/v2", &issuer(), &key(0).jwks(KID));
    clock
        .pass_until("recovery", Duration::from_secs(5), || entra.is_ready())
        .await;
    assert_eq!(ask(&entra, &signed(0, KID)).await.status, 200);
}

#[tokio::test]
async fn the_first_request_waits_for_the_first_fetch_but_not_for_long() {
    let clock = StoppedClock::new();
    let emulator = Emulator::start().await.unwrap();
    let token = emulator.token().mint();
    let entra = entra_for(&emulator);
    assert_eq!(
        ask_system(&entra, &token).await,
        200,
        "no request waited for the keys before"
    );

    emulator.inject_fault(Fault::Hang);
    let entra = entra_for(&emulator);
    let waiting = tokio::spawn({
        let (entra, token) = (entra.clone(), token.clone());
        async move { ask_system(&entra, &token).await }
    });
    settle().await;
    clock.pass(Duration::from_millis(1_900)).await;
    assert!(!waiting.is_finished(), "two seconds are not over");
    clock.pass(Duration::from_millis(200)).await;
    assert_eq!(waiting.await.unwrap(), 503);
    emulator.clear_faults();
    clock
        .pass_until("recovery", Duration::from_secs(5), || entra.is_ready())
        .await;
    assert_eq!(ask_system(&entra, &token).await, 200);
}

async fn ask_system(entra: &Entra, token: &str) -> u16 {
    ask(entra, token).await.status.as_u16()
}

#[tokio::test]
async fn the_tasks_end_with_the_last_handle() {
    let emulator = Emulator::start().await.unwrap();
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = tasks();
    let entra = Entra::builder_for(contoso(&emulator)).build().unwrap();
    let router = axum::Router::<()>::new()
        .route("/", axum::routing::get(|| async { "in" }))
        .route_layer(entra.layer());
    has_keys(&entra).await;
    let copy = entra.clone();
    drop(entra);
    drop(copy);
    settle().await;
    assert!(
        tasks() >= before + 2,
        "the router's layer still reads the keys"
    );
    let token = emulator.token().mint();
    assert_eq!(
        crate::service::fetch(&router, "/", &token).await.status,
        200
    );
    drop(router);
    // Connections of the client and of the emulator's side end in their own time.
    eventually("the end of both tasks", || tasks() <= before + 2).await;
    emulator.reset_request_counts();
    settle().await;
    assert_eq!(emulator.request_counts().keys, 0);
}

#[tokio::test]
async fn a_wrong_description_fetches_nothing() {
    let documents = Documents::start().await;
    let twice = authority(&documents);
    let refused = Entra::builder_for(twice.clone()).authority(twice).build();
    assert!(refused.is_err());
    for _ in 0..20 {
        settle().await;
    }
    assert_eq!(documents.seen(), [""; 0]);
}
