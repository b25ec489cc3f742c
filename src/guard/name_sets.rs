//! One, any and all of several names: who passes, who does not, and what the refusal names.

use serde_json::{Value, json};

use super::{
    Caller, DenialReason, DenyAgents, Guard, Memberships, RequireAgent, RequireB2cPolicy,
    RequireClientId, RequireDirectoryRole, RequireGroup, RequireMaxAge, RequireObjectId,
    RequireRole, RequireScope, RequireTenant,
};
use crate::claims::raw::RawClaims;
use crate::claims::{Claims, IssuerKind};
use crate::clock::UnixTime;

fn claims(payload: Value) -> Claims {
    let payload = payload.to_string();
    let draft = RawClaims::parse(payload.as_bytes()).unwrap();
    draft.interpret().unwrap().into_claims(None, None, None)
}

/// `in`, or the reason and the scopes that would do.
fn outcome(guard: &impl Guard, claims: &Claims) -> String {
    match guard.check(&Caller::at(claims, UnixTime::from_secs(0))) {
        Ok(()) => "in".to_owned(),
        Err(denied) => {
            let scopes: Vec<&str> = denied.scopes().collect();
            format!("{}:{}", denied.reason(), scopes.join(" "))
        }
    }
}

#[test]
fn both_of_two_scopes_are_named_together() {
    let with = |scopes: &str| claims(json!({ "exp": 1, "scp": scopes }));
    let both = || RequireScope("a").and(RequireScope("b"));
    for (scopes, expected) in [
        ("a b", "in"),
        ("a", "scope:b"),
        ("b", "scope:a"),
        ("x", "scope:a b"),
    ] {
        assert_eq!(outcome(&both(), &with(scopes)), expected, "{scopes}");
    }
    let of_three = both().and(RequireScope::all(["c", "d"]));
    assert_eq!(outcome(&of_three, &with("x")), "scope:a b c d");
    let role_first = RequireRole("r").and(both());
    assert_eq!(outcome(&role_first, &with("x")), "role:");
    let role_last = both().and(RequireRole("r"));
    assert_eq!(outcome(&role_last, &with("x")), "scope:a b");
    // Of alternatives one is named, with all that it needs.
    let either = RequireRole("r").or(both());
    assert_eq!(outcome(&either, &with("x")), "scope:a b");
}

#[test]
fn one_any_and_all_of_the_scopes() {
    let with = |scopes: &str| claims(json!({ "exp": 1, "scp": scopes }));
    let (one, any, all) = (
        RequireScope("a"),
        RequireScope::any(["a", "b"]),
        RequireScope::all(["a", "b"]),
    );
    for (scopes, expected) in [
        ("a b", ["in", "in", "in"]),
        ("a", ["in", "in", "scope:a b"]),
        ("b", ["scope:a", "in", "scope:a b"]),
        ("c", ["scope:a", "scope:a", "scope:a b"]),
    ] {
        let claims = with(scopes);
        let found = [
            outcome(&one, &claims),
            outcome(&any, &claims),
            outcome(&all, &claims),
        ];
        assert_eq!(found, expected, "{scopes}");
    }
}

#[test]
fn one_any_and_all_of_the_roles() {
    let (one, any, all) = (
        RequireRole("a"),
        RequireRole::any(["a", "b"]),
        RequireRole::all(["a", "b"]),
    );
    for (roles, expected) in [
        (json!(["a", "b"]), ["in", "in", "in"]),
        (json!(["a"]), ["in", "in", "role:"]),
        (json!(["b"]), ["role:", "in", "role:"]),
        (json!([]), ["role:", "role:", "role:"]),
    ] {
        let claims = claims(json!({ "exp": 1, "roles": roles }));
        let found = [
            outcome(&one, &claims),
            outcome(&any, &claims),
            outcome(&all, &claims),
        ];
        assert_eq!(found, expected, "{roles}");
    }
}

#[test]
fn one_any_and_all_of_the_groups() {
    let (one, any, all) = (
        RequireGroup("a"),
        RequireGroup::any(["a", "b"]),
        RequireGroup::all(["a", "b"]),
    );
    for (groups, more, expected) in [
        (json!(["a", "b"]), false, ["in", "in", "in"]),
        (json!(["b"]), false, ["group:", "in", "group:"]),
        (json!([]), false, ["group:", "group:", "group:"]),
        (json!(["a", "b"]), true, ["in", "in", "in"]),
        (
            json!(["b"]),
            true,
            ["groups_overage:", "in", "groups_overage:"],
        ),
    ] {
        let claims = claims(json!({ "exp": 1, "groups": groups, "hasgroups": more }));
        let found = [
            outcome(&one, &claims),
            outcome(&any, &claims),
            outcome(&all, &claims),
        ];
        assert_eq!(found, expected, "{groups} {more}");
    }
}

#[test]
fn a_no_of_the_directory_decides_for_all_and_a_yes_for_any() {
    let claims = claims(json!({ "exp": 1, "hasgroups": true }));
    let known = [("a".to_owned(), true), ("b".to_owned(), false)];
    let caller =
        Caller::at(&claims, UnixTime::from_secs(0)).with_memberships(Memberships::new(known));
    let refused = |guard: &dyn Guard| guard.check(&caller).err().map(|denied| denied.reason());
    assert_eq!(refused(&RequireGroup::any(["b", "a"])), None);
    assert_eq!(
        refused(&RequireGroup::all(["a", "b"])),
        Some(DenialReason::Group)
    );
    assert_eq!(
        refused(&RequireGroup::all(["c", "b"])),
        Some(DenialReason::Group)
    );
    let open = RequireGroup::all(["a", "c"]);
    let denied = open.check(&caller).unwrap_err();
    assert_eq!(denied.unresolved_groups(), ["c"]);
}

