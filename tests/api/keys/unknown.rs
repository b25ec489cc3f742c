//! An unknown `kid`: one shared fetch, then none for a while.

use std::time::Duration;

use axum_entra::{Authority, JwksRefresh, Rejection, TokenVersion};
use entra_emulator::{Emulator, Fault};
use serde_json::json;

use super::{API, ask, at_once, authority, issuer, jwks, last_error, ready, signed};
use crate::clock::{StoppedClock, eventually, settle};
use crate::documents::{Documents, Page, discovery_path};
use crate::service::entra_for;
use crate::signer::{key, unsigned};
use crate::token::{KID, TENANT, good, text};

#[tokio::test]
async fn a_new_key_is_fetched_by_the_request_that_needs_it() {
    let (_clock, documents) = (StoppedClock::new(), Documents::start().await);
    let entra = ready(authority(&documents)).await;
    documents.put(
        "/v2/keys",
        Page::json(&jwks(&[key(0).jwk(KID), key(1).jwk("k2")])),
    );
    let before = documents.seen().len();
    assert_eq!(ask(&entra, &signed(1, "k2")).await.status, 200);
    assert_eq!(ask(&entra, &signed(0, KID)).await.status, 200);
    assert_eq!(
        documents.seen().len() - before,
        2,
        "discovery and keys, once"
    );
}

#[tokio::test]
async fn within_the_cooldown_no_request_fetches_and_none_waits() {
    let (clock, documents) = (StoppedClock::new(), Documents::start().await);
    let freshness = JwksRefresh::default().unknown_kid_cooldown(Duration::from_secs(120));
    let entra = ready(authority(&documents).jwks_refresh(freshness)).await;
    let unknown = (401, "unknown_key".to_owned());
    let mut fetches = documents.count("/v2/keys");
    for _ in 0..3 {
        assert_eq!(ask(&entra, &signed(1, "k2")).await.brief(), unknown);
        fetches += 1;
        assert_eq!(documents.count("/v2/keys"), fetches);
        for _ in 0..5 {
            assert_eq!(ask(&entra, &signed(1, "k3")).await.brief(), unknown);
            clock.pass(Duration::from_secs(20)).await;
        }
        assert_eq!(documents.count("/v2/keys"), fetches);
        clock.pass(Duration::from_secs(21)).await;
    }
    // The key is there, but no request fetches before the cooldown is over.
    ask(&entra, &signed(1, "k4")).await;
    documents.put(
        "/v2/keys",
        Page::json(&jwks(&[key(0).jwk(KID), key(1).jwk("k2")])),
    );
    assert_eq!(ask(&entra, &signed(1, "k2")).await.brief(), unknown);
    clock.pass(Duration::from_secs(121)).await;
    assert_eq!(ask(&entra, &signed(1, "k2")).await.status, 200);
}

