//! Nonces of this API for signed HTTP requests: made without memory, known again by their MAC.

use std::time::Duration;

use crate::jwks::HashKey;
use crate::token::base64url;

/// Makes nonces and knows its own. Replicas with one key know each other's.
#[derive(Clone)]
pub(crate) struct Nonces {
    key: HashKey,
    lifetime: u64,
}

/// Half of the MAC: as hard to guess as an AES key.
const MAC_BYTES: usize = 16;

impl Nonces {
    pub(crate) fn keyed(key: &[u8], lifetime: Duration) -> Self {
        Self {
            key: HashKey::new(key),
            lifetime: lifetime.as_secs(),
        }
    }

    /// A nonce of this second: its time and a MAC, in base64url.
    pub(in crate::middleware) fn make(&self, now: u64) -> String {
        base64url(&self.bytes(now))
    }

    /// Whether a nonce is one of these and not too old. Replicas' clocks may be a little apart.
    pub(super) fn has_made(&self, nonce: &str, now: u64) -> bool {
        let Ok(bytes) = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(nonce) else {
            return false;
        };
        let Some((time, _)) = bytes.split_first_chunk() else {
            return false;
        };
        let made = u64::from_be_bytes(*time);
        let own = self.bytes(made);
        // Without a branch for a byte, so that the time it takes says nothing of the MAC.
        let same = own.len() == bytes.len()
            && own.iter().zip(&bytes).fold(0, |all, (a, b)| all | (a ^ b)) == 0;
        same && now.saturating_sub(made) <= self.lifetime && made.saturating_sub(now) <= APART
    }

    fn bytes(&self, time: u64) -> Vec<u8> {
        let time = time.to_be_bytes();
        let mac = self.key.hash(&[b"axum-entra PoP nonce", &time]);
        let mac = mac.as_ref().iter().take(MAC_BYTES);
        time.iter().chain(mac).copied().collect()
    }
}

/// How far ahead the clock of another replica may be, in seconds.
const APART: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_for_its_lifetime_and_for_the_holder_of_the_key() {
        let nonces = Nonces::keyed(b"key", Duration::from_secs(60));
        let nonce = nonces.make(1_000);
        for (now, good) in [
            (994, false),
            (995, true),
            (1_000, true),
            (1_060, true),
            (1_061, false),
        ] {
            assert_eq!(nonces.has_made(&nonce, now), good, "{now}");
        }
        let other = Nonces::keyed(b"other", Duration::from_secs(60));
        assert!(!other.has_made(&nonce, 1_000));
        for bad in ["", "AAAA", "=", &nonce[1..], &format!("{nonce}AAAA")] {
            assert!(!nonces.has_made(bad, 1_000), "{bad}");
        }
        let mut bytes = nonces.bytes(1_000);
        bytes[7] = bytes[7].wrapping_add(1);
        assert!(!nonces.has_made(&base64url(&bytes), 1_000));
    }
}
