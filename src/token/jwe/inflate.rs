//! The one file that imports `miniz_oxide`: `zip` `DEF` (RFC 7516 section 4.1.3).

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use secrecy::zeroize::Zeroizing;

use super::DecryptedToken;
use crate::token::invalid_token::InvalidToken;

/// Inflates raw DEFLATE (RFC 1951) to at most so many bytes; memory never grows beyond that.
pub(super) fn inflate(deflated: &[u8], most_bytes: usize) -> Result<DecryptedToken, InvalidToken> {
    match decompress_to_vec_with_limit(deflated, most_bytes) {
        Ok(token) => Ok(Zeroizing::new(token)),
        Err(error) => {
            let _wiped = Zeroizing::new(error.output);
            Err(match error.status {
                TINFLStatus::HasMoreOutput => InvalidToken::TooLarge {
                    bytes: most_bytes.saturating_add(1),
                    limit: most_bytes,
                },
                _ => InvalidToken::Decryption,
            })
        }
    }
}
