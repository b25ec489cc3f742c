//! Encrypted access tokens: JWE in its compact form (RFC 7516), around a signed token.
//!
//! Decryption proves nothing about the sender: anyone can encrypt to a public key. What comes out
//! takes the whole way of a token that came in plain.

mod header;
mod inflate;
mod key;
mod reload;

use std::sync::Arc;

use memchr::memchr_iter;
use secrecy::zeroize::Zeroizing;

use super::decode_buffer::DecodeBuffer;
use super::invalid_token::InvalidToken;
use crate::jwks::{ContentEncryption, KeyEncryption};
use crate::snapshot::Published;

use header::JweHeader;
use inflate::inflate;
use key::LoadedKey;
pub use key::TokenDecryptionKey;

/// The private keys that tokens may be encrypted to; another set is published when a file changes.
#[derive(Debug)]
pub(crate) struct DecryptionKeys {
    keys: Published<Vec<Arc<LoadedKey>>>,
}

/// A signed token that was encrypted; wiped when it is dropped.
pub(crate) type DecryptedToken = Zeroizing<Vec<u8>>;

/// More keys than a change of keys needs; each costs an RSA operation where none fits.
const MOST_TRIED: usize = 4;

/// Dots of a compact JWE (RFC 7516 section 3.1).
const DOTS: usize = 4;

/// Whether a token has the five parts of a JWE.
pub(crate) fn is_encrypted(token: &[u8]) -> bool {
    memchr_iter(b'.', token).take(DOTS + 1).count() == DOTS
}

impl DecryptionKeys {
    fn new(keys: Vec<Arc<LoadedKey>>) -> Self {
        Self {
            keys: Published::from_pointee(keys),
        }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.keys.load().len()
    }

    /// Whether one of the keys has a name that a header gives; an error where the header itself is
    /// refused.
    pub(super) fn names(&self, header: &[u8]) -> Result<bool, InvalidToken> {
        let header = JweHeader::read(header)?;
        let keys = self.keys.load();
        Ok(keys.iter().any(|key| key.is_named(&header.names)))
    }

    /// Size, five parts, header, base64url; then each key until one decrypts, and the limit on
    /// what comes out.
    ///
    /// Every failure behind the header is the same [`InvalidToken::Decryption`], after the same
    /// work: neither the key nor the content is distinguished from the other.
    pub(crate) fn decrypt(
        &self,
        token: &[u8],
        most_bytes: usize,
    ) -> Result<DecryptedToken, InvalidToken> {
        let (result, encryption) = self.decrypt_and_name(token, most_bytes);
        crate::metrics::token_decrypted(encryption, result.is_ok());
        result
    }

    fn decrypt_and_name(
        &self,
        token: &[u8],
        most_bytes: usize,
    ) -> (Result<DecryptedToken, InvalidToken>, &'static str) {
        if token.len() > most_bytes {
            let refused = InvalidToken::TooLarge {
                bytes: token.len(),
                limit: most_bytes,
            };
            return (Err(refused), "none");
        }
        let mut buffer = DecodeBuffer::new();
        let mut room = buffer.room(token.len());
        let mut parts = token.split(|byte| *byte == b'.');
        let mut part = || parts.next().unwrap_or_default();
        let protected = part();
        let header = room.decode(protected).and_then(JweHeader::read);
        let header = match header {
            Ok(header) => header,
            Err(invalid) => return (Err(invalid), "none"),
        };
        let mut decoded = || room.decode(part());
        let parts = (|| Ok([decoded()?, decoded()?, decoded()?, decoded()?]))();
        let result = parts.and_then(|[encrypted_key, vector, ciphertext, tag]| {
            let content = self.content(&header, encrypted_key, |key| {
                key.open(vector, ciphertext, tag, protected).ok()
            });
            let content = content.ok_or(InvalidToken::Decryption)?;
            let token = match header.compressed {
                true => inflate(&content, most_bytes)?,
                false => content,
            };
            // Signed inside encrypted, once: nothing is unwrapped a second time.
            if is_encrypted(&token) {
                return Err(InvalidToken::Decryption);
            }
            Ok(token)
        });
        (result, name(header.key_encryption, header.encryption))
    }

    /// Tries the keys that the header names, then the others.
    fn content(
        &self,
        header: &JweHeader<'_>,
        encrypted_key: &[u8],
        open: impl Fn(&crate::jwks::ContentKey) -> Option<DecryptedToken>,
    ) -> Option<DecryptedToken> {
        let keys = self.keys.load();
        let named = |key: &&Arc<LoadedKey>| key.is_named(&header.names);
        let first = keys.iter().filter(named);
        let others = keys.iter().filter(|key| !named(key));
        first.chain(others).take(MOST_TRIED).find_map(|key| {
            let content_key = key.decrypting().content_key(
                header.key_encryption,
                header.encryption,
                encrypted_key,
            );
            open(&content_key.ok()?)
        })
    }

    /// Publishes another set; whether a key of the former one is gone.
    fn replace(&self, keys: Vec<Arc<LoadedKey>>) -> bool {
        let before = self.keys.swap(Arc::new(keys));
        let after = self.keys.load();
        let is_there = |key: &Arc<LoadedKey>| after.iter().any(|own| own.is_same(key));
        !before.iter().all(is_there)
    }
}

/// Both algorithms as one label, of which there are eight.
const fn name(key: KeyEncryption, content: ContentEncryption) -> &'static str {
    use ContentEncryption::{A128CbcHs256, A128Gcm, A256CbcHs512, A256Gcm};
    use KeyEncryption::{RsaOaep, RsaOaep256};
    match (key, content) {
        (RsaOaep, A128CbcHs256) => "RSA-OAEP A128CBC-HS256",
        (RsaOaep, A256CbcHs512) => "RSA-OAEP A256CBC-HS512",
        (RsaOaep, A128Gcm) => "RSA-OAEP A128GCM",
        (RsaOaep, A256Gcm) => "RSA-OAEP A256GCM",
        (RsaOaep256, A128CbcHs256) => "RSA-OAEP-256 A128CBC-HS256",
        (RsaOaep256, A256CbcHs512) => "RSA-OAEP-256 A256CBC-HS512",
        (RsaOaep256, A128Gcm) => "RSA-OAEP-256 A128GCM",
        (RsaOaep256, A256Gcm) => "RSA-OAEP-256 A256GCM",
    }
}
