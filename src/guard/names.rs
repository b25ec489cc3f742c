//! Names that guards hold: literals or owned strings, one or several, never none.

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
/// everybody pass or nobody, and both surprise.
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
                const { assert!(N > 0, "a guard on an empty list would let nobody pass") }
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
