//! Which keys are published, which one signs, and how that changes.

use std::{collections::BTreeMap, sync::Arc};

use super::{error::EmulatorError, key_pool, signing_key::SigningKey};

/// Whose keys: every realm has its own, and no key belongs to two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Realm {
    /// All ordinary tenants, as in Entra.
    Workforce,
    /// The tenant of personal accounts.
    Consumers,
    /// One External ID tenant.
    External { tenant: String },
    /// One B2C policy; the name in lower case.
    Policy { tenant: String, policy: String },
    /// One app with custom signing keys; its client id.
    Custom { app: String },
    /// Keys that are in no document.
    Unpublished,
}

/// The keys of one realm.
struct KeyRing {
    signing: Arc<SigningKey>,
    /// Published ahead of its use by `publish_next`.
    next: Option<Arc<SigningKey>>,
    published: Vec<Arc<SigningKey>>,
    retired: Vec<Arc<SigningKey>>,
}

/// The keys of all realms; a realm's keys are made when they are first needed.
#[derive(Default)]
pub(super) struct KeyRings {
    rings: BTreeMap<Realm, KeyRing>,
    drawn: usize,
}

impl KeyRings {
    pub(super) fn signing(&mut self, realm: &Realm) -> Result<Arc<SigningKey>, EmulatorError> {
        self.ring(realm).map(|ring| Arc::clone(&ring.signing))
    }

    pub(super) fn published(
        &mut self,
        realm: &Realm,
    ) -> Result<Vec<Arc<SigningKey>>, EmulatorError> {
        self.ring(realm).map(|ring| ring.published.clone())
    }

    pub(super) fn exists(&self, realm: &Realm) -> bool {
        self.rings.contains_key(realm)
    }

    /// A key that any realm has or had.
    pub(super) fn by_kid(&self, kid: &str) -> Option<Arc<SigningKey>> {
        let mut keys = self
            .rings
            .values()
            .flat_map(|ring| ring.published.iter().chain(&ring.retired));
        keys.find(|key| key.kid() == kid).cloned()
    }

    /// A key that is in a document at the moment.
    pub(super) fn published_by_kid(&self, kid: &str) -> Option<Arc<SigningKey>> {
        let published = self
            .rings
            .iter()
            .filter(|(realm, _)| **realm != Realm::Unpublished)
            .flat_map(|(_, ring)| &ring.published);
        published.into_iter().find(|key| key.kid() == kid).cloned()
    }

    /// In every realm in use: the next key signs, the old one stays published.
    pub(super) fn rotate(&mut self) -> Result<(), EmulatorError> {
        self.publish_next()?;
        for ring in self.rings.values_mut() {
            if let Some(next) = ring.next.take() {
                ring.signing = next;
            }
        }
        Ok(())
    }

    /// In every realm in use: publishes the key that the next rotation will sign with.
    pub(super) fn publish_next(&mut self) -> Result<(), EmulatorError> {
        let drawn = &mut self.drawn;
        for (realm, ring) in &mut self.rings {
            if *realm != Realm::Unpublished && ring.next.is_none() {
                let key = draw(drawn)?;
                ring.published.push(Arc::clone(&key));
                ring.next = Some(key);
            }
        }
        Ok(())
    }

    /// The key the next rotation will sign with, if it is published already.
    pub(super) fn next(&self, realm: &Realm) -> Option<Arc<SigningKey>> {
        self.rings.get(realm)?.next.clone()
    }

    /// In every realm in use: takes all keys but the signing and the next one out of the document.
    pub(super) fn retire(&mut self) {
        for ring in self.rings.values_mut() {
            let (kept, retired): (Vec<_>, Vec<_>) = ring.published.drain(..).partition(|key| {
                Arc::ptr_eq(key, &ring.signing)
                    || ring
                        .next
                        .as_ref()
                        .is_some_and(|next| Arc::ptr_eq(key, next))
            });
            ring.published = kept;
            ring.retired.extend(retired);
        }
    }

    fn ring(&mut self, realm: &Realm) -> Result<&mut KeyRing, EmulatorError> {
        if !self.rings.contains_key(realm) {
            // Entra always publishes more than one key; the first of these has had its day.
            let previous = draw(&mut self.drawn)?;
            let signing = draw(&mut self.drawn)?;
            let ring = KeyRing {
                signing: Arc::clone(&signing),
                next: None,
                published: vec![previous, signing],
                retired: Vec::new(),
            };
            self.rings.insert(realm.clone(), ring);
        }
        self.rings.get_mut(realm).ok_or(EmulatorError::KeyPair)
    }
}

fn draw(drawn: &mut usize) -> Result<Arc<SigningKey>, EmulatorError> {
    let key = key_pool::key(*drawn)?;
    *drawn += 1;
    Ok(key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_published_ahead_is_the_one_the_rotation_signs_with() {
        let mut rings = KeyRings::default();
        let old = rings.signing(&Realm::Workforce).unwrap();
        rings.publish_next().unwrap();
        let next = rings.next(&Realm::Workforce).unwrap();
        assert_eq!(rings.signing(&Realm::Workforce).unwrap().kid(), old.kid());
        rings.rotate().unwrap();
        assert_eq!(rings.signing(&Realm::Workforce).unwrap().kid(), next.kid());
        assert_eq!(rings.published(&Realm::Workforce).unwrap().len(), 3);
        rings.retire();
        assert_eq!(rings.published(&Realm::Workforce).unwrap().len(), 1);
        assert!(rings.by_kid(old.kid()).is_some());
    }
}
