//! Every rule of two levels in every world of a scope, a role and two groups, by a table of three answers.

use super::laws::{Answer, claims_of};
use super::{Caller, Guard, Memberships, RequireGroup, RequireRole, RequireScope};
use crate::claims::Claims;
use crate::clock::UnixTime;

/// What a caller's token and the directory say.
#[derive(Debug, Clone, Copy)]
struct World {
    scope: bool,
    role: bool,
    /// In the token's list.
    listed: [bool; 2],
    /// Whether the token says that there are more.
    overage: bool,
    /// What the directory said, where it was asked.
    told: [Option<bool>; 2],
}

const GROUPS: [&str; 2] = ["g1", "g2"];

#[derive(Debug, Clone)]
enum Rule {
    Scope,
    Role,
    Group(usize),
    And(Box<Rule>, Box<Rule>),
    Or(Box<Rule>, Box<Rule>),
}

impl Rule {
    fn guard(&self) -> Box<dyn Guard> {
        match self {
            Self::Scope => Box::new(RequireScope("s")),
            Self::Role => Box::new(RequireRole("r")),
            Self::Group(number) => Box::new(RequireGroup(GROUPS[*number])),
            Self::And(a, b) => Box::new(a.guard().and(b.guard())),
            Self::Or(a, b) => Box::new(a.guard().or(b.guard())),
        }
    }

    /// The whole meaning of a rule.
    fn means(&self, world: &World) -> Answer {
        let known = |is: bool| if is { Answer::Yes } else { Answer::No };
        match self {
            Self::Scope => known(world.scope),
            Self::Role => known(world.role),
            Self::Group(number) => match (world.listed[*number], world.overage) {
                (true, _) => Answer::Yes,
                (false, false) => Answer::No,
                (false, true) => world.told[*number].map_or(Answer::Ask, known),
            },
            Self::And(a, b) => a.means(world).min(b.means(world)),
            Self::Or(a, b) => a.means(world).max(b.means(world)),
        }
    }
}

/// All rules of so many levels.
fn rules(levels: u32) -> Vec<Rule> {
    let mut all = vec![Rule::Scope, Rule::Role, Rule::Group(0), Rule::Group(1)];
    if levels > 0 {
        let below = rules(levels - 1);
        for a in &below {
            for b in &below {
                let both = || (Box::new(a.clone()), Box::new(b.clone()));
                let ((a, b), (c, d)) = (both(), both());
                all.extend([Rule::And(a, b), Rule::Or(c, d)]);
            }
        }
    }
    all
}

fn worlds() -> Vec<World> {
    let bools = [false, true];
    let told = [None, Some(false), Some(true)];
    let mut all = Vec::new();
    for number in 0..32_usize {
        let bit = |place: usize| bools[number >> place & 1];
        for first in told {
            for second in told {
                all.push(World {
                    scope: bit(0),
                    role: bit(1),
                    listed: [bit(2), bit(3)],
                    overage: bit(4),
                    told: [first, second],
                });
            }
        }
    }
    all
}

impl World {
    fn claims(&self) -> Claims {
        let groups = GROUPS
            .into_iter()
            .zip(self.listed)
            .filter(|(_, listed)| *listed);
        let groups: Vec<&str> = groups.map(|(group, _)| group).collect();
        let role: &[&str] = if self.role { &["r"] } else { &[] };
        claims_of(serde_json::json!({
            "exp": 1, "scp": if self.scope { "s" } else { "" }, "roles": role, "groups": groups,
            "hasgroups": self.overage,
        }))
    }

    fn caller<'c>(&self, claims: &'c Claims) -> Caller<'c> {
        let told = GROUPS.into_iter().zip(self.told);
        let told = told.filter_map(|(group, told)| Some((group.to_owned(), told?)));
        Caller::at(claims, UnixTime::from_secs(0)).with_memberships(Memberships::new(told))
    }
}

#[test]
fn every_rule_answers_in_every_world_as_the_table_says() {
    let rules: Vec<_> = rules(2)
        .into_iter()
        .map(|rule| (rule.guard(), rule))
        .collect();
    assert_eq!(rules.len(), 4 + 2 * 36 * 36);
    let mut asked = 0_u32;
    for world in worlds() {
        let claims = world.claims();
        let caller = world.caller(&claims);
        for (guard, rule) in &rules {
            let checked = guard.check(&caller);
            let expected = rule.means(&world);
            assert_eq!(Answer::of(&checked), expected, "{rule:?} in {world:?}");
            let Err(denied) = &checked else { continue };
            // Only what is not known is asked, and once it is, nothing stays open.
            let open = denied.unresolved_groups();
            if open.is_empty() {
                continue;
            }
            asked += 1;
            for answers in 0..4_usize {
                let mut after = world;
                for (number, group) in GROUPS.iter().enumerate() {
                    if open.contains(group) {
                        assert_eq!(world.told[number], None, "{rule:?} in {world:?}");
                        after.told[number] = Some(answers >> number & 1 == 1);
                    }
                }
                let end = Answer::of(&guard.check(&after.caller(&claims)));
                assert_eq!(end, rule.means(&after), "{rule:?} in {after:?}");
                assert_ne!(end, Answer::Ask, "{rule:?} in {after:?}");
            }
        }
    }
    assert!(asked > 10_000, "{asked}");
}

#[test]
fn lists_of_names_mean_what_their_guards_mean_one_by_one() {
    let one_of = [
        Box::new(RequireGroup::any(GROUPS)) as Box<dyn Guard>,
        Box::new(RequireGroup::any_of(GROUPS).unwrap()),
    ];
    let all_of = [
        Box::new(RequireGroup::all(GROUPS)) as Box<dyn Guard>,
        Box::new(RequireGroup::all_of(GROUPS).unwrap()),
    ];
    for world in worlds() {
        let claims = world.claims();
        let caller = world.caller(&claims);
        let [first, second] = [0, 1].map(|number| Rule::Group(number).means(&world));
        for guard in &one_of {
            assert_eq!(
                Answer::of(&guard.check(&caller)),
                first.max(second),
                "{world:?}"
            );
        }
        for guard in &all_of {
            assert_eq!(
                Answer::of(&guard.check(&caller)),
                first.min(second),
                "{world:?}"
            );
        }
    }
    // Of names that are in the token or not: every set of three held, every set asked for.
    let names = ["a", "b", "c"];
    let some = |set: usize| {
        names
            .into_iter()
            .enumerate()
            .filter(move |(place, _)| set >> place & 1 == 1)
    };
    for held in 0..8 {
        let list: Vec<&str> = some(held).map(|(_, name)| name).collect();
        let claims = claims_of(
            serde_json::json!({ "exp": 1, "idtyp": "user", "scp": list.join(" "), "roles": list }),
        );
        let caller = Caller::at(&claims, UnixTime::from_secs(0));
        for wanted in 1..8 {
            let list = || some(wanted).map(|(_, name)| name);
            let (any, all) = (held & wanted != 0, held & wanted == wanted);
            assert_eq!(
                RequireScope::any_of(list()).unwrap().check(&caller).is_ok(),
                any
            );
            assert_eq!(
                RequireScope::all_of(list()).unwrap().check(&caller).is_ok(),
                all
            );
            assert_eq!(
                RequireRole::any_of(list()).unwrap().check(&caller).is_ok(),
                any
            );
            assert_eq!(
                RequireRole::all_of(list()).unwrap().check(&caller).is_ok(),
                all
            );
        }
    }
}
