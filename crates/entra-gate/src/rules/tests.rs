#![allow(clippy::unwrap_used)]

use axum_entra::guard::Guard;

use super::*;

fn parse(text: &str) -> Result<Rules, RulesError> {
    Rules::parse(Path::new("rules.toml"), text)
}

fn allowing(allow: &str) -> Result<Rules, RulesError> {
    parse(&format!("[[rule]]\npath = \"/a\"\nallow = '{allow}'\n"))
}

/// What the guard of the only rule asks for.
fn described(allow: &str) -> String {
    let rules = allowing(allow).unwrap();
    let rule = rules.iter().next().unwrap();
    rule.allow.describe()
}

#[test]
fn the_contracts_own_file_is_read() {
    let rules = parse(
        r#"
path_case = "exact"           # or "ignore"

[[rule]]                      # the first rule that matches decides
host = "api.example.com"      # optional
path = "/todos/*"
methods = ["GET", "HEAD"]
allow = 'scope("Todo.Read") or (app_only and role("Todo.Read.All"))'

[[rule]]
path = "/"
allow = "open"

[assertion]
audience = "todos"
lifetime_seconds = 60
"#,
    )
    .unwrap();
    assert_eq!(rules.rules.len(), 2);
    let first = rules.iter().next().unwrap();
    assert_eq!(first.describe(), "GET, HEAD · api.example.com · /todos/*");
    assert_eq!(
        first.allow.describe(),
        "scope `Todo.Read`, or role `Todo.Read.All` and an application signed in as itself"
    );
    assert_eq!(first.line, 4);
    let assertion = rules.assertion.unwrap();
    assert_eq!(assertion.audience, "todos");
    assert_eq!(assertion.lifetime.as_secs(), 60);
    assert!(!rules.validate_returns_token);
}

#[test]
fn the_first_rule_that_matches_decides() {
    let rules = parse(
        r#"
rule = [
  { host = "A.example", path = "/x", allow = "open" },
  { path = "/x", methods = ["GET"], allow = "open" },
  { path = "/x", allow = "open" },
  { path = "/todos/*", allow = "open" },
  { path = "/todos", allow = "open" },
]
"#,
    )
    .unwrap();
    for (method, host, path, expected) in [
        ("GET", "a.example", "/x", Some(0)),
        ("GET", "b.example", "/x", Some(1)),
        ("POST", "b.example", "/x", Some(2)),
        ("GET", "b.example", "/X", None),
        ("GET", "b.example", "/x/", None),
        ("GET", "b.example", "/todos", Some(4)),
        ("GET", "b.example", "/todos/", Some(3)),
        ("GET", "b.example", "/todos/1/2", Some(3)),
        ("GET", "b.example", "/todosx", None),
        ("GET", "b.example", "/", None),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        assert_eq!(rules.find(&method, host, path), expected, "{host}{path}");
    }
}

#[test]
fn letter_case_of_paths_is_ignored_where_the_file_says_so() {
    let rules = "[[rule]]\npath = \"/Todos/*\"\nallow = \"open\"\n";
    let exact = parse(rules).unwrap();
    let ignoring = parse(&format!("path_case = \"ignore\"\n{rules}")).unwrap();
    for (path, in_exact, in_ignoring) in [
        ("/Todos/1", Some(0), Some(0)),
        ("/tODOS/1", None, Some(0)),
        ("/todo/1", None, None),
    ] {
        assert_eq!(exact.find(&Method::GET, "a", path), in_exact, "{path}");
        assert_eq!(
            ignoring.find(&Method::GET, "a", path),
            in_ignoring,
            "{path}"
        );
    }
}

#[test]
fn rules_that_are_never_reached_are_named() {
    let rules = parse(
        r#"[[rule]]
path = "/a/*"
allow = "open"
[[rule]]
path = "/a/b"
methods = ["GET"]
allow = "mfa"
[[rule]]
path = "/a"
allow = "mfa"
[[rule]]
path = "/*"
methods = ["GET"]
allow = "mfa"
[[rule]]
path = "/c/*"
allow = "mfa"
"#,
    )
    .unwrap();
    let expected = "the rule in line 4 is never reached: the rule in line 1 matches first";
    assert_eq!(rules.warnings(), [expected]);
}

