//! Cut-offs: before when an account's tokens are refused. They are raised and never lowered.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use crate::authority::Backdate;
use crate::claims::{AccountId, Claims};
use crate::sync::RwLock;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::event::{AccountKey, RevocationKey};
use super::marks::{KEPT, Marks};
use super::monotonic_clock::Uptime;
use super::notifier::{RevocationNotifier, Subscription};
use super::sessions::EndedSessions;

/// What to call with an account of which nothing is to be kept.
pub(super) type Forget = Box<dyn Fn(&AccountId) + Send + Sync>;

/// The same for many accounts at once.
pub(super) type ForgetAll = Box<dyn Fn(&[AccountId]) + Send + Sync>;

/// A mark to raise.
#[derive(Debug)]
pub(super) struct Raise {
    pub(super) mark: RevocationKey,
    pub(super) at: u64,
    /// How many seconds ago it was first raised, elsewhere.
    pub(super) age: u64,
}

/// What this replica knows; every request is checked against it.
#[derive(Default)]
pub(super) struct Revocations {
    /// The greatest cut-off there ever was: a token that is not older needs no look-up, unless its
    /// session may have ended.
    newest: AtomicU64,
    ended: EndedSessions,
    marks: RwLock<Marks>,
    forgets: RwLock<Vec<Forget>>,
    /// Those of this crate, which are called for every sign-out, however many there are.
    own: RwLock<Vec<ForgetAll>>,
    /// Whether something that is called with an account has panicked.
    panicked: AtomicBool,
    channels: RevocationNotifier,
    uptime: Uptime,
}

/// What refuses a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// A token issued at that second or later would not be refused for it.
    pub(super) cut_off: u64,
    /// An ended session that was not seen for a while: others are to keep it as well.
    pub(super) seen: Option<(RevocationKey, u64)>,
}

/// What has to be done for a sign-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// It is the account's first in this second: forget and tell.
    Now,
    /// The same once that second has begun, for this one and all until then.
    Then(u64),
    /// Another sign-out of this second has it done.
    Nothing,
}

/// The outcome of ending a session without proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unproven {
    Ended,
    /// It had ended before.
    AlreadyEnded,
    NoRoom,
}

/// The most sessions that end without proof; some 20 MB. Those that were proved to have ended do
/// not count.
const MOST_UNPROVEN: usize = 100_000;

impl Revocations {
    /// Raises a mark to a time; `false` where it was that high before.
    pub(super) fn advance(&self, mark: &RevocationKey, at: u64, now: u64) -> bool {
        let mark = mark.clone();
        let raised = self.raise(&[Raise { mark, at, age: 0 }], now);
        raised == [true]
    }

    /// Raises marks, under one lock; for each of them `false` where it was that high before.
    pub(super) fn raise(&self, raises: &[Raise], now: u64) -> Vec<bool> {
        let uptime = self.uptime.seconds();
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, and also where the mark is that high already: the thread that raised it
        // may not have come further than this, and no caller returns before the mark holds.
        let refusing = raises.iter().filter(|raise| raise.mark.refuses_tokens());
        if let Some(at) = refusing.map(|raise| raise.at).max() {
            self.newest.fetch_max(at, Ordering::Release);
        }
        let advance = |Raise { mark, at, age }: &Raise| {
            if *at == 0 {
                return false;
            }
            // A time that is still to come is kept for as much longer.
            let kept = KEPT
                .saturating_sub(*age)
                .saturating_add(at.saturating_sub(now));
            marks.sweep(uptime);
            if let RevocationKey::Session { tenant, session } = mark {
                self.ended.add(*tenant, session);
            }
            marks.advance(mark, *at, uptime.saturating_add(kept))
        };
        let raised: Vec<bool> = raises.iter().map(advance).collect();
        drop(marks);
        let new = raises.iter().zip(&raised).filter(|(_, raised)| **raised);
        self.channels.notify(new.map(|(raise, _)| &raise.mark));
        raised
    }

    /// The cut-off that refuses a token: its account's or its session's, the later one.
    pub(super) fn cut_off_of(&self, claims: &Claims, backdate: &Backdate) -> Option<u64> {
        self.look_up(claims, backdate).map(|found| found.cut_off)
    }

    /// What refuses a token: the cut-off of its account, or the end of its session.
    ///
    /// Whole seconds: issued before a cut-off it is revoked, issued at it it is not; `iat` is
    /// `backdate` earlier than the issue time. A token that does not say when it was issued is
    /// revoked by any cut-off. Of a session that ended every token is, whenever it was issued.
    pub(super) fn look_up(&self, claims: &Claims, backdate: &Backdate) -> Option<Found> {
        let newest = self.newest.load(Ordering::Acquire);
        if newest == 0 {
            return None;
        }
        let issued_at = backdate.issue_time(claims.issued_at().map(|time| time.as_secs()));
        if issued_at.is_some_and(|issued_at| issued_at >= newest)
            && !self.ended.may_hold_that_of(claims)
        {
            return None;
        }
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let cut_off = marks.cut_off_of(claims);
        let cut_off =
            cut_off.filter(|cut_off| issued_at.is_none_or(|issued_at| issued_at < *cut_off));
        let Some((at, seen)) = marks.end_of(claims, &self.uptime) else {
            let seen = None;
            return cut_off.map(|cut_off| Found { cut_off, seen });
        };
        let newer = issued_at.map_or(0, |issued_at| issued_at.saturating_add(1));
        Some(Found {
            cut_off: at.max(newer).max(cut_off.unwrap_or(0)),
            seen,
        })
    }

