//! Cut-offs: before when an account's tokens are refused. They are raised and never lowered.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use uuid::Uuid;

use crate::authority::Backdate;
use crate::claims::{Claims, UserKey};

use super::ageing::Ageing;
use super::bells::{Bells, Ear};
use super::events::Mark;

/// How long a mark is kept after its time.
///
/// A token issued before a cut-off must be dead before the cut-off is forgotten. Entra's longest
/// access tokens, those of clients with continuous access evaluation, live up to 28 hours
/// (Microsoft, "Continuous access evaluation", "Token lifetime"); the rest of the two days is for
/// clocks that are apart. Tokens that live longer are nobody's here but a test's.
pub(super) const KEPT: u64 = 48 * 60 * 60;

/// What to call with an account of which nothing is to be kept.
pub(super) type Forget = Box<dyn Fn(&UserKey) + Send + Sync>;

/// What this replica knows, which every request is held against.
#[derive(Default)]
pub(super) struct Revocations {
    /// The greatest cut-off there ever was: a token that is not older needs no look-up.
    newest: AtomicU64,
    marks: RwLock<Marks>,
    forgets: RwLock<Vec<Forget>>,
    bells: Bells,
    ageing: Ageing,
}

#[derive(Default)]
struct Marks {
    accounts: HashMap<UserKey, u64>,
    /// Accounts that are known by issuer and subject, which a token may have beside its ids.
    subjects: HashMap<UserKey, u64>,
    sessions: HashMap<(Uuid, Box<str>), u64>,
    signed_out: HashMap<UserKey, SignedOut>,
    /// How often somebody signed out.
    sign_outs: u64,
    /// How many there may be before the old ones are looked for.
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct SignedOut {
    at: u64,
    /// Grows with each sign-out, those of one second too.
    number: u64,
}

/// Fewer marks than this are not worth looking through.
const FEW: usize = 1_024;

impl Revocations {
    /// Raises a mark to a time; `false` where it was that high before.
    pub(super) fn raise(&self, mark: &Mark, at: u64, now: u64) -> bool {
        if at == 0 {
            return false;
        }
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        marks.sweep(self.ageing.now(now));
        let held = marks.entry(mark);
        if *held >= at {
            return false;
        }
        *held = at;
        drop(marks);
        if !matches!(mark, Mark::SignedOut(_)) {
            self.newest.fetch_max(at, Ordering::Release);
        }
        self.bells.ring(mark);
        true
    }

    /// The cut-off that refuses a token: its account's or its session's, the later one.
    ///
    /// Whole seconds: issued before it is revoked, issued at it is not; `iat` is that much earlier
    /// than the issue time. A token that does not say when it was issued is revoked by any cut-off.
    pub(super) fn cut_off_of(&self, claims: &Claims, backdate: &Backdate) -> Option<u64> {
        let newest = self.newest.load(Ordering::Acquire);
        if newest == 0 {
            return None;
        }
        let issued_at = backdate.issue_time(claims.issued_at());
        if issued_at.is_some_and(|issued_at| issued_at >= newest) {
            return None;
        }
        let cut_off = self
            .marks
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .cut_off_of(claims)?;
        match issued_at {
            Some(issued_at) if issued_at >= cut_off => None,
            _ => Some(cut_off),
        }
    }

    /// Takes note of a sign-out whose mark was raised, or was that high before.
    pub(super) fn signed_out(&self, account: &UserKey) {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        marks.sign_outs = marks.sign_outs.saturating_add(1);
        let number = marks.sign_outs;
        if let Some(held) = marks.signed_out.get_mut(account) {
            held.number = number;
        }
        drop(marks);
        self.bells.ring(&Mark::SignedOut(account.clone()));
        self.forget(account);
    }

