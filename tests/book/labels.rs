//! The operators' page: labels of metrics with their values, and Redis' commands.

use std::collections::{BTreeMap, BTreeSet};

use super::read;

type Values = BTreeSet<String>;

/// What is in backticks.
fn quoted(text: &str) -> Values {
    let parts = text.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// The cells of a table whose first line begins with `head`.
fn table(page: &str, head: &str) -> Vec<Vec<String>> {
    let text = page.split(&format!("\n{head}")).nth(1).unwrap();
    let rows = text
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells = row.trim_matches('|').split(" | ");
        cells.map(|cell| cell.trim().to_owned()).collect()
    })
    .collect()
}

/// The body of a function.
fn body(file: &str, function: &str) -> String {
    let text = read(file);
    let (_, rest) = text.split_once(function).unwrap_or_else(|| {
        panic!("{file} has no {function}");
    });
    let indent = if function.starts_with("    ") {
        "\n    }\n"
    } else {
        "\n}\n"
    };
    rest.split(indent).next().unwrap().to_owned()
}

/// The texts that follow `before` in a body.
fn texts(body: &str, before: &str) -> Values {
    let start = format!("{before}\"");
    let places = body.split(&start).skip(1);
    places
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// Which labels each instrument has, by the macros of `src/metrics.rs`.
fn labels_in_code() -> BTreeMap<String, Values> {
    let text = read("src/metrics.rs");
    let names: BTreeMap<String, String> = text
        .split("instruments! {")
        .nth(1)
        .unwrap()
        .split("\n}")
        .next()
        .unwrap()
        .lines()
        .filter_map(|line| line.trim().split_once(" = \""))
        .map(|(constant, rest)| {
            (
                constant.to_owned(),
                rest.split('"').next().unwrap().to_owned(),
            )
        })
        .collect();
    let mut labels: BTreeMap<String, Values> = BTreeMap::new();
    for kind in ["counter!(", "gauge!(", "histogram!("] {
        for call in text.split(&format!("metrics::{kind}")).skip(1) {
            let call = call.split(';').next().unwrap().split(").").next().unwrap();
            let name = call.trim().split([',', ')']).next().unwrap().trim();
            let name = match name.trim_matches('"').strip_prefix("axum_entra_") {
                Some(literal) => literal.to_owned(),
                None => match names.get(name) {
                    Some(name) => name.clone(),
                    // `describe` names them by a variable.
                    None => continue,
                },
            };
            let parts: Vec<&str> = call.split('"').collect();
            let keys = parts
                .windows(2)
                .filter(|pair| pair[1].trim_start().starts_with("=>"));
            labels
                .entry(name)
                .or_default()
                .extend(keys.map(|pair| pair[0].to_owned()));
        }
    }
    labels
}

#[test]
fn every_metric_is_on_the_operators_page_with_its_labels() {
    let page = read("docs/operations.md");
    let told: BTreeMap<String, Values> = table(&page, "| name | kind | labels | tells |")
        .iter()
        .map(|row| {
            let name = quoted(&row[0]).pop_first().unwrap();
            (
                name.strip_prefix("axum_entra_").unwrap().to_owned(),
                quoted(&row[2]),
            )
        })
        .collect();
    assert_eq!(told, labels_in_code());
}

#[test]
fn every_label_has_its_values_on_the_operators_page() {
    let page = read("docs/operations.md");
    let mut told = BTreeMap::new();
    for row in table(&page, "| metric | label | values |") {
        let name = quoted(&row[0]).pop_first().unwrap();
        let label = quoted(&row[1]).pop_first().unwrap();
        let is_new = told
            .insert((name.clone(), label.clone()), row[2].clone())
            .is_none();
        assert!(is_new, "{name} {label} twice");
    }
    let in_code: BTreeSet<(String, String)> = labels_in_code()
        .into_iter()
        .flat_map(|(name, labels)| labels.into_iter().map(move |label| (name.clone(), label)))
        .collect();
    assert_eq!(told.keys().cloned().collect::<BTreeSet<_>>(), in_code);

    let metrics = "src/metrics.rs";
    let arms = |file: &str, function: &str| texts(&body(file, function), "=> ");
    let outcome = texts(&body(metrics, "    const fn labels("), "=> (");
    let mut calls: Values = [
        "check_member_groups",
        "managed_identity",
        "member_objects",
        "sessions",
        "shared_answers",
        "token_endpoint",
    ]
    .iter()
    .flat_map(|file| texts(&read(format!("src/graph/{file}.rs")), "const CALL: &str = "))
    .collect();
    calls.extend(arms(
        "src/graph/sessions.rs",
        "    pub(crate) async fn revoke(",
    ));
    let mut encryptions = arms("src/token/jwe/mod.rs", "const fn name(");
    encryptions.insert("none".to_owned());
    let mut fetches = arms("src/jwks/fetch.rs", "    pub(crate) const fn kind(");
    for file in ["src/jwks/fetch_error.rs", "src/transport/error.rs"] {
        fetches.extend(arms(file, "    pub const fn kind("));
    }
    let mut errors = arms("src/middleware/rejection.rs", "    pub fn oauth_error(");
    // Their answers carry no challenge.
    for without in ["temporarily_unavailable", "not_found", "server_error"] {
        assert!(errors.remove(without), "{without}");
    }
    let of = |text: &[&str]| {
        text.iter()
            .map(|word| (*word).to_owned())
            .collect::<Values>()
    };
    let decrypted = texts(&body(metrics, "pub(crate) fn token_decrypted("), "{ ");
    for ((name, label), expected) in [
        (("authentication_duration_seconds", "result"), outcome),
        (
            ("callers_total", "agent"),
            texts(&body(metrics, "pub(crate) fn called("), "\"agent\" => "),
        ),
        (
            ("challenges_total", "status"),
            arms(metrics, "pub(crate) fn challenged(")
                .into_iter()
                .filter(|text| text.len() < 6)
                .collect(),
        ),
        (("challenges_total", "error"), errors),
        (
            ("guard_decisions_total", "decision"),
            texts(&body(metrics, "pub(crate) fn guarded("), "\"decision\" => "),
        ),
        (("key_fetches_total", "result"), fetches),
        (
            ("token_cache_total", "result"),
            texts(
                &body(metrics, "pub(crate) fn token_looked_up("),
                "\"result\" => ",
            ),
        ),
        (
            ("bound_tokens_total", "binding"),
            arms("src/claims/confirmation.rs", "    pub const fn binding("),
        ),
        (("token_decryptions_total", "encryption"), encryptions),
        (("token_decryptions_total", "result"), decrypted),
        (("directory_calls_total", "call"), calls),
        (
            ("directory_calls_total", "result"),
            &arms("src/graph/transport.rs", "    pub(super) async fn send(")
                | &arms("src/graph/shared_answers.rs", "    const fn name("),
        ),
    ] {
        let row = told.remove(&(name.to_owned(), label.to_owned())).unwrap();
        assert!(expected.len() > 1, "{name} {label}: the code is read");
        assert_eq!(quoted(&row), expected, "{name} {label}");
    }
    // What is left has no list of its own: reasons are on the page of refusals, documents are addresses.
    for ((name, label), row) in told {
        let expected = match &*label {
            "reason" => of(&["none"]),
            "call" => of(&["directory_calls_total"]),
            "document" => of(&[]),
            _ => panic!("{name} {label} is compared with no code"),
        };
        assert_eq!(quoted(&row), expected, "{name} {label}");
    }
}

/// `axum_entra_name{label="value"`, however many labels.
fn series(text: &str) -> Vec<(&str, &str, &str)> {
    let mut found = Vec::new();
    for part in text.split("axum_entra_").skip(1) {
        let Some((name, rest)) = part.split_once('{') else {
            continue;
        };
        if name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        {
            let labels = rest.split('}').next().unwrap().split(',');
            found.extend(labels.filter_map(|label| {
                let (label, value) = label.split_once("=\"")?;
                Some((name, label.trim(), value.trim_end_matches('"')))
            }));
        }
    }
    found
}

/// Rules, their tests and the dashboard would be silent about a value that never occurs.
#[test]
fn what_is_shipped_asks_for_values_that_occur() {
    let page = read("docs/operations.md");
    let told: BTreeMap<(String, String), Values> = table(&page, "| metric | label | values |")
        .iter()
        .map(|row| {
            let quoted_one = |cell: &str| quoted(cell).pop_first().unwrap();
            ((quoted_one(&row[0]), quoted_one(&row[1])), quoted(&row[2]))
        })
        .collect();
    let mut checked = 0;
    for file in [
        "prometheus-alerts.yml",
        "prometheus-alerts.test.yml",
        "grafana-dashboard.json",
    ] {
        let text = read(format!("deploy/{file}")).replace("\\\"", "\"");
        for (name, label, value) in series(&text) {
            let values = told.get(&(name.to_owned(), label.to_owned()));
            let is_listed = values.filter(|values| values.len() > 1);
            if let Some(values) = is_listed {
                assert!(values.contains(value), "{file}: {name} {label}={value}");
                checked += 1;
            }
        }
    }
    assert!(checked > 10, "{checked}");
}

#[test]
fn every_command_of_redis_is_on_the_page_of_replicas() {
    let page = read("docs/deploy/replicas.md");
    let row = page
        .lines()
        .find(|line| line.starts_with("| commands, for an ACL"))
        .unwrap();
    let told = quoted(row);
    let mut sent = Values::new();
    for file in ["commands.rs", "commands/answers.rs"] {
        sent.extend(texts(&read(format!("src/revocation/redis/{file}")), "cmd("));
    }
    for script in ["begin", "keep", "prune", "raise"] {
        let text = read(format!("src/revocation/scripts/{script}.lua"));
        let calls = text.split("call('").skip(1);
        sent.extend(calls.map(|rest| rest.split('\'').next().unwrap().to_owned()));
    }
    let missing: Vec<_> = sent.difference(&told).collect();
    assert!(sent.len() > 8, "the sources are read: {sent:?}");
    assert!(missing.is_empty(), "{missing:?}");
}
