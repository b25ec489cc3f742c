//! Sessions that valid tokens were seen of.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::claims::Claims;

/// A bounded record of sessions. A browser's logout proves nothing but that its sender knows a
/// session's id; with this record, invented ids take no room.
///
/// Kept as hashes with a random key: 64 bits that agree by chance accept one invented id.
#[derive(Debug, Default)]
pub(super) struct SeenSessions {
    hasher: RandomState,
    seen: Mutex<Seen>,
}

/// Two generations: the older one is dropped when the younger one is full, so that sessions in use
/// stay and those that were left go.
#[derive(Debug, Default)]
struct Seen {
    young: HashSet<u64>,
    old: HashSet<u64>,
}

/// The most sessions of a generation; both take some 10 MB.
const MOST: usize = 250_000;

impl SeenSessions {
    /// Takes note of the session of a valid token, if it names one.
    pub(super) fn see(&self, claims: &Claims) {
        let (Some(session), Some(tenant)) = (claims.session_id(), claims.tenant_id()) else {
            return;
        };
        let hash = self.hash(tenant, session);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.young.len() >= MOST && !seen.young.contains(&hash) {
            seen.old = std::mem::take(&mut seen.young);
        }
        seen.young.insert(hash);
    }

    /// Whether a token of that session was seen.
    pub(super) fn has(&self, tenant: Uuid, session: &str) -> bool {
        let hash = self.hash(tenant, session);
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.young.contains(&hash) || seen.old.contains(&hash)
    }

    fn hash(&self, tenant: Uuid, session: &str) -> u64 {
        self.hasher.hash_one((tenant, session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::raw::RawClaims;

    const TENANT: Uuid = Uuid::from_u128(7);

    fn claims(session: &str) -> Claims {
        let json = format!("{{\"exp\":1{session}}}");
        let draft = RawClaims::parse(json.as_bytes()).unwrap();
        draft
            .interpret()
            .unwrap()
            .into_claims(Some(TENANT), None, None)
    }

    #[test]
    fn a_session_is_known_by_its_tenant_and_id() {
        let sessions = SeenSessions::default();
        sessions.see(&claims(""));
        sessions.see(&claims(",\"sid\":\"a\""));
        assert!(sessions.has(TENANT, "a"));
        assert!(!sessions.has(TENANT, "b") && !sessions.has(TENANT, ""));
        assert!(!sessions.has(Uuid::from_u128(8), "a"));
    }

    #[test]
    fn the_record_is_bounded_and_keeps_those_in_use() {
        let sessions = SeenSessions::default();
        let see = |number: usize| sessions.see(&claims(&format!(",\"sid\":\"{number}\"")));
        {
            let mut seen = sessions.seen.lock().unwrap();
            seen.young.extend(0..MOST as u64 - 1);
        }
        see(1);
        see(2);
        assert_eq!(sessions.seen.lock().unwrap().old.len(), MOST);
        assert!(sessions.has(TENANT, "1") && sessions.has(TENANT, "2"));
        see(1);
        {
            let mut seen = sessions.seen.lock().unwrap();
            seen.young.extend(0..MOST as u64 - 2);
        }
        see(3);
        let seen = sessions.seen.lock().unwrap();
        assert!(seen.young.len() + seen.old.len() <= 2 * MOST);
        drop(seen);
        assert!(sessions.has(TENANT, "1") && sessions.has(TENANT, "3"));
    }
}
