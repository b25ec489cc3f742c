//! Guards whose number is known at run time.

use std::sync::Arc;

use super::{Caller, Denied, Guard};

/// A guard that many requests share.
pub(crate) type SharedGuard = Arc<dyn Guard + Send + Sync>;

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
        let a = || -> SharedGuard { Arc::new(RequireScope("a")) };
        let group = |id: &'static str| -> SharedGuard { Arc::new(RequireGroup(id)) };
        let one = "aaaaaaaa-0000-4000-8000-000000000001";
        let two = "aaaaaaaa-0000-4000-8000-000000000002";
        assert_eq!(denied(vec![]), None);
        assert_eq!(denied(vec![a(), a()]), None);
        assert_eq!(
            denied(vec![a(), group(one), group(two)]),
            Some((DenialReason::GroupsOverage, 2))
        );
        let (role, scope) = (RequireRole("r"), RequireScope("b"));
        assert_eq!(
            denied(vec![group(one), Arc::new(role), Arc::new(scope)]),
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
        let scope = |name: &'static str| -> SharedGuard { Arc::new(RequireScope(name)) };
        let role = || -> SharedGuard { Arc::new(RequireRole("r")) };
        let id = "aaaaaaaa-0000-4000-8000-000000000001";
        let group = || -> SharedGuard { Arc::new(RequireGroup(id)) };
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
