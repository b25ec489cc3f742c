//! A snapshot of one document's keys, never empty and never changed.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::fetch_error::FetchError;
use super::jwk::{Jwk, Skipped};
use super::signature::VerifyingKey;
use super::store::Generation;
use crate::authority::Document;
use crate::authority::issuer::IssuerPattern;

/// A key as its document publishes it: under an id, and with the issuer that the document states.
#[derive(Debug)]
pub(crate) struct PublishedKey {
    kid: Box<str>,
    key: VerifyingKey,
    stated: IssuerPattern,
}

impl PublishedKey {
    pub(crate) const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The issuer the document states, a template where it speaks for many tenants.
    pub(crate) const fn stated(&self) -> &IssuerPattern {
        &self.stated
    }

    /// Whether two keys of one id verify the same tokens.
    fn is(&self, other: &Self) -> bool {
        self.key.fingerprint() == other.key.fingerprint()
            && self.key.issuer() == other.key.issuer()
            && self.key.is_of_another_cloud() == other.key.is_of_another_cloud()
            && self.stated == other.stated
    }
}

/// The keys of one document and the issuer it states.
pub(crate) struct KeySet {
    issuer: IssuerPattern,
    generation: Generation,
    by_kid: HashMap<Box<str>, Vec<Arc<PublishedKey>>>,
    /// Ids that the document has, of keys that cannot be used.
    skipped: Vec<(String, Skipped)>,
    count: usize,
}

/// More keys than any authority publishes; the rest of a longer document is left out.
const MOST_KEYS: usize = 1_000;

impl KeySet {
    /// Reads a JWK set (RFC 7517 section 5), key by key.
    ///
    /// # Errors
    /// [`FetchError`] where it is no such set, or none of its keys can be used.
    pub(crate) fn read(
        json: &[u8],
        issuer: IssuerPattern,
        document: &Document,
    ) -> Result<Self, FetchError> {
        const DOCUMENT: &str = "keys document";
        let root: Value = serde_json::from_slice(json)
            .map_err(|_| FetchError::NotADocument { document: DOCUMENT })?;
        let keys = root
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(FetchError::NotADocument { document: DOCUMENT })?;
        let mut by_kid: HashMap<Box<str>, Vec<Arc<PublishedKey>>> = HashMap::new();
        let mut skipped = Vec::new();
        let mut count = 0_usize;
        for json in keys.iter().take(MOST_KEYS) {
            match Jwk::read(json, document) {
                Ok(Jwk { kid, key }) => {
                    count = count.saturating_add(1);
                    let kid = kid.into_boxed_str();
                    let published = Arc::new(PublishedKey {
                        kid: kid.clone(),
                        key,
                        stated: issuer.clone(),
                    });
                    by_kid.entry(kid).or_default().push(published);
                }
                Err(why) => {
                    let kid = json.get("kid").and_then(Value::as_str).unwrap_or_default();
                    skipped.push((kid.to_owned(), why));
                }
            }
        }
        if count == 0 {
            return Err(FetchError::NoUsableKey { keys: keys.len() });
        }
        Ok(Self {
            issuer,
            generation: Generation::next(),
            by_kid,
            skipped,
            count,
        })
    }

    /// The keys of that id: one, seldom two, mostly none for a token from elsewhere.
    pub(crate) fn with_id(&self, kid: &str) -> &[Arc<PublishedKey>] {
        self.by_kid.get(kid).map_or(&[], Vec::as_slice)
    }

    /// Whether the document has this id for a key that cannot be used; fetching again is no help.
    pub(crate) fn skips(&self, kid: &str) -> bool {
        self.skipped.iter().any(|(skipped, _)| skipped == kid)
    }

    /// Whether a key that verified a token earlier is still published: under its id, bound to the
    /// same issuer, in a document that states the same one.
    pub(crate) fn still_has(&self, known: &PublishedKey) -> bool {
        self.with_id(&known.kid).iter().any(|own| own.is(known))
    }

    /// Shares the keys that were there before, which tokens of the cache may hold.
    pub(crate) fn sharing_with(mut self, before: &Self) -> Self {
        for key in self.by_kid.values_mut().flatten() {
            if let Some(known) = before.with_id(&key.kid).iter().find(|known| known.is(key)) {
                *key = Arc::clone(known);
            }
        }
        self
    }

    pub(crate) const fn generation(&self) -> Generation {
        self.generation
    }

    /// The issuer the document states, a template where it speaks for many tenants.
    pub(crate) fn issuer(&self) -> &IssuerPattern {
        &self.issuer
    }

    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    pub(crate) const fn skipped(&self) -> usize {
        self.skipped.len()
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("issuer", &self.issuer)
            .field("keys", &self.count)
            .field("skipped", &self.skipped.len())
            .finish()
    }
}
