//! The pages of the book: all of them are in its table of contents, their links lead somewhere, and their
//! code is that of the examples.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// All Markdown files under a folder, as paths from the repository's root.
fn pages(folder: &str) -> BTreeSet<PathBuf> {
    let mut open = vec![PathBuf::from(folder)];
    let mut found = BTreeSet::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if root().join(&path).is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                found.insert(path);
            }
        }
    }
    found
}

/// What `[text](…)` leads to, outside of code blocks.
fn links(text: &str) -> Vec<String> {
    let mut is_code = false;
    let mut links = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            let ends = line.split("](").skip(1);
            links.extend(ends.filter_map(|rest| rest.split(')').next().map(str::to_owned)));
        }
    }
    links
}

/// The headings as links name them: the second of one name ends in `-1`.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let letters = heading.replace(' ', "-");
        let name: String = letters
            .chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_'))
            .collect();
        let again = (1..).map(|number| format!("{name}-{number}"));
        let mut names = [name.clone()].into_iter().chain(again);
        anchors.extend(names.find(|name| !anchors.contains(name)));
    }
    anchors
}

#[test]
fn every_page_is_in_the_table_of_contents_once() {
    let named = links(&read("docs/SUMMARY.md"));
    let unique: BTreeSet<PathBuf> = named
        .iter()
        .map(|link| Path::new("docs").join(link))
        .collect();
    assert_eq!(unique.len(), named.len(), "a page is named twice");
    let mut pages = pages("docs");
    pages.remove(Path::new("docs/SUMMARY.md"));
    assert_eq!(unique, pages, "docs/SUMMARY.md names every page of docs/");
}

