//! Whether a user's sessions were revoked after the token was issued (`Graph:CheckSessions`).

use std::sync::Arc;

use crate::claims::{Claims, Principal};
use crate::graph::{Account, CacheLookup, Connection, GraphError, Sessions};

use super::caller_token::of_account;
use super::context::AuthorityContext;
use super::patience::Patience;

/// What is known of a valid token's sessions without asking.
pub(crate) enum SessionCheck {
    Valid,
    Refused(SessionFailure),
    /// The directory decides.
    Unresolved(Arc<Connection>, Account),
}

/// Why a valid token's sessions do not let it pass.
#[derive(Debug, Clone)]
pub(crate) enum SessionFailure {
    /// The directory did not say.
    Graph(GraphError),
    /// The sessions ended at this time, or the account is gone.
    Revoked(Option<u64>),
}

/// Checks what is known of a user's token; no other caller has sessions, so Graph is not asked.
pub(crate) fn check_sessions(claims: &Claims) -> SessionCheck {
    let connection = AuthorityContext::of(claims)
        .and_then(|origin| origin.directory.as_ref())
        .filter(|connection| connection.checks_sessions());
    let Some(connection) = connection else {
        return SessionCheck::Valid;
    };
    if claims.principal() != Principal::User {
        return SessionCheck::Valid;
    }
    let Some(account) = Account::of(claims) else {
        return SessionCheck::Refused(SessionFailure::Graph(GraphError::MissingAccountId));
    };
    match connection.look_up_sessions(&account) {
        CacheLookup::Hit(sessions) => match check(sessions, claims) {
            Ok(()) => SessionCheck::Valid,
            Err(failure) => SessionCheck::Refused(failure),
        },
        CacheLookup::Failed(error) => SessionCheck::Refused(SessionFailure::Graph(error)),
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
    ) -> Result<Option<Patience>, SessionFailure> {
        match self {
            Self::Valid => Ok(None),
            Self::Refused(failure) => Err(failure),
            Self::Unresolved(connection, account) => {
                let patience = Patience::new(connection.longest());
                let asker = of_account(account, claims, token);
                let sessions = patience.wait(connection.sessions(&asker)).await;
                check(sessions.map_err(SessionFailure::Graph)?, claims)?;
                Ok(Some(patience))
            }
        }
    }
}

/// Older than the cut-off, or of an unknown age, is revoked; of the same second passes.
fn check(sessions: Sessions, claims: &Claims) -> Result<(), SessionFailure> {
    match sessions {
        // Graph writes the year 1 for "never".
        Sessions::ValidFrom(0) => Ok(()),
        Sessions::ValidFrom(cut_off)
            if AuthorityContext::issue_time(claims).is_some_and(|issued| issued >= cut_off) =>
        {
            Ok(())
        }
        Sessions::ValidFrom(cut_off) => Err(SessionFailure::Revoked(Some(cut_off))),
        Sessions::Gone => Err(SessionFailure::Revoked(None)),
    }
}
