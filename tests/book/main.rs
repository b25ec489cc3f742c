//! The pages of the book: all of them are in its table of contents, their links lead somewhere, and their
//! code is that of the examples.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod commands;
mod excerpts;
#[path = "../files/mod.rs"]
mod files;
mod labels;
mod names;
mod numbers;

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
    let root = root();
    let pages = files::below(root.join(folder), "md").into_iter();
    pages
        .map(|page| page.strip_prefix(root).unwrap().to_owned())
        .collect()
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
    let own = text.split("<a id=\"").skip(1);
    anchors.extend(own.filter_map(|rest| rest.split('"').next().map(str::to_owned)));
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
fn every_page_begins_with_a_title_and_a_sentence_that_names_its_readers() {
    for page in pages("docs") {
        let text = read(&page);
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let title = lines.next().unwrap_or_default();
        assert!(title.starts_with("# "), "{} has no title", page.display());
        let first = lines.next().unwrap_or_default();
        let is_contents = page.ends_with("SUMMARY.md");
        // The sentence names its readers; it may go on in the next line.
        let opens = ["This page ", "This recipe ", "This book "];
        let names_readers = opens.iter().any(|open| first.starts_with(open));
        assert!(names_readers || is_contents, "{}: {first}", page.display());
        let readers = [
            "developer",
            "operator",
            "contributor",
            "reviewer",
            "auditor",
            "administrator",
            "users of",
            "everyone who",
            "person on call",
        ];
        assert!(
            is_contents || readers.iter().any(|reader| first.contains(reader)),
            "{}: {first}",
            page.display()
        );
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
fn the_manifests_of_the_page_are_the_shipped_ones() {
    let page = read("docs/deploy/kubernetes.md");
    let mut printed = page.split("```yaml\n").skip(1);
    let schema = read("src/settings/schema.rs") + &read("src/settings/credential.rs");
    for file in ["deploy/kubernetes.yaml", "deploy/kubernetes-whole.yaml"] {
        let shipped = read(file);
        let (_, shipped) = shipped.split_once('\n').unwrap();
        let printed = printed.next().unwrap().split("```").next().unwrap();
        assert_eq!(printed, shipped, "{file}");
        for name in shipped.split("AzureAd__").skip(1) {
            let name = name.split([',', '\n', ' ']).next().unwrap();
            for part in name.split("__").filter(|part| part.parse::<u8>().is_err()) {
                assert!(schema.contains(part), "{name}");
            }
        }
    }
}

#[test]
fn the_nginx_file_of_the_gates_page_is_the_shipped_one() {
    let page = read("docs/gate.md");
    let printed = page.split("```nginx\n").nth(1).unwrap();
    let printed = printed.split("```").next().unwrap();
    let shipped = read("deploy/gate/nginx.conf");
    if std::env::var_os("UPDATE_BOOK").is_some() {
        let place = format!("```nginx\n{printed}```");
        let new = page.replacen(&place, &format!("```nginx\n{shipped}```"), 1);
        fs::write(root().join("docs/gate.md"), new).unwrap();
    } else {
        assert_eq!(printed, shipped, "UPDATE_BOOK=1 cargo test --test book");
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
