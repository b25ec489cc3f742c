//! What a guard asks for, said by the guard itself: for documents, never for decisions.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::DenialReason;
use crate::scope_hierarchy::ScopeHierarchy;

/// The ways through a guard: who goes one of them to its end may pass.
///
/// From [`Guard::describe`](super::Guard::describe). Its `Display` is a phrase for people:
/// "scope `Data.Read`, or an application signed in as itself and role `Data.Read.All`".
///
/// It says what the guard is made of and nothing about the token before it: that a token has to be
/// valid at all is the layer's part.
///
/// ```
/// use axum_entra::guard::{Guard, RequireRole, RequireScope};
///
/// let guard = RequireScope("Todo.Read").or(RequireRole("Todo.Read.All"));
/// let ways = guard.describe();
/// assert_eq!(ways.alternatives().len(), 2);
/// assert_eq!(ways.to_string(), "scope `Todo.Read`, or role `Todo.Read.All`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Requirements {
    any_of: Vec<Alternative>,
}

/// One way through a guard: everything on it is needed.
///
/// ```
/// use axum_entra::guard::{Guard, RequireAppOnly, RequireRole, RequireScope};
///
/// let guard = RequireScope("Todo.Read").or(RequireAppOnly.and(RequireRole("Todo.Read.All")));
/// let described = guard.describe();
/// let [user, app] = described.alternatives() else { panic!("two ways") };
/// assert_eq!((user.scopes(), app.roles()), (&["Todo.Read".into()][..], &["Todo.Read.All".into()][..]));
/// assert!(!user.accepts_apps() && !app.accepts_users());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Requirement>,
}

/// What is needed besides scopes and roles.
///
/// ```
/// use axum_entra::guard::{DenyGuests, Guard};
///
/// let described = DenyGuests.describe();
/// let requirement = &described.alternatives()[0].requirements()[0];
/// assert_eq!(requirement.reason(), "guest");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    reason: String,
    needs: String,
}

impl Requirements {
    /// Nothing is needed beyond a valid token.
    ///
    /// ```
    /// use axum_entra::guard::Requirements;
    ///
    /// let ways = Requirements::none();
    /// let [way] = ways.alternatives() else { panic!("one way, on which nothing is needed") };
    /// assert!(way.scopes().is_empty() && way.roles().is_empty() && way.requirements().is_empty());
    /// ```
    pub fn none() -> Self {
        Self {
            any_of: vec![Alternative::default()],
        }
    }

    /// A scope is needed, by its name in the token (`Todo.Read`).
    ///
    /// ```
    /// use axum_entra::guard::{Guard, RequireScope, Requirements};
    ///
    /// assert_eq!(Requirements::scope("Todo.Read"), RequireScope("Todo.Read").describe());
    /// ```
    pub fn scope(name: impl Into<String>) -> Self {
        Self::only(Alternative {
            scopes: vec![name.into()],
            ..Alternative::default()
        })
    }

    /// A role is needed.
    ///
    /// ```
    /// use axum_entra::guard::{Guard, RequireRole, Requirements};
    ///
    /// assert_eq!(Requirements::role("Todo.Admin"), RequireRole("Todo.Admin").describe());
    /// ```
    pub fn role(name: impl Into<String>) -> Self {
        Self::only(Alternative {
            roles: vec![name.into()],
            ..Alternative::default()
        })
    }

    /// Something else is needed: the reason of its refusals, and a phrase that names it.
    ///
    /// ```
    /// use axum_entra::guard::{Caller, DenialReason, Denied, Guard, Requirements};
    ///
    /// struct FromHeadquarters;
    ///
    /// impl Guard for FromHeadquarters {
    ///     fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
    ///         match caller.claims().in_corporate_network() {
    ///             true => Ok(()),
    ///             false => Err(Denied::custom("not_from_headquarters")),
    ///         }
    ///     }
    ///
    ///     fn describe(&self) -> Requirements {
    ///         let reason = DenialReason::Custom("not_from_headquarters");
    ///         Requirements::condition(reason, "a client in the corporate network")
    ///     }
    /// }
    /// assert_eq!(FromHeadquarters.describe().to_string(), "a client in the corporate network");
    /// ```
    pub fn condition(reason: DenialReason, needs: impl Into<String>) -> Self {
        Self::only(Alternative {
            conditions: vec![Requirement {
                reason: reason.as_str().to_owned(),
                needs: needs.into(),
            }],
            ..Alternative::default()
        })
    }

