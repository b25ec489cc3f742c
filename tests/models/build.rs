//! Copies the library's source, exchanges the two files that name locks, atomics and `arc_swap`, makes constants
//! small, and puts each seeded fault behind a name. Each text that is exchanged must be there exactly once: what
//! changes in the library changes here too, or nothing compiles.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "src/changes.rs"]
mod changes;

fn main() {
    let own = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo"));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo")).join("library");
    let source = own.join("../../src");
    println!("cargo::rerun-if-changed={}", source.display());
    println!("cargo::rerun-if-changed=src/changes.rs");
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
    let _ = fs::remove_dir_all(&out);
    copy(&source, &out);

    for (file, before, after) in changes::EVERY {
        exchange(&out.join(file), before, after);
    }
    for (name, file, before, after) in changes::FAULTS {
        let fault = after.replace("FAULT", &format!("crate::sync::fault(\"{name}\")"));
        exchange(&out.join(file), before, &fault);
    }
    for (file, module) in changes::MODELS {
        let module = own.join("src").join(module);
        let text = fs::read_to_string(out.join(file)).expect(file);
        let text = format!("{text}\n#[path = {module:?}]\npub(crate) mod models;\n");
        fs::write(out.join(file), text).expect(file);
    }
    // Where accesses are counted, `arc_swap` is the real one.
    let counted = std::env::var_os("CARGO_FEATURE_LOOM")
        .or(std::env::var_os("CARGO_FEATURE_SHUTTLE"))
        .is_none();
    if counted {
        for (file, before, after) in changes::COUNTED {
            exchange(&out.join(file), before, after);
        }
    }
    let exchanged: &[&str] = if counted {
        &["sync.rs"]
    } else {
        &["sync.rs", "snapshot.rs"]
    };
    for name in exchanged {
        let module = own.join("src").join(name);
        fs::write(out.join(name), format!("include!({module:?});\n")).expect(name);
    }

    // The root module is included, and so has no inner attributes.
    let root = fs::read_to_string(out.join("lib.rs")).expect("lib.rs");
    let lines = root
        .lines()
        .filter(|line| !line.starts_with("//!") && !line.starts_with("#!["));
    fs::write(out.join("lib.rs"), lines.collect::<Vec<_>>().join("\n")).expect("lib.rs");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the library's source") {
        let entry = entry.expect("the library's source");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a copy");
        }
    }
}

fn exchange(file: &Path, before: &str, after: &str) {
    let text = fs::read_to_string(file).unwrap_or_else(|_| panic!("{}", file.display()));
    let found = text.matches(before).count();
    assert_eq!(found, 1, "{} has {found} times: {before}", file.display());
    fs::write(file, text.replacen(before, after, 1)).expect("a changed file");
}
