//! Names that guards hold: literals or owned strings, one or several, never none.

use crate::guid::parse_guid;
use crate::scope_hierarchy::scope_name_problem;

/// Names one by one, without a copy of them.
pub(crate) trait Names: Sync {
    /// The name at a place; `None` behind the last.
    fn name(&self, index: usize) -> Option<&str>;
}

impl<S: AsRef<str> + Sync, const N: usize> Names for [S; N] {
    fn name(&self, index: usize) -> Option<&str> {
        self.get(index).map(AsRef::as_ref)
    }
}

/// Names that no token has where ids are compared, which are GUIDs in every token.
pub(super) fn not_guids<'n, S: AsRef<str> + 'n>(
    guard: &str,
    names: impl IntoIterator<Item = &'n S>,
) -> Vec<String> {
    let names = names.into_iter().map(AsRef::as_ref);
    names
        .filter(|name| parse_guid(name).is_none())
        .map(|name| format!("{guard}({name:?}) can never match: the name is no GUID"))
        .collect()
}

/// Names that are no scopes (RFC 6749 section 3.3), and full names, of which tokens have the end.
pub(super) fn no_scopes<'n, S: AsRef<str> + 'n>(
    names: impl IntoIterator<Item = &'n S>,
) -> Vec<String> {
    let of = |name: &str| {
        let why = scope_name_problem(name)?;
        Some(format!("RequireScope({name:?}) can never match: {why}"))
    };
    let names = names.into_iter().map(AsRef::as_ref);
    names.filter_map(of).collect()
}

/// "one of 45 groups", or the names themselves where they are few.
pub(super) fn one_of<S: AsRef<str>>(before: &str, what: &str, names: &[S]) -> String {
    phrase(before, "one of", what, names)
}

/// The same for guards that need them all.
pub(super) fn all_of<S: AsRef<str>>(before: &str, what: &str, names: &[S]) -> String {
    phrase(before, "all of", what, names)
}

fn phrase<S: AsRef<str>>(before: &str, how: &str, what: &str, names: &[S]) -> String {
    let space = if before.is_empty() { "" } else { " " };
    match names {
        [one] => format!("{before}{space}{what} `{}`", one.as_ref()),
        [first, second] => {
            let (first, second) = (first.as_ref(), second.as_ref());
            format!("{before}{space}{how} the {what} `{first}`, `{second}`")
        }
        _ => format!("{before}{space}{how} {} {what}", names.len()),
    }
}

/// Declares a guard on one name, and its forms on several: any of them, all of them.
///
/// The constructors refuse an empty list when they are compiled: a guard on nothing would let
/// every caller pass or none, and both surprise.
macro_rules! named_guard {
    (
        $(#[$doc:meta])* $one:ident,
        any: $any:ident
        $(, all: $all:ident)?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $one<S = &'static str>(
            /// The name.
            pub S,
        );

        impl $one {
            /// One of several will do. An empty list does not compile.
            pub const fn any<S: AsRef<str>, const N: usize>(names: [S; N]) -> $any<S, N> {
                const { assert!(N > 0, "a guard on an empty list would refuse every caller") }
                $any(names)
            }

            $(
                /// All of several are needed. An empty list does not compile.
                pub const fn all<S: AsRef<str>, const N: usize>(names: [S; N]) -> $all<S, N> {
                    const { assert!(N > 0, "a guard on an empty list would let everybody pass") }
                    $all(names)
                }
            )?
        }

        #[doc = concat!("One of several: made by [`", stringify!($one), "::any`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $any<S, const N: usize>([S; N]);

        $(
            #[doc = concat!("All of several: made by [`", stringify!($one), "::all`].")]
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
            pub struct $all<S, const N: usize>([S; N]);
        )?
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
            assert_eq!(no_scopes([&name]).len(), 1, "{name:?}");
        }
        assert!(no_scopes(&["Todo.Read", "a/b", "a:b", "!#[]~", "openid"]).is_empty());
        let id = "aaaaaaaa-1111-4111-8111-111111111111";
        let bare = id.replace('-', "");
        assert!(not_guids("G", &[id, &id.to_uppercase()]).is_empty());
        assert_eq!(not_guids("G", &["contoso.com", id, &bare, ""]).len(), 3);
    }

    #[test]
    fn few_names_are_said_and_many_are_counted() {
        let text = |names: &[&str]| (one_of("", "role", names), all_of("from", "group", names));
        assert_eq!(text(&["a"]), ("role `a`".into(), "from group `a`".into()));
        assert_eq!(
            text(&["a", "b"]),
            (
                "one of the role `a`, `b`".into(),
                "from all of the group `a`, `b`".into()
            )
        );
        assert_eq!(
            text(&["a", "b", "c"]),
            ("one of 3 role".into(), "from all of 3 group".into())
        );
    }
}
