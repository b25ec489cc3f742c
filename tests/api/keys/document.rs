//! Which keys of a document count, and for which tokens.

use std::time::Duration;

use axum_entra::{AllowedTenants, Authority, JwksRefresh, Tenant, TokenVersion};
use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{
    API, HOUR, ask, at_once, authority, count, issuer, jwks, last_error, ready, signed, started,
};
use crate::clock::{StoppedClock, eventually, settle};
use crate::documents::{Documents, Page, discovery_path};
use crate::signer::key;
use crate::token::{
    KID, OTHER, TENANT, authority as with_static_keys, built, good, good_header, text,
};

/// A key of the tests with some members changed; `null` takes one away.
fn changed(kid: &str, changes: Value) -> Value {
    let mut jwk = key(1).jwk(kid);
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => jwk.as_object_mut().unwrap().remove(name),
            value => jwk
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    jwk
}

fn modulus(bytes: usize) -> String {
    let mut number = vec![0xa5_u8; bytes];
    number[bytes - 1] = 0xa7;
    URL_SAFE_NO_PAD.encode_to_string(number)
}

#[tokio::test]
async fn an_unusable_key_is_left_out_and_costs_the_others_nothing() {
    let (_clock, documents) = (StoppedClock::new(), Documents::start().await);
    let authority = authority(&documents);
    let unusable = [
        ("1024 bits", json!({ "n": modulus(128) })),
        (
            "2047 bits",
            json!({ "n": URL_SAFE_NO_PAD.encode_to_string([&[0x7f_u8][..], &[0xff; 255]].concat()) }),
        ),
        ("16384 bits", json!({ "n": modulus(2_048) })),
        ("exponent 1", json!({ "e": "AQ" })),
        ("exponent 2", json!({ "e": "Ag" })),
        ("no modulus", json!({ "n": null })),
        ("no exponent", json!({ "e": null })),
        ("an empty modulus", json!({ "n": "" })),
        ("padding", json!({ "e": "AQAB=" })),
        ("the other alphabet", json!({ "n": "++//" })),
        ("a number as modulus", json!({ "n": 5 })),
        ("a private member", json!({ "d": "AQAB" })),
        ("a prime", json!({ "p": "AQAB" })),
        ("a secret", json!({ "k": "AQAB" })),
        (
            "EC",
            json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }),
        ),
        ("oct", json!({ "kty": "oct" })),
        ("OKP", json!({ "kty": "OKP" })),
        ("a type of tomorrow", json!({ "kty": "AKP" })),
        ("no type", json!({ "kty": null })),
        ("rsa in small letters", json!({ "kty": "rsa" })),
        ("for encryption", json!({ "use": "enc" })),
        ("for signing alone", json!({ "key_ops": ["sign"] })),
        ("for nothing", json!({ "key_ops": [] })),
        ("RS384", json!({ "alg": "RS384" })),
        ("PS256", json!({ "alg": "PS256" })),
        ("HS256", json!({ "alg": "HS256" })),
    ];
    let usable = [
        ("as it is", json!({})),
        ("RS256", json!({ "alg": "RS256" })),
        ("without use", json!({ "use": null })),
        ("for verifying", json!({ "key_ops": ["verify"] })),
        (
            "of this cloud",
            json!({ "cloud_instance_name": "microsoftonline.com" }),
        ),
        (
            "with a certificate",
            json!({ "x5c": ["MIIB"], "x5t": "x", "other": [1] }),
        ),
    ];
    let mut keys: Vec<Value> = unusable
        .iter()
        .chain(&usable)
        .map(|(kid, changes)| changed(kid, changes.clone()))
        .collect();
    keys.extend([
        json!(null),
        json!(5),
        json!("key"),
        json!([]),
        json!({}),
        changed("x", json!({ "kid": null })),
    ]);
    keys.push(changed("x", json!({ "kid": 7 })));
    documents.put("/v2/keys", Page::json(&jwks(&keys)));
    let entra = ready(authority).await;
    assert_eq!(count(&entra), usable.len());
    let before = documents.seen().len();
    for (kid, _) in &usable {
        assert_eq!(ask(&entra, &signed(1, kid)).await.status, 200, "{kid}");
    }
    for (kid, _) in &unusable {
        // It is there, and not for this: fetching again would be no help.
        assert_eq!(
            ask(&entra, &signed(1, kid)).await.brief(),
            (401, "unknown_key".into()),
            "{kid}"
        );
    }
    assert_eq!(documents.seen().len(), before);
}

