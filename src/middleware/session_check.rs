//! Whether a user's sessions were revoked after the token was issued (`Graph:CheckSessions`).

use std::sync::Arc;

use crate::claims::{Claims, Principal};
use crate::graph::{Account, Connection, DirectoryError, Look, Sessions};

use super::caller_token::of_account;
use super::context::Origin;
use super::head::{Head, OwnedHead};
use super::patience::Patience;
use super::rejection::Rejection;

/// What is known of a valid token's sessions without asking.
pub(crate) enum SessionCheck {
    Passes,
    Refused(Box<Rejection>),
    /// The directory decides.
    Open(Arc<Connection>, Account),
}

/// Looks at what is known; tokens of applications have no sessions.
pub(crate) fn check_sessions(claims: &Claims, head: Head<'_>) -> SessionCheck {
    let connection = Origin::of(claims)
        .and_then(|origin| origin.directory.as_ref())
        .filter(|connection| connection.checks_sessions());
    let Some(connection) = connection else {
        return SessionCheck::Passes;
    };
    if claims.principal() == Principal::App {
        return SessionCheck::Passes;
    }
    let refused = |error| {
        let rejection = Rejection::directory(&error, claims, head);
        SessionCheck::Refused(Box::new(rejection))
    };
    let Some(account) = Account::of(claims) else {
        return refused(DirectoryError::NoAccount);
    };
    match connection.look_up_sessions(&account) {
        Look::Known(sessions) => match judge(sessions, claims, head) {
            Ok(()) => SessionCheck::Passes,
            Err(rejection) => SessionCheck::Refused(Box::new(rejection)),
        },
        Look::Failed(error) => refused(error),
        Look::Open => SessionCheck::Open(Arc::clone(connection), account),
    }
}

impl SessionCheck {
    /// Asks the directory where it has to be asked; `token` is the one the claims came from.
    ///
    /// What comes back is left of the request's patience, if some of it was needed.
    pub(crate) async fn settle(
        self,
        claims: &Claims,
        token: &str,
        head: &OwnedHead,
    ) -> Result<Option<Patience>, Rejection> {
        match self {
            Self::Passes => Ok(None),
            Self::Refused(rejection) => Err(*rejection),
            Self::Open(connection, account) => {
                let patience = Patience::new(connection.longest());
                let asker = of_account(account, token);
                let sessions = patience.wait(connection.sessions(&asker)).await;
                let head = head.as_head();
                let refused = |error| Rejection::directory(&error, claims, head);
                judge(sessions.map_err(refused)?, claims, head)?;
                Ok(Some(patience))
            }
        }
    }
}

/// Older than the cut-off, or of an unknown age, is revoked; of the same second passes.
fn judge(sessions: Sessions, claims: &Claims, head: Head<'_>) -> Result<(), Rejection> {
    match sessions {
        // Graph writes the year 1 for "never".
        Sessions::ValidFrom(0) => Ok(()),
        Sessions::ValidFrom(cut_off)
            if Origin::issue_time(claims).is_some_and(|issued| issued >= cut_off) =>
        {
            Ok(())
        }
        Sessions::ValidFrom(cut_off) => Err(Rejection::revoked(Some(cut_off), claims, head)),
        Sessions::Gone => Err(Rejection::revoked(None, claims, head)),
    }
}