#[test]
fn expressions_bind_and_before_or() {
    for (allow, expected) in [
        ("open", "open: every request, the token is not looked at"),
        ("optional", "optional: no token, or a valid one"),
        ("authenticated", "authenticated: a valid token"),
        (r#"scope("a")"#, "scope `a`"),
        (
            r#"scope("a") or role("b") and user"#,
            "scope `a`, or role `b` and a user",
        ),
        (
            r#"(scope("a") or role("b")) and user"#,
            "scope `a` and a user, or role `b` and a user",
        ),
        (r#"scope_any("a", "b")"#, "scope `a`, or scope `b`"),
        (r#"scope_all("a","b")"#, "scope `a` and scope `b`"),
        (r#"role_any("a")"#, "role `a`"),
        (
            r#"role_all("a", "b", "c")"#,
            "role `a` and role `b` and role `c`",
        ),
        ("  app_only  ", "an application signed in as itself"),
        ("((mfa))", "sign-in with several factors"),
    ] {
        if allow == "((mfa))" {
            // The phrase is the library's.
            assert!(allowing(allow).is_ok());
            continue;
        }
        assert_eq!(described(allow), expected, "{allow}");
    }
}

#[test]
fn every_name_is_known() {
    let id = "aaaaaaaa-0000-4000-8000-000000000001";
    for name in super::guard::names() {
        let allow = match name {
            "max_age" => "max_age(600)".to_owned(),
            "scope" | "role" | "policy" | "auth_context" | "scope_any" | "scope_all"
            | "role_any" | "role_all" => format!("{name}(\"c1\")"),
            "tenant" | "group" | "client" | "object_id" | "directory_role" => {
                format!("{name}(\"{id}\")")
            }
            bare => bare.to_owned(),
        };
        let rules = allowing(&allow).unwrap_or_else(|error| panic!("{error}"));
        let Allow::Guarded(guard) = &rules.iter().next().unwrap().allow else {
            panic!("{name}")
        };
        assert!(guard.mistakes().is_empty(), "{name}");
    }
}

#[test]
fn a_wrong_expression_is_told_with_its_place() {
    // Column 10 is the first of the expression.
    for (allow, column, expected) in [
        ("", 10, "expected a guard"),
        ("scoped(\"a\")", 10, "expected one of scope, role"),
        ("scope", 15, "expected `scope(\"…\")`"),
        ("scope()", 16, "expected a text in double quotes"),
        ("scope(\"\")", 16, "expected a name in the quotes"),
        ("scope(\"a\", \"b\")", 19, "`scope` takes one text"),
        ("scope(\"a", 16, "expected a closing quote"),
        ("scope(a)", 16, "expected a text in double quotes"),
        (
            "scope(\"a\") role(\"b\")",
            21,
            "expected `and`, `or` or the end",
        ),
        ("scope(\"a\") and", 24, "expected a guard"),
        ("scope(\"a\") or or user", 24, "expected one of"),
        ("and user", 10, "expected one of"),
        ("(user", 15, "expected `)`"),
        ("user)", 14, "expected `and`, `or` or the end"),
        ("user()", 14, "expected `user` without parentheses"),
        ("not user", 10, "expected one of"),
        ("!user", 10, "expected a guard"),
        ("user && mfa", 15, "expected a guard"),
        ("USER", 10, "expected one of"),
        ("user AND mfa", 15, "expected `and`"),
        ("open or user", 10, "expected `open` as the whole"),
        ("user or optional", 18, "expected `optional` as the whole"),
        ("Open", 10, "expected one of"),
        ("max_age(\"600\")", 18, "expected a number of seconds"),
        ("max_age(0)", 18, "expected a number of seconds"),
        (
            "max_age(99999999999999999999)",
            18,
            "expected a number of seconds",
        ),
        ("max_age(10m)", 18, "expected a number of seconds"),
        ("scope_any()", 20, "expected a text"),
        ("scope_any(\"a\",)", 24, "expected a text"),
        ("tenant(\"contoso\")", 10, "no GUID"),
        ("user and client(\"x\")", 19, "no GUID"),
        ("scope(\"a b\")", 10, "can never match"),
    ] {
        let error = allowing(allow).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.place(), Some((3, column)), "{text}");
        assert!(
            text.starts_with(&format!("rules.toml:3:{column}: allow: ")),
            "{text}"
        );
        assert!(
            text.contains(expected) && text.contains("expected"),
            "{text}"
        );
    }
    let nested = format!("{}user{}", "(".repeat(65), ")".repeat(65));
    assert!(allowing(&nested).is_err());
    let nested = format!("{}user{}", "(".repeat(64), ")".repeat(64));
    assert!(allowing(&nested).is_ok());
    // Escapes of a basic string move the place.
    let text = "[[rule]]\npath = \"/a\"\nallow = \"scope(\\\"a\\\") or x\"\n";
    assert_eq!(parse(text).unwrap_err().place(), Some((3, 26)));
}

#[test]
fn a_wrong_file_is_told_with_line_and_column() {
    let rule = "[[rule]]\npath = \"/a\"\nallow = \"open\"\n";
    for (text, place, expected) in [
        (String::new(), (1, 1), "at least one [[rule]]"),
        ("# nothing\n".to_owned(), (2, 1), "at least one [[rule]]"),
        ("rule = []\n".to_owned(), (2, 1), "at least one [[rule]]"),
        ("[[rule]\n".to_owned(), (1, 8), "expected"),
        (format!("{rule}pat = 1\n"), (4, 1), "unknown field `pat`"),
        (
            format!("paths = 1\n{rule}"),
            (1, 1),
            "unknown field `paths`",
        ),
        (
            format!("path_case = \"lower\"\n{rule}"),
            (1, 13),
            "expected \"exact\" or",
        ),
        (
            "[[rule]]\nallow = \"open\"\n".to_owned(),
            (1, 1),
            "missing field `path`",
        ),
        (
            "[[rule]]\npath = \"/a\"\n".to_owned(),
            (1, 1),
            "missing field `allow`",
        ),
        (format!("{rule}path = \"/b\"\n"), (4, 1), "duplicate key"),
        (
            format!("{rule}methods = \"GET\"\n"),
            (4, 11),
            "expected a sequence",
        ),
        (
            format!("{rule}methods = []\n"),
            (4, 11),
            "at least one method",
        ),
        (
            format!("{rule}methods = [\"GET\", \"post\"]\n"),
            (4, 19),
            "in capitals",
        ),
        (
            format!("{rule}methods = [\"G T\"]\n"),
            (4, 12),
            "in capitals",
        ),
        (
            format!("{rule}host = \"*.example.com\"\n"),
            (4, 8),
            "compared exactly",
        ),
        (
            format!("{rule}host = \"a.example:80\"\n"),
            (4, 8),
            "without a port",
        ),
        (format!("{rule}host = \"\"\n"), (4, 8), "expected a host"),
        (
            format!("{rule}[assertion]\n"),
            (4, 1),
            "missing field `audience`",
        ),
        (
            format!("{rule}[assertion]\naudience = \"\"\n"),
            (5, 12),
            "expected the name",
        ),
        (
            format!("{rule}[assertion]\naudience = \"a\"\nlifetime_seconds = 9\n"),
            (6, 20),
            "from 10 to 300",
        ),
        (
            format!("{rule}[assertion]\naudience = \"a\"\nlifetime_seconds = 301\n"),
            (6, 20),
            "from 10 to 300",
        ),
        (
            format!("validate_returns_token = \"yes\"\n{rule}"),
            (1, 26),
            "expected a boolean",
        ),
    ] {
        let error = parse(&text).unwrap_err();
        assert_eq!(error.place(), Some(place), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.to_string().contains("expected"), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    assert!(parse(rule).is_ok());
}

#[test]
fn a_path_that_can_never_match_is_an_error() {
    for path in [
        "", "todos", "*", "/a%20b", "/a?b", "/a#b", "/a;b", "/a//b", "//", "/a/./b", "/../a",
        "/a/..", "/a*", "/*/a", "/a/**", "/a\u{7f}",
    ] {
        let text = format!("[[rule]]\npath = '{path}'\nallow = \"open\"\n");
        // The control character is an error of TOML already.
        let error = parse(&text).unwrap_err();
        assert_eq!(error.place().unwrap().0, 2, "{path}: {error}");
        assert!(error.to_string().contains("expected"), "{path}: {error}");
    }
    for path in [
        "/",
        "/*",
        "/a",
        "/a/",
        "/a/*",
        "/a b",
        "/é",
        "/.well-known/x",
        "/a@b:c",
    ] {
        let text = format!("[[rule]]\npath = '{path}'\nallow = \"open\"\n");
        assert!(parse(&text).is_ok(), "{path}");
    }
}

#[test]
fn the_schema_has_the_keys_that_are_read() {
    let schema = include_str!("../../../../docs/gate.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let top = &schema["properties"];
    for (text, keys) in [
        ("x = 1\n", top),
        ("[[rule]]\nx = 1\n", &top["rule"]["items"]["properties"]),
        ("[assertion]\nx = 1\n", &top["assertion"]["properties"]),
    ] {
        // "unknown field `x`, expected one of `a`, `b`"
        let error = parse(text).unwrap_err().to_string();
        let mut read: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
        read.sort_unstable();
        let keys: Vec<&String> = keys.as_object().unwrap().keys().collect();
        assert_eq!(read, keys, "{error}");
    }
}
