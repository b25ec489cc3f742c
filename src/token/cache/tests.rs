//! The cache says yes to nothing that the whole judgement would refuse.

mod authorities;
mod encrypted;
mod heat;
mod model;
mod room;
mod signing_key;
mod sizes;
mod spread;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::bucket::Set;
use super::hash::TokenHash;
use super::*;
use crate::authority::Authority;
use crate::claims::{Claims, Time, Times};
use crate::jwks::KeySet;
use crate::jwks::snapshot::{KeyPublisher, Snapshot, key_store};
use crate::token::checks::lifetime;
use crate::token::{AuthorityState, ValidationFailure, Validator, Verdict};
use crate::{Tenant, TokenVersion};
use entra_emulator::{API_ID, CONTOSO, Emulator, TokenBuilder};

const NOW: u64 = 1_800_000_000;
const SKEW: u64 = 300;

/// Two validators of the same authority; one has a cache.
struct Twins {
    emulator: Emulator,
    cached: Validator,
    plain: Validator,
    publishers: Vec<(Validated, KeyPublisher)>,
}

type Validated = crate::authority::Document;

impl Twins {
    async fn new() -> Self {
        Self::with(TokenCache::new(1 << 20)).await
    }

    async fn with(cache: Option<TokenCache>) -> Self {
        let emulator = Emulator::start().await.unwrap();
        let mut publishers = Vec::new();
        let [cached, plain] = [cache, None].map(|cache| {
            let trust = Authority::entra(Tenant::new(CONTOSO), API_ID)
                .instance(emulator.url())
                .token_versions([TokenVersion::V2])
                .resolve()
                .unwrap();
            let (publisher, reader) = key_store(std::time::Duration::from_secs(300));
            publishers.push((trust.documents[0].clone(), publisher));
            let installed = AuthorityState {
                trust,
                readers: vec![reader],
                binding: None,
                tenant_from_discovery: false,
                discovered_tenant: Arc::default(),
                context: None,
            };
            Validator::new(vec![installed], 65_536, Arc::default(), 0)
                .unwrap()
                .with_cache(cache)
        });
        let twins = Self {
            emulator,
            cached,
            plain,
            publishers,
        };
        twins.publish(&twins.emulator.keys_document());
        twins
    }

    fn publish(&self, document: &Value) {
        self.publish_stating(document, &self.emulator.issuer(CONTOSO));
    }

    fn publish_stating(&self, document: &Value, issuer: &str) {
        for (place, publisher) in &self.publishers {
            let issuer = crate::authority::issuer::IssuerPattern::new(issuer);
            let keys = KeySet::read(document.to_string().as_bytes(), issuer, place).unwrap();
            publisher.publish(Snapshot {
                keys: Some(Arc::new(keys)),
                confirmed: Some(Instant::now()),
                last_error: None,
            });
        }
    }

    fn no_keys(&self) {
        for (_, publisher) in &self.publishers {
            publisher.publish(Snapshot::default());
            publisher.answer(None, false);
        }
    }

    fn token(&self) -> TokenBuilder {
        let token = self.emulator.token().user("alice").scope("access_as_user");
        token.issued_at(NOW).expires_at(NOW + 3_600)
    }

    /// What both say, which must be the same.
    fn validate(&self, token: &str, now: u64) -> String {
        let [cached, plain] =
            [&self.cached, &self.plain].map(|validator| said(&validator.validate(token, now)));
        assert_eq!(cached, plain, "at {now}");
        cached
    }

    fn is_kept(&self, token: &str) -> bool {
        self.cached.is_kept(token)
    }
}

fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Valid(_) => "valid".to_owned(),
        Verdict::Wait(_) => "wait".to_owned(),
        Verdict::Refused(ValidationFailure::Invalid(invalid)) => invalid.to_string(),
        Verdict::Refused(ValidationFailure::Denied { refused, .. }) => refused.reason.to_string(),
        Verdict::Refused(_) => "keys_unavailable".to_owned(),
    }
}

#[test]
fn a_set_is_one_line_of_the_processors_cache() {
    assert_eq!((size_of::<Set>(), align_of::<Set>()), (64, 64));
}

#[tokio::test]
async fn a_token_that_was_accepted_is_known_the_next_time() {
    let twins = Twins::new().await;
    let token = twins.token().mint();
    assert!(!twins.is_kept(&token));
    assert_eq!(twins.validate(&token, NOW), "valid");
    assert!(twins.is_kept(&token));
    assert_eq!(twins.validate(&token, NOW), "valid");
    let claims = twins.cached.lookup_cached(token.as_bytes(), NOW);
    let Some(Verdict::Valid(claims)) = claims else {
        panic!("not known")
    };
    assert!(claims.scopes().eq(["access_as_user"]));
}

