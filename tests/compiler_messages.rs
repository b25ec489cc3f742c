//! What the compiler says of a wrong guard, extractor or check is the sentence that was written for it.
//!
//! Each program is compiled against the library that this test was built with, and only the sentence itself is
//! looked for: what the compiler writes around it is another thing in every release.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says what it left out"
)]

mod files;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program's wrong line, the right one, and the sentence.
const TABLE: [(&str, &str, &str); 7] = [
    (
        "let _ = GuardLayer::new(42);",
        "let _ = GuardLayer::new(RequireScope(\"Todo.Read\"));",
        "`{integer}` is not a guard",
    ),
    (
        "let _ = RequireScope(\"Todo.Read\").and(\"Todo.Admin\");",
        "let _ = RequireScope(\"Todo.Read\").and(RequireRole(\"Todo.Admin\"));",
        "`&str` is not a guard",
    ),
    (
        "let _ = GuardLayer::new(RequireRole([\"a\", \"b\"]));",
        "let _ = GuardLayer::new(RequireRole::any([\"a\", \"b\"]));",
        "`[&str; 2]` is neither a name nor a list of names that a guard takes",
    ),
    (
        "let _ = RequireRole::any::<&str, 0>([]);",
        "let _ = RequireRole::any([\"a\"]);",
        "a guard on an empty list",
    ),
    (
        "from_state::<RequireScope<&str>, ()>();",
        "guards! { CanRead = RequireScope(\"Todo.Read\"); } from_state::<CanRead, ()>();",
        "`Permit<RequireScope<&str>>` cannot get its guard from the state `()`",
    ),
    (
        "async fn check(_: Claims) {} let _ = check_fn(check);",
        "async fn check(_: Claims) -> Result<(), Rejection> { Ok(()) } let _ = check_fn(check);",
        "` is not a check",
    ),
    (
        "fn check(_: Claims) -> Result<(), Rejection> { Ok(()) } let _ = check_fn(check);",
        "async fn check() -> Result<(), Rejection> { Ok(()) } let _ = check_fn(check);",
        "` is not a check",
    ),
];

fn program(line: &str) -> String {
    format!(
        "#![allow(unused_imports)]
        use axum_entra::guard::{{Guard, RequireRole, RequireScope}};
        use axum_entra::middleware::{{GuardFromState, check_fn}};
        use axum_entra::{{Claims, GuardLayer, Rejection, guards}};
        pub fn from_state<G: GuardFromState<S>, S>() {{}}
        pub fn program() {{ {line} }}"
    )
}

/// What the compiler says; empty where the program is right.
fn compile(library: &Path, program: &str) -> String {
    let folder = library.parent().unwrap();
    // Lists are looked at when code is made of them, so metadata are not enough.
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiler_messages.o");
    let mut compiler = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=obj",
            "--color=never",
            "-",
        ])
        .arg("-o")
        .arg(out)
        .arg("--extern")
        .arg(format!("axum_entra={}", library.display()))
        .arg("-L")
        .arg(format!("dependency={}", folder.display()))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    compiler
        .stdin
        .take()
        .unwrap()
        .write_all(program.as_bytes())
        .unwrap();
    let output = compiler.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    match output.status.success() {
        true => String::new(),
        false => said,
    }
}

/// The builds of the library beside this test, the newest first: other features, other compilers.
fn libraries() -> Vec<PathBuf> {
    let test = std::env::current_exe().unwrap();
    let files = fs::read_dir(test.parent().unwrap()).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let mut builds: Vec<PathBuf> = files
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("libaxum_entra-") && name.ends_with(".rlib")
        })
        .collect();
    builds.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().modified().unwrap()));
    builds
}

#[test]
fn a_wrong_guard_extractor_or_check_is_told_in_a_sentence_of_ours() {
    let libraries = libraries();
    if libraries.is_empty() {
        println!("skipped: no build of the library beside this test");
        return;
    }
    let mut said = String::new();
    let library = libraries.iter().find(|library| {
        said = compile(library, &program(""));
        said.is_empty()
    });
    let library = library.unwrap_or_else(|| panic!("no library can be used: {said}"));
    for (wrong, right, sentence) in TABLE {
        let said = compile(library, &program(right));
        assert_eq!(said, "", "{right}");
        let said = compile(library, &program(wrong));
        assert!(said.contains(sentence), "{wrong} is told: {said}");
    }
}

#[test]
fn every_sentence_for_the_compiler_is_tried() {
    let sources = files::below(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "rs");
    let texts = sources.iter().map(|path| fs::read_to_string(path).unwrap());
    let texts: String = texts.collect();
    let mut attributes = texts.split("#[diagnostic::on_unimplemented(");
    attributes.next();
    let mut tried = 0;
    for attribute in attributes {
        let message = attribute.split("message = \"").nth(1).unwrap();
        let end = message
            .split('"')
            .next()
            .unwrap()
            .rsplit('}')
            .next()
            .unwrap();
        assert!(
            TABLE.iter().any(|(.., sentence)| sentence.contains(end)),
            "{end}"
        );
        tried += 1;
    }
    assert!(tried > 3, "{tried}");
}