#[tokio::test]
async fn a_key_of_another_cloud_verifies_for_no_issuer() {
    let (_clock, documents) = (StoppedClock::new(), Documents::start().await);
    let authority = authority(&documents);
    let of = |cloud: &str| json!({ "issuer": issuer(), "cloud_instance_name": cloud });
    let publish = |cloud| {
        let keys = [changed("k", of(cloud))];
        documents.put("/v2/keys", Page::json(&jwks(&keys)));
    };
    publish("microsoftonline.us");
    let entra = ready(authority).await;
    assert_eq!(at_once(&entra, &signed(1, "k")), "issuer");
    assert_eq!(at_once(&entra, &signed(2, "k")), "bad_signature");
}

#[tokio::test]
async fn a_key_is_of_the_cloud_that_its_discovery_document_states() {
    let _clock = StoppedClock::new();
    for (stated, named, expected) in [
        ("microsoftonline.com", "microsoftonline.com", "in"),
        ("microsoftonline.com", "MicrosoftOnline.com", "in"),
        ("microsoftonline.com", "microsoftonline.us", "issuer"),
        ("microsoftonline.us", "microsoftonline.com", "issuer"),
    ] {
        let documents = Documents::start().await;
        // On an instance of no known cloud the document alone tells.
        let authority = authority(&documents)
            .instance("http://127.0.0.1:1/")
            .issuer(issuer());
        let discovery = json!({
            "issuer": issuer(), "jwks_uri": documents.url("/v2/keys"), "cloud_instance_name": stated,
        });
        documents.put(
            "/v2/.well-known/openid-configuration",
            Page::json(&discovery),
        );
        let keys = [changed(KID, json!({ "cloud_instance_name": named }))];
        documents.put("/v2/keys", Page::json(&jwks(&keys)));
        let entra = ready(authority).await;
        assert_eq!(
            at_once(&entra, &signed(1, KID)),
            expected,
            "{stated} {named}"
        );
    }
}

#[tokio::test]
async fn both_of_two_keys_with_one_id_are_tried() {
    let (_clock, documents) = (StoppedClock::new(), Documents::start().await);
    let authority = authority(&documents);
    documents.put(
        "/v2/keys",
        Page::json(&jwks(&[key(0).jwk(KID), key(1).jwk(KID)])),
    );
    let entra = ready(authority).await;
    assert_eq!(at_once(&entra, &signed(0, KID)), "in");
    assert_eq!(at_once(&entra, &signed(1, KID)), "in");
    assert_eq!(at_once(&entra, &signed(2, KID)), "bad_signature");
}

#[tokio::test]
async fn two_hundred_keys_are_no_trouble() {
    let (_clock, documents) = (StoppedClock::new(), Documents::start().await);
    let authority = authority(&documents);
    let mut keys: Vec<Value> = (0..199).map(|n| key(1).jwk(&format!("k{n}"))).collect();
    keys.push(key(0).jwk(KID));
    documents.put("/v2/keys", Page::json(&jwks(&keys)));
    let entra = ready(authority).await;
    assert_eq!(count(&entra), 200);
    assert_eq!(at_once(&entra, &signed(0, KID)), "in");
    assert_eq!(at_once(&entra, &signed(1, "k198")), "in");
}

#[tokio::test]
async fn the_keys_are_where_the_discovery_document_says() {
    let (_clock, documents) = (StoppedClock::new(), Documents::start().await);
    let authority = authority(&documents);
    let elsewhere = json!({ "issuer": issuer(), "jwks_uri": documents.url("/far/away?x=1") });
    documents.put(&discovery_path("/v2"), Page::json(&elsewhere));
    documents.put("/far/away", Page::json(&key(1).jwks("k2")));
    let entra = ready(authority).await;
    assert_eq!(at_once(&entra, &signed(1, "k2")), "in");
    assert_eq!(documents.seen()[1], "/far/away?x=1");
    assert_eq!(documents.count("/v2/keys"), 0);
}

