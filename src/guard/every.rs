//! Guards whose number is known at run time.

use std::sync::Arc;

use super::{Caller, Denied, Guard, Requirements};

/// A guard that many requests share.
#[derive(Clone)]
pub(crate) struct SharedGuard(Arc<dyn Guard + Send + Sync>);

impl SharedGuard {
    pub(crate) fn new(guard: impl Guard + Send + Sync + 'static) -> Self {
        Self(Arc::new(guard))
    }
}

impl Guard for SharedGuard {
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

/// All of them must let the caller pass; none of none is needed.
pub(crate) struct Every(pub(crate) Vec<SharedGuard>);

impl Guard for Every {
    /// As [`And`](super::And): no wins over "ask", all questions are asked together, and all scopes
    /// are named together.
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        let mut open: Option<Denied<'_>> = None;
        let mut guards = self.0.iter();
        while let Some(guard) = guards.next() {
            match guard.check(caller) {
                Ok(()) => {}
                Err(denied) if denied.is_open() => {
                    open = Some(match open {
                        None => denied,
                        Some(first) => first.also(denied),
                    });
                }
                Err(denied) if denied.names_scopes() => {
                    let others = guards.filter_map(|other| other.check(caller).err());
                    return Err(others.fold(denied, Denied::with_scopes_of));
                }
                Err(denied) => return Err(denied),
            }
        }
        open.map_or(Ok(()), Err)
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixTime;
    use crate::guard::{DenialReason, RequireGroup, RequireRole, RequireScope};
    use crate::scope_hierarchy::ScopeHierarchy;
    use crate::testing;

    #[test]
    fn the_first_final_refusal_is_the_answer_and_questions_are_asked_together() {
        let claims = testing::claims()
            .scope("a")
            .claim("hasgroups", true)
            .build();
        let caller = Caller::at(&claims, UnixTime::from_secs(0));
        let denied = |guards: Vec<SharedGuard>| {
            let every = Every(guards);
            let denied = every.check(&caller).err();
            denied.map(|denied| (denied.reason(), denied.unresolved_groups().len()))
        };
        let a = || SharedGuard::new(RequireScope("a"));
        let group = |id: &'static str| SharedGuard::new(RequireGroup(id));
        let one = "aaaaaaaa-0000-4000-8000-000000000001";
        let two = "aaaaaaaa-0000-4000-8000-000000000002";
        assert_eq!(denied(vec![]), None);
        assert_eq!(denied(vec![a(), a()]), None);
        assert_eq!(
            denied(vec![a(), group(one), group(two)]),
            Some((DenialReason::GroupsOverage, 2))
        );
        let roles = [
            SharedGuard::new(RequireRole("r")),
            SharedGuard::new(RequireScope("b")),
        ];
        let [role, scope] = roles;
        assert_eq!(
            denied(vec![group(one), role, scope]),
            Some((DenialReason::Role, 0))
        );
    }

    #[test]
    fn the_scopes_of_all_refusals_are_named_together() {
        let claims = testing::claims()
            .scope("a")
            .claim("hasgroups", true)
            .build();
        let caller = Caller::at(&claims, UnixTime::from_secs(0));
        let scope = |name: &'static str| SharedGuard::new(RequireScope(name));
        let role = || SharedGuard::new(RequireRole("r"));
        let group = || SharedGuard::new(RequireGroup("aaaaaaaa-0000-4000-8000-000000000001"));
        let hierarchy = ScopeHierarchy::new().implies("c", "b");
        for (guards, all, least) in [
            (vec![scope("b"), scope("a"), scope("c")], "b c", "c"),
            (vec![scope("b"), scope("b")], "b b", "b"),
            (vec![group(), scope("c"), role(), scope("b")], "c b", "c"),
            (vec![role(), scope("b")], "", ""),
            (vec![scope("b"), group()], "b", "b"),
        ] {
            let every = Every(guards);
            let denied = every.check(&caller).unwrap_err();
            assert!(!denied.is_open());
            let named: Vec<&str> = denied.scopes().collect();
            assert_eq!(named.join(" "), all);
            assert_eq!(denied.least_scopes(Some(&hierarchy)).join(" "), least);
        }
    }
}
