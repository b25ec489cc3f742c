//! The documents on settings, compared with the table of keys.

use serde_json::Value;

use super::*;
use crate::settings::credential::CREDENTIAL_KEYS;
use crate::settings::schema::{CLIENT_CREDENTIALS, CREDENTIAL_LISTS, RESTRICTING, table};

const PAGE: &str = include_str!("../../../docs/settings.md");
const SCHEMA: &str = include_str!("../../../docs/settings.schema.json");

fn section() -> Value {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    schema["$defs"]["section"].clone()
}

/// The leaves of the schema: path and node.
fn leaves(node: &Value, prefix: &str, all: &mut Vec<(String, Value)>) {
    for (name, child) in node["properties"].as_object().unwrap() {
        let path = format!("{prefix}{name}");
        if child["properties"].is_object() {
            leaves(child, &format!("{path}:"), all);
        } else {
            all.push((path, child.clone()));
        }
    }
}

#[test]
fn the_schema_has_the_keys_of_the_table_and_no_others() {
    let mut found = Vec::new();
    leaves(&section(), "", &mut found);
    let table = table();
    for (path, node) in &found {
        if CREDENTIAL_LISTS.contains(&path.as_str()) {
            continue;
        }
        let (_, meaning, expected) = table
            .iter()
            .find(|(known, _, _)| known == path)
            .unwrap_or_else(|| panic!("{path} is not in the table"));
        assert_eq!(node["description"], *meaning, "{path}");
        if let Some(least) = node["minimum"].as_u64() {
            let most = node["maximum"].as_u64().unwrap();
            assert_eq!(
                *expected,
                format!("a whole number from {least} to {most}"),
                "{path}"
            );
        } else {
            assert!(
                !expected.starts_with("a whole number"),
                "{path} has no bounds"
            );
        }
        assert_eq!(
            node["type"] == "boolean",
            expected == "true or false",
            "{path}"
        );
    }
    assert_eq!(
        found.len(),
        table.len() + 3,
        "a key is missing in the schema"
    );
}

#[test]
fn the_defaults_of_the_schema_are_those_of_the_code() {
    let mut found = Vec::new();
    leaves(&section(), "", &mut found);
    let variables: Vec<(String, String)> = found
        .iter()
        .filter(|(path, node)| !node["default"].is_null() && !path.starts_with("Redis"))
        .flat_map(|(path, node)| {
            let name = format!("AzureAd__{}", path.replace(':', "__"));
            match &node["default"] {
                Value::Array(elements) => elements
                    .iter()
                    .enumerate()
                    .map(|(index, one)| (format!("{name}__{index}"), text(one)))
                    .collect(),
                one => vec![(name, text(one))],
            }
        })
        .collect();
    assert!(variables.len() > 10);
    let stated = Settings::from_parts(Some(("file", &file(r#""Scopes":"""#))), variables).unwrap();
    let silent = load(&file(r#""Scopes":"""#), []).unwrap();
    let (mut stated, silent) = (stated.entra.unwrap(), silent.entra.unwrap());
    // What two sections share has its default in the builder.
    assert_eq!(stated.max_token_bytes.take(), Some(65_536));
    assert_eq!(stated.token_cache_bytes.take(), Some(67_108_864));
    assert_eq!(stated.pop_tokens.take(), Some(crate::PopTokens::Refuse));
    // Not given, these are worked out later, from the cloud and from each other.
    assert_eq!(
        stated.authority.instance.as_deref(),
        Some("https://login.microsoftonline.com/")
    );
    let stale = stated.authority.freshness.max_stale.take();
    assert_eq!(stale, Some(silent.authority.freshness.most_stale()));
    let resolved = |section: &Section| format!("{:?}", section.authority.clone().resolve());
    assert_eq!(resolved(&stated), resolved(&silent));
    stated.authority = silent.authority.clone();
    assert_eq!(format!("{stated:?}"), format!("{silent:?}"));
}

#[test]
fn the_page_names_every_key_with_its_meaning() {
    for (path, meaning, _) in table() {
        let row = PAGE
            .lines()
            .find(|line| line.starts_with(&format!("| `{path}` |")))
            .unwrap_or_else(|| panic!("{path} is not on the page"));
        assert!(row.ends_with(&format!("| {meaning} |")), "{row}");
    }
}

#[test]
fn the_keys_of_a_credential_are_those_of_the_code_in_schema_and_page() {
    let section = section();
    let keys = section["properties"][CLIENT_CREDENTIALS]["items"]["properties"]
        .as_object()
        .unwrap()
        .clone();
    let rows: Vec<&str> = PAGE
        .split("| `SourceType` | keys |")
        .nth(1)
        .unwrap()
        .lines()
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert_eq!(rows.len(), 5);
    for key in keys.keys().filter(|key| *key != "SourceType") {
        assert!(CREDENTIAL_KEYS.contains(&key.as_str()), "{key}");
        let is_named = rows.iter().any(|row| row.contains(&format!("`{key}`")));
        // What cannot be used is listed below the table.
        let is_told = PAGE.contains(key.as_str());
        assert!(is_named || is_told, "{key}");
    }
    for word in rows
        .iter()
        .flat_map(|row| row.split('`').skip(1).step_by(2))
    {
        let known = CREDENTIAL_KEYS.contains(&word)
            || word.starts_with("SignedAssertion")
            || ["Path", "Base64Encoded", "AZURE_FEDERATED_TOKEN_FILE"].contains(&word);
        assert!(known, "{word}");
    }
}

#[test]
fn the_page_lists_every_key_that_is_an_error() {
    let list = PAGE.split("## What is not taken over").nth(1).unwrap();
    for (key, _) in RESTRICTING {
        assert!(list.contains(&format!("`{key}`")), "{key}");
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
