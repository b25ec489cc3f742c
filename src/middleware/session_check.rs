//! Whether a user's sessions were revoked after the token was issued (`Graph:CheckSessions`).

use std::sync::Arc;

use crate::claims::{Claims, Principal};
use crate::graph::{Account, CacheLookup, Connection, GraphError, Sessions};

use super::caller_token::of_account;
use super::context::AuthorityContext;
use super::head::{Head, OwnedHead};
use super::patience::Patience;
use super::rejection::Rejection;

/// What is known of a valid token's sessions without asking.
pub(crate) enum SessionCheck {
    Valid,
    Refused(Box<Rejection>),
    /// The directory decides.
    Unresolved(Arc<Connection>, Account),
}

/// Looks at what is known; tokens of applications have no sessions.
pub(crate) fn check_sessions(claims: &Claims, head: Head<'_>) -> SessionCheck {
    let connection = AuthorityContext::of(claims)
        .and_then(|origin| origin.directory.as_ref())
        .filter(|connection| connection.checks_sessions());
    let Some(connection) = connection else {
        return SessionCheck::Valid;
    };
    if claims.principal() == Principal::App {
        return SessionCheck::Valid;
    }
    let refused = |error| {
        let rejection = Rejection::directory(&error, claims, head);
        SessionCheck::Refused(Box::new(rejection))
    };
    let Some(account) = Account::of(claims) else {
        return refused(GraphError::MissingAccountId);
    };
    match connection.look_up_sessions(&account) {
        CacheLookup::Hit(sessions) => match check(sessions, claims, head) {
            Ok(()) => SessionCheck::Valid,
            Err(rejection) => SessionCheck::Refused(Box::new(rejection)),
        },
        CacheLookup::Failed(error) => refused(error),
        CacheLookup::Miss => SessionCheck::Unresolved(Arc::clone(connection), account),
    }
}

impl SessionCheck {
    /// Asks the directory where it has to be asked; `token` is the one the claims came from.
    ///
    /// What comes back is left of the request's patience, if some of it was needed.
    pub(crate) async fn resolve(
        self,
        claims: &Claims,
        token: &str,
        head: &OwnedHead,
    ) -> Result<Option<Patience>, Rejection> {
        match self {
            Self::Valid => Ok(None),
            Self::Refused(rejection) => Err(*rejection),
            Self::Unresolved(connection, account) => {
                let patience = Patience::new(connection.longest());
                let asker = of_account(account, token);
                let sessions = patience.wait(connection.sessions(&asker)).await;
                let head = head.as_head();
                let refused = |error| Rejection::directory(&error, claims, head);
                check(sessions.map_err(refused)?, claims, head)?;
                Ok(Some(patience))
            }
        }
    }
}

/// Older than the cut-off, or of an unknown age, is revoked; of the same second passes.
fn check(sessions: Sessions, claims: &Claims, head: Head<'_>) -> Result<(), Rejection> {
    match sessions {
        // Graph writes the year 1 for "never".
        Sessions::ValidFrom(0) => Ok(()),
        Sessions::ValidFrom(cut_off)
            if AuthorityContext::issue_time(claims).is_some_and(|issued| issued >= cut_off) =>
        {
            Ok(())
        }
        Sessions::ValidFrom(cut_off) => Err(Rejection::revoked(Some(cut_off), claims, head)),
        Sessions::Gone => Err(Rejection::revoked(None, claims, head)),
    }
}
