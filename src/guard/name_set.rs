//! Names that guards hold: one, or a list of which one or all are needed; never none.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::{DenialReason, Denied, Requirements};
use crate::config_error::ConfigError;
use crate::guid::parse_guid;
use crate::scope_hierarchy::scope_name_problem;

/// What a guard on names is made of: one name, or a list that its constructors made.
///
/// One name is a `&str`, a `String` or any other text. Lists are made by `any`, `all`, `any_of` and
/// `all_of` of the guard, such as [`RequireScope::any`](super::RequireScope::any). No other type
/// can be one:
///
/// ```compile_fail
/// # use axum_entra::guard::{Guard, RequireRole};
/// // `RequireRole::any(["a", "b"])` or `RequireRole::all(["a", "b"])`?
/// fn is_guard(_: impl Guard) {}
/// is_guard(RequireRole(["a", "b"]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a name nor a list of names that a guard takes",
    label = "expected a `&str`, a `String` or another text",
    note = "a list known when the program is built: `::any([…])` if one of the names will do, \
            `::all([…])` if all are needed",
    note = "a list read at run time: `::any_of(list)?` or `::all_of(list)?`"
)]
pub trait NameSet: Sync + sealed::Names {}

// So that the sentence above is shown, and not what is missing below.
#[diagnostic::do_not_recommend]
impl<N: Sync + sealed::Names> NameSet for N {}

pub(crate) mod sealed {
    /// Names one by one, without a copy of them.
    pub trait Names {
        /// The name at a place; `None` behind the last.
        fn name(&self, index: usize) -> Option<&str>;

        /// Whether every name is needed, not one of them.
        fn needs_all(&self) -> bool {
            false
        }

        /// Whether one of the names has it, or all, as the set needs.
        fn is_met(&self, has: impl Fn(&str) -> bool) -> bool
        where
            Self: Sized;
    }
}

use sealed::Names;

/// A single name is a list of one.
#[diagnostic::do_not_recommend]
impl<S: AsRef<str>> Names for S {
    fn name(&self, index: usize) -> Option<&str> {
        (index == 0).then(|| self.as_ref())
    }

    #[inline]
    fn is_met(&self, has: impl Fn(&str) -> bool) -> bool {
        has(self.as_ref())
    }
}

/// A list of names of which one will do: made by `any` and `any_of` of the guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnyOf<L>(L);

/// A list of names that are all needed: made by `all` and `all_of` of the guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AllOf<L>(L);

impl<L> AnyOf<L> {
    pub(super) const fn new(list: L) -> Self {
        Self(list)
    }
}

impl<L> AllOf<L> {
    pub(super) const fn new(list: L) -> Self {
        Self(list)
    }
}

impl<L: List> Names for AnyOf<L> {
    fn name(&self, index: usize) -> Option<&str> {
        self.0.name(index)
    }

    fn is_met(&self, has: impl Fn(&str) -> bool) -> bool {
        names(self).any(has)
    }
}

impl<L: List> Names for AllOf<L> {
    fn name(&self, index: usize) -> Option<&str> {
        self.0.name(index)
    }

    fn needs_all(&self) -> bool {
        true
    }

    fn is_met(&self, has: impl Fn(&str) -> bool) -> bool {
        names(self).all(has)
    }
}

/// Several names.
pub trait List {
    /// The name at a place; `None` behind the last.
    fn name(&self, index: usize) -> Option<&str>;
}

impl<S: AsRef<str>, const N: usize> List for [S; N] {
    fn name(&self, index: usize) -> Option<&str> {
        self.get(index).map(AsRef::as_ref)
    }
}

/// Names that were read at run time, at least one: in the guards that `any_of` and `all_of` make.
/// Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NameList(Arc<[Box<str>]>);

impl NameList {
    pub(super) fn read(
        constructor: &str,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, ConfigError> {
        let names = names.into_iter().map(|name| name.into().into_boxed_str());
        let names: Arc<[Box<str>]> = names.collect();
        if names.is_empty() {
            return Err(ConfigError::missing(constructor, "at least one name"));
        }
        Ok(Self(names))
    }
}

impl List for NameList {
    fn name(&self, index: usize) -> Option<&str> {
        self.0.get(index).map(AsRef::as_ref)
    }
}

impl fmt::Debug for NameList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}

