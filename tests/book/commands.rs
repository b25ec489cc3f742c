//! Every command of every page is run by a script or a test, or its page says what it needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{pages, read, root};

/// A command as pages have it (its beginning), the script or test that runs it, and the text there that does.
const RUN: [(&str, &str, &str); 12] = [
    (
        "cargo run --example protected_api",
        ".ci/smoke",
        "cargo run --quiet --example protected_api",
    ),
    ("cargo test", ".ci/run", "step cargo test\n"),
    (
        "cargo run --example explain",
        ".ci/examples",
        "cargo run --quiet --example explain",
    ),
    (
        "curl -i http://127.0.0.1:3000/me",
        ".ci/smoke",
        "request GET /me",
    ),
    (
        "curl -i -X POST -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:3000/jobs",
        ".ci/smoke",
        "request POST /jobs \"$TOKEN\"",
    ),
    (
        "cargo new todo && cd todo",
        ".ci/start",
        "block 'cargo new todo",
    ),
    ("cargo add ", ".ci/start", "block 'cargo new todo"),
    (
        "cargo run -p entra-emulator -- --encrypt-tokens",
        ".ci/start",
        "--encrypt-tokens certificate.pem",
    ),
    (
        "cargo run -p entra-emulator -- --listen 127.0.0.1:0 --tls --ca-file",
        ".ci/clients",
        "--tls --ca-file",
    ),
    (
        "cargo run -p entra-emulator",
        ".ci/start",
        "cargo run --quiet -p entra-emulator",
    ),
    (
        "curl -s http://127.0.0.1:8400/",
        ".ci/smoke",
        "-d grant_type=client_credentials",
    ),
    ("openssl req -x509", ".ci/start", "block 'openssl req -x509"),
];

/// What a block needs that no test has, in the paragraph above it.
const NEEDS: [&str; 4] = [
    "*Needs a tenant",
    "*Needs a cluster",
    "*Needs your own API",
    "*Needs a Redis",
];

fn documents() -> BTreeSet<PathBuf> {
    let mut found = pages("docs");
    for folder in ["crates", "examples", "deploy"] {
        found.extend(pages(folder));
    }
    found.insert(PathBuf::from("README.md"));
    found
}

/// The shell blocks of a page, each with the paragraph above it.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut above = String::new();
    let mut is_new = false;
    let mut open: Option<String> = None;
    for line in text.lines().map(str::trim) {
        match &mut open {
            Some(block) if line == "```" => {
                found.push((above.clone(), block.clone()));
                open = None;
            }
            Some(block) => *block += &format!("{line}\n"),
            None if line == "```sh" => open = Some(String::new()),
            // A paragraph ends with an empty line, and the next one begins anew.
            None if line.is_empty() => is_new = true,
            None => {
                if std::mem::take(&mut is_new) {
                    above.clear();
                }
                above += line;
            }
        }
    }
    found
}

/// The commands of a block: without comments, assignments that only prepare one, and the parts of a pipe before it.
fn commands(block: &str) -> Vec<String> {
    let whole = block.replace("\\\n", "");
    let lines = whole.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let plain = lines.map(|line| {
        let line = line.split(" | ").last().unwrap_or(line);
        let words = line.split(' ').skip_while(|word| {
            let name = word.split('=').next().unwrap_or_default();
            word.contains('=') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        words.collect::<Vec<_>>().join(" ")
    });
    plain
        .filter(|line| {
            !line.is_empty() && !line.starts_with("export ") && !line.starts_with("cat ")
        })
        .collect()
}

#[test]
fn every_shell_command_is_run_by_a_script_or_its_page_says_what_it_needs() {
    let mut orphans = Vec::new();
    let (mut run, mut needing) = (0, 0);
    for page in documents() {
        for (above, block) in blocks(&read(&page)) {
            if NEEDS.iter().any(|needs| above.contains(needs)) {
                needing += 1;
                continue;
            }
            for command in commands(&block) {
                match RUN.iter().any(|(start, _, _)| command.starts_with(start)) {
                    true => run += 1,
                    false => orphans.push(format!("{}: {command}", page.display())),
                }
            }
        }
    }
    assert!(orphans.is_empty(), "{orphans:#?}");
    assert!(
        run > 12 && needing > 6,
        "{run} run, {needing} need something"
    );
}

#[test]
fn the_scripts_run_what_the_list_says() {
    let all = read(".ci/run");
    for (command, runner, text) in RUN {
        assert!(
            read(runner).contains(text),
            "{command}: {runner} has no `{text}`"
        );
        let is_step = runner == ".ci/run" || all.contains(&format!("step {runner}\n"));
        assert!(is_step, "{runner} is no step of .ci/run");
    }
}

/// `code` outside of blocks.
fn code_spans(text: &str) -> Vec<String> {
    let mut is_block = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
        } else if !is_block {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

#[test]
fn a_command_in_a_sentence_names_what_exists_and_runs() {
    let walks = read(".ci/examples");
    let names = walks
        .lines()
        .filter(|line| line.starts_with("readonly WALKS=") || line.starts_with("readonly OTHERS="));
    let names: String = names.collect::<Vec<_>>().join(" ").replace(['(', ')'], " ") + " soak ";
    let just = read("justfile");
    let steps = read(".ci/run");
    let mut found = 0;
    for page in documents()
        .into_iter()
        .chain([PathBuf::from("CONTRIBUTING.md")])
    {
        let text = read(&page);
        for span in code_spans(&text) {
            let words: Vec<&str> = span.split(' ').collect();
            let is_fine = match words.as_slice() {
                ["cargo", "run" | "test", "--example", "NAME", ..] => true,
                ["cargo", "run" | "test", "--example", name, ..] => {
                    names.contains(&format!(" {name} ")) || name.starts_with('{')
                }
                ["cargo", "bench", "--bench", name] => {
                    Path::new(&root().join(format!("benches/{name}.rs"))).exists()
                        || root().join(format!("benches/{name}")).is_dir()
                }
                ["just", recipe, ..] => just.contains(&format!("\n{recipe}")),
                [script] if script.starts_with(".ci/") && !script.ends_with(".allow") => {
                    steps.contains(&format!("step {script}\n")) || root().join(script).exists()
                }
                // Those of the Azure CLI: the page says that they need a tenant.
                ["az", verb, ..] if verb.chars().all(char::is_lowercase) => text.contains("tenant"),
                _ => continue,
            };
            found += 1;
            assert!(is_fine, "{}: {span}", page.display());
        }
    }
    assert!(found > 30, "the spans are read: {found}");
}