    /// A custom rule without a description.
    ///
    /// ```
    /// use axum_entra::guard::{Caller, Denied, Guard, Requirements};
    ///
    /// struct Undescribed;
    ///
    /// impl Guard for Undescribed {
    ///     fn check(&self, _: &Caller<'_>) -> Result<(), Denied<'_>> {
    ///         Err(Denied::custom("never"))
    ///     }
    /// }
    /// assert_eq!(Undescribed.describe(), Requirements::custom());
    /// ```
    pub fn custom() -> Self {
        Self::condition(
            DenialReason::Custom("custom"),
            "a rule of this application's own",
        )
    }

    /// Both are needed: every way through the one, joined to every way through the other.
    ///
    /// ```
    /// use axum_entra::guard::Requirements;
    ///
    /// let scopes = Requirements::scope("Todo.Read").or(Requirements::scope("Todo.ReadWrite"));
    /// let both = scopes.and(Requirements::role("Todo.Admin"));
    /// // Every way through the first with every way through the second.
    /// assert_eq!(both.alternatives().len(), 2);
    /// assert!(both.alternatives().iter().all(|way| way.roles() == ["Todo.Admin"]));
    /// ```
    pub fn and(self, other: Self) -> Self {
        let mut all = Self { any_of: Vec::new() };
        for first in &self.any_of {
            for second in &other.any_of {
                all.add(first.clone().joined(second));
            }
        }
        all
    }

    /// One of both will do.
    ///
    /// ```
    /// use axum_entra::guard::Requirements;
    ///
    /// let ways = Requirements::scope("Todo.Read").or(Requirements::role("Todo.Read.All"));
    /// assert_eq!(ways.to_string(), "scope `Todo.Read`, or role `Todo.Read.All`");
    /// // The same way twice is one way.
    /// assert_eq!(ways.clone().or(Requirements::scope("Todo.Read")), ways);
    /// ```
    pub fn or(mut self, other: Self) -> Self {
        for way in other.any_of {
            self.add(way);
        }
        self
    }

    /// The ways, in the guard's order; never none.
    #[must_use]
    pub fn alternatives(&self) -> &[Alternative] {
        &self.any_of
    }

    /// The same without what a [`ScopeHierarchy`] makes unnecessary: of two ways that differ in a
    /// scope only, the one with the narrower scope is left, and on one way no scope that another
    /// on it implies.
    ///
    /// ```
    /// use axum_entra::{ScopeHierarchy, guard::{Guard, RequireScope}};
    ///
    /// let hierarchy = ScopeHierarchy::new().implies("Todo.ReadWrite", "Todo.Read");
    /// let guard = RequireScope::any(["Todo.ReadWrite", "Todo.Read"]);
    /// let least = guard.describe().least(&hierarchy);
    /// assert_eq!(least.to_string(), "scope `Todo.Read`");
    /// ```
    pub fn least(&self, hierarchy: &ScopeHierarchy) -> Self {
        let ways = self.any_of.iter();
        let ways: Vec<Alternative> = ways.map(|way| way.least(hierarchy)).collect();
        let mut least = Self { any_of: Vec::new() };
        for way in &ways {
            let mut others = ways.iter().filter(|other| *other != way);
            let is_spare = |other: &Alternative| {
                way.includes(other, hierarchy) && !other.includes(way, hierarchy)
            };
            if !others.any(is_spare) {
                least.add(way.clone());
            }
        }
        least
    }

    pub(super) fn all(parts: impl Iterator<Item = Self>) -> Self {
        parts.fold(Self::none(), Self::and)
    }

    /// The lists that guards hold are never empty; an empty one would accept no caller.
    pub(super) fn any(mut parts: impl Iterator<Item = Self>) -> Self {
        let first = parts.next().unwrap_or_else(Self::custom);
        parts.fold(first, Self::or)
    }

