//! The cache of verified tokens, and the copies of hot ones.

use std::sync::Arc;

use super::per_thread::PerThreadClaims;
use super::*;
use crate::authority::Authority;
use crate::claims::Claims;
use crate::jwks::KeySet;
use crate::property::{Property, hold};
use crate::sync::thread;

const NOW: u64 = 1_800_000_000;

pub(crate) fn properties() -> Vec<Property> {
    vec![
        Property {
            name: "what-was-forgotten-is-not-kept",
            model: forgotten,
            faults: &["epoch-unchecked", "epoch-before-lock", "epoch-counted-late"],
        },
        Property {
            name: "a-token-finds-its-own-claims",
            model: own_claims,
            faults: &["token-not-compared"],
        },
        Property {
            name: "the-cache-counts-its-bytes",
            model: bytes,
            faults: &["bytes-not-returned"],
        },
        Property {
            name: "copies-stay-within-their-room",
            model: room,
            faults: &["room-taken-in-two-steps", "room-not-returned"],
        },
        Property {
            name: "threads-do-not-share-copies",
            model: copies,
            faults: &["copies-of-one-thread"],
        },
    ]
}

/// Claims of one of several accounts, parsed once.
pub(crate) fn claims(account: usize) -> Claims {
    static CLAIMS: std::sync::OnceLock<Vec<Claims>> = std::sync::OnceLock::new();
    let all = CLAIMS.get_or_init(|| {
        let of = |number: usize| {
            let claims = crate::testing::claims()
                .object_id(&format!("00000000-0000-4000-8000-{number:012}"));
            let claims = claims
                .claim("iat", NOW)
                .claim("nbf", NOW)
                .claim("exp", NOW + 3_600);
            claims
                .claim("sid", "session")
                .scope("access_as_user")
                .build()
        };
        (0..4).map(of).collect()
    });
    all[account].clone()
}

pub(crate) fn token(number: usize) -> String {
    format!("{number:024}")
}

pub(crate) fn keys() -> &'static KeySet {
    static KEYS: std::sync::OnceLock<KeySet> = std::sync::OnceLock::new();
    KEYS.get_or_init(|| key_set(&["k"]))
}

/// A document with these key ids.
pub(crate) fn key_set(kids: &[&str]) -> KeySet {
    let modulus = base64_simd::URL_SAFE_NO_PAD.encode_to_string([0xff; 256]);
    let key =
        |kid: &&str| serde_json::json!({ "kty": "RSA", "kid": kid, "n": modulus, "e": "AQAB" });
    let document = serde_json::json!({ "keys": kids.iter().map(key).collect::<Vec<_>>() });
    let tenant = crate::Tenant::new(crate::testing::TENANT);
    let authority = Authority::entra(tenant, "00000000-0000-4000-8000-000000000000")
        .resolve()
        .unwrap();
    let issuer = crate::authority::issuer::IssuerPattern::new("i");
    KeySet::read(
        document.to_string().as_bytes(),
        issuer,
        &authority.documents[0],
    )
    .unwrap()
}

pub(crate) fn entry(number: usize, account: usize) -> Entry {
    let key = Arc::clone(&keys().with_id("k")[0]);
    let signing_key = SigningKeyRef::new(0, 0, key, keys().generation());
    Entry::new(token(number).as_bytes(), claims(account), signing_key, 0)
}

/// One set and one lock; every token has the same hash.
fn cache() -> Arc<TokenCache> {
    Arc::new(TokenCache::hashing(20_000, TokenHash::constant()).unwrap())
}

fn is_kept(cache: &TokenCache, number: usize) -> bool {
    cache.get_with(token(number).as_bytes(), |_| ()).is_some()
}

