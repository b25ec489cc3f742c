//! Why a guard refused, without a copy of anything.

use std::fmt;

use super::name_set::{NameSet, names};
use crate::scope_hierarchy::ScopeHierarchy;

/// The stable code of a refusal, as in the answer's `reason`.
///
/// ```
/// use axum_entra::guard::DenialReason;
///
/// assert_eq!(DenialReason::GroupsOverage.as_str(), "groups_overage");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenialReason {
    /// A scope is missing.
    Scope,
    /// The token has neither `scp` nor `roles`.
    NoPermissions,
    /// A role is missing.
    Role,
    /// The tenant is not one of those that the guard accepts.
    Tenant,
    /// Not a member of the group.
    Group,
    /// The token says "too many groups to list" and there is no access to Microsoft Graph.
    GroupsOverage,
    /// A directory role is missing.
    DirectoryRole,
    /// The client application is not one of those that the guard accepts.
    ClientApp,
    /// The client did not prove itself strongly enough.
    ClientAuthMethod,
    /// No proof of multi-factor authentication.
    Mfa,
    /// `acr` has another value.
    Acr,
    /// The authentication context is missing.
    AuthContext,
    /// The user went through another B2C policy, or the token is not of B2C.
    Policy,
    /// Not an application.
    AppOnly,
    /// Not a user.
    UserOnly,
    /// A guest.
    Guest,
    /// An agent, or a token that does not say whether one acts.
    Agent,
    /// Not an agent, as far as the token says.
    NotAgent,
    /// The account is not one of those that the guard accepts.
    ObjectId,
    /// The token does not identify an account.
    NoIdentity,
    /// The user signed in too long ago, or it is not known when.
    SignInTooOld,
    /// The token was used before, or has nothing to be known by.
    Replay,
    /// The token is not bound to its client, so that the request proves nothing.
    Proof,
    /// Consent is missing for what this API wants to do on the user's behalf.
    ConsentRequired,
    /// The directory refuses what the caller asked of it.
    DirectoryRefused,
    /// A tool, prompt, resource or method of an MCP server that has no guard
    /// ([`mcp::ToolGuards`](crate::mcp::ToolGuards)).
    Tool,
    /// A guard of the application's own.
    Custom(&'static str),
}

impl DenialReason {
    /// The code.
    ///
    /// ```
    /// use axum_entra::guard::DenialReason;
    ///
    /// assert_eq!(DenialReason::AuthContext.as_str(), "auth_context");
    /// assert_eq!(DenialReason::Custom("not_the_owner").as_str(), "not_the_owner");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::NoPermissions => "no_permissions",
            Self::Role => "role",
            Self::Tenant => "tenant",
            Self::Group => "group",
            Self::GroupsOverage => "groups_overage",
            Self::DirectoryRole => "directory_role",
            Self::ClientApp => "client_app",
            Self::ClientAuthMethod => "client_auth",
            Self::Mfa => "mfa",
            Self::Acr => "acr",
            Self::AuthContext => "auth_context",
            Self::Policy => "policy",
            Self::AppOnly => "app_only",
            Self::UserOnly => "user_only",
            Self::Guest => "guest",
            Self::Agent => "agent",
            Self::NotAgent => "not_agent",
            Self::ObjectId => "object_id",
            Self::NoIdentity => "no_identity",
            Self::SignInTooOld => "sign_in_too_old",
            Self::Replay => "replay",
            Self::Proof => "proof",
            Self::ConsentRequired => "consent_required",
            Self::DirectoryRefused => "directory_refused",
            Self::Tool => "tool",
            Self::Custom(code) => code,
        }
    }
}

impl fmt::Display for DenialReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: its reason, what would be accepted instead, and a question if one is still open.
///
/// ```
/// use axum_entra::guard::{DenialReason, Denied};
///
/// let denied = Denied::custom("not_from_headquarters");
/// assert_eq!(denied.reason(), DenialReason::Custom("not_from_headquarters"));
/// // No scope would do, so the challenge names none.
/// assert_eq!(denied.scopes().count(), 0);
/// ```
#[derive(Clone)]
#[must_use]
pub struct Denied<'g> {
    reason: DenialReason,
    scopes: Option<&'g dyn NameSet>,
    /// What other guards, which have to let the caller pass as well, refuse for.
    more_scopes: Vec<&'g dyn NameSet>,
    auth_context: Option<&'g str>,
    unresolved_groups: Vec<&'g str>,
}

