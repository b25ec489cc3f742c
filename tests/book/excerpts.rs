//! Blocks of code that are parts of an example.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{pages, read, root};

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

/// Puts the examples' code into the blocks that name it: `<!-- examples/x.rs#anchor -->`, then a block. Below
/// each block a line says where it is from, since the comment is not seen.
fn filled(path: &Path, page: &str, found: &mut usize) -> String {
    let up = "../".repeat(path.components().count() - 1);
    let mut parts = page.split("<!-- examples/");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (place, rest) = part.split_once(" -->\n```rust").unwrap();
        let (attributes, rest) = rest.split_once('\n').unwrap();
        let (file, anchor) = place.split_once('#').unwrap();
        let (_, after) = rest.split_once("```\n").unwrap();
        let code = excerpt(&format!("examples/{file}"), anchor);
        let after = match after.strip_prefix("\nFrom [`examples/") {
            Some(old) => old.split_once('\n').unwrap().1,
            None => after,
        };
        let from = format!("From [`examples/{file}`]({up}examples/{file}).");
        text += &format!(
            "<!-- examples/{place} -->\n```rust{attributes}\n{code}```\n\n{from}\n{after}"
        );
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
        let new = filled(&page, &text, &mut found);
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

/// Rust that is no example's is compiled by rustdoc, which the page's name in a `lib.rs` makes it; what says
/// `ignore` is part of something.
#[test]
fn rust_of_a_page_is_an_examples_or_compiled() {
    let libraries = ["src/lib.rs", "crates/axum-entra-openapi/src/lib.rs"].map(read);
    let mut checked = 0;
    for page in pages("docs") {
        let text = read(&page);
        let mut above = "";
        let is_own = text.split('\n').any(|line| {
            let begins = line.starts_with("```rust") && !line.contains("ignore");
            let is_own = begins && !above.starts_with("<!-- examples/");
            above = line;
            is_own
        });
        if is_own {
            let name = format!("/{}\")]", page.display());
            assert!(libraries.iter().any(|text| text.contains(&name)), "{name}");
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked}");
}

/// The `use` items of an example's own code: not those of its tests, nor of its neighbours.
fn uses(file: &str) -> Vec<String> {
    let text = read(file);
    let own = text.split("#[cfg(test)]").next().unwrap();
    let starts = own.split("\nuse ").skip(1);
    let items = starts.map(|rest| format!("use {};", rest.split(';').next().unwrap()));
    let neighbours = [
        "use crate::",
        "use super::",
        "use startup::",
        "use entra_emulator::",
    ];
    items
        .filter(|item| !neighbours.iter().any(|start| item.starts_with(start)))
        .collect()
}

#[test]
fn a_recipe_shows_every_use_line_that_its_code_needs() {
    let mut missing = BTreeMap::new();
    for page in pages("docs/recipes") {
        let text = read(&page);
        let places = text.split("<!-- examples/").skip(1);
        let files: BTreeSet<&str> = places.map(|rest| rest.split('#').next().unwrap()).collect();
        for file in files {
            // The recipes' files are shown whole; of a program only some functions are.
            let needed = uses(&format!("examples/{file}"));
            let is_whole = file.starts_with("recipes/");
            let absent: Vec<String> = needed
                .into_iter()
                .filter(|item| is_whole && !text.contains(item.as_str()))
                .collect();
            if !absent.is_empty() {
                missing.insert((page.clone(), file.to_owned()), absent);
            }
            let shows_some = text.contains("\nuse axum_entra::");
            assert!(shows_some, "{} shows no `use` line", page.display());
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// `route_layer` leaves a fallback open. Where a function does not make the router itself, it cannot know
/// whether there is one.
#[test]
fn no_example_puts_route_layer_around_a_router_it_did_not_make() {
    let files = [
        "protected",
        "deny_by_default",
        "tenants",
        "api_key",
        "owner",
        "per_method",
        "cors",
    ];
    let mut functions = 0;
    for name in files {
        let text = read(format!("examples/recipes/{name}.rs"));
        let own = text.split("#[cfg(test)]").next().unwrap();
        for function in own.split("fn ").skip(1) {
            let (head, body) = function.split_once(" {\n").unwrap_or((function, ""));
            functions += 1;
            let takes_router = head.contains(": Router") || head.contains("self");
            assert!(
                !(takes_router && body.contains(".route_layer(entra")),
                "{name}: {head}"
            );
        }
    }
    assert!(functions > 15, "the functions are read: {functions}");
}
