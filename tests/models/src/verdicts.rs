//! A verdict that is kept, and what takes it back.

pub(crate) use super::cache::models as cache;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use self::cache::{claims, entry, token};
use super::cache::{SigningKeyRef, TokenCache};
use super::*;
use crate::authority::Authority;
use crate::jwks::KeySet;
use crate::jwks::snapshot::{KeyPublisher, Snapshot, key_store};
use crate::property::{Property, hold};
use crate::revocation::RevocationState;
use crate::sync::{block_on, thread};
use crate::{Tenant, TokenVersion};

const NOW: u64 = 1_800_000_000;

pub(crate) fn properties() -> Vec<Property> {
    vec![
        Property {
            name: "after-a-cut-off-no-older-verdict-is-served",
            model: cut_off,
            faults: &["newest-raised-late", "verdict-not-revalidated"],
        },
        Property {
            name: "a-token-verified-before-its-cut-off-is-not-served-after-it",
            model: verified_before,
            faults: &["epoch-unchecked", "epoch-counted-late"],
        },
        Property {
            name: "after-a-key-is-withdrawn-its-verdicts-are-not-served",
            model: withdrawn_key,
            faults: &["key-not-looked-for-again", "verdict-not-revalidated"],
        },
        #[cfg(not(any(feature = "loom", feature = "shuttle")))]
        Property {
            name: "requests-on-a-hot-token-write-nothing-shared",
            model: no_shared_write,
            faults: &["copies-of-one-thread"],
        },
    ]
}

struct World {
    validator: Validator,
    accounts: Arc<RevocationState>,
    keys: KeyPublisher,
}

impl World {
    /// One authority with its keys, and a cache with token 1 of account 1.
    fn new() -> Arc<Self> {
        let trust = Authority::entra(
            Tenant::new(crate::testing::TENANT),
            "00000000-0000-4000-8000-000000000000",
        )
        .token_versions([TokenVersion::V2])
        .resolve()
        .unwrap();
        let (keys, reader) = key_store(Duration::from_secs(300));
        let installed = AuthorityState {
            trust,
            readers: vec![reader],
            binding: None,
            tenant_from_discovery: false,
            discovered_tenant: Arc::default(),
            context: None,
        };
        let accounts = Arc::new(RevocationState::in_memory());
        let validator = Validator::new(vec![installed], 65_536, Arc::clone(&accounts), 0).unwrap();
        let world = Self {
            validator: validator.with_cache(TokenCache::new(200_000)),
            accounts,
            keys,
        };
        world.publish(cache::keys());
        let kept = world.validator.cache.as_ref().unwrap();
        kept.insert(kept.epoch(), entry(1, 1), NOW);
        Arc::new(world)
    }

    fn publish(&self, keys: &KeySet) {
        self.keys.publish(Snapshot {
            keys: Some(Arc::new(keys.clone())),
            confirmed: Some(Instant::now()),
            last_error: None,
        });
    }

    fn serves(&self) -> bool {
        let verdict = self.validator.lookup_cached(token(1).as_bytes(), NOW);
        matches!(verdict, Some(Verdict::Valid(_)))
    }

    /// What the API's own handler or another replica's news does.
    fn revoke(&self) {
        let account = claims(1).account_id().unwrap();
        block_on(self.accounts.revoke(&account, NOW + 301, NOW + 301)).unwrap();
    }
}

/// Two revoke the account in the same second; each has its answer only when the cut-off holds.
fn cut_off() {
    let world = World::new();
    let other = Arc::clone(&world);
    let other = thread(1, move || {
        other.revoke();
        hold!(!other.serves(), "a revoked token was served to the second");
    });
    world.revoke();
    hold!(!world.serves(), "a revoked token was served to the first");
    other.join().unwrap();
    hold!(!world.serves(), "a revoked token was served in the end");
}

/// A request verifies its token, and keeps the verdict while the account is revoked.
fn verified_before() {
    let world = World::new();
    let forgetful = Arc::downgrade(&world);
    world.accounts.on_forget_own(move |accounts| {
        if let Some(world) = forgetful.upgrade() {
            world.validator.forget(accounts);
        }
    });
    let kept = world.validator.cache.as_ref().unwrap();
    let before = kept.epoch();
    let own = entry(1, 1);
    let good = world
        .validator
        .revalidate(own.claims(), own.signing_key(), NOW)
        .is_ok();
    let other = Arc::clone(&world);
    let revoking = thread(1, move || other.revoke());
    // Random schedules hardly ever let a short step be the last one: other requests come before it.
    for _ in 0..OTHER_REQUESTS {
        let _ = world.serves();
    }
    if good {
        kept.insert(before, own, NOW);
    }
    let _ = world.serves();
    revoking.join().unwrap();
    hold!(
        !world.serves(),
        "a verdict from before the cut-off was served"
    );
    hold!(
        kept.get_with(token(1).as_bytes(), |_| ()).is_none(),
        "it is kept"
    );
}

const OTHER_REQUESTS: usize = if cfg!(feature = "loom") { 0 } else { 5 };

/// The signing key vanishes while two requests look for it.
fn withdrawn_key() {
    static OTHER: std::sync::OnceLock<KeySet> = std::sync::OnceLock::new();
    let world = World::new();
    let other = OTHER.get_or_init(|| cache::key_set(&["other"]));
    let asking = Arc::clone(&world);
    let asking = thread(1, move || asking.serves());
    world.publish(other);
    hold!(!world.serves(), "a verdict by a withdrawn key was served");
    asking.join().unwrap();
    hold!(
        !world.serves(),
        "a verdict by a withdrawn key was served in the end"
    );
    world.keys.publish(Snapshot::default());
    hold!(!world.serves(), "a verdict was served without keys");
}

/// Sixteen threads, a thousand requests each, all with one token that is hot.
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
fn no_shared_write() {
    const THREADS: usize = 16;
    const REQUESTS: usize = 1_000;
    let world = World::new();
    // Each thread has its copy, and nothing is counted yet.
    let (warm, counted) = (
        Arc::new(std::sync::Barrier::new(THREADS + 1)),
        Arc::new(std::sync::Barrier::new(THREADS + 1)),
    );
    let asking: Vec<_> = (0..THREADS)
        .map(|number| {
            let (world, warm, counted) =
                (Arc::clone(&world), Arc::clone(&warm), Arc::clone(&counted));
            thread(number, move || {
                (0..4).for_each(|_| hold!(world.serves(), "a good token is refused"));
                warm.wait();
                counted.wait();
                (0..REQUESTS).for_each(|_| hold!(world.serves(), "a good token is refused"));
            })
        })
        .collect();
    warm.wait();
    crate::sync::base::begin();
    counted.wait();
    asking.into_iter().for_each(|asking| asking.join().unwrap());
    let objects = crate::sync::base::end();
    let shared: Vec<_> = objects
        .values()
        .filter(|touched| touched.is_shared_write())
        .collect();
    let writes: usize = objects.values().map(|touched| touched.writes).sum();
    let own = objects
        .values()
        .filter(|touched| touched.writers.len() == 1)
        .count();
    eprintln!(
        "{THREADS} threads, {REQUESTS} requests each: {} objects, {writes} writes to {own} objects of one thread each, {} shared writes",
        objects.len(),
        shared.iter().map(|touched| touched.writes).sum::<usize>(),
    );
    hold!(shared.is_empty(), "{shared:?}");
    // A count that sees nothing proves nothing: a clone and a drop for each request.
    hold!(
        writes >= 2 * THREADS * REQUESTS,
        "the clones were not counted"
    );
}