impl<'g> Denied<'g> {
    /// A refusal for a reason; the challenge names no scope.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::guard::{Caller, DenialReason, Denied, Guard, from_fn};
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// let without_guests = from_fn(|caller| match caller.claims().is_guest() {
    ///     true => Err(Denied::new(DenialReason::Guest)),
    ///     false => Ok(()),
    /// });
    /// let (member, guest) = (claims().build(), claims().claim("acct", 1).build());
    /// assert!(without_guests.check(&Caller::at(&member, UnixTime::default())).is_ok());
    /// let denied = without_guests.check(&Caller::at(&guest, UnixTime::default())).unwrap_err();
    /// assert_eq!(denied.reason(), DenialReason::Guest);
    /// # }
    /// ```
    pub const fn new(reason: DenialReason) -> Self {
        Self {
            reason,
            scopes: None,
            more_scopes: Vec::new(),
            auth_context: None,
            unresolved_groups: Vec::new(),
        }
    }

    /// A refusal of a custom guard, with its own code for `reason`.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::guard::{Caller, Denied, Guard, from_fn};
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// let adults = from_fn(|caller| match caller.claims().extra::<u8>("extension_Age") {
    ///     Some(18..) => Ok(()),
    ///     // Also where the claim is missing: what is not known is refused.
    ///     _ => Err(Denied::custom("minor")),
    /// });
    /// let refused = |claims: axum_entra::Claims| {
    ///     let denied = adults.check(&Caller::at(&claims, UnixTime::default())).err();
    ///     denied.map(|denied| denied.reason().as_str())
    /// };
    /// assert_eq!(refused(claims().claim("extension_Age", 20).build()), None);
    /// assert_eq!(refused(claims().claim("extension_Age", 17).build()), Some("minor"));
    /// assert_eq!(refused(claims().build()), Some("minor"));
    /// # }
    /// ```
    pub const fn custom(code: &'static str) -> Self {
        Self::new(DenialReason::Custom(code))
    }

    /// A refusal for want of scopes: one of the set or all, as the set needs.
    pub(crate) const fn scopes_of(scopes: &'g dyn NameSet) -> Self {
        let mut denied = Self::new(DenialReason::Scope);
        denied.scopes = Some(scopes);
        denied
    }

    pub(crate) const fn auth_context(value: &'g str) -> Self {
        let mut denied = Self::new(DenialReason::AuthContext);
        denied.auth_context = Some(value);
        denied
    }

    pub(crate) fn open(groups: Vec<&'g str>) -> Self {
        let mut denied = Self::new(DenialReason::GroupsOverage);
        denied.unresolved_groups = groups;
        denied
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> DenialReason {
        self.reason
    }

    /// The scopes that would do; none where no scope would.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::guard::{Caller, Guard, RequireRole, RequireScope};
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// let claims = claims().scope("Other").build();
    /// let caller = Caller::at(&claims, UnixTime::default());
    /// let both = RequireScope::all(["Todo.Read", "Todo.ReadWrite"]);
    /// assert!(both.check(&caller).unwrap_err().scopes().eq(["Todo.Read", "Todo.ReadWrite"]));
    /// // One of them will do: the first is asked for.
    /// let any = RequireScope::any(["Todo.Read", "Todo.ReadWrite"]);
    /// assert!(any.check(&caller).unwrap_err().scopes().eq(["Todo.Read"]));
    /// assert_eq!(RequireRole("Todo.Admin").check(&caller).unwrap_err().scopes().count(), 0);
    /// # }
    /// ```
    pub fn scopes(&self) -> impl Iterator<Item = &'g str> {
        self.sets().flat_map(|set| {
            let most = if set.needs_all() { usize::MAX } else { 1 };
            names(set).take(most)
        })
    }

