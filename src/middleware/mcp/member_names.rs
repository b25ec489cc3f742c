//! The names of one object's members, to find one that is there twice.

use std::borrow::Cow;
use std::collections::HashSet;

/// Names seen so far. Few are compared one by one, which needs no hash.
#[derive(Default)]
pub(super) struct MemberNames<'t> {
    few: Vec<Cow<'t, str>>,
    many: HashSet<Cow<'t, str>>,
}

/// Up to so many names a comparison with each is quicker than a hash.
const FEW: usize = 12;

impl<'t> MemberNames<'t> {
    /// Notes a name; `false` if it was there before.
    pub(super) fn insert(&mut self, name: Cow<'t, str>) -> bool {
        if !self.many.is_empty() {
            return self.many.insert(name);
        }
        if self.few.contains(&name) {
            return false;
        }
        self.few.push(name);
        if self.few.len() > FEW {
            self.many.extend(self.few.drain(..));
        }
        true
    }
}

/// Whether a name is one of these but for its letter case, as readers without letter case compare:
/// Go's JSON package also takes U+017F for `s` and U+212A for `k`.
pub(super) fn is_twin(name: &str, of: &[&str]) -> bool {
    let fold = |letter: char| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    let is_same = |other: &&str| {
        name.chars()
            .map(fold)
            .eq(other.chars().map(|letter| letter.to_ascii_lowercase()))
    };
    of.iter().any(|other| name != *other && is_same(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_name_is_found_among_few_and_among_many() {
        for count in [1, FEW, FEW + 1, FEW + 2, 1_000] {
            let mut names = MemberNames::default();
            for number in 0..count {
                assert!(names.insert(Cow::Owned(number.to_string())), "{count}");
            }
            for number in [0, count / 2, count - 1] {
                assert!(!names.insert(Cow::Owned(number.to_string())), "{count}");
            }
            assert!(names.insert(Cow::Borrowed("another")));
        }
    }

    #[test]
    fn a_twin_differs_in_letter_case_alone() {
        let of = ["method", "params", "task"];
        for twin in ["Method", "METHOD", "param\u{17f}", "TAS\u{212a}"] {
            assert!(is_twin(twin, &of), "{twin}");
        }
        for other in ["method", "methods", "meth\u{f6}d", "", "p"] {
            assert!(!is_twin(other, &of), "{other}");
        }
    }
}
