//! The layout of `docs/architecture.md`: imports go down, one file imports each foreign crate, files are small.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod files;

use std::fs;
use std::path::{Path, PathBuf};

/// Folders and files of `src`, layer by layer, from the bottom up.
const LAYERS: [&[&str]; 5] = [
    &[
        "bounds",
        "clock",
        "guid",
        "key_file",
        "causes",
        "config_error",
        "token_version",
        "scope_hierarchy",
        "snapshot",
        "sync",
        "tasks",
        "metrics",
    ],
    &["claims", "authority", "transport"],
    &["jwks", "guard", "revocation"],
    &["token", "graph"],
    &["middleware", "settings"],
];

/// Above all layers: they put the pieces together, and nothing below may look up at them.
const TOP: [&str; 5] = ["lib", "builder", "guards_macro", "fuzzing", "testing"];

/// Foreign crates that one file names, so that they can be exchanged there.
const ADAPTERS: [(&str, &[&str]); 7] = [
    (
        "aws_lc_rs",
        &["jwks/crypto.rs", "jwks/crypto/decryption.rs"],
    ),
    ("arc_swap", &["snapshot.rs"]),
    ("reqwest", &["transport/http_client.rs"]),
    (
        "redis",
        &[
            "revocation/redis.rs",
            "revocation/redis/commands.rs",
            "revocation/redis/commands/answers.rs",
        ],
    ),
    ("metrics", &["metrics.rs"]),
    ("miniz_oxide", &["token/jwe/inflate.rs"]),
    ("p12_keystore", &["key_file.rs"]),
];

/// Imports that climb, each with its reason.
const ALLOWED: [(&str, &str); 3] = [
    // Limits that say themselves what is wrong, both of them in the lowest layer.
    ("bounds.rs", "config_error"),
    // An error that shows its causes, both of them in the lowest layer.
    ("config_error.rs", "causes"),
    // The developer's one error type wraps that of the settings, which names it in its own errors.
    ("config_error.rs", "settings"),
];

/// Lines of code in a file: documentation, comments and tests are not counted.
const MOST_LINES: usize = 350;

#[test]
fn the_architecture_page_has_every_layer_with_its_modules() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md"))
            .unwrap();
    let drawing = page.split("```").nth(1).unwrap();
    let (above, layers) = drawing.split_once("layer 4").unwrap();
    // Each layer's lines: from its number to the next one's.
    let drawn: Vec<&str> = layers.split("\nlayer ").collect();
    assert_eq!(drawn.len(), LAYERS.len());
    let names = |text: &str, name: &str| {
        let mut words = text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        words.any(|word| word == name)
    };
    for (layer, on_it) in drawn.iter().rev().zip(LAYERS) {
        for name in on_it {
            assert!(names(layer, name), "{name} is not on its layer");
        }
    }
    for name in TOP.iter().filter(|name| **name != "metrics") {
        assert!(names(above, name), "{name}");
    }
}