#[tokio::test]
async fn a_refused_token_is_not_kept() {
    let twins = Twins::new().await;
    for refused in [
        twins.token().expires_at(NOW - 1_000).issued_at(0).mint(),
        twins.token().audience("api://other").mint(),
        twins.token().unpublished_key().mint(),
        twins.token().raw_signature("A".repeat(342)).mint(),
        twins.token().without("scp").without("roles").mint(),
        twins.token().mint() + "A",
        "a.b.c".to_owned(),
    ] {
        assert_ne!(twins.validate(&refused, NOW), "valid");
        assert!(!twins.is_kept(&refused));
    }
}

#[tokio::test]
async fn at_every_clock_the_answer_is_the_one_without_the_cache() {
    let twins = Twins::new().await;
    let token = twins
        .token()
        .not_before(NOW)
        .claim("exp", json!(3_600.5 + NOW as f64))
        .mint();
    assert_eq!(twins.validate(&token, NOW), "valid");
    let edges = [NOW, NOW - SKEW, NOW + 3_600, NOW + 3_600 + SKEW];
    for edge in edges.into_iter().chain([2_000, u64::MAX / 2, u64::MAX - 2]) {
        for now in edge.saturating_sub(2)..=edge + 2 {
            twins.validate(&token, now);
        }
    }
    assert_eq!(twins.validate(&token, NOW + 3_900), "valid");
    assert!(twins.validate(&token, NOW + 3_901).contains("expired"));
    // The clock goes back: behind the end of the token, and before its beginning.
    assert_eq!(twins.validate(&token, NOW - SKEW), "valid");
    assert!(
        twins
            .validate(&token, NOW - SKEW - 1)
            .contains("not valid yet")
    );
    assert!(twins.is_kept(&token));
}

#[test]
fn one_function_judges_the_lifetime_of_old_and_new_tokens() {
    let times = |expires_at, not_before, issued_at| Times {
        expires_at,
        not_before: Option::map(not_before, Time::at),
        issued_at: Option::map(issued_at, Time::at),
    };
    let check_times = |times: Times, now| lifetime::check_times(&times, 10, now).is_ok();
    assert!(
        check_times(times(100.0, None, None), 109) && !check_times(times(100.0, None, None), 110)
    );
    assert!(
        check_times(times(100.5, None, None), 110) && !check_times(times(100.5, None, None), 111)
    );
    assert!(check_times(times(100.0, Some(50.0), None), 40));
    assert!(!check_times(times(100.0, Some(50.5), None), 40));
    assert!(check_times(times(100.0, None, Some(50.0)), 40));
    assert!(!check_times(times(100.0, None, Some(50.5)), 40));
}

#[tokio::test]
async fn a_token_whose_key_is_gone_is_refused() {
    let twins = Twins::new().await;
    let token = twins.token().mint();
    assert_eq!(twins.validate(&token, NOW), "valid");
    twins.emulator.rotate_keys();
    twins.publish(&twins.emulator.keys_document());
    assert_eq!(twins.validate(&token, NOW), "valid", "still published");
    twins.emulator.retire_old_keys();
    twins.publish(&twins.emulator.keys_document());
    assert_ne!(twins.validate(&token, NOW), "valid");
    assert_ne!(twins.validate(&token, NOW), "valid");
}

#[tokio::test]
async fn a_token_whose_keys_id_is_another_keys_is_refused() {
    let twins = Twins::new().await;
    let token = twins.token().mint();
    let kid = twins.emulator.signing_key_id();
    assert_eq!(twins.validate(&token, NOW), "valid");
    twins.emulator.rotate_keys();
    twins.emulator.retire_old_keys();
    let mut document = twins.emulator.keys_document();
    document["keys"][0]["kid"] = json!(kid);
    twins.publish(&document);
    assert!(twins.validate(&token, NOW).contains("signature"));
}

#[tokio::test]
async fn a_token_whose_key_is_bound_to_another_issuer_is_refused() {
    let twins = Twins::new().await;
    let token = twins.token().mint();
    assert_eq!(twins.validate(&token, NOW), "valid");
    let document = twins.emulator.keys_document();
    let mut bound = document.clone();
    for key in bound["keys"].as_array_mut().unwrap() {
        key["issuer"] = json!("https://elsewhere.example/v2.0");
    }
    twins.publish(&bound);
    assert!(twins.validate(&token, NOW).contains("issuer"));
    twins.publish_stating(&document, "https://elsewhere.example/v2.0");
    assert!(twins.validate(&token, NOW).contains("issuer"));
    twins.publish(&document);
    assert_eq!(twins.validate(&token, NOW), "valid");
}

