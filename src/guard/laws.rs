//! The algebra of guards: three answers, `No` < `Ask` < `Yes`, and tables that hold for all of them.

use proptest::prelude::*;

use super::{Caller, Denied, Guard, Memberships, RequireGroup, RequireRole, RequireScope};
use crate::claims::Claims;
use crate::claims::raw::RawClaims;
use crate::clock::UnixTime;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    No,
    Ask,
    Yes,
}

/// A rule, to be made into guards in more than one way.
#[derive(Debug, Clone)]
enum Rule {
    Scope(&'static str),
    Role(&'static str),
    Group(&'static str),
    Both(Box<Rule>, Box<Rule>),
    One(Box<Rule>, Box<Rule>),
}

struct Any(Box<dyn Guard>);

impl Guard for Any {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        self.0.check(caller)
    }
}

fn guard(rule: &Rule) -> Any {
    Any(match rule {
        Rule::Scope(name) => Box::new(RequireScope(*name)),
        Rule::Role(name) => Box::new(RequireRole(*name)),
        Rule::Group(id) => Box::new(RequireGroup(*id)),
        Rule::Both(a, b) => Box::new(guard(a).and(guard(b))),
        Rule::One(a, b) => Box::new(guard(a).or(guard(b))),
    })
}

/// What a rule means, only by the table.
fn table(rule: &Rule, leaf: &impl Fn(&Rule) -> Answer) -> Answer {
    match rule {
        Rule::Both(a, b) => table(a, leaf).min(table(b, leaf)),
        Rule::One(a, b) => table(a, leaf).max(table(b, leaf)),
        one => leaf(one),
    }
}

impl Answer {
    pub(super) fn of(checked: &Result<(), Denied<'_>>) -> Self {
        match checked {
            Ok(()) => Self::Yes,
            Err(denied) if denied.unresolved_groups().is_empty() => Self::No,
            Err(_) => Self::Ask,
        }
    }
}

fn answer(guard: &impl Guard, caller: &Caller<'_>) -> Answer {
    Answer::of(&guard.check(caller))
}

pub(super) fn claims_of(payload: serde_json::Value) -> Claims {
    let payload = payload.to_string();
    let draft = RawClaims::parse(payload.as_bytes()).unwrap();
    draft.interpret().unwrap().into_claims(None, None, None)
}

const GROUPS: [&str; 3] = ["g1", "g2", "g3"];

fn rules() -> impl Strategy<Value = Rule> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["s1", "s2"]).prop_map(Rule::Scope),
        prop::sample::select(vec!["r1", "r2"]).prop_map(Rule::Role),
        prop::sample::select(GROUPS.to_vec()).prop_map(Rule::Group),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        (inner.clone(), inner, any::<bool>()).prop_map(|(a, b, both)| {
            let (a, b) = (Box::new(a), Box::new(b));
            if both {
                Rule::Both(a, b)
            } else {
                Rule::One(a, b)
            }
        })
    })
}

fn claims() -> impl Strategy<Value = Claims> {
    let some = |names: &'static [&'static str]| prop::sample::subsequence(names, 0..=names.len());
    (
        some(&["s1", "s2"]),
        some(&["r1", "r2"]),
        some(&GROUPS),
        any::<bool>(),
    )
        .prop_map(|(scopes, roles, groups, overage)| {
            claims_of(serde_json::json!({
                "exp": 1, "scp": scopes.join(" "), "roles": roles, "groups": groups,
                "hasgroups": overage,
            }))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn and_is_the_lesser_answer_and_or_the_greater(rule in rules(), claims in claims()) {
        let caller = Caller::at(&claims, UnixTime::from_secs(0));
        let leaf = |leaf: &Rule| answer(&guard(leaf), &caller);
        prop_assert_eq!(answer(&guard(&rule), &caller), table(&rule, &leaf));
    }

    #[test]
    fn and_and_or_commute_and_associate(
        a in rules(), b in rules(), c in rules(), claims in claims()
    ) {
        let caller = Caller::at(&claims, UnixTime::from_secs(0));
        let is = |guard: &dyn Fn() -> Any| answer(&guard(), &caller);
        let (a, b, c) = (|| guard(&a), || guard(&b), || guard(&c));
        let both = |x: Any, y: Any| Any(Box::new(x.and(y)));
        let one = |x: Any, y: Any| Any(Box::new(x.or(y)));
        prop_assert_eq!(is(&|| both(a(), b())), is(&|| both(b(), a())));
        prop_assert_eq!(is(&|| one(a(), b())), is(&|| one(b(), a())));
        prop_assert_eq!(is(&|| both(a(), both(b(), c()))), is(&|| both(both(a(), b()), c())));
        prop_assert_eq!(is(&|| one(a(), one(b(), c()))), is(&|| one(one(a(), b()), c())));
        prop_assert_eq!(is(&|| both(a(), one(b(), c()))), is(&|| one(both(a(), b()), both(a(), c()))));
    }

    /// Whatever the directory answers to the questions that were asked, nothing stays open, and
    /// the end is what it would be had the token listed everything.
    #[test]
    fn answered_questions_decide(
        rule in rules(), claims in claims(), members in prop::collection::vec(any::<bool>(), 3)
    ) {
        let first = Caller::at(&claims, UnixTime::from_secs(0));
        let guard_ = guard(&rule);
        let asked: Vec<String> = match guard_.check(&first) {
            Ok(()) => Vec::new(),
            Err(denied) => denied.unresolved_groups().iter().map(|id| (*id).to_owned()).collect(),
        };
        let member = |id: &str| GROUPS.iter().zip(&members).any(|(group, is)| *group == id && *is);
        let all: Vec<(String, bool)> =
            GROUPS.iter().map(|id| ((*id).to_owned(), member(id))).collect();
        let some = all.iter().filter(|(id, _)| asked.contains(id)).cloned();
        let known_all = Caller::at(&claims, UnixTime::from_secs(0)).with_memberships(Memberships::new(all.clone()));
        let known_some = Caller::at(&claims, UnixTime::from_secs(0)).with_memberships(Memberships::new(some));
        let end = answer(&guard_, &known_all);
        prop_assert_ne!(end, Answer::Ask);
        prop_assert_eq!(answer(&guard_, &known_some), end);
    }
}