/// Contract §6, "key gone from the document": Entra's key endpoint flaps.
#[tokio::test]
async fn a_key_that_vanishes_verifies_for_two_hours_and_is_looked_for_every_five_minutes() {
    let (clock, documents) = (StoppedClock::new(), Documents::start().await);
    let entra = ready(authority(&documents)).await;
    let (known, new) = (signed(0, KID), || {
        let mut claims = good();
        claims.insert("uti".into(), json!(fastrand::u64(..).to_string()));
        key(0).sign(&text(&good_header()), &text(&claims))
    });
    assert_eq!(ask(&entra, &known).await.status, 200);
    documents.put("/v2/keys", Page::json(&key(1).jwks("k2")));
    assert_eq!(ask(&entra, &signed(1, "k2")).await.status, 200);
    let fetches = || documents.count("/v2/keys");
    assert_eq!(fetches(), 2);
    let keys = || entra.status()[0].jwks[0].clone();
    assert_eq!((keys().key_count, keys().withdrawn_key_count), (2, 1));
    // Twenty-three times five minutes, in some of which the authority fails.
    let is_good = || {
        last_error(&entra).is_none() && keys().last_success_age.unwrap() < Duration::from_secs(1)
    };
    for round in 1..24 {
        let before = fetches();
        if round % 4 == 0 {
            documents.put(&discovery_path("/v2"), Page::status(500));
            clock.pass(Duration::from_secs(301)).await;
            eventually("a failure", || last_error(&entra).is_some()).await;
            documents.put_authority("/v2", &issuer(), &key(1).jwks("k2"));
            clock
                .pass_until("a good fetch", Duration::from_secs(1), is_good)
                .await;
        } else {
            clock.pass(Duration::from_secs(301)).await;
            eventually("a fetch", is_good).await;
        }
        assert_eq!(fetches(), before + 1, "{round}");
        assert_eq!(ask(&entra, &known).await.status, 200, "{round}");
        assert_eq!(ask(&entra, &new()).await.status, 200, "{round}");
    }
    documents.put(&discovery_path("/v2"), Page::status(500));
    clock.pass(Duration::from_secs(301)).await;
    eventually("the end", || keys().withdrawn_key_count == 0).await;
    // Whether a key came back cannot be known just now, and so for the known token.
    for token in [&known, &new()] {
        let answer = ask(&entra, token).await;
        assert_eq!(answer.brief(), (503, "keys_unavailable".into()));
    }
    documents.put_authority("/v2", &issuer(), &key(1).jwks("k2"));
    clock
        .pass_until("a good fetch", Duration::from_secs(60), || {
            last_error(&entra).is_none()
        })
        .await;
    for token in [&known, &new()] {
        let answer = ask(&entra, token).await;
        assert_eq!(answer.brief(), (401, "unknown_key".into()));
    }
}

#[tokio::test]
async fn withdrawn_keys_can_be_forgotten_at_once() {
    let (clock, documents) = (StoppedClock::new(), Documents::start().await);
    let entra = ready(authority(&documents)).await;
    let stolen = signed(0, KID);
    assert_eq!(ask(&entra, &stolen).await.status, 200);
    // Nothing has vanished: a key that is published stays in use.
    entra.forget_withdrawn_keys();
    eventually("a fetch", || documents.count("/v2/keys") == 2).await;
    settle().await;
    assert_eq!(ask(&entra, &stolen).await.status, 200);
    documents.put("/v2/keys", Page::json(&key(1).jwks("k2")));
    assert_eq!(ask(&entra, &signed(1, "k2")).await.status, 200);
    assert_eq!(ask(&entra, &stolen).await.status, 200, "in its grace");
    entra.forget_withdrawn_keys();
    assert_eq!(at_once(&entra, &stolen), "unknown_key");
    // One that has vanished since the last fetch is found out.
    settle().await;
    documents.put("/v2/keys", Page::json(&key(2).jwks("k3")));
    entra.forget_withdrawn_keys();
    eventually("the newest key", || {
        at_once(&entra, &signed(2, "k3")) == "in"
    })
    .await;
    assert_eq!(at_once(&entra, &signed(1, "k2")), "unknown_key");
    drop(clock);
}

