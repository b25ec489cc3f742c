//! Sentences for people, one for each reason.

use crate::guard::Reason;

/// What a refused guard means, for whoever reads the answer.
pub(super) const fn of_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Scope => "The access token lacks a scope this resource needs.",
        Reason::NoPermissions => "The access token carries neither scopes nor roles.",
        Reason::Role => "The caller lacks a role this resource needs.",
        Reason::Tenant => "Callers of this tenant may not use this resource.",
        Reason::Group => "The caller is not a member of a group this resource needs.",
        Reason::GroupsOverage => {
            "The caller has too many groups for the access token to list, and the directory is \
             not asked."
        }
        Reason::DirectoryRole => "The caller lacks a directory role this resource needs.",
        Reason::ClientApp => "This client application may not use this resource.",
        Reason::ClientAuth => "The client application did not prove itself strongly enough.",
        Reason::Mfa => "This resource needs a sign-in with multi-factor authentication.",
        Reason::Acr => "The sign-in does not have the class this resource needs.",
        Reason::AuthContext => "This resource needs a stronger sign-in.",
        Reason::Policy => "This resource needs a sign-in by another policy.",
        Reason::AppOnly => "This resource is for applications that sign in as themselves.",
        Reason::UserOnly => "This resource is for users.",
        Reason::Guest => "This resource is not for guests.",
        Reason::Agent => {
            "This resource is not for agents. A token without the optional claim xms_act_fct does \
             not tell whether an agent acts, and is refused as well."
        }
        Reason::NotAgent => "This resource is for agent identities.",
        Reason::ObjectId => "This account may not use this resource.",
        Reason::NoIdentity => "The access token does not say for certain who is calling.",
        Reason::Replay => "The access token has nothing by which its first use could be told.",
        Reason::SignInTooOld => "This resource needs a more recent sign-in.",
        Reason::ConsentRequired => {
            "Nobody has consented to what this API asks for on the user's behalf."
        }
        Reason::DirectoryRefused => "The directory refuses this to the caller.",
        Reason::Other(_) => "The caller may not use this resource.",
    }
}

pub(super) const STEP_UP: &str = "This resource needs a stronger or newer sign-in. Ask for a \
                                  token with the claims of the challenge.";

pub(super) const STORE: &str = "The store of revocations and of used tokens is not available at \
                                the moment.";