#[test]
fn a_caller_knows_the_time_of_its_clock() {
    let claims = claims(json!({ "exp": 1, "auth_time": 1_000 }));
    let half_past = |claims: &Claims| claims.auth_time().unwrap_or_default().as_secs() + 500;
    assert_eq!(Caller::by_clock(&claims, half_past).now().as_secs(), 1_500);
    assert_eq!(
        Caller::at(&claims, UnixTime::from_secs(7)).now().as_secs(),
        7
    );
    let fresh = RequireMaxAge(std::time::Duration::from_secs(499));
    assert!(
        fresh
            .check(&Caller::at(&claims, UnixTime::from_secs(1_499)))
            .is_ok()
    );
    assert!(
        fresh
            .check(&Caller::at(&claims, UnixTime::from_secs(1_501)))
            .is_err()
    );
}

const ONE: &str = "abcdefab-0000-4000-8000-000000000001";
const TWO: &str = "abcdefab-0000-4000-8000-000000000002";
const THREE: &str = "abcdefab-0000-4000-8000-000000000003";

/// A guard on the first of three names and one on the first two, against each name, that name in
/// capitals, no name at all.
fn holds_one_and_any(
    one: &impl Guard,
    any: &impl Guard,
    reason: &str,
    of: impl Fn(Option<&str>) -> Claims,
) {
    let capitals = ONE.to_uppercase();
    for (name, expected) in [
        (Some(ONE), [true, true]),
        (Some(capitals.as_str()), [true, true]),
        (Some(TWO), [false, true]),
        (Some(THREE), [false, false]),
        (None, [false, false]),
    ] {
        let claims = of(name);
        let said = |passes| {
            if passes {
                "in".to_owned()
            } else {
                format!("{reason}:")
            }
        };
        let found = [outcome(one, &claims), outcome(any, &claims)];
        assert_eq!(found, expected.map(said), "{reason} {name:?}");
    }
}

#[test]
fn one_and_any_of_the_tenants_clients_directory_roles_and_policies() {
    let of_tenant = |name: Option<&str>| {
        let draft = RawClaims::parse(br#"{"exp":1}"#).unwrap();
        let tenant = name.map(|name| name.parse().unwrap());
        draft.interpret().unwrap().into_claims(tenant, None, None)
    };
    let (one, any) = (RequireTenant(ONE), RequireTenant::any([ONE, TWO]));
    holds_one_and_any(&one, &any, "tenant", of_tenant);
    let unowned = RequireTenant("no GUID");
    assert_eq!(outcome(&unowned, &of_tenant(None)), "tenant:");

    let (one, any) = (RequireClientId(ONE), RequireClientId::any([ONE, TWO]));
    let of_client = |name: Option<&str>| claims(json!({ "exp": 1, "azp": name }));
    holds_one_and_any(&one, &any, "client_app", of_client);

    let (one, any) = (
        RequireDirectoryRole(ONE),
        RequireDirectoryRole::any([ONE, TWO]),
    );
    let of_role = |name: Option<&str>| claims(json!({ "exp": 1, "wids": name.map(|name| [name]) }));
    holds_one_and_any(&one, &any, "directory_role", of_role);

    let (one, any) = (RequireB2cPolicy(ONE), RequireB2cPolicy::any([ONE, TWO]));
    let of_policy = |name: Option<&str>| {
        let payload = json!({ "exp": 1, "tfp": name }).to_string();
        let finished = RawClaims::parse(payload.as_bytes())
            .unwrap()
            .interpret()
            .unwrap();
        let finished = finished.issued_by(IssuerKind::B2c, |_| false);
        finished.into_claims(None, None, None)
    };
    holds_one_and_any(&one, &any, "policy", of_policy);
    let of_entra = claims(json!({ "exp": 1, "tfp": ONE, "acr": ONE }));
    assert_eq!(outcome(&one, &of_entra), "policy:");

    let (one, any) = (RequireObjectId(ONE), RequireObjectId::any([ONE, TWO]));
    let of_object = |name: Option<&str>| claims(json!({ "exp": 1, "oid": name }));
    holds_one_and_any(&one, &any, "object_id", of_object);
}

#[test]
fn agents_and_tokens_that_do_not_tell_are_denied() {
    // For each: no agents, no known agents, agents only.
    for (facets, expected) in [
        (json!({}), ["agent:", "in", "not_agent:"]),
        (
            json!({ "xms_act_fct": null }),
            ["agent:", "in", "not_agent:"],
        ),
        (
            json!({ "xms_sub_fct": "9 3" }),
            ["agent:", "in", "not_agent:"],
        ),
        (json!({ "xms_act_fct": "" }), ["in", "in", "not_agent:"]),
        (json!({ "xms_act_fct": "9 3" }), ["in", "in", "not_agent:"]),
        (
            json!({ "xms_act_fct": "3 11 9" }),
            ["agent:", "agent:", "in"],
        ),
        (
            json!({ "xms_act_fct": "9 3", "xms_sub_fct": "13" }),
            ["agent:", "agent:", "in"],
        ),
        (
            json!({ "xms_sub_fct": "3 9 11" }),
            ["agent:", "agent:", "in"],
        ),
    ] {
        let mut payload = facets.clone();
        payload["exp"] = json!(1);
        let claims = claims(payload);
        let found = [
            outcome(&DenyAgents, &claims),
            outcome(&DenyAgents::known_only(), &claims),
            outcome(&RequireAgent, &claims),
        ];
        assert_eq!(found, expected, "{facets}");
    }
}
