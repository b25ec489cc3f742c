//! The record of every crate that a build of the library with its default features brings, in
//! `docs/annex/dependencies.md`: a new one, another licence, another repository, or code that now runs
//! at build time fails here until a review puts the row there.
//!
//! `WRITE_DEPENDENCIES=1 cargo test --test dependencies` writes the rows.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says what it left out"
)]

mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const BEGIN: &str = "<!-- tree: begin -->\n";
const END: &str = "<!-- tree: end -->";
/// The tree of a Linux server; other systems have a few crates of their own.
const TARGET: &str = "x86_64-unknown-linux-gnu";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The output of cargo without network; `None` where it cannot have an answer.
fn cargo(arguments: &[&str]) -> Option<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(arguments)
        .args(["--locked", "--offline"])
        .output()
        .unwrap();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        println!("skipped: cargo {}: {said}", arguments.join(" "));
        return None;
    }
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Names and versions of the tree, and what each is brought by.
fn tree() -> Option<BTreeMap<(String, String), BTreeSet<String>>> {
    let lines = cargo(&[
        "tree",
        "-p",
        "axum-entra",
        "-e",
        "normal,build",
        "--target",
        TARGET,
        "--prefix",
        "depth",
        "--no-dedupe",
        "--format",
        "|{p}",
    ])?;
    let mut path = Vec::<String>::new();
    let mut found = BTreeMap::<_, BTreeSet<String>>::new();
    for line in lines.lines() {
        let (depth, package) = line.split_once('|').unwrap();
        let depth: usize = depth.parse().unwrap();
        let mut words = package.split_whitespace();
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        path.truncate(depth);
        if let Some(parent) = path.last() {
            let key = (name.to_owned(), version.trim_start_matches('v').to_owned());
            found.entry(key).or_default().insert(parent.clone());
        }
        path.push(name.to_owned());
    }
    Some(found)
}

/// Lines of Rust in a package, in thousands.
fn thousands_of_lines(manifest: &Path) -> String {
    let files = files::below(manifest.parent().unwrap().join("src"), "rs");
    let count = |path: &PathBuf| {
        let text = fs::read(path).unwrap();
        text.iter().filter(|byte| **byte == b'\n').count()
    };
    let lines: usize = files.iter().map(count).sum();
    format!("{}.{}", lines / 1_000, lines % 1_000 / 100)
}

/// The cells of a row that say who and what; version, size and parents are a snapshot beside them.
fn facts(package: &Value, parents: &BTreeSet<String>) -> [String; 5] {
    let text = |name: &str| package[name].as_str().unwrap_or("none").to_owned();
    let repository = text("repository");
    let repository = repository
        .trim_start_matches("https://")
        .trim_end_matches('/');
    let targets = package["targets"].as_array().unwrap();
    let is = |kind: &str| {
        let mut kinds = targets
            .iter()
            .flat_map(|target| target["kind"].as_array().unwrap());
        kinds.any(|other| other == kind)
    };
    let build = match (is("custom-build"), is("proc-macro")) {
        (true, true) => "build script, macro",
        (true, false) => "build script",
        (false, true) => "macro",
        (false, false) => "–",
    };
    let parents: Vec<String> = parents.iter().map(|name| format!("`{name}`")).collect();
    [
        format!("`{}`", text("name")),
        text("license"),
        repository.trim_end_matches(".git").to_owned(),
        build.to_owned(),
        parents.join(" "),
    ]
}

#[test]
fn every_crate_of_the_default_tree_has_its_row() {
    let metadata = cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--filter-platform",
        TARGET,
    ]);
    let (Some(tree), Some(metadata)) = (tree(), metadata) else {
        return;
    };
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let (mut rows, mut own) = (Vec::new(), Vec::new());
    let (mut owners, mut at_build) = (BTreeMap::<String, u32>::new(), 0);
    for ((name, version), parents) in &tree {
        let package = packages
            .iter()
            .find(|package| package["name"] == **name && package["version"] == **version)
            .unwrap();
        let facts = facts(package, parents);
        let owner = facts[2].split('/').take(2).collect::<Vec<_>>().join("/");
        *owners.entry(owner).or_default() += 1;
        at_build += u32::from(facts[3] != "–");
        let [name, license, repository, build, parents] = &facts;
        let size = thousands_of_lines(Path::new(package["manifest_path"].as_str().unwrap()));
        rows.push(format!(
            "| {name} | {version} | {license} | {repository} | {build} | {size} | {parents} |"
        ));
        own.push(facts.get(..4).unwrap().to_vec());
    }
    let mut owners: Vec<(String, u32)> = owners.into_iter().collect();
    owners.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), name.clone()));
    let several: Vec<String> = owners
        .iter()
        .filter(|(_, count)| *count > 1)
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    let text = format!(
        "{} crates of {} publishers (an owner of a repository is one): {}, and one each of the others. Code of {at_build} of them runs at build time.\n\n\
         | crate | version | licence | published from | at build time | thousand lines | brought by |\n|---|---|---|---|---|---|---|\n{}\n",
        rows.len(),
        owners.len(),
        several.join(", "),
        rows.join("\n"),
    );

    let file = root().join("docs/annex/dependencies.md");
    let page = fs::read_to_string(&file).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    if std::env::var_os("WRITE_DEPENDENCIES").is_some() {
        fs::write(&file, format!("{before}{BEGIN}{text}{END}{after}")).unwrap();
        return;
    }
    let told: Vec<Vec<String>> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            [0, 2, 3, 4]
                .map(|at| (*cells.get(at).unwrap()).to_owned())
                .to_vec()
        })
        .collect();
    assert_eq!(
        told, own,
        "review what is new, then WRITE_DEPENDENCIES=1 cargo test --test dependencies"
    );
}

/// The models are the library once more, with its dependencies in a manifest of their own.
#[test]
fn the_models_have_every_dependency_that_the_library_always_has() {
    let always = |manifest: &str| -> BTreeSet<String> {
        let text = fs::read_to_string(root().join(manifest)).unwrap();
        let table = text.split("\n[dependencies]\n").nth(1).unwrap();
        let rows = table.split("\n[").next().unwrap().lines();
        rows.filter(|row| row.contains("workspace = true") && !row.contains("optional = true"))
            .map(|row| row.split(['.', ' ']).next().unwrap().to_owned())
            .collect()
    };
    let library = always("Cargo.toml");
    assert!(library.len() > 15, "{library:?}");
    let models = always("tests/models/Cargo.toml");
    let missing: Vec<_> = library.difference(&models).collect();
    assert!(
        missing.is_empty(),
        "tests/models/Cargo.toml lacks {missing:?}"
    );
}
