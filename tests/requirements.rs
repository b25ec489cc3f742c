//! `docs/annex/rules.md` and `docs/threat_model.md` name modules and tests: they exist, and no rule stands there
//! without a proof.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod files;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where acceptance cases and attacks stand, which are rows of tables and no functions.
const TABLES: [&str; 2] = [
    "tests/vectors/acceptance.json",
    "tests/vectors/attacks.toml",
];

#[test]
fn every_test_that_the_document_names_exists() {
    let mut missing = Vec::new();
    for row in rows() {
        let mut file: Option<(String, BTreeSet<String>)> = None;
        for word in quoted(&row.proof) {
            if word.contains('/') {
                file = Some((word.clone(), named_in(&word)));
                continue;
            }
            match &file {
                Some((_, names)) if names.contains(&word) => {}
                // The reason, which stands before the tests.
                None if row.is_different() => {}
                Some((path, _)) => missing.push(format!("{}: no `{word}` in {path}", row.rule)),
                None => missing.push(format!("{}: `{word}` in no file", row.rule)),
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_module_that_the_document_names_exists() {
    let mut missing = Vec::new();
    for row in rows() {
        for word in quoted(&row.place) {
            let found = [
                word.clone(),
                format!("src/{word}"),
                format!("src/{word}.rs"),
            ]
            .iter()
            .any(|path| root().join(path).exists());
            if !found {
                missing.push(word);
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_rule_has_a_test_or_says_why_it_has_none() {
    let rows = rows();
    assert!(rows.len() > 80, "the tables are read: {}", rows.len());
    for row in rows {
        let mut words = quoted(&row.proof).into_iter();
        let proven = words.any(|word| word.ends_with(".rs") || TABLES.contains(&&*word))
            && words.next().is_some();
        let excused = row.proof.starts_with("documents: ");
        assert!(proven || excused, "{}: {}", row.rule, row.proof);
    }
}

#[test]
fn every_test_and_every_attack_that_the_threat_model_names_exists() {
    let text = fs::read_to_string(root().join("docs/threat_model.md")).unwrap();
    let claims = text
        .split("\n## ")
        .find(|part| part.starts_with("Claims\n"));
    let attacks = named_in("tests/vectors/attacks.toml");
    let mut known = attacks.clone();
    for folder in ["src", "tests", "crates", "examples", "fuzz/fuzz_targets"] {
        sources(&root().join(folder), &mut known);
    }
    let words: Vec<String> = quoted(claims.unwrap());
    assert!(words.len() > 80, "the page is read: {}", words.len());
    let missing: Vec<&String> = words
        .iter()
        .filter(|word| match word.split_once('*') {
            // Rows whose names begin, end or go on like this.
            Some((start, rest)) => !attacks.iter().any(|row| {
                let end = rest.trim_end_matches('*');
                let open = end.len() < rest.len();
                let tail = row.strip_prefix(start);
                tail.is_some_and(|tail| tail.ends_with(end) || open && tail.contains(end))
            }),
            None => {
                let name = word.rsplit("::").next().unwrap_or_default();
                let is_name = name.contains('_') && !name.contains(['/', ' ']);
                is_name && !known.contains(name)
            }
        })
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The functions under a folder, for what several tests ask is one of its own; and its files.
fn sources(folder: &Path, names: &mut BTreeSet<String>) {
    for path in files::below(folder, "rs") {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        names.insert(stem.to_owned());
        let text = fs::read_to_string(&path).unwrap();
        let functions = text.lines().filter_map(|line| line.split_once("fn "));
        names.extend(functions.filter_map(|(_, rest)| rest.split('(').next().map(str::to_owned)));
    }
}

/// A row of one of the tables: rule, where, proof, ids.
struct Row {
    rule: String,
    place: String,
    proof: String,
}

impl Row {
    fn is_different(&self) -> bool {
        self.proof.starts_with("different: ")
    }
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("docs/annex/rules.md")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").map(str::to_owned).collect::<Vec<_>>())
        .filter(|cells| cells[0] != "rule")
        .map(|cells| {
            assert_eq!(cells.len(), 4, "{}", cells[0]);
            let mut cells = cells.into_iter();
            let mut next = || cells.next().unwrap();
            Row {
                rule: next(),
                place: next(),
                proof: next(),
            }
        })
        .collect()
}

/// What stands in backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The tests of a file, or the rows of a table.
fn named_in(path: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|_| panic!("no file {path}"));
    if TABLES.contains(&path) {
        let name = |line: &str| {
            let rest = ["name = \"", "{\"id\": \""]
                .iter()
                .find_map(|start| line.trim().strip_prefix(start))?;
            rest.split('"').next().map(str::to_owned)
        };
        return text.lines().filter_map(name).collect();
    }
    let mut names = BTreeSet::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(guard) = line.strip_prefix("guard_test! { ") {
            names.extend(guard.split(',').next().map(str::to_owned));
        } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ") {
            if is_test {
                names.extend(rest.split('(').next().map(str::to_owned));
            }
            is_test = false;
        }
    }
    names
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