#[tokio::test]
async fn without_grace_a_key_that_is_gone_refuses_its_tokens_at_once_known_ones_too() {
    let (clock, documents) = (StoppedClock::new(), Documents::start().await);
    let strict = JwksRefresh::default().withdrawal_grace(Duration::ZERO);
    let entra = ready(authority(&documents).jwks_refresh(strict)).await;
    let token = signed(0, KID);
    for _ in 0..3 {
        assert_eq!(ask(&entra, &token).await.status, 200);
    }
    documents.put("/v2/keys", Page::json(&key(1).jwks("k2")));
    clock.pass(2 * HOUR).await;
    eventually("the new key", || at_once(&entra, &signed(1, "k2")) == "in").await;
    assert_eq!(
        ask(&entra, &token).await.brief(),
        (401, "unknown_key".into())
    );

    // The same id with another key is another key.
    documents.put("/v2/keys", Page::json(&key(2).jwks("k2")));
    clock.pass(2 * HOUR).await;
    eventually("the newest key", || {
        at_once(&entra, &signed(2, "k2")) == "in"
    })
    .await;
    assert_eq!(
        ask(&entra, &signed(1, "k2")).await.brief(),
        (401, "bad_signature".into())
    );
}

/// Contract §6: "two keys with one `kid`: all are tried, each with its own `issuer`".
#[tokio::test]
async fn of_two_keys_with_one_id_each_is_for_its_own_issuer() {
    let (_clock, documents) = (StoppedClock::new(), Documents::start().await);
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let bound = |number: usize, tenant: &str| {
        let mut jwk = key(number).jwk(KID);
        jwk["issuer"] = template.replace("{tenantid}", tenant).into();
        jwk
    };
    let common = Authority::entra(Tenant::Common, API)
        .token_versions([TokenVersion::V2])
        .allowed_tenants(AllowedTenants::Any)
        .metadata_address(documents.discovery("/common"));
    let entra = async |keys: [Value; 2]| {
        documents.put_authority("/common", template, &jwks(&keys));
        ready(common.clone()).await
    };
    let third = "33333333-3333-4333-8333-333333333333";
    // One key, published for two tenants; in either order.
    for [one, other] in [[TENANT, OTHER], [OTHER, TENANT]] {
        let same = entra([bound(0, one), bound(0, other)]).await;
        assert_eq!(at_once(&same, &of_tenant(TENANT)), "in");
        assert_eq!(at_once(&same, &of_tenant(OTHER)), "in");
        assert_eq!(at_once(&same, &of_tenant(third)), "issuer");
        // Two keys: none of them is the other tenant's.
        let two = entra([bound(0, one), bound(1, other)]).await;
        assert_eq!(at_once(&two, &of_tenant(one)), "in");
        assert_eq!(at_once(&two, &of_tenant(other)), "issuer");
        assert_eq!(at_once(&two, &of_tenant(third)), "issuer");
    }
    // A key of a tenant beside one of all.
    let both = entra([bound(0, OTHER), bound(0, "{tenantid}")]).await;
    assert_eq!(at_once(&both, &of_tenant(TENANT)), "in");
}

const V1: &str = "https://sts.windows.net/{tenantid}/";
const V2: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A v1.0 token of a tenant.
fn first_version(number: usize, kid: &str, tenant: &str) -> String {
    let mut claims = good();
    claims.insert("ver".into(), json!("1.0"));
    claims.insert("iss".into(), json!(V1.replace("{tenantid}", tenant)));
    claims.insert("tid".into(), json!(tenant));
    let header = json!({ "alg": "RS256", "kid": kid });
    key(number).sign(&header.to_string(), &text(&claims))
}

