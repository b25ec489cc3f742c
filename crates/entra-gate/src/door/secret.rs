//! The text that only the proxy and the gate know.

use std::fmt;
use std::path::Path;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::HeaderMap;

use crate::original::only;

/// The header with the door secret, and the gRPC metadata.
const HEADER: &str = "x-entra-door";

/// What every question has to bring besides.
#[derive(Clone)]
pub(crate) struct DoorSecret(Vec<u8>);

impl DoorSecret {
    /// Reads the secret; white space at its ends is no part of it.
    ///
    /// # Errors
    /// One line, for a file that cannot be read and for a text that no header can carry.
    pub(crate) fn load(file: &Path) -> Result<Self, String> {
        let expected = "expected a file with a text of visible ASCII";
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("--door-secret {}: {expected}: {error}", file.display()))?;
        let text = text.trim();
        match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(Self(text.as_bytes().to_vec())),
            false => Err(format!("--door-secret {}: {expected}", file.display())),
        }
    }

    #[cfg(all(test, feature = "grpc"))]
    pub(super) fn of(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    /// Whether the question has it, once; compared in constant time.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        only(headers, HEADER)
            .is_some_and(|value| verify_slices_are_equal(value.as_bytes(), &self.0).is_ok())
    }
}

impl fmt::Debug for DoorSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DoorSecret")
    }
}
