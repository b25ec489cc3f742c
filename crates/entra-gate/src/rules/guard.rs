//! Guards of the library by the names that they have in rules. The only file that names them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum_entra::ClientAuthMethod;
use axum_entra::guard::{
    Caller, Denied, DenyAgents, DenyGuests, Guard, RequireAgent, RequireAppOnly,
    RequireAuthContext, RequireB2cPolicy, RequireClientAuthMethod, RequireClientId,
    RequireDirectoryRole, RequireGroup, RequireMaxAge, RequireMfa, RequireObjectId, RequireRole,
    RequireScope, RequireTenant, RequireUser, Requirements,
};

/// A guard that was read from a file. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RuleGuard(Arc<dyn Guard + Send + Sync>);

impl RuleGuard {
    fn new(guard: impl Guard + Send + Sync + 'static) -> Self {
        Self(Arc::new(guard))
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self::new(Guard::and(self, other))
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self::new(Guard::or(self, other))
    }

    /// Refuses every caller, since no rule is about the request: 403, reason `no_rule`.
    pub(crate) fn no_rule() -> Self {
        Self::new(NoRule)
    }
}

impl Guard for RuleGuard {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        self.0.check(caller)
    }

    fn describe(&self) -> Requirements {
        self.0.describe()
    }

    fn mistakes(&self) -> Vec<String> {
        self.0.mistakes()
    }
}

impl fmt::Debug for RuleGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RuleGuard({})", self.describe())
    }
}

#[derive(Debug, Clone, Copy)]
struct NoRule;

impl Guard for NoRule {
    fn check(&self, _: &Caller<'_>) -> Result<(), Denied<'_>> {
        Err(Denied::custom("no_rule"))
    }
}

/// What a name in a rule takes in its parentheses.
pub(super) enum Form {
    /// Nothing, and no parentheses.
    Bare(fn() -> RuleGuard),
    /// One text.
    One(fn(String) -> RuleGuard),
    /// One or more texts.
    Many(fn(Vec<String>) -> Option<RuleGuard>),
    /// A number of seconds.
    Seconds(fn(Duration) -> RuleGuard),
}

/// The guard of a name, by what it takes.
pub(super) fn form_of(name: &str) -> Option<Form> {
    let place = NAMES.iter().position(|(known, _)| *known == name)?;
    NAMES.into_iter().nth(place).map(|(_, form)| form)
}

/// All names, for messages.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

const NAMES: [(&str, Form); 22] = [
    (
        "scope",
        Form::One(|name| RuleGuard::new(RequireScope(name))),
    ),
    ("role", Form::One(|name| RuleGuard::new(RequireRole(name)))),
    ("tenant", Form::One(|id| RuleGuard::new(RequireTenant(id)))),
    ("group", Form::One(|id| RuleGuard::new(RequireGroup(id)))),
    (
        "client",
        Form::One(|id| RuleGuard::new(RequireClientId(id))),
    ),
    (
        "object_id",
        Form::One(|id| RuleGuard::new(RequireObjectId(id))),
    ),
    (
        "directory_role",
        Form::One(|id| RuleGuard::new(RequireDirectoryRole(id))),
    ),
    (
        "policy",
        Form::One(|name| RuleGuard::new(RequireB2cPolicy(name))),
    ),
    (
        "auth_context",
        Form::One(|id| RuleGuard::new(RequireAuthContext(id))),
    ),
    ("scope_any", Form::Many(scope_any)),
    ("scope_all", Form::Many(scope_all)),
    ("role_any", Form::Many(role_any)),
    ("role_all", Form::Many(role_all)),
    (
        "max_age",
        Form::Seconds(|age| RuleGuard::new(RequireMaxAge(age))),
    ),
    ("user", Form::Bare(|| RuleGuard::new(RequireUser))),
    ("app_only", Form::Bare(|| RuleGuard::new(RequireAppOnly))),
    ("agent", Form::Bare(|| RuleGuard::new(RequireAgent))),
    ("no_agents", Form::Bare(|| RuleGuard::new(DenyAgents))),
    ("no_guests", Form::Bare(|| RuleGuard::new(DenyGuests))),
    ("mfa", Form::Bare(|| RuleGuard::new(RequireMfa))),
    (
        "secret_client",
        Form::Bare(|| RuleGuard::new(RequireClientAuthMethod(ClientAuthMethod::Secret))),
    ),
    (
        "certificate_client",
        Form::Bare(|| RuleGuard::new(RequireClientAuthMethod(ClientAuthMethod::Certificate))),
    ),
];

fn scope_any(names: Vec<String>) -> Option<RuleGuard> {
    RequireScope::any_of(names).ok().map(RuleGuard::new)
}

fn scope_all(names: Vec<String>) -> Option<RuleGuard> {
    RequireScope::all_of(names).ok().map(RuleGuard::new)
}

fn role_any(names: Vec<String>) -> Option<RuleGuard> {
    RequireRole::any_of(names).ok().map(RuleGuard::new)
}

fn role_all(names: Vec<String>) -> Option<RuleGuard> {
    RequireRole::all_of(names).ok().map(RuleGuard::new)
}