#[tokio::test]
async fn without_keys_a_known_token_is_not_decided_on() {
    let twins = Twins::new().await;
    let token = twins.token().mint();
    assert_eq!(twins.validate(&token, NOW), "valid");
    twins.no_keys();
    assert_eq!(twins.validate(&token, NOW), "keys_unavailable");
    twins.publish(&twins.emulator.keys_document());
    assert_eq!(twins.validate(&token, NOW), "valid");
}

#[tokio::test]
async fn an_account_is_forgotten_and_no_other() {
    let twins = Twins::new().await;
    let tokens: Vec<String> = (0..20)
        .map(|number| twins.token().claim("uti", number).mint())
        .collect();
    let other = twins.emulator.token().user("bob").scope("access_as_user");
    let other = other.issued_at(NOW).expires_at(NOW + 3_600).mint();
    for token in tokens.iter().chain([&other]) {
        assert_eq!(twins.validate(token, NOW), "valid");
        assert!(twins.is_kept(token));
    }
    let Verdict::Valid(alice) = twins.plain.validate(&tokens[0], NOW) else {
        panic!("refused")
    };
    twins.cached.forget(&[alice.account_id().unwrap()]);
    assert!(tokens.iter().all(|token| !twins.is_kept(token)));
    assert!(twins.is_kept(&other));
    assert_eq!(twins.validate(&tokens[0], NOW), "valid");
}

#[tokio::test]
async fn accounts_are_forgotten_together_and_no_other() {
    let twins = Twins::new().await;
    let account = |number: u32| format!("00000000-0000-4000-8000-{number:012}");
    let token = |number| twins.token().claim("oid", account(number)).mint();
    let tokens: Vec<String> = (0..60).map(token).collect();
    let mut forgotten = Vec::new();
    for (number, token) in tokens.iter().enumerate() {
        assert_eq!(twins.validate(token, NOW), "valid");
        let Verdict::Valid(claims) = twins.plain.validate(token, NOW) else {
            panic!("refused")
        };
        if number % 3 != 0 {
            forgotten.extend(claims.account_id());
        }
    }
    twins.cached.forget(&forgotten);
    for (number, token) in tokens.iter().enumerate() {
        assert_eq!(twins.is_kept(token), number % 3 == 0, "{number}");
    }
}

#[tokio::test]
async fn what_was_verified_before_an_account_was_forgotten_is_not_kept() {
    let twins = Twins::new().await;
    let token = twins.token().mint();
    let Verdict::Valid(claims) = twins.plain.validate(&token, NOW) else {
        panic!("refused")
    };
    let cache = TokenCache::new(1 << 20).unwrap();
    let before = cache.epoch();
    cache.forget(&[claims.account_id().unwrap()]);
    cache.insert(before, entry(&token, &claims), NOW);
    assert!(cache.get_with(token.as_bytes(), |_| ()).is_none());
    cache.insert(cache.epoch(), entry(&token, &claims), NOW);
    assert!(cache.get_with(token.as_bytes(), |_| ()).is_some());
}

#[tokio::test]
async fn tokens_of_one_hash_are_told_apart() {
    let cache = TokenCache::hashing(1 << 20, TokenHash::constant());
    let twins = Twins::with(cache).await;
    let tokens: Vec<String> = (0..20)
        .map(|number| {
            twins
                .token()
                .claim("oid", format!("00000000-0000-4000-8000-{number:012}"))
                .mint()
        })
        .collect();
    for _ in 0..2 {
        for token in &tokens {
            assert_eq!(twins.validate(token, NOW), "valid");
            let Some(Verdict::Valid(claims)) = twins.cached.lookup_cached(token.as_bytes(), NOW)
            else {
                panic!("the newest is kept");
            };
            let Verdict::Valid(own) = twins.plain.validate(token, NOW) else {
                panic!("refused");
            };
            assert_eq!(claims.object_id(), own.object_id());
        }
    }
    // The signature of one under the claims of another.
    let (signed, _) = tokens[0].rsplit_once('.').unwrap();
    let (_, signature) = tokens[19].rsplit_once('.').unwrap();
    let forged = format!("{signed}.{signature}");
    assert!(twins.validate(&forged, NOW).contains("signature"));
}

#[tokio::test]
async fn a_flood_of_valid_tokens_stays_within_the_bytes() {
    let twins = Twins::new().await;
    let Verdict::Valid(claims) = twins.plain.validate(&twins.token().mint(), NOW) else {
        panic!("refused")
    };
    for most in [20_000, 100_000, 3 << 20] {
        let cache = TokenCache::new(most).unwrap();
        for number in 0..5_000 {
            let token = format!("{}{number:024}", "x".repeat(number % 4_000));
            cache.insert(cache.epoch(), entry(&token, &claims), NOW);
            let kept = cache.get_with(token.as_bytes(), |_| ()).is_some();
            assert!(kept || token.len() > 1_000 && most == 20_000);
        }
        assert!(cache.bytes() <= most, "{} of {most}", cache.bytes());
        assert!(cache.bytes() > most / 2, "{} of {most}", cache.bytes());
        assert_eq!(cache.counted(), cache.bytes());
    }
}

