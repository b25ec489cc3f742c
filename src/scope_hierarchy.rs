//! Which delegated permissions include others.

use std::collections::BTreeMap;

/// Which scopes imply others, as the application declares it: `Todo.ReadWrite` implies `Todo.Read`.
///
/// Give it to [`EntraBuilder::scope_hierarchy`](crate::EntraBuilder::scope_hierarchy). A token with
/// the wider scope then passes a guard on the narrower one, a challenge names the least scope that
/// would do, and an OpenAPI document lists that one only. Implications chain: a scope that implies
/// `Todo.ReadWrite` implies `Todo.Read` too.
///
/// Names are those in the token (`Todo.Read`), compared with letter case. Microsoft Entra knows no
/// such relation: it issues the scopes that the client asked for, and the hierarchy is the API's.
/// Roles are not part of it.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{ScopeHierarchy, guard::{Caller, Guard, RequireScope}, testing::claims};
///
/// let hierarchy = ScopeHierarchy::new()
///     .implies("Todo.ReadWrite", "Todo.Read")
///     .implies("Todo.Admin", "Todo.ReadWrite");
///
/// let caller = claims().scope("Todo.Admin").scope_hierarchy(hierarchy).build();
/// let now = axum_entra::UnixTime::from_secs(0);
/// assert!(RequireScope("Todo.Read").check(&Caller::at(&caller, now)).is_ok());
///
/// let undeclared = claims().scope("Todo.Admin").build();
/// assert!(RequireScope("Todo.Read").check(&Caller::at(&undeclared, now)).is_err());
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeHierarchy {
    /// Each implied scope, with every scope that implies it, directly or by way of others.
    implied_by: BTreeMap<String, Vec<String>>,
}

impl ScopeHierarchy {
    /// A hierarchy in which no scope implies another.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares that a token with `scope` may do all that `implied` allows.
    ///
    /// [`build`](crate::EntraBuilder::build) refuses a scope that implies itself, directly or in a
    /// circle, and names that no token has (full names such as `api://…/Todo.Read`, or spaces).
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, ScopeHierarchy, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let scopes = ScopeHierarchy::new().implies("a", "b").implies("b", "c");
    /// assert!(scopes.includes("a", "c"));
    ///
    /// let build = |scopes| Entra::builder(tenant.clone(), client_id).scope_hierarchy(scopes).build();
    /// assert!(build(scopes.clone()).is_ok());
    /// // A circle; and a full name, which is in requests and never in tokens.
    /// assert!(build(scopes.implies("c", "a")).is_err());
    /// assert!(build(ScopeHierarchy::new().implies("api://todo/a", "b")).is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn implies(mut self, scope: impl Into<String>, implied: impl Into<String>) -> Self {
        let (scope, implied) = (scope.into(), implied.into());
        let mut wider = self.implying(&scope).map(str::to_owned).collect::<Vec<_>>();
        wider.insert(0, scope);
        let narrower = self.implied_by(&implied).map(str::to_owned);
        let narrower: Vec<String> = narrower.chain([implied.clone()]).collect();
        for name in narrower {
            let known = self.implied_by.entry(name).or_default();
            for one in &wider {
                if !known.contains(one) {
                    known.push(one.clone());
                }
            }
        }
        self
    }

    /// Whether a token with `scope` may do all that `other` allows: they are equal, or `scope`
    /// implies `other`.
    ///
    /// ```
    /// use axum_entra::ScopeHierarchy;
    ///
    /// let scopes = ScopeHierarchy::new().implies("Todo.ReadWrite", "Todo.Read");
    /// assert!(scopes.includes("Todo.ReadWrite", "Todo.Read"));
    /// assert!(scopes.includes("Mail.Read", "Mail.Read"));
    /// assert!(!scopes.includes("Todo.Read", "Todo.ReadWrite"));
    /// ```
    #[must_use]
    pub fn includes(&self, scope: &str, other: &str) -> bool {
        scope == other || self.implying(other).any(|wider| wider == scope)
    }

    /// The scopes that imply this one, without itself.
    ///
    /// ```
    /// use axum_entra::ScopeHierarchy;
    ///
    /// let scopes = ScopeHierarchy::new().implies("Todo.Admin", "Todo.Read");
    /// assert!(scopes.implying("Todo.Read").eq(["Todo.Admin"]));
    /// assert_eq!(scopes.implying("Todo.Admin").count(), 0);
    /// ```
    pub fn implying(&self, scope: &str) -> impl Iterator<Item = &str> {
        let wider = self.implied_by.get(scope).map(Vec::as_slice);
        wider.unwrap_or_default().iter().map(String::as_str)
    }

    /// The scopes that this one implies, without itself.
    ///
    /// ```
    /// use axum_entra::ScopeHierarchy;
    ///
    /// let scopes = ScopeHierarchy::new()
    ///     .implies("Todo.Admin", "Todo.ReadWrite")
    ///     .implies("Todo.ReadWrite", "Todo.Read");
    /// assert!(scopes.implied_by("Todo.Admin").eq(["Todo.Read", "Todo.ReadWrite"]));
    /// assert_eq!(scopes.implied_by("Todo.Read").count(), 0);
    /// ```
    pub fn implied_by(&self, scope: &str) -> impl Iterator<Item = &str> {
        let implied = move |wider: &Vec<String>| wider.iter().any(|one| one == scope);
        self.implied_by
            .iter()
            .filter(move |(_, wider)| implied(wider))
            .map(|(name, _)| name.as_str())
    }

    /// Whether no scope implies another.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.implied_by.is_empty()
    }

    /// The narrowest scope to ask for where one of several will do: the first of them, or one that
    /// the first implies.
    pub(crate) fn least<'n>(
        &self,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> Option<&'n str> {
        let mut least = names.clone().next()?;
        for name in names {
            if self.is_wider(least, name) {
                least = name;
            }
        }
        Some(least)
    }

    /// Whether a scope need not be asked for where all of several are needed: another one of them
    /// implies it.
    pub(crate) fn is_implied(
        &self,
        scope: &str,
        mut all: impl Iterator<Item = impl AsRef<str>>,
    ) -> bool {
        all.any(|other| self.is_wider(other.as_ref(), scope))
    }

    /// Whether `scope` allows more than `other`; neither does in a circle.
    fn is_wider(&self, scope: &str, other: &str) -> bool {
        self.includes(scope, other) && !self.includes(other, scope)
    }

    /// What cannot be used: a name of a circle or one that no token has, and what is expected.
    pub(crate) fn problem(&self) -> Option<(&str, &'static str)> {
        self.implied_by.iter().find_map(|(name, wider)| {
            if wider.contains(name) {
                let expected = "a scope that does not imply itself, not by way of others either";
                return Some((name.as_str(), expected));
            }
            let mut names = wider.iter().chain([name]);
            names.find_map(|name| Some((name.as_str(), scope_name_problem(name)?)))
        })
    }
}

