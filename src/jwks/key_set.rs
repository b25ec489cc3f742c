//! A snapshot of one document's keys, never empty and never changed.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::crypto::VerifyingKey;
use super::fetch_error::JwksFetchError;
use super::jwk::{Jwk, Skipped};
use super::snapshot::Generation;
use crate::authority::Document;
use crate::authority::issuer::{IssuerPattern, first_guid};

/// A key as its document publishes it: under an id, and with the issuer that the document states.
#[derive(Debug)]
pub(crate) struct PublishedKey {
    kid: Box<str>,
    key: Arc<VerifyingKey>,
    stated: IssuerPattern,
    tenants: Tenants,
}

/// The tenants that the authority's v2.0 document binds a v1.0 key to, which cannot say it itself.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tenants {
    All,
    Only(Vec<Uuid>),
}

impl PublishedKey {
    pub(crate) fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Whether it may verify tokens of this issuer: the document states it, the key is bound to no
    /// other, nor is its cloud another one.
    pub(crate) fn is_for(&self, issuer: &str) -> bool {
        let bound = |own: &IssuerPattern| own.matches(issuer);
        bound(&self.stated)
            && self.key.issuer().is_none_or(bound)
            && !self.key.is_of_another_cloud()
            && match &self.tenants {
                Tenants::All => true,
                Tenants::Only(tenants) => {
                    first_guid(issuer).is_some_and(|(_, tenant)| tenants.contains(&tenant))
                }
            }
    }

    /// Whether two keys of one id verify the same tokens.
    fn is(&self, other: &Self) -> bool {
        self.key.fingerprint() == other.key.fingerprint()
            && self.key.issuer() == other.key.issuer()
            && self.key.is_of_another_cloud() == other.key.is_of_another_cloud()
            && self.stated == other.stated
            && self.tenants == other.tenants
    }

    fn bound_to(&self, tenants: Tenants) -> Self {
        Self {
            kid: self.kid.clone(),
            key: Arc::clone(&self.key),
            stated: self.stated.clone(),
            tenants,
        }
    }
}

type Keys = HashMap<Box<str>, Vec<Arc<PublishedKey>>>;

/// The keys of one document and the issuer it states; those that have vanished from it lately too.
#[derive(Clone)]
pub(crate) struct KeySet {
    issuer: IssuerPattern,
    generation: Generation,
    by_kid: Keys,
    /// Ids that the last answer lacks, and until when their keys verify all the same.
    withdrawn: HashMap<Box<str>, Instant>,
    /// Ids that the document has for keys that cannot be used, and for those beyond the limit.
    skipped_ids: HashSet<Box<str>>,
    skipped: usize,
}

/// More keys than any authority publishes; the rest of a longer document is left out.
const MOST_KEYS: usize = 1_000;

impl KeySet {
    /// Reads a JWK set (RFC 7517 section 5), key by key.
    ///
    /// # Errors
    /// [`JwksFetchError`] where it is no such set, or none of its keys can be used.
    pub(crate) fn read(
        json: &[u8],
        issuer: IssuerPattern,
        document: &Document,
    ) -> Result<Self, JwksFetchError> {
        const DOCUMENT: &str = "keys document";
        let root: Value = serde_json::from_slice(json)
            .map_err(|_| JwksFetchError::InvalidJson { document: DOCUMENT })?;
        let keys = root
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(JwksFetchError::InvalidJson { document: DOCUMENT })?;
        let mut set = Self {
            issuer,
            generation: Generation::next(),
            by_kid: Keys::new(),
            withdrawn: HashMap::new(),
            skipped_ids: HashSet::new(),
            skipped: 0,
        };
        for (place, json) in keys.iter().enumerate() {
            let key = if place < MOST_KEYS {
                Jwk::read(json, document)
            } else {
                Err(Skipped::TooMany)
            };
            match key {
                Ok(Jwk { kid, key }) => set.add(kid.into_boxed_str(), key),
                Err(_) => {
                    let kid = json.get("kid").and_then(Value::as_str).unwrap_or_default();
                    set.skipped_ids.insert(kid.into());
                    set.skipped = set.skipped.saturating_add(1);
                }
            }
        }
        if set.by_kid.is_empty() {
            return Err(JwksFetchError::NoUsableKey { keys: keys.len() });
        }
        Ok(set)
    }

    fn add(&mut self, kid: Box<str>, key: VerifyingKey) {
        let published = Arc::new(PublishedKey {
            kid: kid.clone(),
            key: Arc::new(key),
            stated: self.issuer.clone(),
            tenants: Tenants::All,
        });
        self.by_kid.entry(kid).or_default().push(published);
    }

    /// The keys of that id: one, seldom two, mostly none for a token from elsewhere.
    pub(crate) fn with_id(&self, kid: &str) -> &[Arc<PublishedKey>] {
        self.by_kid.get(kid).map_or(&[], Vec::as_slice)
    }

