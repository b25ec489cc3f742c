//! The files that tests about the tree itself read.

use std::fs;
use std::path::{Path, PathBuf};

/// All files with an extension at or below a folder, in order; paths begin with the folder's.
pub(crate) fn below(folder: impl AsRef<Path>, extension: &str) -> Vec<PathBuf> {
    let mut open = vec![folder.as_ref().to_owned()];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.extension().is_some_and(|end| end == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}