    /// The number of the last sign-out of a token's account, 0 for none.
    pub(super) fn sign_out_of(&self, claims: &Claims) -> u64 {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let number = |account: Option<UserKey>| Some(marks.signed_out.get(&account?)?.number);
        let numbers = [number(claims.user_key()), number(claims.subject_key())];
        numbers.into_iter().flatten().max().unwrap_or_default()
    }

    /// Hears of each mark that is raised from here on, and of each sign-out, that concerns a token.
    pub(super) fn listen(&self, claims: &Claims) -> Ear {
        self.bells.listen(claims)
    }

    /// All marks and their times.
    #[cfg(any(feature = "redis", test))]
    pub(super) fn all(&self) -> Vec<(Mark, u64)> {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let accounts = marks
            .accounts
            .iter()
            .chain(&marks.subjects)
            .map(|(account, at)| (Mark::Account(account.clone()), *at));
        let sessions = marks.sessions.iter().map(|((tenant, session), at)| {
            let mark = Mark::Session {
                tenant: *tenant,
                session: session.clone(),
            };
            (mark, *at)
        });
        let signed_out = marks
            .signed_out
            .iter()
            .map(|(account, held)| (Mark::SignedOut(account.clone()), held.at));
        accounts.chain(sessions).chain(signed_out).collect()
    }

    /// The time by which marks are old.
    #[cfg(feature = "redis")]
    pub(super) fn aged(&self, now: u64) -> u64 {
        self.ageing.now(now)
    }

    /// How many cut-offs are held.
    pub(super) fn len(&self) -> usize {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        marks.cut_offs()
    }

    pub(super) fn sessions(&self) -> usize {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        marks.sessions.len()
    }

    pub(super) fn on_forget(&self, forget: Forget) {
        self.forgets
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(forget);
    }

    /// Has everything that is kept of an account forgotten.
    pub(super) fn forget(&self, account: &UserKey) {
        for forget in self
            .forgets
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            forget(account);
        }
    }
}

impl Marks {
    fn entry(&mut self, mark: &Mark) -> &mut u64 {
        match mark {
            Mark::Account(account @ UserKey::Object { .. }) => {
                self.accounts.entry(account.clone()).or_default()
            }
            Mark::Account(account) => self.subjects.entry(account.clone()).or_default(),
            Mark::Session { tenant, session } => {
                self.sessions.entry((*tenant, session.clone())).or_default()
            }
            Mark::SignedOut(account) => &mut self.signed_out.entry(account.clone()).or_default().at,
        }
    }

    fn cut_offs(&self) -> usize {
        let accounts = self.accounts.len().saturating_add(self.subjects.len());
        accounts.saturating_add(self.sessions.len())
    }

    fn cut_off_of(&self, claims: &Claims) -> Option<u64> {
        let account = claims
            .user_key()
            .and_then(|account| self.accounts.get(&account));
        let subject = (!self.subjects.is_empty())
            .then(|| self.subjects.get(&claims.subject_key()?))
            .flatten();
        let session = (!self.sessions.is_empty())
            .then(|| {
                let session = claims.session_id()?;
                self.sessions.get(&(claims.tenant_id()?, session.into()))
            })
            .flatten();
        [account, subject, session]
            .into_iter()
            .flatten()
            .max()
            .copied()
    }

    /// Lets go of marks that no living token can be older than, now and then.
    fn sweep(&mut self, now: u64) {
        let count = |marks: &Self| marks.cut_offs().saturating_add(marks.signed_out.len());
        if count(self) < self.sweep_at.max(FEW) {
            return;
        }
        let kept = |at: &u64| is_kept(*at, now);
        self.accounts.retain(|_, at| kept(at));
        self.subjects.retain(|_, at| kept(at));
        self.sessions.retain(|_, at| kept(at));
        self.signed_out.retain(|_, held| kept(&held.at));
        self.sweep_at = count(self).saturating_mul(2);
    }
}

/// Whether a token issued before `at` may still be alive.
pub(super) fn is_kept(at: u64, now: u64) -> bool {
    at.saturating_add(KEPT) >= now
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("cut_offs", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
