//! Cut-offs: before when an account's tokens are refused. They are raised and never lowered.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use uuid::Uuid;

use crate::authority::Backdate;
use crate::claims::{Claims, UserKey};

use super::ageing::Uptime;
use super::bells::{Bells, Ear};
use super::ended::EndedSessions;
use super::events::{Mark, Whom};

/// How long a mark is kept, in seconds: after it was raised, and after its time.
///
/// A token issued before a cut-off must be dead before the cut-off is forgotten. Entra's longest
/// access tokens, those of clients with continuous access evaluation, live up to 28 hours
/// (Microsoft, "Continuous access evaluation", "Token lifetime"); the rest of the two days is for
/// clocks that are apart. Tokens that live longer are nobody's here but a test's.
///
/// It is time that passes, not the time of a clock: one that is set to next week makes nobody
/// forget.
pub(super) const KEPT: u64 = 48 * 60 * 60;

/// What to call with an account of which nothing is to be kept.
pub(super) type Forget = Box<dyn Fn(&UserKey) + Send + Sync>;

/// What this replica knows, which every request is held against.
#[derive(Default)]
pub(super) struct Revocations {
    /// The greatest cut-off there ever was: a token that is not older needs no look-up, unless its
    /// session may have ended.
    newest: AtomicU64,
    ended: EndedSessions,
    marks: RwLock<Marks>,
    forgets: RwLock<Vec<Forget>>,
    /// Those of this crate, which are called for every sign-out, however many there are.
    own: RwLock<Vec<Forget>>,
    /// Whether something that is called with an account has panicked.
    panicked: AtomicBool,
    bells: Bells,
    uptime: Uptime,
}

#[derive(Default)]
struct Marks {
    accounts: HashMap<UserKey, Held>,
    /// Accounts that are known by issuer and subject, which a token may have beside its ids: as
    /// they were named first, and their cut-offs.
    subjects: HashMap<Whom, (UserKey, Held)>,
    sessions: HashMap<(Uuid, Box<str>), Ended>,
    signed_out: HashMap<Whom, SignedOut>,
    /// When something of an account ended, whose other tokens are good.
    forgotten: HashMap<UserKey, Held>,
    /// How many sessions were ended without proof.
    unproven: usize,
    /// How often somebody signed out.
    sign_outs: u64,
    /// How many there may be before the old ones are looked for.
    sweep_at: usize,
}

/// A time that is only raised.
#[derive(Debug, Default)]
struct Held {
    at: u64,
    /// The uptime after which it may be forgotten.
    until: u64,
}

/// A session that ended, which no token of it outlives.
#[derive(Debug, Default)]
struct Ended {
    at: u64,
    /// Whether nothing but a browser's request said so.
    unproven: bool,
    /// The uptime after which it may be forgotten; later each time a token of it is seen.
    until: AtomicU64,
}

/// What refuses a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// A token issued at that second or later would not be refused for it.
    pub(super) cut_off: u64,
    /// An ended session that was not seen for a while: others are to keep it as well.
    pub(super) seen: Option<(Mark, u64)>,
}

/// How often it is worth telling that a token of an ended session was seen, in seconds.
const SEEN_AGAIN: u64 = 3_600;

#[derive(Debug)]
struct SignedOut {
    #[cfg_attr(
        not(any(feature = "redis", test)),
        expect(dead_code, reason = "for other replicas")
    )]
    account: UserKey,
    at: u64,
    until: u64,
    /// Grows with each sign-out, those of one second too.
    number: u64,
    /// The second in which the sign-outs since the last one that was told are told, as one.
    due: Option<u64>,
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

/// What became of a session's end that nobody proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unproven {
    News,
    /// It had ended before.
    Ended,
    NoRoom,
}

/// The most sessions that end without proof; some 20 MB. Those that were proved to have ended do
/// not count.
const MOST_UNPROVEN: usize = 100_000;

/// Fewer marks than this are not worth looking through.
const FEW: usize = 1_024;

impl Revocations {
    /// Raises a mark to a time; `false` where it was that high before.
    pub(super) fn raise(&self, mark: &Mark, at: u64, now: u64) -> bool {
        self.raise_aged(mark, at, now, 0)
    }

