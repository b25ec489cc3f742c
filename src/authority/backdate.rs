//! How much earlier than its issue time a token says that it was issued.

use std::sync::atomic::{AtomicU64, Ordering};

/// The backdating of one authority's `iat`, in seconds: what is configured, or less once a token
/// has proved less.
///
/// Entra ID and External ID write `iat` = `nbf` = issue time − 300 s, so that clients with slow
/// clocks can use a new token at once; B2C writes the issue time. Cut-offs are times of events, so
/// a token is compared with them by its issue time.
#[derive(Debug)]
pub(crate) struct Backdate(AtomicU64);

/// The authority's clock and the local one may differ by this many seconds before a token proves
/// anything.
const TOLERANCE: u64 = 5;

impl Backdate {
    pub(crate) const fn of_seconds(seconds: u64) -> Self {
        Self(AtomicU64::new(seconds))
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// When a token with this `iat` was issued, in whole seconds.
    #[inline]
    pub(crate) fn issue_time(&self, issued_at: Option<u64>) -> Option<u64> {
        issued_at.map(|issued_at| issued_at.saturating_add(self.seconds()))
    }

    /// Learns from a verified token that is here at `now`, by the authority's clock: it cannot
    /// have been issued later. Returns the new value where it is less than before.
    ///
    /// The value only decreases: a token that is taken for younger than it is would survive a
    /// revocation.
    pub(crate) fn learn(&self, issued_at: Option<u64>, now: u64) -> Option<u64> {
        let issued_at = issued_at?;
        let before = self.seconds();
        if issued_at.saturating_add(before) <= now.saturating_add(TOLERANCE) {
            return None;
        }
        let seen = now.saturating_sub(issued_at);
        (self.0.fetch_min(seen, Ordering::Relaxed) > seen).then_some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_from_the_future_by_its_backdating_lowers_it_and_nothing_raises_it() {
        let backdate = Backdate::of_seconds(300);
        assert_eq!(backdate.issue_time(Some(700)), Some(1_000));
        assert_eq!(backdate.issue_time(None), None);
        // Within the tolerance, and older tokens, prove nothing.
        for issued_at in [Some(700), Some(705), Some(1), None] {
            assert_eq!(backdate.learn(issued_at, 1_000), None, "{issued_at:?}");
        }
        assert_eq!(backdate.learn(Some(706), 1_000), Some(294));
        assert_eq!(backdate.seconds(), 294);
        assert_eq!(backdate.learn(Some(700), 1_000), None);
        assert_eq!(backdate.seconds(), 294);
        // `iat` may lie in the future, within the clock skew.
        assert_eq!(backdate.learn(Some(1_200), 1_000), Some(0));
        assert_eq!(backdate.issue_time(Some(1_200)), Some(1_200));
    }
}
