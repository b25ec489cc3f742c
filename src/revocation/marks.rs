//! The table of marks, and when they are let go.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::claims::{AccountId, Claims};

use super::event::{AccountKey, RevocationKey};
use super::monotonic_clock::Uptime;

/// How long a mark is kept, in seconds: after it was raised, and after its time.
///
/// A token issued before a cut-off must be dead before the cut-off is forgotten. Entra's longest
/// access tokens, those of clients with continuous access evaluation, live up to 28 hours
/// (Microsoft, "Continuous access evaluation", "Token lifetime"); the rest of the two days is for
/// clock skew. Only tests have tokens that live longer.
///
/// It is elapsed time, not wall-clock time: a clock that is set to next week removes no mark
/// early.
pub(super) const KEPT: u64 = 48 * 60 * 60;

/// What is remembered of accounts and sessions.
#[derive(Default)]
pub(super) struct Marks {
    pub(super) accounts: HashMap<AccountId, Held>,
    /// Accounts that are known by issuer and subject, which a token may have beside its ids: as
    /// they were named first, and their cut-offs.
    pub(super) subjects: HashMap<AccountKey, (AccountId, Held)>,
    pub(super) sessions: HashMap<(Uuid, Box<str>), SessionTermination>,
    pub(super) signed_out: HashMap<AccountKey, SignedOut>,
    /// When something of an account ended, whose other tokens are good.
    pub(super) forgotten: HashMap<AccountId, Held>,
    /// Up to which time the revocations of an account were lifted.
    pub(super) lifted: HashMap<AccountKey, (AccountId, Held)>,
    /// How many sessions were ended without proof.
    pub(super) unproven: usize,
    /// The number of sign-outs.
    pub(super) sign_outs: u64,
    /// How many there may be before the old ones are looked for.
    pub(super) sweep_at: usize,
}

/// A time that is only raised.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) at: u64,
    /// The uptime after which it may be forgotten.
    pub(super) until: u64,
}

/// A session that ended, which no token of it outlives.
#[derive(Debug, Default)]
pub(super) struct SessionTermination {
    pub(super) at: u64,
    /// Whether nothing but a browser's request said so.
    pub(super) unproven: bool,
    /// The uptime after which it may be forgotten; later each time a token of it is seen.
    pub(super) until: AtomicU64,
}

/// How often it is worth telling that a token of an ended session was seen, in seconds.
const SEEN_AGAIN: u64 = 3_600;

/// The sign-outs of an account.
#[derive(Debug)]
pub(super) struct SignedOut {
    #[cfg_attr(
        not(any(feature = "redis", test)),
        expect(dead_code, reason = "for other replicas")
    )]
    pub(super) account: AccountId,
    pub(super) at: u64,
    pub(super) until: u64,
    /// Grows with each sign-out, those of one second too.
    pub(super) number: u64,
    /// The second in which the sign-outs since the last published one are published, as one.
    pub(super) due: Option<u64>,
}

/// Fewer marks than this are not worth looking through.
pub(super) const FEW: usize = 1_024;