/// The names of a set, in its order.
pub(crate) fn names<N: Names + ?Sized>(set: &N) -> impl Iterator<Item = &str> + Clone {
    (0..usize::MAX).map_while(|index| set.name(index))
}

/// Lets a caller pass that has what the set needs.
#[inline]
pub(super) fn check(
    set: &impl NameSet,
    reason: DenialReason,
    has: impl Fn(&str) -> bool,
) -> Result<(), Denied<'static>> {
    match set.is_met(has) {
        true => Ok(()),
        false => Err(Denied::new(reason)),
    }
}

/// Names that no token has where ids are compared, which are GUIDs in every token.
pub(super) fn not_guids(guard: &str, set: &impl NameSet) -> Vec<String> {
    names(set)
        .filter(|name| parse_guid(name).is_none())
        .map(|name| format!("{guard}({name:?}) can never match: the name is no GUID"))
        .collect()
}

/// Names that are no scopes (RFC 6749 section 3.3), and full names, of which tokens have the end.
pub(super) fn no_scopes(set: &impl NameSet) -> Vec<String> {
    let of = |name: &str| {
        let why = scope_name_problem(name)?;
        Some(format!("RequireScope({name:?}) can never match: {why}"))
    };
    names(set).filter_map(of).collect()
}

/// A requirement for each name: alternatives where one of the names will do, else joined.
pub(super) fn each(set: &impl NameSet, requirement: impl Fn(&str) -> Requirements) -> Requirements {
    let each = names(set).map(requirement);
    if set.needs_all() {
        Requirements::all(each)
    } else {
        Requirements::any(each)
    }
}

/// The phrase for a set: "group `a`", "one of 45 groups", or the names where they are two.
pub(super) fn phrase(before: &str, one: &str, many: &str, set: &impl NameSet) -> String {
    let how = if set.needs_all() { "all of" } else { "one of" };
    let before = match before {
        "" => Cow::Borrowed(""),
        _ => Cow::Owned(format!("{before} ")),
    };
    let mut first = names(set);
    match (first.next(), first.next(), first.next()) {
        (Some(name), None, _) => format!("{before}{one} `{name}`"),
        (Some(name), Some(second), None) => {
            format!("{before}{how} the {many} `{name}`, `{second}`")
        }
        _ => format!("{before}{how} {} {many}", names(set).count()),
    }
}

/// Declares a guard on one name or on a list of them.
///
/// The constructors for arrays refuse an empty list when they are compiled: a guard on nothing
/// would refuse every caller or none, and both surprise.
macro_rules! named_guard {
    (
        $(#[$doc:meta])* $guard:ident, any $(, $all:ident)?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $guard<N = &'static str>(
            /// The name, or the list of names.
            pub N,
        );

        impl $guard {
            /// One of several names will do. An empty array does not compile.
            ///
            /// ```
            /// use axum_entra::guard::RequireRole;
            ///
            /// const EDITORS: RequireRole<axum_entra::guard::AnyOf<[&str; 2]>> =
            ///     RequireRole::any(["Todo.Admin", "Todo.Editor"]);
            /// # use axum_entra::guard::Guard;
            /// assert_eq!(EDITORS.describe().alternatives().len(), 2);
            /// ```
            pub const fn any<S: AsRef<str>, const N: usize>(
                names: [S; N],
            ) -> $guard<$crate::guard::AnyOf<[S; N]>> {
                const { assert!(N > 0, "a guard on an empty list would refuse every caller") }
                $guard($crate::guard::AnyOf::new(names))
            }

            /// One of several names will do, from a list that is read at run time.
            ///
            /// ```
            /// use axum_entra::guard::{Guard, RequireRole};
            ///
            /// let from_a_file = "Todo.Admin Todo.Editor".split(' ');
            /// let guard = RequireRole::any_of(from_a_file)?;
            /// assert_eq!(guard.describe().alternatives().len(), 2);
            /// assert!(RequireRole::any_of([""; 0]).is_err());
            /// # Ok::<(), axum_entra::ConfigError>(())
            /// ```
            ///
            /// # Errors
            /// [`ConfigError`](crate::ConfigError) for an empty list.
            pub fn any_of(
                names: impl IntoIterator<Item = impl Into<String>>,
            ) -> Result<$guard<$crate::guard::AnyOf<$crate::guard::NameList>>, $crate::ConfigError> {
                let constructor = concat!(stringify!($guard), "::any_of");
                let list = $crate::guard::NameList::read(constructor, names)?;
                Ok($guard($crate::guard::AnyOf::new(list)))
            }

            $(
                /// All of several names are needed. An empty array does not compile.
                ///
                /// ```
                /// use axum_entra::guard::{Guard, RequireRole};
                ///
                /// let guard = RequireRole::all(["Todo.Admin", "Auditor"]);
                /// assert_eq!(guard.describe().alternatives()[0].roles(), ["Todo.Admin", "Auditor"]);
                /// ```
                pub const fn $all<S: AsRef<str>, const N: usize>(
                    names: [S; N],
                ) -> $guard<$crate::guard::AllOf<[S; N]>> {
                    const { assert!(N > 0, "a guard on an empty list would accept every caller") }
                    $guard($crate::guard::AllOf::new(names))
                }

                /// All of several names are needed, from a list that is read at run time.
                ///
                /// ```
                /// use axum_entra::guard::{Guard, RequireRole};
                ///
                /// let guard = RequireRole::all_of(["Todo.Admin".to_owned(), "Auditor".to_owned()])?;
                /// assert_eq!(guard.describe().alternatives()[0].roles(), ["Todo.Admin", "Auditor"]);
                /// // "All of none" would accept every caller.
                /// assert!(RequireRole::all_of([""; 0]).is_err());
                /// # Ok::<(), axum_entra::ConfigError>(())
                /// ```
                ///
                /// # Errors
                /// [`ConfigError`](crate::ConfigError) for an empty list.
                pub fn all_of(
                    names: impl IntoIterator<Item = impl Into<String>>,
                ) -> Result<$guard<$crate::guard::AllOf<$crate::guard::NameList>>, $crate::ConfigError> {
                    let constructor = concat!(stringify!($guard), "::all_of");
                    let list = $crate::guard::NameList::read(constructor, names)?;
                    Ok($guard($crate::guard::AllOf::new(list)))
                }
            )?
        }
    };
}