#[tokio::test]
async fn great_tokens_make_room_for_each_other_and_stay_within_the_bytes() {
    let twins = Twins::new().await;
    let Verdict::Valid(claims) = twins.plain.validate(&twins.token().mint(), NOW) else {
        panic!("refused")
    };
    for most in [40_000, 200_000, 3 << 20] {
        let cache = TokenCache::new(most).unwrap();
        for number in 0..2_000 {
            let token = format!("{}{number:024}", "x".repeat(8_000 + number % 4_000));
            cache.insert(cache.epoch(), entry(&token, &claims), NOW);
            assert!(cache.get_with(token.as_bytes(), |_| ()).is_some());
        }
        assert!(cache.bytes() <= most, "{} of {most}", cache.bytes());
        assert!(cache.bytes() > most / 2, "{} of {most}", cache.bytes());
        assert_eq!(cache.counted(), cache.bytes());
    }
}

#[tokio::test]
async fn a_token_in_use_outlives_a_flood() {
    let twins = Twins::new().await;
    let Verdict::Valid(claims) = twins.plain.validate(&twins.token().mint(), NOW) else {
        panic!("refused")
    };
    let cache = TokenCache::new(100_000).unwrap();
    let mine = format!("{:024}", 1);
    cache.insert(cache.epoch(), entry(&mine, &claims), NOW);
    let mut missed = 0;
    for number in 2..5_000 {
        let found = cache.get_with(mine.as_bytes(), |entry| {
            entry.clone_claims(cache.room(), NOW)
        });
        if found.is_none() {
            missed += 1;
            cache.insert(cache.epoch(), entry(&mine, &claims), NOW);
        }
        let token = format!("{number:024}");
        cache.insert(cache.epoch(), entry(&token, &claims), NOW);
    }
    assert!(missed < 5, "{missed}");
}

#[tokio::test]
async fn a_hot_token_has_claims_of_its_own_on_every_thread_and_loses_them_with_its_entry() {
    let twins = Twins::new().await;
    let token = twins.token().mint();
    let Verdict::Valid(claims) = twins.cached.validate(&token, NOW) else {
        panic!("refused")
    };
    let give = || {
        let mut last = None;
        for _ in 0..10_000 {
            last = match twins.cached.validate(&token, NOW) {
                Verdict::Valid(claims) => Some(claims),
                _ => panic!("refused"),
            };
        }
        last.unwrap()
    };
    let here = give();
    let there = std::thread::scope(|scope| scope.spawn(give).join().unwrap());
    assert!(!here.is(&there) && !here.is(&claims) && !there.is(&claims));
    assert_eq!(here.object_id(), there.object_id());
    twins.cached.forget(&[claims.account_id().unwrap()]);
    assert!(!twins.is_kept(&token));
    twins.no_keys();
    assert_eq!(twins.validate(&token, NOW), "keys_unavailable");
}

#[tokio::test]
async fn off_is_off() {
    assert!(TokenCache::new(0).is_none());
    assert!(TokenCache::new(100).is_none());
    let twins = Twins::with(TokenCache::new(0)).await;
    let token = twins.token().mint();
    assert_eq!(twins.validate(&token, NOW), "valid");
    assert!(!twins.is_kept(&token));
}

/// Claims of a user whose token was verified.
async fn claims() -> Claims {
    let twins = Twins::new().await;
    match twins.plain.validate(&twins.token().mint(), NOW) {
        Verdict::Valid(claims) => claims,
        _ => panic!("refused"),
    }
}

/// An entry by no key of the variants'.
fn entry(token: &str, claims: &Claims) -> Entry {
    Entry::new(token.as_bytes(), claims.clone(), signing_key(), 0)
}

fn signing_key() -> SigningKeyRef {
    static KEYS: std::sync::LazyLock<KeySet> = std::sync::LazyLock::new(|| {
        let modulus = base64_simd::URL_SAFE_NO_PAD.encode_to_string([0xff; 256]);
        let document = json!({ "keys": [{ "kty": "RSA", "kid": "k", "n": modulus, "e": "AQAB" }] });
        let authority = Authority::entra(Tenant::new(CONTOSO), API_ID);
        KeySet::read(
            document.to_string().as_bytes(),
            crate::authority::issuer::IssuerPattern::new("i"),
            &authority.resolve().unwrap().documents[0],
        )
        .unwrap()
    });
    let key = Arc::clone(&KEYS.with_id("k")[0]);
    SigningKeyRef::new(0, 0, key, KEYS.generation())
}
