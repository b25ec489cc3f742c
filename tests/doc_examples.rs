//! Every public type, trait and function has an example in its documentation, or is on a list that
//! may only get shorter.

#![allow(clippy::unwrap_used, reason = "tests")]

mod files;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What is shown where it is made or given: services and futures of layers, errors that are in
/// others, what only other items return.
const WITHOUT: &[&str] = &[
    "Agent",
    "AllOf",
    "AnyOf",
    "AnyToken",
    "AssertionFuture",
    "CheckLayer",
    "CheckService",
    "DenyKnownAgents",
    "FromFn",
    "GraphError",
    "GraphRequestError",
    "JwksFetchError",
    "JwksStatus",
    "MetadataService",
    "NameList",
    "Outcome",
    "RedactedValue",
    "ResponseFuture",
    "RouteAudit",
    "RouteAuditError",
    "SessionRevocation",
    "SignInEndpoint",
    "TenantFilter",
    "ToolGuardsService",
];

/// Public in a private module, or in `#[doc(hidden)]`: no page shows them.
const SEALED: &[&str] = &["Decide", "FirstUse", "List", "Names", "Patience"];

/// How many methods have an example of their own; more is better.
const METHODS_WITH: usize = 130;

#[derive(Debug, PartialEq)]
struct Item {
    name: String,
    is_method: bool,
    has_example: bool,
}

#[test]
fn every_item_has_an_example_or_is_on_the_list() {
    let items: Vec<Item> = sources().iter().flat_map(|text| items(text)).collect();
    let without: BTreeSet<&str> = items
        .iter()
        .filter(|item| !item.is_method && !item.has_example)
        .map(|item| item.name.as_str())
        .filter(|name| !SEALED.contains(name))
        .collect();
    let listed: BTreeSet<&str> = WITHOUT.iter().copied().collect();
    let new: Vec<_> = without.difference(&listed).collect();
    assert!(new.is_empty(), "public, without an example: {new:?}");
    let spare: Vec<_> = listed.difference(&without).collect();
    assert!(spare.is_empty(), "take these off the list: {spare:?}");
    let methods = items
        .iter()
        .filter(|item| item.is_method && item.has_example);
    assert!(methods.count() >= METHODS_WITH);
    let shown = items
        .iter()
        .filter(|item| !item.is_method && item.has_example);
    assert!(shown.count() >= 85, "the reader of items finds too few");
}

#[test]
fn the_reader_of_items_sees_what_stands_there() {
    let text = "\
/// A type.
///
/// ```
/// let x = 1;
/// ```
#[derive(Debug)]
pub struct Shown;

/// Another.
pub enum Bare { A }

impl Shown {
    /// A method.
    pub const fn get(&self) {}
}

named_guard! {
    /// A guard.
    ///
    /// ```
    /// ```
    RequireThis, any, all
}

#[doc(hidden)]
pub trait Unseen {}

pub(crate) struct Private;

#[cfg(test)]
mod tests {
    pub fn not_public() {}
}
";
    let item = |name: &str, is_method, has_example| Item {
        name: name.to_owned(),
        is_method,
        has_example,
    };
    assert_eq!(
        items(text),
        [
            item("Shown", false, true),
            item("Bare", false, false),
            item("get", true, false),
            item("RequireThis", false, true),
        ]
    );
}

/// The public items of a file; `unreachable_pub` sees to it that what says `pub` is public.
fn items(text: &str) -> Vec<Item> {
    let mut found = Vec::new();
    let (mut has_example, mut is_hidden) = (false, false);
    let (mut in_attribute, mut in_guard) = (false, false);
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    for line in code.lines() {
        let trimmed = line.trim_start();
        if let Some(documentation) = trimmed.strip_prefix("///") {
            has_example |= documentation.trim_start().starts_with("```");
            continue;
        }
        if in_attribute || trimmed.starts_with("#[") {
            is_hidden |= trimmed.contains("doc(hidden)");
            in_attribute = !trimmed.ends_with(']');
            continue;
        }
        in_guard = in_guard && !line.starts_with('}') || line == "named_guard! {";
        let words = trimmed
            .trim_start_matches("pub const fn")
            .split_whitespace();
        let mut words = words.filter(|word| !matches!(*word, "const" | "async"));
        let (first, second, third) = (words.next(), words.next(), words.next());
        let name = match (first, second, third) {
            _ if trimmed.starts_with("pub const fn") => first,
            (Some("pub"), Some("struct" | "enum" | "trait" | "type" | "fn"), name) => name,
            (name, ..) if in_guard && trimmed.starts_with("Require") => name,
            _ => None,
        };
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let name = name.map(|name| name.split(|c| !is_name(c)).next().unwrap());
        if let Some(name) = name.filter(|name| !name.is_empty() && !is_hidden) {
            let is_function = trimmed.contains(" fn ");
            found.push(Item {
                name: name.to_owned(),
                is_method: is_function && line != trimmed,
                has_example,
            });
        }
        if !trimmed.is_empty() {
            (has_example, is_hidden) = (false, false);
        }
    }
    found
}

fn sources() -> Vec<String> {
    let is_test = |path: &Path| {
        let names: Vec<_> = path.iter().filter_map(|name| name.to_str()).collect();
        ["tests", "tests.rs", "fuzzing.rs"]
            .iter()
            .any(|name| names.contains(name))
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files::below(&root, "rs");
    let own = files
        .iter()
        .filter(|path| !is_test(path.strip_prefix(&root).unwrap()));
    own.map(|path| fs::read_to_string(path).unwrap()).collect()
}