    /// Takes note of a sign-out at this second: what is open ends, each time. Of many within a
    /// second two are worth telling, the first one and one for all that follow.
    pub(super) fn sign_out(&self, account: &AccountId, now: u64) -> Due {
        let mark = RevocationKey::SignedOut(account.clone());
        let first = self.advance(&mark, now, now);
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        let held = marks.number_sign_out(account);
        let due = match held {
            Some(held) if first => {
                held.due = None;
                Due::Now
            }
            Some(held) if held.due.is_none() => {
                let then = held.at.saturating_add(1);
                held.due = Some(then);
                Due::Then(then)
            }
            Some(_) => Due::Nothing,
            // A clock at 0 leaves no mark.
            None => Due::Now,
        };
        drop(marks);
        self.channels.notify([&mark]);
        if due != Due::Now {
            self.forget_own(std::slice::from_ref(account));
        }
        due
    }

    /// Whether the sign-outs that wait for a second are still to be published; from now on they are not.
    pub(super) fn take_due(&self, account: &AccountId, second: u64) -> bool {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        let held = marks.signed_out.get_mut(&AccountKey::from(account));
        let Some(held) = held.filter(|held| held.due == Some(second)) else {
            return false;
        };
        held.due = None;
        held.at = held.at.max(second);
        true
    }

    /// Takes note of sign-outs elsewhere, whose marks were raised.
    ///
    /// Notifies again: a stream that woke for the mark may have looked before it had a number.
    #[cfg(any(feature = "redis", test))]
    pub(super) fn number_sign_outs(&self, signed_out: &[RevocationKey]) {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        for mark in signed_out {
            if let RevocationKey::SignedOut(account) = mark {
                let _ = marks.number_sign_out(account);
            }
        }
        drop(marks);
        self.channels.notify(signed_out);
    }

    /// Ends a session without proof that it ended, if there is room for it.
    pub(super) fn end_unproven(&self, mark: &RevocationKey, at: u64, now: u64) -> Unproven {
        let uptime = self.uptime.seconds();
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        if let RevocationKey::Session { tenant, session } = mark
            && marks.sessions.contains_key(&(*tenant, session.clone()))
        {
            return Unproven::AlreadyEnded;
        }
        if marks.unproven >= MOST_UNPROVEN {
            marks.let_go(uptime);
        }
        if marks.unproven >= MOST_UNPROVEN {
            return Unproven::NoRoom;
        }
        drop(marks);
        if !self.advance(mark, at, now) {
            return Unproven::AlreadyEnded;
        }
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        marks.is_unproven(mark);
        Unproven::Ended
    }

    /// The account's cut-off that is in force, by the name that is given.
    pub(super) fn in_force(&self, account: &AccountId) -> Option<u64> {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        marks.cut_off_in_force(account)
    }

    /// The time at which a mark has to be raised to have an effect: past what was lifted.
    ///
    /// Only for marks that are made here. One that another replica made may be the very mark that
    /// was lifted, which is reported again after a connection was lost.
    pub(super) fn effective(&self, mark: &RevocationKey, at: u64) -> u64 {
        let RevocationKey::Account(account) = mark else {
            return at;
        };
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        match marks.lifted_until(account) {
            0 => at,
            lifted => at.max(lifted.saturating_add(1)),
        }
    }

    /// When what was kept of an account was forgotten, by its marks; `None` while a sign-out waits to
    /// be published.
    #[cfg(any(feature = "redis", test))]
    pub(super) fn forgotten_at(&self, account: &AccountId) -> Option<[u64; 3]> {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        marks.forgotten_at(account, self.uptime.seconds())
    }

    /// The number of the last sign-out of a token's account, 0 for none.
    pub(super) fn sign_out_of(&self, claims: &Claims) -> u64 {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let number = |account: Option<AccountId>| {
            let held = marks.signed_out.get(&AccountKey::from(&account?))?;
            Some(held.number)
        };
        let numbers = [number(claims.account_id()), number(claims.subject_key())];
        numbers.into_iter().flatten().max().unwrap_or_default()
    }

    /// Hears of each mark that is raised from here on, and of each sign-out, that concerns a token.
    pub(super) fn listen(&self, claims: &Claims) -> Subscription {
        self.channels.listen(claims)
    }

    /// All marks and their times.
    #[cfg(any(feature = "redis", test))]
    pub(super) fn all(&self) -> Vec<(RevocationKey, u64)> {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        marks.all()
    }

    /// How many cut-offs are held.
    pub(super) fn len(&self) -> usize {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        marks.cut_offs()
    }

    pub(super) fn on_forget(&self, forget: Forget) {
        self.forgets
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(forget);
    }

    /// Has everything that is kept of accounts forgotten.
    ///
    /// Part of it is the application's own code, which may panic: that must not end the task that
    /// follows the store, and the others are to be called all the same.
    pub(super) fn forget(&self, accounts: &[AccountId]) {
        if accounts.is_empty() {
            return;
        }
        self.forget_own(accounts);
        let forgets = self.forgets.read().unwrap_or_else(PoisonError::into_inner);
        for (forget, account) in forgets
            .iter()
            .flat_map(|forget| accounts.iter().map(move |account| (forget, account)))
        {
            if catch_unwind(AssertUnwindSafe(|| forget(account))).is_err() {
                self.panicked.store(true, Ordering::Relaxed);
                tracing::error!("a hook given to on_sign_out panicked");
            }
        }
    }

    pub(super) fn on_forget_own(&self, forget: ForgetAll) {
        let mut own = self.own.write().unwrap_or_else(PoisonError::into_inner);
        own.push(forget);
    }

    /// The same for what this crate keeps: nothing of the application is called.
    fn forget_own(&self, accounts: &[AccountId]) {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        for forget in own.iter() {
            forget(accounts);
        }
    }

    /// Whether a hook has panicked.
    pub(super) fn has_panicked(&self) -> bool {
        self.panicked.load(Ordering::Relaxed)
    }
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
