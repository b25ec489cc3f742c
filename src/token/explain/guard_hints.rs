//! What a person should try when a guard refused the caller.

use crate::authority::full_scope_name;
use crate::claims::{Claims, Groups, Principal};
use crate::guard::{DenialReason, Denied};

/// Hints for a caller that a guard refused.
pub(super) fn of_guard(denied: &Denied<'_>, claims: &Claims) -> Option<String> {
    let hint = match denied.reason() {
        DenialReason::Scope if claims.principal() == Principal::App => APP_ONLY.to_owned(),
        DenialReason::Scope => {
            let scopes: Vec<&str> = denied.scopes().collect();
            format!(
                "The client has to ask for the scope ({}), and a user or an administrator has to consent. \
                 Scopes are compared with letter case.",
                full_scope_name("{AppIdUri}", scopes.first().unwrap_or(&"…"))
            )
        }
        DenialReason::Role => "The user or application has to be assigned the app role, under Enterprise applications. \
             A new assignment is in the next token, not in this one."
            .to_owned(),
        DenialReason::GroupsOverage => "The token says that there are too many groups to list (overage). The API has to \
             ask Microsoft Graph: give it credentials (ClientCredentials) and Graph:ResolveGroups. No directory is \
             asked for an explanation."
            .to_owned(),
        DenialReason::Group if matches!(claims.groups(), Groups::Absent) => {
            "The token lists no groups at all: set groupMembershipClaims in the manifest.".to_owned()
        }
        DenialReason::Group => "The group is not in the token. Groups are compared by object id, not by name; with \
             groupMembershipClaims ApplicationGroup the token lists only groups that are assigned to the application."
            .to_owned(),
        DenialReason::DirectoryRole => "Directory roles are in wids, by template id, and only with groupMembershipClaims \
             DirectoryRole or All in the manifest."
            .to_owned(),
        DenialReason::Mfa => "amr has neither mfa nor ngcmfa. v2.0 access tokens have no amr: ask for an authentication \
             context (RequireAuthContext) with a Conditional Access policy."
            .to_owned(),
        DenialReason::ClientApp => "The token was issued to another client (azp, appid). Its application id has to be in the \
             guard's list."
            .to_owned(),
        DenialReason::Guest => "The account is a guest of this tenant (acct is 1, or idp names another tenant).".to_owned(),
        DenialReason::SignInTooOld => "The sign-in is older than the guard allows, or the token has no auth_time: the API's \
             registration has to ask for that optional claim."
            .to_owned(),
        DenialReason::Tenant => "The caller's tenant is not in the guard's list. Tenants are compared by id, not by domain."
            .to_owned(),
        DenialReason::Agent if claims.agent().is_none() => {
            "The token does not say whether an agent acts: the API's registration has to ask for the optional claim \
             xms_act_fct (Token configuration, access tokens)."
                .to_owned()
        }
        DenialReason::NotAgent => "The route is for agent identities. Their tokens tell it by the optional claims \
             xms_act_fct and xms_sub_fct, which the API's registration has to ask for."
            .to_owned(),
        DenialReason::Policy => "The route is for B2C tokens of that policy; Entra's own tokens have no policy, whatever \
             their tfp or acr says."
            .to_owned(),
        DenialReason::AppOnly => "The route is for applications that sign in as themselves; this is a user's token, or \
             one without the optional claim idtyp that tells."
            .to_owned(),
        DenialReason::UserOnly => "The route is for users; this is an application's token, or one that does not say."
            .to_owned(),
        DenialReason::AuthContext => "The route asks for a stronger sign-in. A client that says cp1 (xms_cc) is answered \
             with a claims challenge, others with 403."
            .to_owned(),
        DenialReason::ClientAuthMethod => "The client proved itself too weakly: a public client has no secret, and not every \
             secret is a certificate (azpacr, appidacr)."
            .to_owned(),
        _ => return None,
    };
    Some(hint)
}

pub(super) const APP_ONLY: &str = "This is an application's own token (client credentials): it carries app roles, never \
     scopes. Guard the route with a role as well: RequireScope(…).or(RequireAppOnly.and(RequireRole(…))).";
