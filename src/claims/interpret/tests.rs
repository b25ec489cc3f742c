//! What claims mean, and what they must not.

use super::super::{AgentKind, Groups};
use super::*;

fn interpret(text: &str) -> Result<Claims, Malformed> {
    let claims = RawClaims::parse(text.as_bytes())?.interpret()?;
    Ok(claims.into_claims(None, None, None))
}

/// A payload with `exp` and the given members.
fn with(members: &str) -> Result<Claims, Malformed> {
    interpret(&format!("{{\"exp\":10,{members}}}"))
}

#[test]
fn times_are_numbers_between_0_and_2_to_the_53() {
    for good in [
        "0",
        "-0",
        "1537234948",
        "1.5e9",
        "1537234948.75",
        "9007199254740992",
        "9007199254740992.0",
        "9007199254740992.000",
        "1e3",
    ] {
        assert!(interpret(&format!("{{\"exp\":{good}}}")).is_ok(), "{good}");
    }
    for bad in [
        "-1",
        "-0.5",
        "9007199254740993",
        "9007199254740992.5",
        "9007199254740992.05",
        "9007199254740993.0",
        "1e16",
        "1e999",
        "\"10\"",
        "true",
        "[1]",
        "{}",
        "null",
    ] {
        assert!(interpret(&format!("{{\"exp\":{bad}}}")).is_err(), "{bad}");
    }
    assert!(interpret("{}").is_err());
    assert!(with("\"nbf\":null,\"iat\":null").is_ok());
    assert!(with("\"nbf\":\"1\"").is_err());
    assert!(with("\"nbf\":10").is_ok());
    assert!(with("\"nbf\":11").is_err());
}

#[test]
fn lists_hold_strings_and_nothing_else() {
    for name in ["roles", "wids", "groups", "amr"] {
        assert!(with(&format!("\"{name}\":[\"a\",\"b\"]")).is_ok(), "{name}");
        assert!(with(&format!("\"{name}\":[]")).is_ok(), "{name}");
        assert!(with(&format!("\"{name}\":null")).is_ok(), "{name}");
        for bad in ["1", "{}", "true", "[1]", "[\"a\",null]", "[[\"a\"]]"] {
            assert!(with(&format!("\"{name}\":{bad}")).is_err(), "{name} {bad}");
        }
    }
    assert!(with("\"roles\":\"a\"").is_err() && with("\"wids\":\"a\"").is_err());
    assert!(with("\"scp\":[\"a\"]").is_err() && with("\"scp\":1").is_err());
    let claims = with("\"amr\":\"mfa\",\"acrs\":\"c1\",\"xms_cc\":\"CP1\"").unwrap();
    assert_eq!(claims.authentication_methods().count(), 1);
    assert!(claims.acrs().eq(["c1"]));
    assert!(claims.supports_claims_challenge());
}

#[test]
fn a_subject_is_a_string() {
    for bad in ["[]", "{}", "1", "true", "[\"s\"]"] {
        assert!(with(&format!("\"sub\":{bad}")).is_err(), "{bad}");
    }
    assert!(with("\"sub\":null").is_ok() && with("\"sub\":\"s\"").is_ok());
}