    fn only(way: Alternative) -> Self {
        Self { any_of: vec![way] }
    }

    fn add(&mut self, way: Alternative) {
        if !self.any_of.contains(&way) {
            self.any_of.push(way);
        }
    }
}

impl Alternative {
    /// The scopes that are all needed, by their names in the token.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The roles that are all needed.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Everything else that is needed.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        &self.conditions
    }

    /// Whether a user's token can go this way.
    ///
    /// ```
    /// use axum_entra::guard::{Guard, RequireAppOnly, RequireRole};
    ///
    /// let accepts_users = |ways: axum_entra::guard::Requirements| ways.alternatives()[0].accepts_users();
    /// assert!(!accepts_users(RequireAppOnly.and(RequireRole("Tasks.Run")).describe()));
    /// // A role may be a user's as well.
    /// assert!(accepts_users(RequireRole("Tasks.Run").describe()));
    /// ```
    #[must_use]
    pub fn accepts_users(&self) -> bool {
        !self.has_condition(DenialReason::AppOnly)
    }

    /// Whether an application's own token can go this way: it has no scopes.
    ///
    /// ```
    /// use axum_entra::guard::{Guard, RequireRole, RequireScope, RequireUser};
    ///
    /// let accepts_apps = |ways: axum_entra::guard::Requirements| ways.alternatives()[0].accepts_apps();
    /// assert!(accepts_apps(RequireRole("Tasks.Run").describe()));
    /// assert!(!accepts_apps(RequireScope("Todo.Read").describe()));
    /// assert!(!accepts_apps(RequireUser.describe()));
    /// ```
    #[must_use]
    pub fn accepts_apps(&self) -> bool {
        self.scopes.is_empty() && !self.has_condition(DenialReason::UserOnly)
    }

    fn least(&self, hierarchy: &ScopeHierarchy) -> Self {
        let scopes = self.scopes.iter();
        let scopes = scopes.filter(|scope| !hierarchy.is_implied(scope, self.scopes.iter()));
        Self {
            scopes: scopes.cloned().collect(),
            ..self.clone()
        }
    }

    /// Whether a token that goes this way can go the other for certain.
    fn includes(&self, other: &Self, hierarchy: &ScopeHierarchy) -> bool {
        let has = |needed: &String| {
            self.scopes
                .iter()
                .any(|own| hierarchy.includes(own, needed))
        };
        other.scopes.iter().all(has)
            && self.scopes.is_empty() == other.scopes.is_empty()
            && self.roles == other.roles
            && self.conditions == other.conditions
    }

    fn has_condition(&self, reason: DenialReason) -> bool {
        self.conditions
            .iter()
            .any(|condition| condition.reason == reason.as_str())
    }

    fn joined(mut self, other: &Self) -> Self {
        union(&mut self.scopes, &other.scopes);
        union(&mut self.roles, &other.roles);
        union(&mut self.conditions, &other.conditions);
        self
    }
}

impl Requirement {
    /// The code of a refusal for want of it, as in [`DenialReason::as_str`].
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The phrase that names it.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.needs
    }
}

