//! What a path asks, and for which account.

use axum::http::Method;

use super::{GraphError, caller::Caller};
use crate::{app::App, authority::Authority, directory::User};

/// The object that is asked about.
pub(super) enum Target<'a> {
    User(&'a User),
    ServicePrincipal(&'a App),
}

/// What is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    CheckMemberGroups,
    CheckMemberObjects,
    GetMemberGroups,
    GetMemberObjects,
    TransitiveMemberOf { groups_only: bool },
    Read,
    RevokeSignInSessions,
    InvalidateAllRefreshTokens,
}

impl Action {
    pub(super) fn method(self) -> Method {
        match self {
            Self::Read | Self::TransitiveMemberOf { .. } => Method::GET,
            _ => Method::POST,
        }
    }
}

/// The action is known even where the object is not.
pub(super) type Asked<'a> = (Result<Target<'a>, GraphError>, Action);

/// Reads `me/…`, `users/{id}/…`, `servicePrincipals/{id}/…` and `directoryObjects/{id}/…`.
///
/// Only objects of the caller's tenant are found.
pub(super) fn read<'a>(
    authority: &'a Authority,
    caller: &Caller,
    path: &str,
    version: &str,
) -> Result<Asked<'a>, GraphError> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let collection = segments.next().unwrap_or_default();
    let user = |id: &str| user(authority, caller, id).map(Target::User);
    let service = |id: &str| service_principal(authority, id).map(Target::ServicePrincipal);
    let (target, id) = match collection.to_ascii_lowercase().as_str() {
        "me" => {
            let id = caller.me().ok_or_else(|| {
                let message = "/me request is only valid with delegated authentication flow.";
                GraphError::bad_request(message)
            })?;
            (user(id), id)
        }
        "users" => {
            let id = segments.next().unwrap_or_default();
            (user(id), id)
        }
        "serviceprincipals" => {
            let id = segments.next().unwrap_or_default();
            (service(id), id)
        }
        "directoryobjects" => {
            let id = segments.next().unwrap_or_default();
            (user(id).or_else(|| service(id)), id)
        }
        _ => return Err(unknown_segment(collection)),
    };
    let rest: Vec<_> = segments.map(without_namespace).collect();
    let rest: Vec<_> = rest.iter().map(String::as_str).collect();
    let action = match rest.as_slice() {
        [] => Action::Read,
        ["checkmembergroups"] => Action::CheckMemberGroups,
        ["checkmemberobjects"] => Action::CheckMemberObjects,
        ["getmembergroups"] => Action::GetMemberGroups,
        ["getmemberobjects"] => Action::GetMemberObjects,
        ["transitivememberof"] => Action::TransitiveMemberOf { groups_only: false },
        ["transitivememberof", "group"] => Action::TransitiveMemberOf { groups_only: true },
        ["revokesigninsessions"] => Action::RevokeSignInSessions,
        ["invalidateallrefreshtokens"] if version == "beta" => Action::InvalidateAllRefreshTokens,
        [other, ..] => return Err(unknown_segment(other)),
    };
    Ok((target.ok_or_else(|| GraphError::not_found(id)), action))
}

/// By object id or user principal name; Graph knows no other names.
fn user<'a>(authority: &'a Authority, caller: &Caller, id: &str) -> Option<&'a User> {
    let directory = &authority.directory;
    let is_named = |user: &&User| {
        user.object_id.eq_ignore_ascii_case(id)
            || directory.principal_name(user).eq_ignore_ascii_case(id)
    };
    let is_here = |user: &&User| user.tenant.eq_ignore_ascii_case(caller.tenant());
    let users = directory.users.iter().rev();
    users.filter(is_here).find(is_named)
}

/// Apps of the emulator have a service principal in every tenant.
fn service_principal<'a>(authority: &'a Authority, id: &str) -> Option<&'a App> {
    let mut apps = authority.directory.apps.iter().rev();
    apps.find(|app| app.object_id.eq_ignore_ascii_case(id))
}

fn without_namespace(segment: &str) -> String {
    let segment = segment.to_ascii_lowercase();
    let bare = segment.strip_prefix("microsoft.graph.");
    bare.map(str::to_owned).unwrap_or(segment)
}

fn unknown_segment(segment: &str) -> GraphError {
    let message = format!("Resource not found for the segment '{segment}'.");
    GraphError::bad_request(&message)
}
