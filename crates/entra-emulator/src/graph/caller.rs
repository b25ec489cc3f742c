//! Who calls Graph, and what the token permits (Microsoft, graph/permissions-reference).

use axum::http::{HeaderMap, header};

use super::{
    GraphError,
    path::{Action, Target},
};
use crate::{
    authority::Authority,
    received::{NotTaken, Received},
    seeds,
};

/// The caller of one request.
pub(super) struct Caller(Received);

impl Caller {
    /// Reads the bearer token: this emulator's, for Graph, not expired, not revoked.
    pub(super) fn of(authority: &Authority, headers: &HeaderMap) -> Result<Self, GraphError> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
            .map(|(_, token)| token.trim())
            .filter(|token| !token.is_empty())
            .ok_or_else(|| GraphError::invalid_token("Access token is empty."))?;
        let token = Received::read(authority, token).map_err(|reason| {
            GraphError::invalid_token(match reason {
                NotTaken::Malformed => "CompactToken parsing failed with error code: 80049217",
                NotTaken::Forged => "Access token validation failure. Invalid signature.",
                NotTaken::Late => "Lifetime validation failed, the token is expired.",
            })
        })?;
        let audience = authority.api(token.audience());
        if audience.is_none_or(|api| api.client_id != seeds::MICROSOFT_GRAPH) {
            let message = "Access token validation failure. Invalid audience.";
            return Err(GraphError::invalid_token(message));
        }
        let is_user = !token.is_app_only();
        let valid_from = authority.sign_ins().valid_from(token.object_id());
        if is_user && token.made_at(authority) < valid_from {
            return Err(GraphError::invalid_token(
                "Continuous access evaluation resulted in challenge with result: \
                 InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp",
            ));
        }
        Ok(Self(token))
    }

    pub(super) fn tenant(&self) -> &str {
        self.0.tenant()
    }

    /// The user behind `/me`; an application has none.
    pub(super) fn me(&self) -> Option<&str> {
        (!self.0.is_app_only()).then(|| self.0.object_id())
    }

    /// Whether one of the permissions for this action is in the token.
    pub(super) fn may(
        &self,
        action: Action,
        target: &Result<Target<'_>, GraphError>,
    ) -> Result<(), GraphError> {
        let is_me = match target {
            Ok(Target::User(user)) => self.me() == Some(&user.object_id),
            Ok(Target::ServicePrincipal(_)) | Err(_) => false,
        };
        let is_app = self.me().is_none();
        let (mine, others): (&[&str], &[&str]) = match (action, target) {
            (Action::RevokeSignInSessions, _) => (&["User.ReadWrite"], REVOKE),
            (Action::InvalidateAllRefreshTokens, _) if is_app => (&[], &[]),
            (Action::InvalidateAllRefreshTokens, _) => (&["User.ReadWrite"], INVALIDATE),
            (_, Ok(Target::ServicePrincipal(_))) => (&[], READ_APPLICATIONS),
            (Action::Read, _) => (READ_ME, READ_USERS),
            (_, _) => (READ_ME, READ_MEMBERS),
        };
        let held = self.0.permissions();
        let has = |permissions: &[&str]| permissions.iter().any(|one| held.contains(one));
        if has(others) || (is_me && has(mine)) {
            Ok(())
        } else {
            Err(GraphError::denied())
        }
    }
}

const READ_ME: &[&str] = &["User.Read", "User.ReadWrite"];
const READ_USERS: &[&str] = &[
    "User.ReadBasic.All",
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];
const READ_MEMBERS: &[&str] = &[
    "User.Read.All",
    "User.ReadWrite.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];
const READ_APPLICATIONS: &[&str] = &[
    "Application.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];
const INVALIDATE: &[&str] = &[
    "User.ReadWrite.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];
const REVOKE: &[&str] = &[
    "User.RevokeSessions.All",
    "User.ReadWrite.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];
