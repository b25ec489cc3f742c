//! Methods that pages name exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::{files, pages, read, root};

/// The types of the public API whose methods pages name.
const TYPES: [&str; 22] = [
    "AllowedTenants",
    "Authority",
    "CallerToken",
    "Claims",
    "ClientCredential",
    "DenyAgents",
    "Entra",
    "EntraBuilder",
    "EntraLayer",
    "Explanation",
    "GraphClient",
    "GraphConfig",
    "JwksStatus",
    "ProtectedResource",
    "RedisStore",
    "Rejection",
    "SecuritySchemes",
    "Settings",
    "TokenExpiry",
    "TokenSource",
    "ToolGuards",
    "RouteAudit",
];

/// All Rust sources of the published crates in one text.
fn sources() -> String {
    let files = ["src", "crates"].map(|folder| files::below(root().join(folder), "rs"));
    let texts = files.iter().flatten();
    texts
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn every_method_that_a_page_names_exists() {
    let sources = sources();
    let mut documents = pages("docs");
    documents.extend(["README.md", "CONTRIBUTING.md"].map(PathBuf::from));
    let mut unknown = BTreeSet::new();
    let mut found = 0;
    for page in documents {
        let text = read(&page);
        let starts = TYPES.map(|own| format!("{own}::"));
        for start in starts.iter().map(String::as_str).chain(["entra."]) {
            for (at, _) in text.match_indices(start) {
                let is_whole = !text[..at].ends_with(|c: char| {
                    c.is_alphanumeric() || c == '_' || c == '.' || c == ':' || c == '/' || c == '-'
                });
                let method = name(&text[at + start.len()..]);
                // Variants and associated types begin with a capital; `entra.span` names are fields of the log.
                let is_method = method.starts_with(|c: char| c.is_ascii_lowercase());
                let is_called =
                    start != "entra." || text[at + start.len() + method.len()..].starts_with('(');
                if !is_whole || !is_method || !is_called {
                    continue;
                }
                found += 1;
                let is_there = ["(", "<"]
                    .iter()
                    .any(|end| sources.contains(&format!("fn {method}{end}")))
                    || sources.contains(&format!("pub {method}: "));
                if !is_there {
                    unknown.insert(format!("{}: {start}{method}", page.display()));
                }
            }
        }
    }
    assert!(found > 150, "the pages are read: {found}");
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// One fact has one statement: a line that holds the first text holds the second too, on every page but those in
/// the third.
const FACTS: [(&str, &str, &[&str]); 4] = [
    // The contract: consent that is missing is 403 `consent_required` and never 503. On the page of the tenant it
    // is the Azure CLI that gets it.
    (
        "AADSTS65001",
        "consent_required",
        &["docs/start/tenant.md", "docs/situations.md"],
    ),
    // Read with the feature, and only then.
    (
        "PKCS#12",
        "pkcs12",
        &[
            "docs/annex",
            "docs/settings.md",
            "docs/encrypted_tokens.md",
            "docs/architecture.md",
        ],
    ),
    // The samples end so; the library returns an error.
    (
        "exit code 2",
        "samples",
        &["docs/annex", "docs/gate.md", "docs/migration.md"],
    ),
    ("`EventSource` can", "header", &[]),
];

#[test]
fn what_two_pages_say_about_one_thing_agrees() {
    let mut documents = pages("docs");
    documents.insert(PathBuf::from("README.md"));
    let mut found = BTreeSet::new();
    let mut wrong = Vec::new();
    for page in documents {
        let place = page.to_string_lossy().replace('\\', "/");
        for line in read(&page).lines() {
            for (text, with, but) in FACTS {
                if line.contains(text) && !but.iter().any(|own| place.starts_with(own)) {
                    found.insert(text);
                    if !line.contains(with) {
                        wrong.push(format!("{place}: {line}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(found.len(), FACTS.len(), "{found:?}");
}
