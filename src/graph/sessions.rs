//! A user's sign-in sessions: since when they count, and how to end them.
//!
//! Sources: Microsoft Graph, "user resource type" (`signInSessionsValidFromDateTime`), "user:
//! revokeSignInSessions", "user: invalidateAllRefreshTokens" (beta).

use std::sync::Arc;

use http::StatusCode;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::cache::CacheLookup;
use super::client::Connection;
use super::error::GraphError;
use super::principal::{Account, Requester};
use super::request_error::GraphRequestError;
use crate::guid::parse_guid;
use crate::transport::HttpAnswer;

/// Which of Graph's two calls ends the sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionRevocation {
    /// `POST /v1.0/…/revokeSignInSessions`, the one to use.
    SignInSessions,
    /// `POST /beta/…/invalidateAllRefreshTokens`, its older sibling.
    RefreshTokens,
}

/// Since when a user's sessions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// Tokens issued before this second (since 1970-01-01 UTC) are revoked.
    ValidFrom(u64),
    /// The account is gone.
    Gone,
}

#[derive(Deserialize)]
struct User {
    #[serde(rename = "signInSessionsValidFromDateTime")]
    valid_from: Option<String>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

impl Connection {
    /// What is known by now of an account's sessions.
    pub(crate) fn look_up_sessions(&self, account: &Account) -> CacheLookup<Sessions> {
        match self.sessions.look(account, &[()]) {
            CacheLookup::Hit(known) => known
                .into_iter()
                .next()
                .map_or(CacheLookup::Miss, CacheLookup::Hit),
            CacheLookup::Failed(error) => CacheLookup::Failed(error),
            CacheLookup::Miss => CacheLookup::Miss,
        }
    }

    /// Since when the asker's sessions count; one question for all who ask at a time.
    pub(crate) async fn sessions(
        self: &Arc<Self>,
        asker: &Requester,
    ) -> Result<Sessions, GraphError> {
        let (connection, who) = (Arc::clone(self), asker.clone());
        let ask = |_| async move {
            let sessions = connection.read_sessions(&who).await?;
            Ok(vec![((), sessions, connection.options.cache)])
        };
        let answers = self.sessions.resolve(&asker.account, &[()], ask).await?;
        Ok(answers
            .into_iter()
            .next()
            .ok_or(GraphRequestError::Cancelled)?)
    }

    async fn read_sessions(self: &Arc<Self>, asker: &Requester) -> Result<Sessions, GraphError> {
        const CALL: &str = "signInSessionsValidFromDateTime";
        let [kind, id] = asker.account.path();
        let mut address = self.graph().await?.address([kind, id]);
        // "Returned only on $select."
        address.set_query(Some("$select=signInSessionsValidFromDateTime"));
        let answer = self.get_as(asker, CALL, address).await?;
        if answer.is_missing() {
            return Ok(Sessions::Gone);
        }
        match answer.json::<User>(CALL)?.valid_from {
            // Not stated is not "never revoked".
            None => Err(GraphRequestError::NoSessionTime.into()),
            Some(time) => seconds(&time)
                .map(Sessions::ValidFrom)
                .ok_or_else(|| GraphRequestError::InvalidJson { call: CALL }.into()),
        }
    }

    /// Ends the sessions of an account (an object id) or of the asker; any 2xx is success.
    ///
    /// What comes back is the second before which the account's tokens are to be refused: the time
    /// of Graph's clock, rounded up, or that of our own where Graph's is not to be believed.
    pub(crate) async fn revoke(
        self: &Arc<Self>,
        asker: &Requester,
        object: Option<Uuid>,
        which: SessionRevocation,
    ) -> Result<u64, GraphError> {
        let call = match which {
            SessionRevocation::SignInSessions => "revokeSignInSessions",
            SessionRevocation::RefreshTokens => "invalidateAllRefreshTokens",
        };
        let another = object.filter(|object| *object != asker.account.object);
        let object = object.map(|id| id.hyphenated().to_string());
        let segments: Vec<&str> = match &object {
            Some(id) => vec!["users", id, call],
            None => vec!["me", call],
        };
        let graph = self.graph().await?;
        let address = match which {
            SessionRevocation::SignInSessions => graph.address(segments),
            SessionRevocation::RefreshTokens => graph.beta_address(segments),
        };
        let answer = self.post_as(asker, call, address, None).await;
        let answer = answer.map_err(|error| logged(error, call))?;
        let date = answer.date();
        let success = match another {
            Some(_) => success_with_another(answer, call),
            None => answer.success(call).map_err(|error| logged(error, call)),
        };
        success.map(|_| cut_off(date, self.clock.seconds(), self.clock_skew))
    }