#[test]
fn imports_go_down_and_never_sideways() {
    let found: Vec<String> = sources().iter().flat_map(Source::climbs).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_foreign_crate_has_one_adapter() {
    let found: Vec<String> = sources().iter().flat_map(Source::other_importers).collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// Files that are modelled (`tests/models`): their locks and atomics can be exchanged.
const MODELLED: [&str; 15] = [
    "graph/backoff.rs",
    "graph/cache.rs",
    "jwks/board.rs",
    "jwks/snapshot.rs",
    "jwks/waiting.rs",
    "revocation/cutoffs.rs",
    "revocation/notifier.rs",
    "revocation/replay_cache.rs",
    "revocation/sessions.rs",
    "revocation/shared.rs",
    "revocation/subscriber.rs",
    "token/cache/bucket.rs",
    "token/cache/entry.rs",
    "token/cache/mod.rs",
    "token/cache/per_thread.rs",
];

/// What of the standard library no model exchanges: counts of references, and what is made once.
const NOT_EXCHANGED: [&str; 4] = ["Arc", "LazyLock", "PoisonError", "Weak"];

#[test]
fn what_is_modelled_names_the_locks_that_models_exchange() {
    let all = sources();
    for file in MODELLED {
        let source = all.iter().find(|source| source.path == file).unwrap();
        let found = own_locks(&source.code());
        assert!(found.is_empty(), "{file} names {found:?}, not crate::sync");
    }
    for offender in [
        "use std::sync::Mutex;",
        "use std::sync::atomic::AtomicU64;",
        "use std::sync::{Arc, RwLock};",
        "use tokio::sync::watch;",
    ] {
        assert_eq!(own_locks(offender).len(), 1, "{offender}");
    }
    assert_eq!(own_locks("use std::sync::{Arc, PoisonError};"), [""; 0]);
}

/// The names behind `std::sync::` and `tokio::sync::` that a model has to exchange.
fn own_locks(code: &str) -> Vec<String> {
    let flat: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let behind = |root: &str| {
        let rests = flat.match_indices(root);
        let named = |at: usize| {
            let rest = &flat[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(group) => names_in_group(group),
                None => first_word(rest).into_iter().collect(),
            }
        };
        rests.flat_map(|(at, _)| named(at)).collect::<Vec<_>>()
    };
    let mut found = behind("std::sync::");
    found.retain(|name| !NOT_EXCHANGED.contains(&name.as_str()));
    found.extend(behind("tokio::sync::"));
    found
}

#[test]
fn a_file_is_one_thing_and_so_not_long() {
    let found: Vec<String> = all_sources().iter().filter_map(Source::too_long).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_is_unsafe() {
    let found: Vec<String> = all_sources().iter().flat_map(Source::unsafe_code).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_file_has_an_empty_name() {
    let nothing = ["util", "utils", "helper", "helpers", "common", "misc"];
    for source in all_sources() {
        let named = source
            .path
            .split('/')
            .map(|part| part.trim_end_matches(".rs"));
        assert!(
            !named.into_iter().any(|part| nothing.contains(&part)),
            "{}",
            source.path
        );
    }
}

#[test]
fn every_folder_has_its_layer() {
    for source in sources() {
        let home = source.home();
        let known = TOP.contains(&home) || layer(home).is_some();
        assert!(
            known,
            "{} has no layer: add it to LAYERS and to docs/architecture.md",
            source.path
        );
    }
}

/// A test that cannot fail proves nothing.
#[test]
fn invented_offenders_are_found() {
    let invented = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let climbing = [
        ("claims/x.rs", "use crate::middleware::Rejection;"),
        ("claims/x.rs", "use crate::authority::Tenant;"),
        ("guid.rs", "pub use crate::claims::Claims;"),
        ("jwks/x.rs", "    use crate::guard::Guard;"),
        ("jwks/x.rs", "use crate::{clock::Clock, middleware::Edge};"),
        (
            "jwks/x.rs",
            "use crate::{\n    clock::Clock,\n    token::Validator,\n};",
        ),
        ("token/checks/x.rs", "use crate::builder::Entra;"),
        ("middleware/x.rs", "use crate::settings::Settings;"),
        ("token/x.rs", "fn f() { crate::middleware::go() }"),
        ("token/x.rs", "pub(in crate::middleware) fn f() {}"),
        ("token/x.rs", "use super::super::middleware::Edge;"),
    ];
    for (path, text) in climbing {
        assert_eq!(invented(path, text).climbs().len(), 1, "{path}: {text}");
    }
    let level = [
        ("claims/x.rs", "use crate::guid::parse_guid;"),
        ("claims/x.rs", "use crate::claims::wire::Name;"),
        ("token/x.rs", "use crate::{claims::Claims, guard::Reason};"),
        ("builder.rs", "use crate::middleware::Edge;"),
        ("claims/x.rs", "// use crate::middleware::Rejection;"),
        (
            "claims/x.rs",
            "/// As [`Rejection`](crate::middleware::Rejection).",
        ),
        (
            "claims/x.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::middleware::Rejection;\n}",
        ),
        ("claims/x.rs", "use super::wire::Name;"),
    ];
    for (path, text) in level {
        assert_eq!(invented(path, text).climbs(), [""; 0], "{path}: {text}");
    }
    assert_eq!(
        invented("middleware/x.rs", "use reqwest::Client;")
            .other_importers()
            .len(),
        1
    );
    assert_eq!(
        invented("middleware/x.rs", "let x = aws_lc_rs::digest::SHA256;")
            .other_importers()
            .len(),
        1
    );
    assert!(
        invented("transport/http_client.rs", "use reqwest::Client;")
            .other_importers()
            .is_empty()
    );
    assert!(
        invented("middleware/x.rs", "// reqwest::Client")
            .other_importers()
            .is_empty()
    );
    assert_eq!(
        invented("middleware/x.rs", "unsafe { f() }")
            .unsafe_code()
            .len(),
        1
    );
    assert!(
        invented("middleware/x.rs", "// unsafe")
            .unsafe_code()
            .is_empty()
    );
    let long = "let a = 1;\n".repeat(MOST_LINES + 1);
    assert!(invented("middleware/x.rs", &long).too_long().is_some());
    let tested = format!("let a = 1;\n#[cfg(test)]\nmod tests {{\n{long}}}");
    assert!(invented("middleware/x.rs", &tested).too_long().is_none());
}

/// One file of `src`.
struct Source {
    /// Relative to `src`, with `/` between.
    path: String,
    text: String,
}

impl Source {
    /// The folder, or the file's own name where it is in none.
    fn home(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.trim_end_matches(".rs")
    }

    /// The lines of code: no comments, no documentation, no test module.
    fn code(&self) -> String {
        let all: Vec<&str> = self.text.lines().collect();
        let mut code = Vec::new();
        let mut lines = all.iter().copied().peekable();
        while let Some(line) = lines.next() {
            if line.trim() == "#[cfg(test)]" {
                skip_item(&mut lines);
                continue;
            }
            let line = line.split("//").next().unwrap_or_default();
            code.push(line.to_owned());
        }
        code.join("\n")
    }

    fn climbs(&self) -> Vec<String> {
        let home = self.home();
        if TOP.contains(&home) || self.is_test() {
            return Vec::new();
        }
        let own = layer(home);
        let code = self.code();
        uses(&code)
            .into_iter()
            .filter(|used| used != home)
            .filter(|used| {
                let is_module = layer(used).is_some() || TOP.contains(&used.as_str());
                // Names that lib.rs gives out, such as `crate::Claims`, are words, not ways.
                is_module && layer(used).is_none_or(|layer| Some(layer) >= own)
            })
            .filter(|used| !ALLOWED.contains(&(self.path.as_str(), used.as_str())))
            .map(|used| format!("{} uses {used}", self.path))
            .collect()
    }

    fn other_importers(&self) -> Vec<String> {
        if self.is_test() {
            return Vec::new();
        }
        let code = self.code();
        ADAPTERS
            .iter()
            .filter(|(name, adapters)| {
                names(&code, name) && !adapters.contains(&self.path.as_str())
            })
            .map(|(name, adapters)| {
                format!(
                    "{} names {name}, whose adapter is {}",
                    self.path, adapters[0]
                )
            })
            .collect()
    }

    fn too_long(&self) -> Option<String> {
        let code = self.code();
        let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
        (lines > MOST_LINES && !self.is_test()).then(|| format!("{}: {lines} lines", self.path))
    }

    fn unsafe_code(&self) -> Vec<String> {
        let code = self.code();
        code.lines()
            .filter(|line| {
                line.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|word| word == "unsafe")
            })
            .map(|line| format!("{}: {}", self.path, line.trim()))
            .collect()
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }
}

/// Goes past the item behind `#[cfg(test)]`: to the brace that closes it, or to its semicolon.
fn skip_item<'l>(lines: &mut impl Iterator<Item = &'l str>) {
    for line in lines.by_ref() {
        let item = line.trim_end();
        if item.trim_start().starts_with("#[") {
            continue;
        }
        if !item.ends_with('{') {
            return;
        }
        let indent = item.len() - item.trim_start().len();
        let close = format!("{}}}", " ".repeat(indent));
        lines
            .by_ref()
            .find(|line| line.trim_end().starts_with(&close));
        return;
    }
}

/// The modules behind `crate::` and `super::super::`, also in `crate::{a, b}`.
fn uses(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let flat: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    for root in ["crate::", "super::super::", "pub(in crate::"] {
        for (at, _) in flat.match_indices(root) {
            // `$crate::` in a macro is the crate that expands it; `pub(in crate::x)` is found once.
            let before = flat[..at].chars().last();
            if before == Some('$') || (root == "crate::" && flat[..at].ends_with("pub(in ")) {
                continue;
            }
            let rest = &flat[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(names_in_group(group)),
                None => found.extend(first_word(rest)),
            }
        }
    }
    found.retain(|name| name != "super");
    found.dedup();
    found
}

/// The first name of each member of `{ a::b, c::{d, e} }`, whose first brace is gone.
fn names_in_group(group: &str) -> Vec<String> {
    let (mut depth, mut member, mut found) = (0, String::new(), Vec::new());
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.extend(first_word(member.trim()));
                member.clear();
                continue;
            }
            _ => {}
        }
        member.push(letter);
    }
    found.extend(first_word(member.trim()));
    found
}

fn first_word(text: &str) -> Option<String> {
    let end = text
        .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// Whether code names a crate: `name::` or `use name` as a whole word.
fn names(code: &str, name: &str) -> bool {
    // A module of that name is ours, as is what its parent takes from it.
    if code.contains(&format!("mod {name};")) {
        return false;
    }
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().last();
        let after = &code[at + name.len()..];
        let whole =
            before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_' && letter != ':');
        whole && after.starts_with("::")
    })
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The library's files.
fn sources() -> Vec<Source> {
    let sources = below("src");
    assert!(sources.len() > 50, "the whole library");
    sources
}

/// The files of all crates that are published.
fn all_sources() -> Vec<Source> {
    let mut all = sources();
    for folder in [
        "crates/axum-entra-openapi/src",
        "crates/entra-emulator/src",
        "crates/entra-gate/src",
    ] {
        all.extend(below(folder));
    }
    all
}

fn below(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let source = |path: PathBuf| Source {
        path: path
            .strip_prefix(&root)
            .unwrap()
            .iter()
            .map(|part| part.to_string_lossy())
            .collect::<Vec<_>>()
            .join("/"),
        text: fs::read_to_string(&path).unwrap(),
    };
    files::below(&root, "rs").into_iter().map(source).collect()
}