/// A token that was verified before its account was forgotten is put in meanwhile.
fn forgotten() {
    let cache = cache();
    let before = cache.epoch();
    let (inserting, forgetting) = (Arc::clone(&cache), Arc::clone(&cache));
    let inserting = thread(1, move || inserting.insert(before, entry(1, 1), NOW));
    let forgetting = thread(2, move || {
        forgetting.forget(&[claims(1).account_id().unwrap()])
    });
    // A request with the token, at any moment of it.
    let _ = is_kept(&cache, 1);
    inserting.join().unwrap();
    forgetting.join().unwrap();
    hold!(
        !is_kept(&cache, 1),
        "the token of a forgotten account is kept"
    );
}

/// A place gets another token between the look at its tag and the look at its entry.
fn own_claims() {
    let cache = cache();
    cache.insert(cache.epoch(), entry(1, 1), NOW);
    let replacing = Arc::clone(&cache);
    let replacing = thread(1, move || {
        replacing.forget(&[claims(1).account_id().unwrap()]);
        replacing.insert(replacing.epoch(), entry(2, 2), NOW);
    });
    for number in [1, 2] {
        let found = cache.get_with(token(number).as_bytes(), |entry| entry.account());
        let own = claims(number).account_id();
        hold!(
            found.is_none_or(|found| found == own),
            "token {number} found another's claims"
        );
    }
    replacing.join().unwrap();
    hold!(
        !is_kept(&cache, 1) && is_kept(&cache, 2),
        "the wrong token is kept"
    );
}

/// The same token twice, another one, and an account that is forgotten.
fn bytes() {
    let cache = cache();
    let inserting = [1, 2].map(|number| {
        let cache = Arc::clone(&cache);
        thread(number, move || {
            cache.insert(cache.epoch(), entry(1, 1), NOW);
            if number == 2 {
                cache.forget(&[claims(1).account_id().unwrap()]);
            }
        })
    });
    inserting.map(|inserting| inserting.join().unwrap());
    hold!(
        cache.bytes() == cache.counted(),
        "{} bytes are counted, {} are there",
        cache.bytes(),
        cache.counted()
    );
}

/// Two threads want copies, and there is room for one and the table.
fn room() {
    let most = claims(1).bytes() + PerThreadClaims::table_bytes();
    let room = ByteBudget::of(most);
    let copies = Arc::new(PerThreadClaims::default());
    let asking = [1, 2].map(|number| {
        let (copies, room) = (Arc::clone(&copies), room.clone());
        thread(number, move || {
            drop(copies.clone_claims(&claims(1), &room, NOW))
        })
    });
    asking.map(|asking| asking.join().unwrap());
    hold!(
        room.left() <= most,
        "there is more room than there ever was"
    );
    drop(copies);
    hold!(
        room.left() == most,
        "{} bytes of {most} came back",
        room.left()
    );
}

/// Threads of different numbers, once each has its copy.
fn copies() {
    let room = ByteBudget::of(1 << 20);
    let copies = Arc::new(PerThreadClaims::default());
    let asking = [1, 2].map(|number| {
        let (copies, room) = (Arc::clone(&copies), room.clone());
        thread(number, move || {
            let first = copies.clone_claims(&claims(1), &room, NOW);
            (first, copies.clone_claims(&claims(1), &room, NOW))
        })
    });
    let given = asking.map(|asking| asking.join().unwrap());
    for (first, second) in &given {
        hold!(
            second.account_id() == claims(1).account_id(),
            "a copy has other claims"
        );
        hold!(
            first.is(&claims(1)) || first.is(second),
            "a thread has two copies"
        );
    }
    let [(_, one), (_, two)] = &given;
    hold!(
        !one.is(two) || one.is(&claims(1)),
        "two threads share a copy"
    );
    // Both asked twice with room for all.
    hold!(
        !one.is(&claims(1)) && !two.is(&claims(1)),
        "a hot token has no copy"
    );
    // Both may have wanted to make the table.
    let taken = PerThreadClaims::table_bytes() + 2 * claims(1).bytes();
    hold!(
        room.left() == (1 << 20) - taken,
        "{} bytes are left, and {taken} are taken",
        room.left()
    );
}