#[test]
fn escapes_in_lists_are_resolved() {
    let claims = with(r#""roles":["a\u0062","c","\/"],"aud":["x\/y"]"#).unwrap();
    assert!(claims.roles().eq(["ab", "c", "/"]));
    assert!(claims.audiences().eq(["x/y"]));
}

#[test]
fn scopes_are_separated_by_runs_of_spaces() {
    let claims = with("\"scp\":\"  read  write\\tx \"").unwrap();
    assert!(claims.scopes().eq(["read", "write\tx"]));
    let nothing = [
        "\"scp\":\"\"",
        "\"scp\":\" / \"",
        "\"scp\":null",
        "\"roles\":[]",
    ];
    for nothing in nothing {
        let claims = with(nothing).unwrap();
        assert!(!claims.has_permissions() && claims.scopes().next().is_none());
    }
    for something in ["\"scp\":\"a /\"", "\"scp\":\"a/\"", "\"roles\":[\"r\"]"] {
        assert!(with(something).unwrap().has_permissions(), "{something}");
    }
    assert!(with("\"scp\":\"/ a /\"").unwrap().scopes().eq(["a"]));
}

#[test]
fn facets_are_strings_and_other_relations_mean_nothing() {
    for name in ["xms_act_fct", "xms_sub_fct"] {
        for bad in ["11", "[\"11\"]", "{}", "true"] {
            assert!(with(&format!("\"{name}\":{bad}")).is_err(), "{name} {bad}");
        }
        for good in ["null", "\"\"", "\"9 3\"", "\"3 9 11\""] {
            assert!(with(&format!("\"{name}\":{good}")).is_ok(), "{name} {good}");
        }
    }
    let related = with("\"xms_idrel\":7").unwrap();
    assert_eq!(related.principal(), Principal::Unknown);
}

#[test]
fn an_agent_is_told_with_its_application_and_its_blueprint() {
    let members = r#""azp":"a","xms_par_app_azp":"b","xms_act_fct":"9 11","scp":"s""#;
    let claims = with(members).unwrap();
    let agent = claims.agent().unwrap();
    assert_eq!(agent.kind(), AgentKind::OnBehalfOfUser);
    assert_eq!(
        (agent.application_id(), agent.blueprint_id()),
        (Some("a"), Some("b"))
    );
    assert!(!format!("{agent:?}").contains("\"b\""));
    assert!(
        with(r#""azp":"a","xms_act_fct":"9 3""#)
            .unwrap()
            .agent()
            .is_none()
    );
}

#[test]
fn an_audience_is_a_string_or_strings() {
    assert!(with("\"aud\":\"a\"").unwrap().audiences().eq(["a"]));
    assert!(
        with("\"aud\":[\"a\",\"b\"]")
            .unwrap()
            .audiences()
            .eq(["a", "b"])
    );
    assert_eq!(with("\"x\":1").unwrap().audiences().count(), 0);
    for bad in ["[]", "1", "{}", "[1]", "[\"a\",1]", "true"] {
        assert!(with(&format!("\"aud\":{bad}")).is_err(), "{bad}");
    }
}

#[test]
fn tokens_that_differ_in_one_claim_are_two() {
    let one = || with(r#""nbf":1,"iat":2,"auth_time":3,"sub":"s","x":4"#).unwrap();
    assert!(one().is_same_token(&one()));
    for other in [
        r#""nbf":1,"iat":2,"auth_time":3,"sub":"s","x":5"#,
        r#""nbf":1,"iat":2,"auth_time":3,"sub":"t","x":4"#,
        r#""nbf":1,"iat":2,"auth_time":4,"sub":"s","x":4"#,
        r#""nbf":1,"iat":2.5,"auth_time":3,"sub":"s","x":4"#,
        r#""nbf":0,"iat":2,"auth_time":3,"sub":"s","x":4"#,
        r#""iat":2,"auth_time":3,"sub":"s","x":4"#,
    ] {
        assert!(!one().is_same_token(&with(other).unwrap()), "{other}");
    }
    let later = interpret(r#"{"exp":11,"nbf":1,"iat":2,"auth_time":3,"sub":"s","x":4}"#);
    assert!(!one().is_same_token(&later.unwrap()));
}

#[test]
fn every_sign_of_an_overage_is_one() {
    for overage in [
        r#""_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"https://evil.example/x"}}"#,
        r#""_claim_names":{"groups":"src2"},"_claim_sources":{"src1":{}}"#,
        r#""_claim_names":{"groups":5}"#,
        r#""_claim_names":{"groups":null}"#,
        r#""_claim_names":"src1""#,
        r#""hasgroups":true"#,
        r#""hasgroups":"true""#,
        r#""groups":"src1""#,
        r#""groups":"""#,
    ] {
        assert!(
            matches!(with(overage).unwrap().groups(), Groups::Overage(_)),
            "{overage}"
        );
    }
    for none in [
        r#""_claim_names":{"other":"src1"}"#,
        r#""hasgroups":false"#,
        r#""groups":null"#,
        r#""x":1"#,
    ] {
        assert!(
            matches!(with(none).unwrap().groups(), Groups::Absent),
            "{none}"
        );
    }
    let both = with(r#""groups":["g"],"hasgroups":true"#).unwrap();
    assert!(matches!(both.groups(), Groups::Overage(_)) && both.groups().contains("g"));
    assert!(matches!(
        with(r#""groups":[]"#).unwrap().groups(),
        Groups::Complete(_)
    ));
}

#[test]
fn guests_are_told_by_acct_and_else_by_idp() {
    let guest = |members: &str| {
        with(&format!("\"iss\":\"i\",{members}"))
            .unwrap()
            .is_guest()
    };
    assert!(guest("\"acct\":1") && guest("\"acct\":\"1\"") && guest("\"idp\":\"j\""));
    assert!(!guest("\"acct\":0,\"idp\":\"j\"") && !guest("\"idp\":\"i\"") && !guest("\"x\":1"));
    assert!(guest("\"acct\":2"));
}

#[test]
fn other_claims_are_read_by_name_and_opaque_ones_are_not() {
    let claims =
        with(r#""extension_Team":["a"],"aio":"secret","rh":"I","uti":"u","acct":1"#).unwrap();
    assert_eq!(
        claims.extra::<Vec<String>>("extension_Team"),
        Some(vec!["a".to_owned()])
    );
    assert_eq!(claims.extra::<String>("extension_Team"), None);
    for hidden in ["aio", "rh", "uti", "acct", "absent"] {
        assert_eq!(claims.extra::<serde_json::Value>(hidden), None, "{hidden}");
    }
}