#[test]
fn every_page_begins_with_a_title_and_a_sentence() {
    for page in pages("docs") {
        let text = read(&page);
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let title = lines.next().unwrap_or_default();
        assert!(title.starts_with("# "), "{} has no title", page.display());
        let first = lines.next().unwrap_or_default();
        let is_prose = first.starts_with(|letter: char| letter.is_alphabetic());
        let is_contents = page.ends_with("SUMMARY.md");
        assert!(is_prose || is_contents, "{}: {first}", page.display());
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut papers = pages("docs");
    for folder in ["crates", "examples", "benches", "deploy"] {
        papers.extend(pages(folder));
    }
    let front = ["README", "CONTRIBUTING", "SECURITY", "CHANGELOG"];
    papers.extend(front.map(|name| PathBuf::from(format!("{name}.md"))));
    let mut wrong = Vec::new();
    for paper in &papers {
        for link in links(&read(paper)) {
            if link.contains("://") || link.contains(' ') || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => root().join(paper),
                file => root().join(paper).parent().unwrap().join(file),
            };
            let is_there = target.exists();
            let has_anchor = || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor);
            if !is_there || !anchor.is_empty() && !has_anchor() {
                wrong.push(format!("{}: {link}", paper.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_readme_links_its_pages_in_four_groups() {
    let readme = read("README.md");
    let section = readme.split("\n## Documents\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    for group in ["Use", "Operate", "Understand", "Contribute"] {
        let line = section
            .lines()
            .find(|line| line.starts_with(&format!("**{group}**")));
        assert!(line.is_some_and(|line| links(line).len() > 3), "{group}");
    }
}

/// The lines between `// ANCHOR: name` and `// ANCHOR_END: name` of an example, without their common
/// indentation and without the anchors of others.
fn excerpt(file: &str, name: &str) -> String {
    let text = read(file);
    let start = format!("// ANCHOR: {name}");
    let end = format!("// ANCHOR_END: {name}");
    let lines: Vec<&str> = text
        .lines()
        .skip_while(|line| line.trim() != start)
        .skip(1)
        .take_while(|line| line.trim() != end)
        .filter(|line| !line.trim().starts_with("// ANCHOR"))
        .collect();
    assert!(!lines.is_empty(), "{file} has no anchor {name}");
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    let least = filled.map(indent).min().unwrap_or_default();
    let cut = lines
        .iter()
        .map(|line| line.get(least..).unwrap_or_default());
    cut.map(|line| format!("{line}\n")).collect()
}

/// Puts the examples' code into the blocks that name it: `<!-- examples/x.rs#anchor -->`, then a block.
fn filled(page: &str, found: &mut usize) -> String {
    let mut parts = page.split("<!-- examples/");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (place, rest) = part.split_once(" -->\n```rust").unwrap();
        let (attributes, rest) = rest.split_once('\n').unwrap();
        let (file, anchor) = place.split_once('#').unwrap();
        let (_, after) = rest.split_once("```\n").unwrap();
        let code = excerpt(&format!("examples/{file}"), anchor);
        text += &format!("<!-- examples/{place} -->\n```rust{attributes}\n{code}```\n{after}");
        *found += 1;
    }
    text
}

/// With `UPDATE_BOOK=1` in the environment the pages are written anew instead.
#[test]
fn the_code_of_the_pages_is_that_of_the_examples() {
    let update = std::env::var_os("UPDATE_BOOK").is_some();
    let mut stale = Vec::new();
    let mut found = 0;
    let mut papers = pages("docs");
    papers.insert(PathBuf::from("README.md"));
    for page in papers {
        let text = read(&page);
        let new = filled(&text, &mut found);
        if new != text && update {
            fs::write(root().join(&page), new).unwrap();
        } else if new != text {
            stale.push(page);
        }
    }
    assert!(
        stale.is_empty(),
        "UPDATE_BOOK=1 cargo test --test book: {stale:?}"
    );
    assert!(found > 10, "the blocks are read: {found}");
}

/// The text under a heading of the second level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let text = page.split(&format!("\n## {heading}\n")).nth(1);
    text.and_then(|text| text.split("\n## ").next())
        .unwrap_or_default()
}

#[test]
fn every_alert_has_its_runbook_with_the_threshold_of_the_rule() {
    let page = read("docs/runbooks.md");
    let rules = read("deploy/prometheus-alerts.yml");
    let mut found = 0;
    for rule in rules.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        let runbook = section(&page, name);
        let fires = runbook.lines().find(|line| line.starts_with("Fires at `"));
        let threshold = fires
            .and_then(|line| line.split('`').nth(1))
            .unwrap_or("none");
        assert!(rule.contains(threshold), "{name}: {threshold}");
        let lasts = rule
            .split("for: ")
            .nth(1)
            .and_then(|rest| rest.lines().next());
        if let Some(lasts) = lasts {
            assert!(fires.unwrap().contains(&format!("for `{lasts}`")), "{name}");
        }
        let severity = rule
            .split("severity: ")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap();
        assert!(fires.unwrap().contains(&format!("`{severity}`")), "{name}");
        assert!(runbook.contains("\n1. "), "{name} says what to do");
        found += 1;
    }
    assert!(found > 7, "the rules are read: {found}");
}

#[test]
fn the_manifest_of_the_page_is_the_shipped_one() {
    let page = read("docs/deploy/kubernetes.md");
    let printed = page
        .split("```yaml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let shipped = read("deploy/kubernetes.yaml");
    let (_, shipped) = shipped.split_once('\n').unwrap();
    assert_eq!(printed, shipped);
    let schema = read("src/settings/schema.rs") + &read("src/settings/credential.rs");
    for name in shipped.split("AzureAd__").skip(1) {
        let name = name.split(',').next().unwrap();
        for part in name.split("__").filter(|part| part.parse::<u8>().is_err()) {
            assert!(schema.contains(part), "{name}");
        }
    }
}

#[test]
fn every_example_is_in_both_tables() {
    let readme = read("README.md");
    let index = read("examples/README.md");
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let is_example =
            path.join("main.rs").is_file() || path.extension().is_some_and(|end| end == "rs");
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if is_example {
            for text in [section(&readme, "Examples"), &index] {
                assert!(text.contains(&format!("| `{name}`")), "{name}");
            }
        }
    }
}