    /// The scopes to ask for, each once and without those that others imply; none where no scope would
    /// do.
    pub(crate) fn least_scopes(&self, hierarchy: Option<&ScopeHierarchy>) -> Vec<&'g str> {
        let mut least: Vec<&'g str> = Vec::new();
        let mut add = |name| {
            if !least.contains(&name) {
                least.push(name);
            }
        };
        for set in self.sets() {
            match hierarchy {
                Some(hierarchy) if !set.needs_all() => {
                    hierarchy.least(names(set)).into_iter().for_each(&mut add);
                }
                _ if set.needs_all() => names(set).for_each(&mut add),
                _ => names(set).take(1).for_each(&mut add),
            }
        }
        if let Some(hierarchy) = hierarchy {
            let all = least.clone();
            least.retain(|name| !hierarchy.is_implied(name, all.iter()));
        }
        least
    }

    /// The names of each guard that refuses for want of a scope.
    fn sets(&self) -> impl Iterator<Item = &'g dyn NameSet> {
        self.scopes
            .into_iter()
            .chain(self.more_scopes.iter().copied())
    }

    /// The authentication context that would do.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::guard::{Caller, Guard, RequireAuthContext};
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// let guard = RequireAuthContext("c1");
    /// let claims = claims().claim("acrs", ["c2"]).build();
    /// let denied = guard.check(&Caller::at(&claims, UnixTime::default())).unwrap_err();
    /// assert_eq!(denied.required_auth_context(), Some("c1"));
    /// # }
    /// ```
    #[must_use]
    pub const fn required_auth_context(&self) -> Option<&'g str> {
        self.auth_context
    }

    /// The groups whose memberships would decide; none where the refusal is final.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::guard::{Caller, Guard, RequireGroup};
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// let guard = RequireGroup("aaaaaaaa-0000-4000-8000-000000000001");
    /// let refused = |claims: &axum_entra::Claims| {
    ///     let denied = guard.check(&Caller::at(claims, UnixTime::default())).unwrap_err();
    ///     denied.unresolved_groups().len()
    /// };
    /// // The token cannot list all groups: Graph's answer about this one decides.
    /// assert_eq!(refused(&claims().claim("hasgroups", true).build()), 1);
    /// // The token lists all of them, and this one is not among them.
    /// assert_eq!(refused(&claims().groups(["aaaaaaaa-0000-4000-8000-000000000002"]).build()), 0);
    /// # }
    /// ```
    #[must_use]
    pub fn unresolved_groups(&self) -> &[&'g str] {
        &self.unresolved_groups
    }

    /// Whether Microsoft Graph's answer could turn this refusal into a pass.
    pub(crate) const fn is_open(&self) -> bool {
        !self.unresolved_groups.is_empty()
    }

    /// Whether a scope is missing, and it is known which.
    pub(super) const fn names_scopes(&self) -> bool {
        self.scopes.is_some()
    }

    /// Both refused, and both would have to change their minds.
    pub(super) fn also(mut self, other: Self) -> Self {
        self.unresolved_groups.extend(other.unresolved_groups);
        self
    }

    /// Both refused for want of scopes: a client has to ask for those of both at once, since the next
    /// token may hold no others.
    pub(super) fn with_scopes_of(mut self, other: Self) -> Self {
        if !other.is_open() {
            self.more_scopes.extend(other.scopes);
            self.more_scopes.extend(other.more_scopes);
        }
        self
    }

    /// Both alternatives refused: the answer names the first that has scopes, else the first.
    pub(super) fn or(mut self, mut other: Self) -> Self {
        if !self.names_scopes() && other.names_scopes() {
            self.unresolved_groups.append(&mut other.unresolved_groups);
            other.unresolved_groups = self.unresolved_groups;
            return other;
        }
        self.unresolved_groups.append(&mut other.unresolved_groups);
        self
    }
}

impl fmt::Debug for Denied<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denied")
            .field("reason", &self.reason.as_str())
            .field("scopes", &self.scopes().collect::<Vec<_>>())
            .field("open_groups", &self.unresolved_groups.len())
            .finish()
    }
}
