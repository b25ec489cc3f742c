//! Sentences for people, one for each reason.

use crate::guard::DenialReason;

/// What a refused guard means, for the reader of the answer.
pub(super) const fn of_reason(reason: DenialReason) -> &'static str {
    match reason {
        DenialReason::Scope => "The access token lacks a scope this resource needs.",
        DenialReason::NoPermissions => "The access token carries neither scopes nor roles.",
        DenialReason::Role => "The caller lacks a role this resource needs.",
        DenialReason::Tenant => "Callers of this tenant may not use this resource.",
        DenialReason::Group => "The caller is not a member of a group this resource needs.",
        DenialReason::GroupsOverage => {
            "The caller has too many groups for the access token to list, and the directory is \
             not asked."
        }
        DenialReason::DirectoryRole => "The caller lacks a directory role this resource needs.",
        DenialReason::ClientApp => "This client application may not use this resource.",
        DenialReason::ClientAuthMethod => {
            "The client application did not prove itself strongly enough."
        }
        DenialReason::Mfa => "This resource needs a sign-in with multi-factor authentication.",
        DenialReason::Acr => "The sign-in does not have the class this resource needs.",
        DenialReason::AuthContext => "This resource needs a stronger sign-in.",
        DenialReason::Policy => "This resource needs a sign-in by another policy.",
        DenialReason::AppOnly => "This resource is for applications that sign in as themselves.",
        DenialReason::UserOnly => "This resource is for users.",
        DenialReason::Guest => "This resource is not for guests.",
        DenialReason::Agent => {
            "This resource is not for agents. A token without the optional claim xms_act_fct does \
             not say whether an agent acts, and is refused as well."
        }
        DenialReason::NotAgent => "This resource is for agent identities.",
        DenialReason::ObjectId => "This account may not use this resource.",
        DenialReason::NoIdentity => "The access token does not say for certain who is calling.",
        DenialReason::Replay => {
            "The access token has nothing by which its first use could be told."
        }
        DenialReason::Proof => "This resource needs a token that is bound to its client.",
        DenialReason::SignInTooOld => "This resource needs a more recent sign-in.",
        DenialReason::ConsentRequired => {
            "Neither the user nor an administrator has consented to what this API asks for on the user's behalf."
        }
        DenialReason::DirectoryRefused => "The directory refuses this to the caller.",
        DenialReason::Tool => "This server has no such tool or method, or none that may be called.",
        DenialReason::Custom(_) => "The caller may not use this resource.",
    }
}

pub(super) const STEP_UP: &str = "This resource needs a stronger or newer sign-in. Ask for a \
                                  token with the claims of the challenge.";

pub(super) const STORE: &str = "The store of revocations and of used tokens is not available at \
                                the moment.";