    /// The ids of the keys in use.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_kid.keys().map(|kid| &**kid)
    }

    /// Whether the document has this id for a key that cannot be used; fetching again is no help.
    pub(crate) fn has_unusable_kid(&self, kid: &str) -> bool {
        self.skipped_ids.contains(kid)
    }

    /// Whether a key that verified a token earlier is still in use: under its id, bound to the
    /// same issuer, in a document that states the same one.
    pub(crate) fn contains(&self, known: &PublishedKey) -> bool {
        self.with_id(&known.kid).iter().any(|own| own.is(known))
    }

    /// The set that is in use after `before`, once this answer has come: keys that it lacks verify
    /// until `grace` is over, counted from the first answer that lacked them.
    ///
    /// An id that is in the answer has no grace, also where its new key cannot be used; nor have
    /// keys of an issuer that the document does not state any more. Keys that are the same are
    /// shared, since tokens of the cache may hold them. Also says which ids have just vanished.
    pub(crate) fn following(
        mut self,
        before: &Self,
        grace: Duration,
        now: Instant,
    ) -> (Self, Vec<Box<str>>) {
        for key in self.by_kid.values_mut().flatten() {
            let known = before.with_id(&key.kid);
            // What the v2.0 document said of a v1.0 key holds for as long as the key is there.
            if let Some(bound) = known.iter().find(|own| own.tenants != Tenants::All) {
                *key = Arc::new(key.bound_to(bound.tenants.clone()));
            }
            if let Some(known) = known.iter().find(|known| known.is(key)) {
                *key = Arc::clone(known);
            }
        }
        let mut vanished = Vec::new();
        if before.issuer != self.issuer || grace.is_zero() {
            return (self, vanished);
        }
        for (kid, keys) in &before.by_kid {
            if self.by_kid.contains_key(kid) || self.has_unusable_kid(kid) {
                continue;
            }
            let since = before.withdrawn.get(kid).copied();
            let until = since.or_else(|| now.checked_add(grace)).unwrap_or(now);
            if until <= now || self.withdrawn.len() >= MOST_KEYS {
                continue;
            }
            if since.is_none() {
                vanished.push(kid.clone());
            }
            self.withdrawn.insert(kid.clone(), until);
            self.by_kid.insert(kid.clone(), keys.clone());
        }
        (self, vanished)
    }

    /// The set without the withdrawn keys whose time is over; `None` where it is this one.
    pub(super) fn at(&self, now: Instant) -> Option<Self> {
        self.keeping(|until| now < until)
    }

    /// The set without its withdrawn keys; `None` where it has none.
    pub(super) fn without_withdrawn(&self) -> Option<Self> {
        self.keeping(|_| false)
    }

    fn keeping(&self, keep: impl Fn(Instant) -> bool) -> Option<Self> {
        let over = |until: &Instant| !keep(*until);
        if !self.withdrawn.values().any(over) {
            return None;
        }
        let mut set = self.clone();
        set.generation = Generation::next();
        set.withdrawn.retain(|_, until| !over(until));
        let (before, left) = (&self.withdrawn, &set.withdrawn);
        set.by_kid
            .retain(|kid, _| left.contains_key(kid) || !before.contains_key(kid));
        Some(set)
    }

    /// When the first of the withdrawn keys stops verifying.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.withdrawn.values().min().copied()
    }

    /// The set with its keys bound to the tenants that the v2.0 document binds their ids to; `None`
    /// where it is this one.
    ///
    /// An id that the v2.0 document lacks stays bound as it was.
    pub(super) fn bound_by(&self, second: &Self) -> Option<Self> {
        let mut set = self.clone();
        let mut changed = false;
        for key in set.by_kid.values_mut().flatten() {
            if let Some(tenants) = second.tenants_of(&key.kid)
                && tenants != key.tenants
            {
                *key = Arc::new(key.bound_to(tenants));
                changed = true;
            }
        }
        changed.then(|| {
            set.generation = Generation::next();
            set
        })
    }

    /// Whose tokens the keys of an id verify; `None` where there are none.
    fn tenants_of(&self, kid: &str) -> Option<Tenants> {
        let keys = self.with_id(kid);
        if keys.is_empty() {
            return None;
        }
        let mut only = Vec::new();
        let ours = |key: &&Arc<PublishedKey>| !key.key.is_of_another_cloud();
        for key in keys.iter().filter(ours) {
            match key.key.issuer() {
                None => return Some(Tenants::All),
                Some(issuer) if issuer.is_template() => return Some(Tenants::All),
                // An issuer without a tenant is no tenant's.
                Some(issuer) => only.extend(first_guid(issuer.as_str()).map(|(_, tenant)| tenant)),
            }
        }
        Some(Tenants::Only(only))
    }

    pub(crate) const fn generation(&self) -> Generation {
        self.generation
    }

    /// The issuer the document states, a template where it speaks for many tenants.
    pub(crate) fn issuer(&self) -> &IssuerPattern {
        &self.issuer
    }

    /// How many keys are in use, the withdrawn ones among them.
    pub(crate) fn len(&self) -> usize {
        self.by_kid.values().map(Vec::len).sum()
    }

    /// How many of them the last answer lacks.
    pub(crate) fn withdrawn(&self) -> usize {
        let ids = self.withdrawn.keys();
        ids.map(|kid| self.with_id(kid).len()).sum()
    }

    pub(crate) const fn skipped(&self) -> usize {
        self.skipped
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("issuer", &self.issuer)
            .field("keys", &self.len())
            .field("withdrawn", &self.withdrawn())
            .field("skipped", &self.skipped)
            .finish()
    }
}