/// Contract §6: how a consumers' key once opened companies' mailboxes. Whether v2.0 tokens are on
/// or off, the v2.0 document says whose tokens a v1.0 key verifies; before it was read, that cannot
/// be decided.
#[tokio::test]
async fn a_v1_key_of_many_tenants_verifies_only_after_the_v2_document_has_said_for_whom() {
    let (one, two) = (TokenVersion::V1, TokenVersion::V2);
    let _clock = StoppedClock::new();
    for (tenant, versions) in [
        (Tenant::Common, vec![one, two]),
        (Tenant::Common, vec![one]),
        (Tenant::Organizations, vec![one]),
    ] {
        let documents = Documents::start().await;
        let (mut free, mut bound) = (key(1).jwk("free"), key(0).jwk(KID));
        let both = jwks(&[bound.clone(), free.clone()]);
        documents.put_authority("/v1", V1, &both);
        documents.put(&discovery_path("/v2"), Page::status(500));
        let many = Authority::entra(tenant, API)
            .token_versions(versions)
            .allowed_tenants(AllowedTenants::Any)
            .allow_personal_accounts()
            .metadata_address_v1(documents.discovery("/v1"))
            .metadata_address(documents.discovery("/v2"));
        let entra = started(many);
        let status = || entra.status()[0].jwks.clone();
        eventually("both answers", || {
            status()[0].last_success_age.is_some() && status()[1].last_error.is_some()
        })
        .await;
        assert!(!entra.is_ready() && status()[0].key_count == 0);
        let company = first_version(0, KID, TENANT);
        for token in [&company, &first_version(1, "free", TENANT)] {
            assert_eq!(at_once(&entra, token), "keys_unavailable");
            assert_eq!(ask(&entra, token).await.status, 503);
        }
        bound["issuer"] = json!(V2.replace("{tenantid}", CONSUMERS));
        free["issuer"] = json!(V2);
        documents.put_authority("/v2", V2, &jwks(&[bound, free]));
        entra.forget_withdrawn_keys();
        eventually("v2.0 keys", || status()[1].key_count == 2).await;
        assert!(entra.is_ready() && status()[0].key_count == 2);
        assert_eq!(at_once(&entra, &company), "issuer");
        assert_eq!(at_once(&entra, &first_version(0, KID, CONSUMERS)), "in");
        for tenant in [TENANT, CONSUMERS] {
            assert_eq!(at_once(&entra, &first_version(1, "free", tenant)), "in");
        }
        // What it said holds while it cannot be read.
        documents.put(&discovery_path("/v2"), Page::status(500));
        entra.forget_withdrawn_keys();
        eventually("a failure", || status()[1].last_error.is_some()).await;
        assert_eq!(at_once(&entra, &company), "issuer");
        assert_eq!(at_once(&entra, &first_version(1, "free", TENANT)), "in");
        assert!(entra.is_ready());
    }
}

/// The counterpart: one tenant's v1.0 document is enough, and no other is fetched.
#[tokio::test]
async fn of_one_tenant_with_version_1_only_no_v2_document_is_read() {
    let (_clock, documents) = (StoppedClock::new(), Documents::start().await);
    let v1 = V1.replace("{tenantid}", TENANT);
    documents.put_authority("/v1", &v1, &jwks(&[key(0).jwk(KID)]));
    let one = Authority::entra(Tenant::new(TENANT), API)
        .token_versions([TokenVersion::V1])
        .metadata_address_v1(documents.discovery("/v1"))
        .metadata_address(documents.discovery("/v2"));
    let entra = ready(one).await;
    assert_eq!(at_once(&entra, &first_version(0, KID, TENANT)), "in");
    assert_eq!(entra.status()[0].jwks.len(), 1);
    let seen = documents.seen();
    assert!(seen.iter().all(|path| path.starts_with("/v1/")), "{seen:?}");
}

/// An application that brings its own keys says itself whose tokens each of them verifies.
#[tokio::test]
async fn static_keys_of_many_tenants_are_bound_by_their_own_issuer_only() {
    let (free, mut bound) = (key(1).jwk("free"), key(0).jwk(KID));
    bound["issuer"] = json!(V1.replace("{tenantid}", CONSUMERS));
    let many = Authority::entra(Tenant::Common, API)
        .token_versions([TokenVersion::V1])
        .allowed_tenants(AllowedTenants::Any)
        .allow_personal_accounts()
        .static_jwks(jwks(&[bound, free]).to_string());
    let entra = built(many);
    assert!(entra.is_ready());
    assert_eq!(at_once(&entra, &first_version(0, KID, TENANT)), "issuer");
    assert_eq!(at_once(&entra, &first_version(0, KID, CONSUMERS)), "in");
    assert_eq!(at_once(&entra, &first_version(1, "free", TENANT)), "in");
}