    /// The object id of a user, by that id or by user principal name.
    pub(crate) async fn object_id(
        self: &Arc<Self>,
        asker: &Requester,
        user: &str,
    ) -> Result<Uuid, GraphError> {
        const CALL: &str = "user by principal name";
        if let Some(id) = parse_guid(user) {
            return Ok(id);
        }
        // An address drops segments that are only dots, and would name all users.
        if user.is_empty() || user.len() > MOST_NAME || user.chars().all(|c| c == '.') {
            return Err(GraphError::AccountNotFound);
        }
        let mut address: Url = self.graph().await?.address(["users", user]);
        // A path may hold `@` as it is (RFC 3986); "URL-encoded" means it should not.
        let encoded = address.path().replace('@', "%40");
        address.set_path(&encoded);
        address.set_query(Some("$select=id"));
        let answer = self.get_as(asker, CALL, address).await;
        let answer = answer.map_err(|error| logged(error, CALL))?;
        let id = success_with_another(answer, CALL)?.json::<Id>(CALL)?.id;
        parse_guid(&id).ok_or_else(|| GraphRequestError::InvalidJson { call: CALL }.into())
    }
}

/// An answer about another account, where Graph's 403 and 404 are for the caller to know: a
/// permission is missing, or no account has that id.
fn success_with_another(answer: HttpAnswer, call: &'static str) -> Result<HttpAnswer, GraphError> {
    match answer.status {
        StatusCode::NOT_FOUND => Err(GraphError::AccountNotFound),
        StatusCode::FORBIDDEN => {
            let code = answer.error_code().unwrap_or_default();
            tracing::warn!(call, code, "the directory refuses this to the caller");
            Err(GraphError::Refused)
        }
        _ => answer.success(call).map_err(|error| logged(error, call)),
    }
}

fn logged(error: GraphError, call: &'static str) -> GraphError {
    error.log(call);
    error
}

/// The second before which tokens are to be refused, by the `Date` of Graph's answer.
///
/// A date has whole seconds, so what happened at it happened before the next one.
fn cut_off(date: Option<u64>, now: u64, skew: u64) -> u64 {
    let may_be = now.saturating_sub(skew)..=now.saturating_add(MOST_LATER);
    let believed = |date: &u64| may_be.contains(date);
    if date.is_some_and(|date| !believed(&date)) {
        tracing::error!(
            date,
            now,
            "Graph's clock and this machine's are too far apart: sessions end by this machine's"
        );
    }
    let at = date.filter(believed).unwrap_or(now);
    at.saturating_add(1)
}

/// The whole seconds since 1970-01-01 of an RFC 3339 time in UTC, as Graph writes them.
/// No date library is in the default tree; the smallest would add five crates for these lines.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "four digits at most in each number, and months and days from 1"
)]
fn seconds(time: &str) -> Option<u64> {
    let (date, clock) = time.strip_suffix(['Z', 'z'])?.split_once(['T', 't'])?;
    let clock = clock.split_once('.').map_or(clock, |(whole, _)| whole);
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(clock, ':')?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year > 9_999 {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 0000-03-01, so that the leap day ends a year (H. Hinnant, "chrono-compatible
    // low-level date algorithms").
    let (year, month) = match month {
        1 | 2 => (year.checked_sub(1)?, month + 9),
        _ => (year, month - 3),
    };
    let era_days = year * 365 + year / 4 - year / 100 + year / 400;
    let days = era_days + (153 * month + 2) / 5 + day - 1;
    // Before 1970 nothing was revoked: Graph writes the year 1 for "never".
    let days = days.saturating_sub(719_468);
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let mut parts = text.split(between).map(|part| {
        let digits = !part.is_empty() && part.len() <= 4;
        let digits = digits && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    });
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// How far Graph's clock may be ahead of the local one.
const MOST_LATER: u64 = 86_400;

/// Longer than any user principal name (113 characters) that is percent-encoded.
const MOST_NAME: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_end_by_graphs_clock_rounded_up_where_it_can_be_believed() {
        let now = 2_000_000_000;
        for (date, expected) in [
            (Some(now), now + 1),
            (Some(now - 300), now - 299),
            (Some(now + 86_400), now + 86_401),
            (None, now + 1),
            (Some(now - 301), now + 1),
            (Some(now + 86_401), now + 1),
        ] {
            assert_eq!(cut_off(date, now, 300), expected, "{date:?}");
        }
    }

    #[test]
    fn times_are_read_as_graph_writes_them() {
        let table = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2018-09-18T00:17:28Z", Some(1_537_229_848)),
            ("2024-02-29T23:59:59.9999999Z", Some(1_709_251_199)),
            ("2024-03-01T00:00:00Z", Some(1_709_251_200)),
            ("2000-12-31T12:00:00Z", Some(978_264_000)),
            ("2026-11-21T03:55:00Z", Some(1_795_233_300)),
            ("0001-01-01T00:00:00Z", Some(0)),
            ("2024-02-29T23:59:59+01:00", None),
            ("2024-02-29", None),
            ("2024-13-01T00:00:00Z", None),
            ("2024-01-01T24:00:00Z", None),
            ("2024-01-01T00:00Z", None),
            ("2024-01-01T00:00:00:00Z", None),
            ("-024-01-01T00:00:00Z", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