fn union<T: Clone + PartialEq>(all: &mut Vec<T>, more: &[T]) {
    for one in more {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}

impl fmt::Display for Requirements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, way) in self.any_of.iter().enumerate() {
            if index > 0 {
                f.write_str(", or ")?;
            }
            write!(f, "{way}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Alternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes = self.scopes.iter().map(|name| format!("scope `{name}`"));
        let roles = self.roles.iter().map(|name| format!("role `{name}`"));
        let rest = self
            .conditions
            .iter()
            .map(|condition| condition.needs.clone());
        let parts: Vec<String> = scopes.chain(roles).chain(rest).collect();
        if parts.is_empty() {
            f.write_str("a valid token")
        } else {
            f.write_str(&parts.join(" and "))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::ClientAuthMethod;
    use crate::ScopeHierarchy;
    use crate::guard::{
        Guard, RequireAccountId, RequireAppOnly, RequireClientAuthMethod, RequireGroup,
        RequireMaxAge, RequireRole, RequireScope, RequireUser,
    };

    #[test]
    fn a_guard_says_what_it_is_made_of() {
        let text = |guard: &dyn Guard| guard.describe().to_string();
        for (said, expected) in [
            (text(&RequireScope("a")), "scope `a`"),
            (
                text(&RequireScope::any(["a", "b"])),
                "scope `a`, or scope `b`",
            ),
            (
                text(&RequireScope::all(["a", "b"])),
                "scope `a` and scope `b`",
            ),
            (text(&RequireRole::any(["x", "x"])), "role `x`"),
            (
                text(&RequireScope("a").and(RequireAccountId)),
                "scope `a` and a token that names one account",
            ),
            (
                text(&RequireRole("all").or(RequireScope("a").and(RequireRole("x")))),
                "role `all`, or scope `a` and role `x`",
            ),
            (
                text(&RequireAppOnly.and(RequireRole("x"))),
                "role `x` and an application signed in as itself",
            ),
            (
                text(&RequireGroup::any(["1", "2", "3"])),
                "membership in one of 3 groups",
            ),
            (
                text(&RequireMaxAge(Duration::from_secs(600))),
                "a sign-in at most 600 s ago",
            ),
            (
                text(&RequireClientAuthMethod(ClientAuthMethod::Secret)),
                "a client that proved itself by secret or better",
            ),
        ] {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn a_hierarchy_leaves_the_least_scopes_of_each_way() {
        let hierarchy = ScopeHierarchy::new()
            .implies("rw", "r")
            .implies("r", "count");
        let least = |guard: &dyn Guard| guard.describe().least(&hierarchy).to_string();
        assert_eq!(
            least(&RequireScope::any(["rw", "r", "other"])),
            "scope `r`, or scope `other`"
        );
        assert_eq!(
            least(&RequireScope::all(["r", "other", "rw"])),
            "scope `other` and scope `rw`"
        );
        // Ways that differ in more than a scope are both left.
        let both = RequireScope("rw").or(RequireScope("r").and(RequireRole("x")));
        assert_eq!(least(&both), "scope `rw`, or scope `r` and role `x`");
        let same_role = RequireScope::any(["rw", "r"]).and(RequireRole("x"));
        assert_eq!(least(&same_role), "scope `r` and role `x`");
        let either = RequireScope("rw").or(RequireRole("x"));
        assert_eq!(least(&either), "scope `rw`, or role `x`");
    }

    #[test]
    fn and_joins_every_way_to_every_way() {
        let guard = RequireScope::any(["a", "b"]).and(RequireRole("x").or(RequireRole("y")));
        let described = guard.describe();
        let ways: Vec<String> = described
            .alternatives()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            ways,
            [
                "scope `a` and role `x`",
                "scope `a` and role `y`",
                "scope `b` and role `x`",
                "scope `b` and role `y`"
            ]
        );
    }

    #[test]
    fn a_condition_has_the_code_of_its_refusal_and_a_phrase() {
        let described = RequireAppOnly.and(RequireUser).describe();
        let conditions = described.alternatives()[0].requirements().iter();
        let said: Vec<_> = conditions
            .map(|condition| (condition.reason(), condition.description()))
            .collect();
        let text = described.to_string();
        assert_eq!(said.len(), 2);
        for (reason, needs) in said {
            assert!(["app_only", "user_only"].contains(&reason), "{reason}");
            assert!(
                !needs.is_empty() && text.contains(needs),
                "{needs} in {text}"
            );
        }
    }

    #[test]
    fn a_scope_is_for_users_and_a_role_for_both() {
        let for_whom = |guard: &dyn Guard| {
            let described = guard.describe();
            (
                described.alternatives()[0].accepts_users(),
                described.alternatives()[0].accepts_apps(),
            )
        };
        assert_eq!(for_whom(&RequireScope("a")), (true, false));
        assert_eq!(for_whom(&RequireRole("a")), (true, true));
        assert_eq!(for_whom(&RequireRole("a").and(RequireUser)), (true, false));
        assert_eq!(
            for_whom(&RequireRole("a").and(RequireAppOnly)),
            (false, true)
        );
    }
}