pub(super) use named_guard;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_token_can_have_is_told() {
        for name in [
            "Todo.Read Todo.ReadWrite",
            " Todo.Read",
            "Todo.Read\u{a0}",
            "Todo.Read\n",
            "a\"b",
            "a\\b",
            "api://aaaaaaaa-1111-4111-8111-111111111111/Todo.Read",
            "Aufgaben.L\u{f6}schen",
            "",
            "/",
        ] {
            assert_eq!(no_scopes(&name).len(), 1, "{name:?}");
        }
        let good = AnyOf(["Todo.Read", "a/b", "a:b", "!#[]~", "openid"]);
        assert!(no_scopes(&good).is_empty());
        let id = "aaaaaaaa-1111-4111-8111-111111111111";
        let (bare, capitals) = (id.replace('-', ""), id.to_uppercase());
        assert!(not_guids("G", &AnyOf([id, &capitals])).is_empty());
        assert_eq!(
            not_guids("G", &AllOf(["contoso.com", id, &bare, ""])).len(),
            3
        );
    }

    #[test]
    fn few_names_are_said_and_many_are_counted() {
        let any = |names: &[&str]| phrase("", "role", "roles", &list(names));
        let all = |names: &[&str]| {
            let NameList(names) = NameList::read("", names.iter().copied()).unwrap();
            phrase("in", "group", "groups", &AllOf(NameList(names)))
        };
        fn list(names: &[&str]) -> AnyOf<NameList> {
            AnyOf(NameList::read("", names.iter().copied()).unwrap())
        }
        assert_eq!(phrase("", "role", "roles", &"a"), "role `a`");
        assert_eq!(any(&["a"]), "role `a`");
        assert_eq!(all(&["a"]), "in group `a`");
        assert_eq!(any(&["a", "b"]), "one of the roles `a`, `b`");
        assert_eq!(all(&["a", "b"]), "in all of the groups `a`, `b`");
        assert_eq!(any(&["a", "b", "c"]), "one of 3 roles");
        assert_eq!(all(&["a", "b", "c"]), "in all of 3 groups");
    }

    #[test]
    fn an_empty_list_that_was_read_is_an_error_that_names_its_guard() {
        let none = Vec::<String>::new();
        let error = NameList::read("RequireRole::any_of", none).unwrap_err();
        assert_eq!(
            error.to_string(),
            "RequireRole::any_of: missing, expected at least one name"
        );
    }
}