#[tokio::test]
async fn a_failed_fetch_counts_for_the_cooldown_and_throws_no_token_away() {
    let (clock, documents) = (StoppedClock::new(), Documents::start().await);
    let entra = ready(authority(&documents)).await;
    documents.put("/v2/keys", Page::status(500));
    let before = documents.count("/v2/keys");
    // Nothing could be decided: the key may well exist.
    let first = ask(&entra, &signed(1, "k2")).await;
    assert_eq!(first.brief(), (503, "keys_unavailable".into()));
    assert!(last_error(&entra).is_some());
    // Nor can it be until a fetch succeeds again.
    for _ in 0..10 {
        let answer = ask(&entra, &signed(1, "k2")).await;
        assert_eq!(answer.brief(), (503, "keys_unavailable".into()));
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(documents.count("/v2/keys") - before, 1);
    assert_eq!(ask(&entra, &signed(0, KID)).await.status, 200);
    documents.put("/v2/keys", Page::json(&key(0).jwks(KID)));
    clock
        .pass_until("a good fetch", Duration::from_secs(1), || {
            last_error(&entra).is_none()
        })
        .await;
    let answer = ask(&entra, &signed(1, "k2")).await;
    assert_eq!(answer.brief(), (401, "unknown_key".into()));
}

/// Contract §6: within the cooldown, 30 s by default, which failures and `Retry-After` lengthen.
#[tokio::test]
async fn the_cooldown_is_half_a_minute_or_what_the_authority_asks_for_up_to_five() {
    let clock = StoppedClock::new();
    for (retry_after, least, most) in [
        (None, 29, 31),
        (Some("120"), 119, 121),
        (Some("86400"), 299, 301),
    ] {
        let documents = Documents::start().await;
        let entra = ready(authority(&documents)).await;
        let failing = Page::status(503);
        documents.put(
            "/v2/keys",
            match retry_after {
                Some(seconds) => failing.with("retry-after", seconds),
                None => Page::json(&key(0).jwks(KID)),
            },
        );
        let first = ask(&entra, &signed(1, "k2")).await;
        let expected = match retry_after {
            Some(_) => (503, "keys_unavailable".to_owned()),
            None => (401, "unknown_key".to_owned()),
        };
        assert_eq!(first.brief(), expected);
        clock.pass(Duration::from_secs(least)).await;
        settle().await;
        assert_eq!(ask(&entra, &signed(1, "k2")).await.brief(), expected);
        assert_eq!(documents.count("/v2/keys"), 2, "{retry_after:?}");
        let good = jwks(&[key(0).jwk(KID), key(1).jwk("k2")]);
        documents.put("/v2/keys", Page::json(&good));
        clock.pass(Duration::from_secs(most - least)).await;
        settle().await;
        let answer = ask(&entra, &signed(1, "k2")).await;
        assert_eq!(answer.status, 200, "{retry_after:?}");
    }
}

/// An emergency rollover while the authority fails: no good token is answered 401.
#[tokio::test]
async fn keys_that_roll_over_while_the_authority_fails_cost_no_good_token() {
    let (clock, documents) = (StoppedClock::new(), Documents::start().await);
    let entra = ready(authority(&documents)).await;
    documents.put(&discovery_path("/v2"), Page::status(500));
    for _ in 0..20 {
        let answer = ask(&entra, &signed(1, "k2")).await;
        assert_eq!(answer.brief(), (503, "keys_unavailable".into()));
        clock.pass(Duration::from_secs(7)).await;
    }
    documents.put_authority("/v2", &issuer(), &key(1).jwks("k2"));
    clock
        .pass_until("the new key", Duration::from_secs(5), || {
            at_once(&entra, &signed(1, "k2")) == "in"
        })
        .await;
}

/// Contract §6: "too many requests waiting already: 503".
#[tokio::test]
async fn a_few_hundred_wait_for_a_fetch_and_the_others_are_answered_at_once() {
    let clock = StoppedClock::new();
    let emulator = Emulator::start().await.unwrap();
    let entra = entra_for(&emulator);
    eventually("keys", || {
        entra.status()[0].jwks.iter().all(|keys| keys.key_count > 0)
    })
    .await;
    let known = emulator.token().mint();
    emulator.inject_fault(Fault::Hang);
    let junk = emulator.token().header("kid", "unknown-kid").mint();
    let requests: Vec<_> = (0..500)
        .map(|_| {
            let (entra, junk) = (entra.clone(), junk.clone());
            tokio::spawn(async move {
                let rejection = Rejection::from(entra.validate(&junk).await.unwrap_err());
                (rejection.status().as_u16(), rejection.reason())
            })
        })
        .collect();
    let finished = || requests.iter().filter(|one| one.is_finished()).count();
    eventually("those that do not wait", || finished() == 500 - 256).await;
    settle().await;
    assert_eq!(finished(), 500 - 256);
    assert_eq!(ask(&entra, &known).await.status, 200);
    clock.pass(Duration::from_millis(2_001)).await;
    for request in requests {
        assert_eq!(request.await.unwrap(), (503, "keys_unavailable"));
    }
}

#[tokio::test]
async fn a_request_waits_two_seconds_for_a_slow_authority_and_others_not_at_all() {
    let clock = StoppedClock::new();
    let emulator = Emulator::start().await.unwrap();
    let entra = entra_for(&emulator);
    eventually("keys", || {
        entra.status()[0].jwks.iter().all(|keys| keys.key_count > 0)
    })
    .await;
    let known = emulator.token().mint();
    emulator.rotate_keys();
    emulator.inject_fault(Fault::Hang);
    let new = emulator.token().mint();
    let waiting = tokio::spawn({
        let entra = entra.clone();
        async move { ask(&entra, &new).await.brief() }
    });
    settle().await;
    assert_eq!(
        ask(&entra, &known).await.status,
        200,
        "known keys never wait"
    );
    clock.pass(Duration::from_millis(1_900)).await;
    assert!(!waiting.is_finished());
    assert_eq!(ask(&entra, &known).await.status, 200);
    clock.pass(Duration::from_millis(200)).await;
    assert_eq!(waiting.await.unwrap(), (503, "keys_unavailable".into()));
}

#[tokio::test]
async fn a_slow_answer_that_comes_in_time_lets_the_request_in() {
    let clock = StoppedClock::new();
    let emulator = Emulator::start().await.unwrap();
    let entra = entra_for(&emulator);
    eventually("keys", || {
        entra.status()[0].jwks.iter().all(|keys| keys.key_count > 0)
    })
    .await;
    emulator.rotate_keys();
    emulator.reset_request_counts();
    let half = Duration::from_millis(500);
    emulator.inject_fault(Fault::Slow(half));
    let new = emulator.token().mint();
    let waiting = tokio::spawn(async move { ask(&entra, &new).await.status.as_u16() });
    eventually("discovery", || emulator.request_counts().discovery == 1).await;
    settle().await;
    clock.pass(half + Duration::from_millis(50)).await;
    eventually("keys", || emulator.request_counts().keys == 1).await;
    settle().await;
    clock.pass(half + Duration::from_millis(50)).await;
    assert_eq!(waiting.await.unwrap(), 200);
}

/// Contract §6: opaque tickets, five parts, `none`, HMAC and `crit` never cause a fetch, nor does
/// a token of no configured authority.
#[tokio::test]
async fn junk_and_unknown_issuers_never_cause_a_fetch() {
    let (_clock, documents) = (StoppedClock::new(), Documents::start().await);
    let entra = ready(authority(&documents)).await;
    let before = documents.seen().len();
    let with = |header: serde_json::Value, issuer: &str| {
        let mut claims = good();
        claims.insert("iss".into(), json!(issuer));
        format!("{}.AAAA", unsigned(header.to_string(), text(&claims)))
    };
    let ours = issuer();
    let other = "https://login.microsoftonline.com/22222222-2222-4222-8222-222222222222/v2.0";
    let unknown = || json!({ "alg": "RS256", "kid": "unknown-kid" });
    let table = [
        ("EwBwA8l6BAAUkj1NuJYtTVha".to_owned(), "malformed"),
        ("AAAA.AAAA.AAAA.AAAA.AAAA".to_owned(), "malformed"),
        (
            with(json!({ "alg": "none", "kid": "x" }), &ours),
            "algorithm",
        ),
        (
            with(json!({ "alg": "HS256", "kid": "x" }), &ours),
            "algorithm",
        ),
        (
            with(json!({ "alg": "RS256", "kid": "x", "crit": ["x"] }), &ours),
            "critical_header",
        ),
        (
            with(json!({ "alg": "RS256", "kid": "x", "typ": "JWE" }), &ours),
            "token_type",
        ),
        (
            with(json!({ "alg": "RS256", "kid": 5 }), &ours),
            "malformed",
        ),
        (with(json!({ "alg": "RS256" }), &ours), "unknown_key"),
        (with(unknown(), other), "issuer"),
        (with(unknown(), "https://evil.example/v2.0"), "issuer"),
    ];
    for (token, reason) in &table {
        let answer = ask(&entra, token).await;
        assert_eq!(answer.brief(), (401, (*reason).to_owned()));
    }
    settle().await;
    assert_eq!(documents.seen().len(), before);
}

/// Contract §7, "Documents": an unknown key id fetches its own document only.
#[tokio::test]
async fn each_document_is_fetched_for_its_own_tokens_alone() {
    let (_clock, documents) = (StoppedClock::new(), Documents::start().await);
    let v1_issuer = format!("https://sts.windows.net/{TENANT}/");
    documents.put_authority("/v1", &v1_issuer, &key(1).jwks(KID));
    let both = authority(&documents)
        .token_versions([TokenVersion::V1, TokenVersion::V2])
        .metadata_address_v1(documents.discovery("/v1"));
    let entra = ready(both).await;
    eventually("both", || {
        entra.status()[0]
            .jwks
            .iter()
            .all(|keys| keys.key_count == 1)
    })
    .await;
    let v1 = |number: usize, kid: &str| {
        let mut claims = good();
        claims.insert("ver".into(), json!("1.0"));
        claims.insert("iss".into(), json!(v1_issuer));
        let header = json!({ "alg": "RS256", "kid": kid });
        key(number).sign(&header.to_string(), &text(&claims))
    };
    // One key id, two documents, two keys.
    assert_eq!(at_once(&entra, &signed(0, KID)), "in");
    assert_eq!(at_once(&entra, &v1(1, KID)), "in");
    assert_eq!(at_once(&entra, &signed(1, KID)), "bad_signature");
    assert_eq!(at_once(&entra, &v1(0, KID)), "bad_signature");

    let before = (documents.count("/v1/keys"), documents.count("/v2/keys"));
    assert_eq!(
        ask(&entra, &v1(1, "other")).await.brief(),
        (401, "unknown_key".into())
    );
    let after = (documents.count("/v1/keys"), documents.count("/v2/keys"));
    assert_eq!(after, (before.0 + 1, before.1));

    documents.put(&discovery_path("/v1"), Page::status(500));
    assert_eq!(
        ask(&entra, &signed(2, "other")).await.brief(),
        (401, "unknown_key".into())
    );
    assert_eq!(
        documents.count("/v1/keys"),
        after.0,
        "v1 has its own cooldown"
    );
}

#[tokio::test]
async fn one_document_out_of_reach_is_503_for_its_own_tokens_alone() {
    let (_clock, documents) = (StoppedClock::new(), Documents::start().await);
    let authority: Authority = authority(&documents)
        .token_versions([TokenVersion::V1, TokenVersion::V2])
        .metadata_address_v1(documents.discovery("/nothing"));
    let entra = ready(authority).await;
    let mut claims = good();
    claims.insert("ver".into(), json!("1.0"));
    claims.insert(
        "iss".into(),
        json!(format!("https://sts.windows.net/{TENANT}/")),
    );
    claims.insert("aud".into(), json!(API));
    let header = json!({ "alg": "RS256", "kid": KID });
    let v1 = key(0).sign(&header.to_string(), &text(&claims));
    assert_eq!(
        ask(&entra, &v1).await.brief(),
        (503, "keys_unavailable".into())
    );
    assert_eq!(ask(&entra, &signed(0, KID)).await.status, 200);
    assert!(entra.is_ready());
}
