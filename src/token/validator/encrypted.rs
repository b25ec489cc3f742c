//! The stage before all others: a token that is encrypted becomes the signed one inside it.

use std::sync::Arc;

use secrecy::SecretString;

use super::Validator;
use crate::token::cache::{InvalidationEpoch, TokenCache};
use crate::token::invalid_token::InvalidToken;
use crate::token::jwe::{self, DecryptedToken, DecryptionKeys};
use crate::token::possession::Possession;
use crate::token::verdict::Verdict;

/// A token as it came, and when.
pub(super) struct Presented<'t> {
    pub(super) text: &'t [u8],
    /// Of the cache, before a key or an authority was chosen: both may change meanwhile.
    pub(super) before: Option<InvalidationEpoch>,
    /// Whether the time is that of the clock.
    pub(super) present: bool,
    /// What the request proves that its sender has.
    pub(super) possession: &'t Possession,
}

impl Validator {
    /// Accepts tokens that are encrypted to these keys, too.
    pub(crate) fn decrypting(mut self, keys: Option<Arc<DecryptionKeys>>) -> Self {
        self.decryption = keys;
        self
    }

    /// `present`: whether `now` is the time of the clock.
    pub(super) fn validate_bytes(
        &self,
        text: &[u8],
        now: u64,
        present: bool,
        possession: &Possession,
    ) -> Verdict {
        let came = Presented {
            text,
            before: self.cache.as_ref().map(TokenCache::epoch),
            present,
            possession,
        };
        match self.decrypted(text) {
            Ok(decrypted) => {
                let signed = decrypted.as_deref().map_or(text, Vec::as_slice);
                self.validate_signed(signed, &came, now)
            }
            Err(invalid) => Verdict::Refused(invalid.into()),
        }
    }

    /// What an encrypted token holds; `None` for a token that is not encrypted, and without keys.
    pub(in crate::token) fn decrypted(
        &self,
        token: &[u8],
    ) -> Result<Option<DecryptedToken>, InvalidToken> {
        match &self.decryption {
            Some(keys) if jwe::is_encrypted(token) => {
                keys.decrypt(token, self.most_bytes).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The signed token that others can read: the decrypted one of an encrypted token, as
    /// Microsoft.Identity.Web sends it on a caller's behalf. `None` if it cannot be decrypted.
    pub(crate) fn signed_token(&self, token: &str) -> Option<SecretString> {
        match self.decrypted(token.as_bytes()).ok()? {
            Some(mut signed) => String::from_utf8(std::mem::take(&mut signed))
                .ok()
                .map(SecretString::from),
            None => Some(token.into()),
        }
    }
}
