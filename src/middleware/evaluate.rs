//! Evaluates a guard for a request, and asks Microsoft Graph where the guard needs it.

use std::sync::Arc;

use crate::claims::Claims;
use crate::clock::Clock;
use crate::graph::{Account, CacheLookup, Connection};
use crate::guard::{Caller, Guard, Memberships};
use crate::metrics::{Outcome, guarded};

use super::caller_token::asker;
use super::context::AuthorityContext;
use super::guard_layer::missing_claims;
use super::head::{Head, OwnedHead};
use super::patience::Patience;
use super::rejection::Rejection;

/// What came of holding a guard against a request.
pub(super) enum GuardOutcome<'r> {
    Passes(&'r Claims),
    Refused(Box<Rejection>),
    /// The directory decides.
    Open(Box<PendingGroupCheck>),
}

/// A guard's no, and the groups that could make it a yes.
pub(super) struct Denial {
    rejection: Box<Rejection>,
    open: Vec<String>,
}

/// What a request waits for.
pub(super) struct PendingGroupCheck {
    claims: Claims,
    head: OwnedHead,
    connection: Arc<Connection>,
    patience: Patience,
    open: Vec<String>,
    asked: EvaluationState,
}

/// The caller that Microsoft Graph confirmed, and the waiting time that remains.
pub(super) struct Settled {
    pub(super) claims: Claims,
    pub(super) patience: Patience,
}

/// Asks a guard; what it says is kept beyond the guard's life.
pub(super) fn checked<G: Guard>(
    guard: &G,
    caller: &Caller<'_>,
    head: Head<'_>,
) -> Result<(), Denial> {
    guard.check(caller).map_err(|denied| Denial {
        rejection: Box::new(Rejection::denied(&denied, caller.claims(), head)),
        open: denied
            .unresolved_groups()
            .iter()
            .map(|&group| group.to_owned())
            .collect(),
    })
}

/// Checks a request's claims against a guard without waiting; a request without claims is rejected.
///
/// Without a Graph configuration the guard's own answer applies: `groups_overage`.
pub(super) fn hold<'r>(
    used: &'static str,
    check: impl Fn(&Caller<'_>, Head<'_>) -> Result<(), Denial>,
    head: Head<'r>,
) -> GuardOutcome<'r> {
    let held = held(used, check, head);
    match &held {
        GuardOutcome::Passes(_) => guarded(Outcome::Admitted),
        GuardOutcome::Refused(rejection) => guarded(rejection.outcome()),
        // Counted when it is known.
        GuardOutcome::Open(_) => {}
    }
    held
}

fn held<'r>(
    used: &'static str,
    check: impl Fn(&Caller<'_>, Head<'_>) -> Result<(), Denial>,
    head: Head<'r>,
) -> GuardOutcome<'r> {
    let Some(claims) = head.extensions.get::<Claims>() else {
        return GuardOutcome::Refused(Box::new(missing_claims(used, head)));
    };
    // Most guards pass by the claims only.
    match check(&Caller::by_clock(claims, now_of), head) {
        Ok(()) => GuardOutcome::Passes(claims),
        Err(no) => held_in_full(no, check, claims, head),
    }
}

/// What else is known, or can be found out, after a guard's first no.
#[cold]
fn held_in_full<'r>(
    mut no: Denial,
    check: impl Fn(&Caller<'_>, Head<'_>) -> Result<(), Denial>,
    claims: &'r Claims,
    head: Head<'_>,
) -> GuardOutcome<'r> {
    let mut asked = EvaluationState::default();
    loop {
        let connection = AuthorityContext::of(claims)
            .and_then(|origin| origin.directory.as_ref())
            .filter(|connection| connection.resolves_groups());
        let (Some(connection), Some(account), false) =
            (connection, Account::of(claims), no.open.is_empty())
        else {
            return GuardOutcome::Refused(no.rejection);
        };
        let groups: Vec<&str> = no.open.iter().map(String::as_str).collect();
        match connection.look_up_memberships(&account, &groups) {
            CacheLookup::Hit(more) => {
                asked.learn(no.open, more);
                match asked.hold(&check, claims, head) {
                    Ok(()) => return GuardOutcome::Passes(claims),
                    Err(still) => no = still,
                }
            }
            CacheLookup::Failed(error) => {
                let rejection = Rejection::directory(&error, claims, head);
                return GuardOutcome::Refused(Box::new(rejection));
            }
            CacheLookup::Miss => {
                return GuardOutcome::Open(Box::new(PendingGroupCheck {
                    claims: claims.clone(),
                    head: head.to_owned(),
                    patience: Patience::of(head.extensions, connection),
                    connection: Arc::clone(connection),
                    open: no.open,
                    asked,
                }));
            }
        }
    }
}

impl PendingGroupCheck {
    /// Puts the question to the directory and holds the guard against the caller again.
    ///
    /// All open groups go in one question; a guard that then opens others is asked again.
    pub(super) async fn resolve(
        self,
        check: impl Fn(&Caller<'_>, Head<'_>) -> Result<(), Denial>,
    ) -> Result<Settled, Rejection> {
        let resolved = self.resolved(check).await;
        guarded(match &resolved {
            Ok(_) => Outcome::Admitted,
            Err(rejection) => rejection.outcome(),
        });
        resolved
    }

    async fn resolved(
        self,
        check: impl Fn(&Caller<'_>, Head<'_>) -> Result<(), Denial>,
    ) -> Result<Settled, Rejection> {
        let Self {
            claims,
            head,
            connection,
            patience,
            mut open,
            mut asked,
        } = self;
        let head = head.as_head();
        let refused = |error| Rejection::directory(&error, &claims, head);
        let asker = asker(&claims, head.headers).map_err(refused)?;
        loop {
            let more = patience
                .wait(connection.memberships(&asker, &open))
                .await
                .map_err(refused)?;
            asked.learn(open, more);
            match asked.hold(&check, &claims, head) {
                Ok(()) => return Ok(Settled { claims, patience }),
                Err(no) if no.open.is_empty() => return Err(*no.rejection),
                Err(no) => open = no.open,
            }
        }
    }
}

/// What was asked so far, and what came of it.
#[derive(Default)]
struct EvaluationState {
    groups: Vec<String>,
    known: Memberships,
}

impl EvaluationState {
    fn learn(&mut self, groups: Vec<String>, more: Memberships) {
        self.groups.extend(groups);
        self.known = std::mem::take(&mut self.known).and(more);
    }

    /// Holds a guard against a caller; open is only what was not asked before, and nothing once
    /// a guard has named more groups than a guard can sensibly name.
    fn hold(
        &self,
        check: &impl Fn(&Caller<'_>, Head<'_>) -> Result<(), Denial>,
        claims: &Claims,
        head: Head<'_>,
    ) -> Result<(), Denial> {
        let mut caller = Caller::by_clock(claims, now_of);
        if !self.groups.is_empty() {
            caller = caller.with_memberships(self.known.clone());
        }
        check(&caller, head).map_err(|mut no| {
            no.open.retain(|group| !self.groups.contains(group));
            if self.groups.len() > MOST_GROUPS {
                no.open.clear();
            }
            no
        })
    }
}

/// The time by the clock of the layer that admitted the claims.
pub(super) fn now_of(claims: &Claims) -> u64 {
    AuthorityContext::of(claims).map_or_else(
        || Clock::system().seconds(),
        |origin| origin.edge.clock.seconds(),
    )
}

/// A guard of the application's own could name other groups each time it is held.
const MOST_GROUPS: usize = 1_000;
