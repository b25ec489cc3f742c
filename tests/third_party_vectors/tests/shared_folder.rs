//! Where the vectors are that were made elsewhere: read in place, not copied into the project.

use std::path::PathBuf;

use serde_json::Value;

/// The folder, or `None` with a line that says so.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("AXUM_ENTRA_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: shared vectors not found");
    None
}

pub(crate) fn json(name: &str) -> Option<Value> {
    let text = std::fs::read(folder()?.join(name)).unwrap();
    Some(serde_json::from_slice(&text).unwrap())
}

/// A file of one JSON value for each line.
pub(crate) fn lines(name: &str) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(folder()?.join(name)).unwrap();
    Some(
        text.lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}
