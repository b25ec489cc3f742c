//! Key pairs that all emulators of one process share, because making them is slow.

use std::sync::{Arc, Mutex, PoisonError};

use super::{error::EmulatorError, signing_key::SigningKey};

/// Grows when an emulator needs one more key; nothing in it outlives the process.
static POOL: Mutex<Vec<Arc<SigningKey>>> = Mutex::new(Vec::new());

/// The pool's key number `index`, made now if it was not needed before.
///
/// Two emulators that draw the same number get the same key. Their issuers differ.
pub(super) fn key(index: usize) -> Result<Arc<SigningKey>, EmulatorError> {
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(key) = pool.get(index) {
            return Ok(Arc::clone(key));
        }
        pool.push(Arc::new(SigningKey::generate()?));
    }
}