impl Marks {
    /// Raises a mark that may be forgotten after `until`; `false` where it was that high before.
    pub(super) fn advance(&mut self, mark: &RevocationKey, at: u64, until: u64) -> bool {
        let (held, kept) = match mark {
            RevocationKey::Account(account @ AccountId::Entra { .. }) => {
                let held = self.accounts.entry(account.clone()).or_default();
                (&mut held.at, &mut held.until)
            }
            RevocationKey::Account(account) => {
                let named = || (account.clone(), Held::default());
                let subject = self.subjects.entry(account.into());
                let (_, held) = subject.or_insert_with(named);
                (&mut held.at, &mut held.until)
            }
            RevocationKey::Forgotten(account) => {
                let held = self.forgotten.entry(account.clone()).or_default();
                (&mut held.at, &mut held.until)
            }
            RevocationKey::Lifted(account) => {
                let named = || (account.clone(), Held::default());
                let (_, held) = self.lifted.entry(account.into()).or_insert_with(named);
                (&mut held.at, &mut held.until)
            }
            RevocationKey::Session { tenant, session } => {
                let key = (*tenant, session.clone());
                let ended = self.sessions.entry(key).or_default();
                // A token of it was seen elsewhere, or it is reported again.
                let kept = ended.until.get_mut();
                *kept = until.max(*kept);
                (&mut ended.at, kept)
            }
            RevocationKey::SignedOut(account) => {
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

    /// All marks and their times.
    #[cfg(any(feature = "redis", test))]
    pub(super) fn all(&self) -> Vec<(RevocationKey, u64)> {
        let accounts = self
            .accounts
            .iter()
            .chain(
                self.subjects
                    .values()
                    .map(|(account, held)| (account, held)),
            )
            .map(|(account, held)| (RevocationKey::Account(account.clone()), held.at));
        let sessions = self.sessions.iter().map(|((tenant, session), ended)| {
            let mark = RevocationKey::Session {
                tenant: *tenant,
                session: session.clone(),
            };
            (mark, ended.at)
        });
        let signed_out = self
            .signed_out
            .values()
            .map(|held| (RevocationKey::SignedOut(held.account.clone()), held.at));
        let forgotten = self
            .forgotten
            .iter()
            .map(|(account, held)| (RevocationKey::Forgotten(account.clone()), held.at));
        let lifted = self
            .lifted
            .values()
            .map(|(account, held)| (RevocationKey::Lifted(account.clone()), held.at));
        accounts
            .chain(lifted)
            .chain(sessions)
            .chain(signed_out)
            .chain(forgotten)
            .collect()
    }

    /// The times of the marks that had things of an account forgotten; `None` while one of them is
    /// still to be raised.
    ///
    /// What may be let go counts as if it was: replicas let go of marks at different moments.
    #[cfg(any(feature = "redis", test))]
    pub(super) fn forgotten_at(&self, account: &AccountId, uptime: u64) -> Option<[u64; 3]> {
        let at = |held: Option<&Held>| {
            let held = held.filter(|held| held.until >= uptime);
            held.map_or(0, |held| held.at)
        };
        let signed_out = self.signed_out.get(&AccountKey::from(account));
        let signed_out = signed_out.filter(|held| held.until >= uptime);
        if signed_out.is_some_and(|held| held.due.is_some()) {
            return None;
        }
        Some([
            at(self.accounts.get(account)),
            signed_out.map_or(0, |held| held.at),
            at(self.forgotten.get(account)),
        ])
    }

    pub(super) fn cut_offs(&self) -> usize {
        let accounts = self.accounts.len().saturating_add(self.subjects.len());
        accounts.saturating_add(self.sessions.len())
    }

    /// The cut-off of a token's account, by either of its names.
    pub(super) fn cut_off_of(&self, claims: &Claims) -> Option<u64> {
        let account = claims
            .account_id()
            .and_then(|account| self.cut_off_in_force(&account));
        let subject = (!self.subjects.is_empty())
            .then(|| self.cut_off_in_force(&claims.subject_key()?))
            .flatten();
        account.max(subject)
    }

    /// The cut-off of an account by this name, unless it was lifted.
    pub(super) fn cut_off_in_force(&self, account: &AccountId) -> Option<u64> {
        let held = match account {
            AccountId::Entra { .. } => self.accounts.get(account),
            AccountId::Subject { .. } => {
                let subject = self.subjects.get(&AccountKey::from(account));
                subject.map(|(_, held)| held)
            }
        };
        let at = held?.at;
        (self.lifted_until(account) < at).then_some(at)
    }

    /// Up to which time the revocations of an account were lifted; 0 where none was.
    pub(super) fn lifted_until(&self, account: &AccountId) -> u64 {
        if self.lifted.is_empty() {
            return 0;
        }
        let lifted = self.lifted.get(&AccountKey::from(account));
        lifted.map_or(0, |(_, held)| held.at)
    }

    /// When the session of a token ended, if it did; and what to tell others of that.
    pub(super) fn end_of(
        &self,
        claims: &Claims,
        uptime: &Uptime,
    ) -> Option<(u64, Option<(RevocationKey, u64)>)> {
        if self.sessions.is_empty() {
            return None;
        }
        let (tenant, session) = (claims.tenant_id()?, claims.session_id()?);
        let ended = self.sessions.get(&(tenant, session.into()))?;
        let until = uptime.seconds().saturating_add(KEPT);
        let before = ended.until.fetch_max(until, Ordering::Relaxed);
        let seen = until.saturating_sub(before) > SEEN_AGAIN;
        let mark = || RevocationKey::Session {
            tenant,
            session: session.into(),
        };
        Some((ended.at, seen.then(|| (mark(), ended.at))))
    }

    /// Lets go of marks that no living token can be older than, now and then.
    pub(super) fn sweep(&mut self, uptime: u64) {
        let count = |marks: &Self| {
            let others = marks.signed_out.len().saturating_add(marks.forgotten.len());
            let others = others.saturating_add(marks.lifted.len());
            marks.cut_offs().saturating_add(others)
        };
        if count(self) >= self.sweep_at.max(FEW) {
            self.let_go(uptime);
            self.sweep_at = count(self).saturating_mul(2);
        }
    }

    pub(super) fn let_go(&mut self, uptime: u64) {
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
        self.lifted.retain(|_, (_, held)| held.until >= uptime);
    }

    /// The sign-outs of an account, of which there is one more.
    pub(super) fn number_sign_out(&mut self, account: &AccountId) -> Option<&mut SignedOut> {
        self.sign_outs = self.sign_outs.saturating_add(1);
        let held = self.signed_out.get_mut(&AccountKey::from(account))?;
        held.number = self.sign_outs;
        Some(held)
    }

    pub(super) fn is_unproven(&mut self, mark: &RevocationKey) {
        if let RevocationKey::Session { tenant, session } = mark
            && let Some(ended) = self.sessions.get_mut(&(*tenant, session.clone()))
            && !ended.unproven
        {
            ended.unproven = true;
            self.unproven = self.unproven.saturating_add(1);
        }
    }
}

impl SignedOut {
    pub(super) const fn of(account: AccountId) -> Self {
        Self {
            account,
            at: 0,
            until: 0,
            number: 0,
            due: None,
        }
    }
}
