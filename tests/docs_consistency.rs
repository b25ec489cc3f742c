//! What the papers say about the package is what `Cargo.toml` says.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use toml::{Table, Value};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn manifest() -> Table {
    read("Cargo.toml").parse().unwrap()
}

/// The cells of the table under a heading, without its first two lines.
fn table(text: &str, heading: &str) -> Vec<Vec<String>> {
    let section = text.split(&format!("## {heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    })
    .collect()
}

/// The words of a cell that stand in backticks.
fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Each feature, and what it switches on.
fn features() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = manifest();
    let features = manifest["features"].as_table().unwrap();
    let names = |value: &Value| {
        let list = value.as_array().unwrap().iter();
        list.map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    features
        .iter()
        .filter(|(name, _)| *name != "default")
        .map(|(name, value)| (name.clone(), names(value)))
        .collect()
}

#[test]
fn every_dependency_is_accounted_for_with_the_features_that_bring_it() {
    let manifest = manifest();
    let features = features();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    let with = |name: &str, value: &Value| -> BTreeSet<String> {
        let optional = value.get("optional").and_then(Value::as_bool);
        if optional != Some(true) {
            return BTreeSet::from(["always".to_owned()]);
        }
        let brings = features
            .iter()
            .filter(|(_, brings)| brings.contains(&format!("dep:{name}")));
        brings.map(|(feature, _)| feature.clone()).collect()
    };
    let own: BTreeMap<String, BTreeSet<String>> = dependencies
        .iter()
        .map(|(name, value)| (name.clone(), with(name, value)))
        .collect();
    let told: BTreeMap<String, BTreeSet<String>> =
        table(&read("docs/annex/dependencies.md"), "Direct dependencies")
            .into_iter()
            .map(|row| {
                let name = quoted(&row[0]).pop_first().unwrap();
                let with = match &*row[1] {
                    "always" => BTreeSet::from(["always".to_owned()]),
                    features => quoted(features),
                };
                assert!(row[2].len() > 10, "{name} has no reason");
                (name, with)
            })
            .collect();
    assert_eq!(told, own);
}

#[test]
fn every_metric_is_in_the_operators_table_and_on_the_dashboard() {
    let code = read("src/metrics.rs");
    let own: BTreeSet<String> = code
        .lines()
        .filter_map(|line| line.trim().split_once(" = \"")?.1.split_once("\", "))
        .filter(|(_, kind)| ["Counter,", "Gauge,", "Histogram,"].contains(kind))
        .map(|(name, _)| format!("axum_entra_{name}"))
        .collect();
    assert!(own.len() >= 13, "{own:?}");
    let told: BTreeSet<String> = table(&read("docs/operations.md"), "Metrics")
        .iter()
        .filter_map(|row| quoted(&row[0]).pop_first())
        .filter(|name| name.starts_with("axum_entra_"))
        .collect();
    assert_eq!(told, own);
    let dashboard = read("deploy/grafana-dashboard.json");
    for name in own {
        // A histogram is shown by its buckets or its count.
        let is_shown = ["{", "_bucket{", "_count{"]
            .iter()
            .any(|end| dashboard.contains(&format!("{name}{end}")));
        assert!(is_shown, "no panel shows {name}");
    }
}

#[test]
fn every_feature_is_in_the_readme() {
    let told: BTreeSet<String> = table(&read("README.md"), "Features")
        .iter()
        .flat_map(|row| quoted(&row[0]))
        .collect();
    assert_eq!(told, features().into_keys().collect());
}

/// The Rust sources under a folder.
fn sources(folder: &str) -> Vec<String> {
    let files = files::below(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), "rs");
    let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
    texts.collect()
}

/// The last text before the bracket that closes, with line breaks joined: an event's message.
fn message(call: &str) -> String {
    let (mut open, mut texts) = (0, Vec::new());
    for (index, part) in call.split('"').enumerate() {
        // Every second part is a text.
        if index % 2 == 1 {
            texts.push(part);
            continue;
        }
        for letter in part.chars() {
            match letter {
                '(' => open += 1,
                ')' if open == 0 => {
                    let lines = texts.last().unwrap().split("\\\n");
                    return lines.map(str::trim_start).collect();
                }
                ')' => open -= 1,
                _ => {}
            }
        }
    }
    String::new()
}

#[test]
fn every_event_of_the_log_is_on_the_operators_page() {
    let page = read("docs/operations.md");
    let page = page.split("## Logs").nth(1).unwrap();
    let page = page.split("\n## ").next().unwrap();
    let mut found = 0;
    let mut missing = BTreeSet::new();
    for text in sources("src") {
        for level in ["error", "warn", "info", "debug"] {
            for call in text.split(&format!("tracing::{level}!(")).skip(1) {
                let message = message(call);
                found += 1;
                // A hint may follow the event's name.
                let name = message.split(": ").next().unwrap();
                let level = format!("| `{level}` |");
                let mut rows = page.lines().filter(|line| line.starts_with(&level));
                if !rows.any(|row| row.contains(name)) {
                    missing.insert(format!("{level} {name}"));
                }
            }
        }
    }
    assert!(found > 15, "the sources are read: {found}");
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The reasons of an answer that a client may meet, those of the samples and of later versions
/// included: the contract's list.
const REASONS: &str = "missing_token malformed_header auth_context revoked interaction_required \
    keys_unavailable directory_unavailable store_unavailable not_configured \
    malformed too_large algorithm critical_header token_type unknown_key bad_signature issuer \
    tenant_not_allowed audience expired not_yet_valid version policy graph_token id_token \
    sender_constrained proof decryption replay \
    scope no_permissions role tenant group groups_overage directory_role client_app client_auth mfa \
    acr app_only user_only guest no_identity sign_in_too_old agent not_agent object_id \
    consent_required directory_refused tool invalid_body mcp_headers mcp_body not_found";

#[test]
fn every_reason_is_on_the_page_of_refusals() {
    let page = read("docs/errors.md");
    let told: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("### `")?.split('`').next())
        .collect();
    let listed: BTreeSet<&str> = REASONS.split_whitespace().collect();
    assert_eq!(told, listed);

    // What the code answers with is one of them.
    let mut found = 0;
    for file in [
        "src/guard/denied.rs",
        "src/token/invalid_token.rs",
        "src/middleware/rejection.rs",
    ] {
        let text = read(file);
        let reasons = text
            .split("fn code(")
            .chain(text.split("fn reason("))
            .skip(1);
        for body in reasons.filter_map(|rest| rest.split("\n    }\n").next()) {
            for line in body.lines() {
                let Some((_, code)) = line.split_once("=> \"") else {
                    continue;
                };
                let code = code.split('"').next().unwrap();
                assert!(listed.contains(code), "{file}: {code}");
                found += 1;
            }
        }
    }
    assert!(found > 40, "the reasons are read: {found}");
}

#[test]
fn every_guard_is_in_the_tables() {
    let guide = read("docs/guards.md");
    let readme = read("README.md");
    let mut guards = BTreeSet::new();
    for text in sources("src/guard")
        .iter()
        .chain(&sources("src/middleware"))
    {
        for line in text.lines().map(str::trim) {
            let declared = line.strip_prefix("pub struct ").or_else(|| {
                // Of `named_guard!`, which declares a guard with its constructors.
                line.contains(", any").then_some(line)
            });
            let name = declared.unwrap_or_default();
            let name: String = name
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            let is_guard = ["Require", "Deny", "ReplayProtectionLayer"]
                .iter()
                .any(|start| name.starts_with(start));
            if is_guard && !name.starts_with("Requirement") {
                guards.insert(name);
            }
        }
    }
    assert!(guards.len() > 14, "{guards:?}");
    for guard in guards {
        let is_row = |text: &str| {
            let mut rows = text.lines().filter(|line| line.starts_with('|'));
            rows.any(|row| row.contains(&format!("`{guard}")))
        };
        assert!(is_row(&guide), "{guard} is not in docs/guards.md");
        assert!(is_row(&readme), "{guard} is not in README.md");
    }
}

#[test]
fn the_readme_names_a_version_only_when_it_is_released() {
    let version = manifest()["workspace"]["package"]["version"]
        .as_str()
        .unwrap()
        .to_owned();
    let is_released = !read("CHANGELOG.md").contains(&format!("## [{version}] - unreleased"));
    let is_named = read("README.md").contains("axum-entra = \"");
    assert_eq!(is_named, is_released);
}

/// The texts in quotes behind these words.
fn texts_behind(text: &str, before: &str) -> BTreeSet<String> {
    let after = text.split(before).skip(1);
    after
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_property_of_the_models_is_on_their_page_with_its_faults() {
    let page = table(&read("docs/annex/models.md"), "Properties");
    let mut properties = BTreeMap::new();
    for file in [
        "cache",
        "verdicts",
        "keys",
        "revocations",
        "flights",
        "backoff",
    ] {
        let text = read(&format!("tests/models/src/{file}.rs"));
        for property in text.split("Property {").skip(1) {
            let name = texts_behind(property, "name: \"").pop_first().unwrap();
            let faults = property.split("faults: &[").nth(1).unwrap();
            let faults = faults.split(']').next().unwrap();
            let faults: BTreeSet<_> = faults.split('"').skip(1).step_by(2).collect();
            assert!(!faults.is_empty(), "{name}");
            let faults: BTreeSet<String> = faults.into_iter().map(str::to_owned).collect();
            properties.insert(name, faults);
        }
    }
    assert!(properties.len() >= 8, "{properties:?}");
    let stated: BTreeMap<_, _> = page
        .iter()
        .map(|row| (quoted(&row[0]).pop_first().unwrap(), quoted(&row[2])))
        .collect();
    assert_eq!(properties, stated);
}
