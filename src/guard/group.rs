//! Group memberships, also of callers with more groups than a token holds.

use super::name_set::{self, named_guard};
use super::{Caller, DenialReason, Denied, Guard, Requirements};

named_guard! {
    /// Requires membership in a group, by its object id (or its name, where the application is
    /// configured to get names).
    ///
    /// GUIDs are compared without letter case, names as they are. A group that stands in the token
    /// is a member for certain. Where the token says "too many groups to list" (overage), the
    /// guard asks: the layer puts the question to the directory, and without one the answer is
    /// 403 `groups_overage`.
    RequireGroup, any: RequireAnyGroup, all: RequireAllGroups
}

impl<S: AsRef<str>> Guard for RequireGroup<S> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.is_member_of(self.0.as_ref()) {
            Some(true) => Ok(()),
            Some(false) => Err(Denied::new(DenialReason::Group)),
            None => Err(Denied::open(vec![self.0.as_ref()])),
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::Group,
            format!("membership in group `{}`", self.0.as_ref()),
        )
    }
}

impl<S: AsRef<str>, const N: usize> Guard for RequireAnyGroup<S, N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        let mut open = Vec::new();
        for group in self.0.iter().map(AsRef::as_ref) {
            match caller.is_member_of(group) {
                Some(true) => return Ok(()),
                Some(false) => {}
                None => open.push(group),
            }
        }
        Err(refusal(open))
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::Group,
            name_set::one_of("membership in", "groups", &self.0),
        )
    }
}

impl<S: AsRef<str>, const N: usize> Guard for RequireAllGroups<S, N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        let mut open = Vec::new();
        for group in self.0.iter().map(AsRef::as_ref) {
            match caller.is_member_of(group) {
                Some(true) => {}
                Some(false) => return Err(Denied::new(DenialReason::Group)),
                None => open.push(group),
            }
        }
        if open.is_empty() {
            Ok(())
        } else {
            Err(Denied::open(open))
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::Group,
            name_set::all_of("membership in", "groups", &self.0),
        )
    }
}

fn refusal(open: Vec<&str>) -> Denied<'_> {
    if open.is_empty() {
        Denied::new(DenialReason::Group)
    } else {
        Denied::open(open)
    }
}