/// A token of a tenant, signed by the first key under `KID`.
fn of_tenant(tenant: &str) -> String {
    let mut claims = good();
    claims.insert("tid".into(), json!(tenant));
    claims.insert(
        "iss".into(),
        json!(format!("https://login.microsoftonline.com/{tenant}/v2.0")),
    );
    key(0).sign(&text(&good_header()), &text(&claims))
}

#[tokio::test]
async fn a_key_verifies_tokens_of_its_own_issuer_alone() {
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let of = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
    for (bound, expected) in [
        (issuer(), "in"),
        (template.to_owned(), "in"),
        (of(OTHER), "issuer"),
        (of("9188040d-6c67-4c5b-b112-36a304b66dad"), "issuer"),
        (format!("{}/", issuer()), "issuer"),
        (String::new(), "issuer"),
    ] {
        let mut jwk = key(0).jwk(KID);
        jwk["issuer"] = json!(bound);
        let entra = built(with_static_keys().static_jwks(jwks(&[jwk]).to_string()));
        assert_eq!(at_once(&entra, &of_tenant(TENANT)), expected, "{bound}");
    }
}

/// KEY-10: a key of personal accounts signs a business token.
#[tokio::test]
async fn a_key_of_personal_accounts_is_no_key_of_a_tenant() {
    let consumers = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let (_clock, documents) = (StoppedClock::new(), Documents::start().await);
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let mut personal = key(0).jwk(KID);
    personal["issuer"] = json!(format!(
        "https://login.microsoftonline.com/{consumers}/v2.0"
    ));
    let mut ordinary = key(1).jwk("k2");
    ordinary["issuer"] = json!(template);
    let unowned = key(2).jwk("k3");
    documents.put_authority("/common", template, &jwks(&[personal, ordinary, unowned]));
    let common = Authority::entra(Tenant::Common, API)
        .token_versions([TokenVersion::V2])
        .allowed_tenants(AllowedTenants::Any)
        .allow_personal_accounts()
        .metadata_address(documents.discovery("/common"));
    for authority in [common.clone(), common.clone().application_signing_keys()] {
        assert_eq!(
            count(&ready(authority).await),
            2,
            "a common key that names no issuer is left out"
        );
    }
    let entra = ready(common).await;
    assert_eq!(at_once(&entra, &of_tenant(consumers)), "in");
    assert_eq!(at_once(&entra, &of_tenant(TENANT)), "issuer");
    assert_eq!(at_once(&entra, &signed(1, "k2")), "in");
    assert_eq!(at_once(&entra, &signed(2, "k3")), "unknown_key");
}

#[tokio::test]
async fn a_document_of_many_tenants_that_speaks_for_one_is_refused() {
    let documents = Documents::start().await;
    let mut bound = key(0).jwk(KID);
    bound["issuer"] = json!(issuer());
    let keys = jwks(&[bound]);
    documents.put_authority("/common", &issuer(), &keys);
    let common = Authority::entra(Tenant::Common, API)
        .token_versions([TokenVersion::V2])
        .allowed_tenants(AllowedTenants::Any)
        .metadata_address(documents.discovery("/common"));
    let entra = started(common.clone());
    eventually("refused", || last_error(&entra).is_some()).await;
    assert_eq!(at_once(&entra, &signed(0, KID)), "keys_unavailable");
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    documents.put_authority("/common", template, &keys);
    assert_eq!(at_once(&ready(common).await, &signed(0, KID)), "in");
}

#[tokio::test]
async fn keys_without_an_issuer_are_good_where_the_document_speaks_for_one_tenant() {
    let entra = built(with_static_keys());
    assert_eq!(at_once(&entra, &of_tenant(TENANT)), "in");
    let documents = Documents::start().await;
    documents.put_authority(
        "/common",
        "https://login.microsoftonline.com/{tenantid}/v2.0",
        &key(0).jwks(KID),
    );
    let common = Authority::entra(Tenant::Organizations, API)
        .token_versions([TokenVersion::V2])
        .allowed_tenants(AllowedTenants::Any)
        .metadata_address(documents.discovery("/common"));
    let entra = started(common);
    eventually("an error", || last_error(&entra).is_some()).await;
    assert!(last_error(&entra).unwrap().contains("none of its 1 keys"));
}