    /// The same for a mark that was first raised so many seconds ago, elsewhere.
    pub(super) fn raise_aged(&self, mark: &Mark, at: u64, now: u64, age: u64) -> bool {
        if at == 0 {
            return false;
        }
        let uptime = self.uptime.seconds();
        // A time that is still to come is kept for as much longer.
        let kept = KEPT
            .saturating_sub(age)
            .saturating_add(at.saturating_sub(now));
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        marks.sweep(uptime);
        if let Mark::Session { tenant, session } = mark {
            self.ended.add(*tenant, session);
        }
        if !marks.raise(mark, at, uptime.saturating_add(kept)) {
            return false;
        }
        drop(marks);
        if !matches!(mark, Mark::SignedOut(_) | Mark::Forgotten(_)) {
            self.newest.fetch_max(at, Ordering::Release);
        }
        self.bells.ring(mark);
        true
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
        let issued_at = backdate.issue_time(claims.issued_at());
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
    pub(super) fn sign_out(&self, account: &UserKey, now: u64) -> Due {
        let mark = Mark::SignedOut(account.clone());
        let first = self.raise(&mark, now, now);
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
        self.bells.ring(&mark);
        if due != Due::Now {
            self.forget_own(account);
        }
        due
    }

    /// Whether the sign-outs that wait for a second are still to be told; from now on they are not.
    pub(super) fn take_due(&self, account: &UserKey, second: u64) -> bool {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        let held = marks.signed_out.get_mut(&Whom::from(account));
        let Some(held) = held.filter(|held| held.due == Some(second)) else {
            return false;
        };
        held.due = None;
        held.at = held.at.max(second);
        true
    }

    /// Takes note of a sign-out elsewhere, whose mark was raised.
    #[cfg(feature = "redis")]
    pub(super) fn signed_out(&self, account: &UserKey) {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        let _ = marks.number_sign_out(account);
        drop(marks);
        self.bells.ring(&Mark::SignedOut(account.clone()));
        self.forget(account);
    }

    /// Ends a session that nobody proved to have ended, if there is room for it.
    pub(super) fn end_unproven(&self, mark: &Mark, at: u64, now: u64) -> Unproven {
        let uptime = self.uptime.seconds();
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        if let Mark::Session { tenant, session } = mark
            && marks.sessions.contains_key(&(*tenant, session.clone()))
        {
            return Unproven::Ended;
        }
        if marks.unproven >= MOST_UNPROVEN {
            marks.let_go(uptime);
        }
        if marks.unproven >= MOST_UNPROVEN {
            return Unproven::NoRoom;
        }
        drop(marks);
        if !self.raise(mark, at, now) {
            return Unproven::Ended;
        }
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        marks.is_unproven(mark);
        Unproven::News
    }

    /// The number of the last sign-out of a token's account, 0 for none.
    pub(super) fn sign_out_of(&self, claims: &Claims) -> u64 {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let number = |account: Option<UserKey>| {
            let held = marks.signed_out.get(&Whom::from(&account?))?;
            Some(held.number)
        };
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
            .chain(
                marks
                    .subjects
                    .values()
                    .map(|(account, held)| (account, held)),
            )
            .map(|(account, held)| (Mark::Account(account.clone()), held.at));
        let sessions = marks.sessions.iter().map(|((tenant, session), ended)| {
            let mark = Mark::Session {
                tenant: *tenant,
                session: session.clone(),
            };
            (mark, ended.at)
        });
        let signed_out = marks
            .signed_out
            .values()
            .map(|held| (Mark::SignedOut(held.account.clone()), held.at));
        let forgotten = marks
            .forgotten
            .iter()
            .map(|(account, held)| (Mark::Forgotten(account.clone()), held.at));
        accounts
            .chain(sessions)
            .chain(signed_out)
            .chain(forgotten)
            .collect()
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

    /// Has everything that is kept of an account forgotten.
    ///
    /// Part of it is the application's own code, which may panic: that must not end the task that
    /// follows the store, and the others are to be called all the same.
    pub(super) fn forget(&self, account: &UserKey) {
        self.forget_own(account);
        let forgets = self.forgets.read().unwrap_or_else(PoisonError::into_inner);
        for forget in forgets.iter() {
            if catch_unwind(AssertUnwindSafe(|| forget(account))).is_err() {
                self.panicked.store(true, Ordering::Relaxed);
                tracing::error!("a hook given to on_sign_out panicked");
            }
        }
    }

    pub(super) fn on_forget_own(&self, forget: Forget) {
        let mut own = self.own.write().unwrap_or_else(PoisonError::into_inner);
        own.push(forget);
    }

    /// The same for what this crate keeps: nothing of the application is called.
    fn forget_own(&self, account: &UserKey) {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        for forget in own.iter() {
            forget(account);
        }
    }

    /// Whether a hook has panicked.
    pub(super) fn has_panicked(&self) -> bool {
        self.panicked.load(Ordering::Relaxed)
    }
}

impl Marks {
    /// Raises a mark that may be forgotten after `until`; `false` where it was that high before.
    fn raise(&mut self, mark: &Mark, at: u64, until: u64) -> bool {
        let (held, kept) = match mark {
            Mark::Account(account @ UserKey::Object { .. }) => {
                let held = self.accounts.entry(account.clone()).or_default();
                (&mut held.at, &mut held.until)
            }
            Mark::Account(account) => {
                let named = || (account.clone(), Held::default());
                let subject = self.subjects.entry(account.into());
                let (_, held) = subject.or_insert_with(named);
                (&mut held.at, &mut held.until)
            }
            Mark::Forgotten(account) => {
                let held = self.forgotten.entry(account.clone()).or_default();
                (&mut held.at, &mut held.until)
            }
            Mark::Session { tenant, session } => {
                let key = (*tenant, session.clone());
                let ended = self.sessions.entry(key).or_default();
                // A token of it was seen elsewhere, or it is told again.
                let kept = ended.until.get_mut();
                *kept = until.max(*kept);
                (&mut ended.at, kept)
            }
            Mark::SignedOut(account) => {
                let signed_out = self.signed_out.entry(account.into());
                let held = signed_out.or_insert_with(|| SignedOut::of(account.clone()));
                (&mut held.at, &mut held.until)
            }
        };
        if *held >= at {
            return false;
        }
        *held = at;
        *kept = until.max(*kept);
        true
    }

    fn cut_offs(&self) -> usize {
        let accounts = self.accounts.len().saturating_add(self.subjects.len());
        accounts.saturating_add(self.sessions.len())
    }

    /// The cut-off of a token's account, by either of its names.
    fn cut_off_of(&self, claims: &Claims) -> Option<u64> {
        let account = claims
            .user_key()
            .and_then(|account| self.accounts.get(&account));
        let subject = (!self.subjects.is_empty())
            .then(|| self.subjects.get(&Whom::from(&claims.subject_key()?)))
            .flatten()
            .map(|(_, held)| held);
        let both = [account, subject].into_iter().flatten();
        both.map(|held| held.at).max()
    }

    /// When the session of a token ended, if it did; and what to tell others of that.
    fn end_of(&self, claims: &Claims, uptime: &Uptime) -> Option<(u64, Option<(Mark, u64)>)> {
        if self.sessions.is_empty() {
            return None;
        }
        let (tenant, session) = (claims.tenant_id()?, claims.session_id()?);
        let ended = self.sessions.get(&(tenant, session.into()))?;
        let until = uptime.seconds().saturating_add(KEPT);
        let before = ended.until.fetch_max(until, Ordering::Relaxed);
        let seen = until.saturating_sub(before) > SEEN_AGAIN;
        let mark = || Mark::Session {
            tenant,
            session: session.into(),
        };
        Some((ended.at, seen.then(|| (mark(), ended.at))))
    }

    /// Lets go of marks that no living token can be older than, now and then.
    fn sweep(&mut self, uptime: u64) {
        let count = |marks: &Self| {
            let others = marks.signed_out.len().saturating_add(marks.forgotten.len());
            marks.cut_offs().saturating_add(others)
        };
        if count(self) >= self.sweep_at.max(FEW) {
            self.let_go(uptime);
            self.sweep_at = count(self).saturating_mul(2);
        }
    }

    fn let_go(&mut self, uptime: u64) {
        self.accounts.retain(|_, held| held.until >= uptime);
        self.subjects.retain(|_, (_, held)| held.until >= uptime);
        let mut unproven: usize = 0;
        self.sessions.retain(|_, ended| {
            let kept = *ended.until.get_mut() >= uptime;
            unproven = unproven.saturating_add(usize::from(kept && ended.unproven));
            kept
        });
        self.unproven = unproven;
        self.signed_out.retain(|_, held| held.until >= uptime);
        self.forgotten.retain(|_, held| held.until >= uptime);
    }

    /// The sign-outs of an account, of which there is one more.
    fn number_sign_out(&mut self, account: &UserKey) -> Option<&mut SignedOut> {
        self.sign_outs = self.sign_outs.saturating_add(1);
        let held = self.signed_out.get_mut(&Whom::from(account))?;
        held.number = self.sign_outs;
        Some(held)
    }

    fn is_unproven(&mut self, mark: &Mark) {
        if let Mark::Session { tenant, session } = mark
            && let Some(ended) = self.sessions.get_mut(&(*tenant, session.clone()))
            && !ended.unproven
        {
            ended.unproven = true;
            self.unproven = self.unproven.saturating_add(1);
        }
    }
}

impl SignedOut {
    const fn of(account: UserKey) -> Self {
        Self {
            account,
            at: 0,
            until: 0,
            number: 0,
            due: None,
        }
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
