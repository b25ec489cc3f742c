//! Spending a token: the record of its first use, and what comes of it.

use http::Extensions;

use crate::claims::Claims;
use crate::revocation::{Answer, StoreError};

use super::context::AuthorityContext;
use super::guard_layer::Passed;
use super::head::Head;
use super::rejection::Rejection;
use super::service::Decision;

/// Stands in the request extensions once the token is spent, for further guards of the request.
#[derive(Debug, Clone)]
pub(super) struct FirstUse(String);

/// The first use of a token, if it is one.
#[derive(Debug)]
pub(super) struct ReplayCheck {
    answer: Answer<bool>,
    first_use: FirstUse,
    /// What to answer if the token was used before; `None` if that is no matter after all.
    used: Option<Rejection>,
    unavailable: Rejection,
}

impl ReplayCheck {
    /// Whether this request spent the token already.
    pub(super) fn was_made(claims: &Claims, extensions: &Extensions) -> bool {
        extensions
            .get::<FirstUse>()
            .is_some_and(|FirstUse(spent)| claims.token_id().is_some_and(|id| id == *spent))
    }

    /// Takes note of the use, or begins to.
    pub(super) fn of(
        claims: &Claims,
        now: u64,
        used: Option<Rejection>,
        head: Head<'_>,
    ) -> Result<Self, Rejection> {
        let unavailable = Rejection::store_unavailable(claims, head);
        let found = AuthorityContext::of(claims)
            .and_then(|origin| {
                let accounts = &origin.edge.accounts;
                accounts.first_use(claims, origin.clock_skew, now)
            })
            .zip(claims.token_id());
        match found {
            Some((answer, id)) => Ok(Self {
                answer,
                first_use: FirstUse(id),
                used,
                unavailable,
            }),
            None => Err(unavailable),
        }
    }

    /// Decides at once where the record is in memory.
    pub(super) fn judgement(self) -> Decision<Passed> {
        let Self {
            answer,
            first_use,
            used,
            unavailable,
        } = self;
        match answer {
            Answer::Now(answer) => match outcome(answer, first_use, used, unavailable) {
                Ok(first_use) => Decision::Allow(Passed::with(first_use)),
                Err(rejection) => Decision::Reject(Box::new(rejection)),
            },
            Answer::Later(answer) => Decision::Pending(Box::pin(async move {
                outcome(answer.await, first_use, used, unavailable).map(Passed::with)
            })),
        }
    }

    /// Decides when the answer is there.
    pub(super) async fn make(self) -> Result<Option<FirstUse>, Rejection> {
        let answer = self.answer.wait().await;
        let spent = outcome(answer, self.first_use, self.used, self.unavailable);
        crate::metrics::guarded(match &spent {
            Ok(_) => crate::metrics::Outcome::Admitted,
            Err(rejection) => rejection.outcome(),
        });
        spent
    }
}

fn outcome(
    answer: Result<bool, StoreError>,
    first_use: FirstUse,
    used: Option<Rejection>,
    unavailable: Rejection,
) -> Result<Option<FirstUse>, Rejection> {
    match (answer, used) {
        (Ok(true), _) => Ok(Some(first_use)),
        // Passes all the same, which is no proof for a further guard.
        (Ok(false), None) => Ok(None),
        (Ok(false), Some(used)) => Err(used),
        (Err(StoreError), _) => Err(unavailable),
    }
}