/// What a token's scope is, where a name is not one (RFC 6749 section 3.3).
pub(crate) fn scope_name_problem(name: &str) -> Option<&'static str> {
    let is_graphic = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    if name.contains("://") {
        Some("a token has the short name of a scope, without the application's URI before it")
    } else if name.is_empty() || name == "/" || !name.bytes().all(is_graphic) {
        Some("a scope is one word of visible ASCII letters, without quotes and backslashes")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn todo() -> ScopeHierarchy {
        ScopeHierarchy::new()
            .implies("Todo.ReadWrite", "Todo.Read")
            .implies("Todo.Admin", "Todo.ReadWrite")
            .implies("Todo.Read", "Todo.Count")
    }

    #[test]
    fn implications_chain_in_whatever_order_they_are_declared() {
        let scopes = ["Todo.Admin", "Todo.ReadWrite", "Todo.Read", "Todo.Count"];
        let other_order = ScopeHierarchy::new()
            .implies("Todo.Read", "Todo.Count")
            .implies("Todo.Admin", "Todo.ReadWrite")
            .implies("Todo.ReadWrite", "Todo.Read");
        for hierarchy in [todo(), other_order] {
            for (wide, scope) in scopes.iter().enumerate() {
                for (narrow, other) in scopes.iter().enumerate() {
                    let expected = wide <= narrow;
                    assert_eq!(
                        hierarchy.includes(scope, other),
                        expected,
                        "{scope} {other}"
                    );
                }
            }
            assert!(!hierarchy.includes("todo.admin", "Todo.Read"));
            assert_eq!(hierarchy.problem(), None);
        }
    }

    #[test]
    fn the_least_scope_is_the_first_or_one_that_it_implies() {
        let least = |names: &[&'static str]| todo().least(names.iter().copied());
        assert_eq!(least(&["Todo.ReadWrite", "Todo.Read"]), Some("Todo.Read"));
        assert_eq!(least(&["Todo.Read", "Todo.ReadWrite"]), Some("Todo.Read"));
        let spread = ["Todo.Admin", "Todo.Count", "Todo.Read"];
        assert_eq!(least(&spread), Some("Todo.Count"));
        assert_eq!(least(&["Other", "Todo.Read"]), Some("Other"));
        assert_eq!(least(&[]), None);
    }

    #[test]
    fn circles_and_names_of_no_token_are_errors() {
        for wrong in [
            ScopeHierarchy::new().implies("a", "a"),
            ScopeHierarchy::new().implies("a", "b").implies("b", "a"),
            todo().implies("Todo.Count", "Todo.Admin"),
            ScopeHierarchy::new().implies("api://x/Todo.ReadWrite", "Todo.Read"),
            ScopeHierarchy::new().implies("Todo.ReadWrite", "Todo.Read Todo.Count"),
            ScopeHierarchy::new().implies("", "Todo.Read"),
        ] {
            assert!(wrong.problem().is_some(), "{wrong:?}");
        }
        assert_eq!(ScopeHierarchy::new().problem(), None);
    }
}
