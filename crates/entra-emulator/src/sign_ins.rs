//! Who has signed in: codes, refresh tokens and browsers, and what ends them.

use std::collections::{BTreeMap, VecDeque};

use super::{authority::unix_now, seeds};

/// One sign-in of a user at a client, and what came of it.
#[derive(Debug, Clone)]
pub(super) struct SignIn {
    /// The user's object id.
    pub(super) user: String,
    pub(super) tenant: String,
    pub(super) client: String,
    pub(super) policy: Option<String>,
    /// The scopes as they were asked for.
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
    /// The authentication contexts that this sign-in satisfied.
    pub(super) acrs: Vec<String>,
    pub(super) capabilities: Vec<String>,
    /// The browser session (`sid`), if there was a browser.
    pub(super) session: Option<String>,
    pub(super) at: u64,
    /// How often the user's sessions had been revoked.
    pub(super) revocations: u64,
}

/// An authorization code that was given out.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) sign_in: SignIn,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<String>,
    pub(super) expires_at: u64,
    pub(super) redeemed: bool,
}

/// A browser with the cookie of a sign-in.
#[derive(Debug, Clone)]
pub(super) struct Browser {
    pub(super) user: String,
    pub(super) session: String,
    pub(super) acrs: Vec<String>,
    pub(super) at: u64,
    pub(super) revocations: u64,
}

/// Everything that sign-ins leave behind, and what the test asked of them.
#[derive(Debug, Default)]
pub(super) struct SignIns {
    pub(super) codes: Kept<Code>,
    pub(super) refresh_tokens: Kept<SignIn>,
    pub(super) browsers: Kept<Browser>,
    revoked: BTreeMap<String, Revoked>,
    interactions: BTreeMap<String, String>,
    memberships: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Copy)]
struct Revoked {
    at: u64,
    times: u64,
}

impl SignIns {
    /// Ends the user's refresh tokens and browser sessions; access tokens live on.
    pub(super) fn revoke(&mut self, user: &str) {
        let revoked = self
            .revoked
            .entry(user.to_owned())
            .or_insert(Revoked { at: 0, times: 0 });
        revoked.at = unix_now();
        revoked.times += 1;
    }

    /// How often the user's sessions were revoked, which distinguishes older sign-ins from newer ones
    /// within one second.
    pub(super) fn revocations(&self, user: &str) -> u64 {
        self.revoked.get(user).map_or(0, |revoked| revoked.times)
    }

    /// `signInSessionsValidFromDateTime`, in seconds since 1970.
    pub(super) fn valid_from(&self, user: &str) -> u64 {
        self.revoked
            .get(user)
            .map_or(ACCOUNTS_MADE_AT, |revoked| revoked.at)
    }

    /// Asks for the user at the next refresh or on-behalf-of; `None` asks no more.
    pub(super) fn require_interaction(&mut self, user: &str, claims: Option<String>) {
        match claims {
            Some(claims) => self.interactions.insert(user.to_owned(), claims),
            None => self.interactions.remove(user),
        };
    }

    /// The `claims` that an interaction must be asked for with.
    pub(super) fn interaction(&self, user: &str) -> Option<&str> {
        self.interactions.get(user).map(String::as_str)
    }

    /// Sets the groups Graph knows, in place of those of the directory.
    pub(super) fn set_memberships(&mut self, object_id: &str, groups: Vec<String>) {
        self.memberships.insert(object_id.to_owned(), groups);
    }

    pub(super) fn memberships(&self, object_id: &str) -> Option<&[String]> {
        self.memberships.get(object_id).map(Vec::as_slice)
    }
}

/// Values issued under a handle that cannot be guessed; the oldest are evicted first.
#[derive(Debug)]
pub(super) struct Kept<T> {
    by_handle: BTreeMap<String, T>,
    order: VecDeque<String>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            by_handle: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<T> Kept<T> {
    /// Keeps a thing and returns its handle.
    pub(super) fn put(&mut self, thing: T) -> String {
        if self.order.len() >= MOST_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_handle.remove(&oldest);
        }
        // The emulator's passwords are public: a handle must be unique, not secret.
        let (one, two) = (seeds::fresh_id(), seeds::fresh_id());
        let handle = format!("1.{}{}", one.simple(), two.simple());
        self.order.push_back(handle.clone());
        self.by_handle.insert(handle.clone(), thing);
        handle
    }

    pub(super) fn get(&self, handle: &str) -> Option<&T> {
        self.by_handle.get(handle)
    }

    pub(super) fn get_mut(&mut self, handle: &str) -> Option<&mut T> {
        self.by_handle.get_mut(handle)
    }

    pub(super) fn remove(&mut self, handle: &str) {
        self.by_handle.remove(handle);
    }
}

/// 2024-01-01T00:00:00Z: every account is older than every token.
const ACCOUNTS_MADE_AT: u64 = 1_704_067_200;
// Enough for a load test; an emulator that runs for weeks must not grow.
const MOST_KEPT: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut kept = Kept::default();
        let first = kept.put(0);
        let second = kept.put(1);
        for number in 2..=MOST_KEPT {
            kept.put(number);
        }
        assert_eq!((kept.get(&first), kept.get(&second)), (None, Some(&1)));
    }

    #[test]
    fn a_revocation_moves_the_valid_from_time_and_is_counted() {
        let mut sign_ins = SignIns::default();
        assert_eq!(sign_ins.valid_from("alice"), ACCOUNTS_MADE_AT);
        sign_ins.revoke("alice");
        sign_ins.revoke("alice");
        assert!(sign_ins.valid_from("alice") > ACCOUNTS_MADE_AT);
        assert_eq!(sign_ins.revocations("alice"), 2);
        assert_eq!(sign_ins.revocations("bob"), 0);
    }
}
