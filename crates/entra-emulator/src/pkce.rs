//! Proof Key for Code Exchange (RFC 7636), `S256` only.

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::URL_SAFE_NO_PAD;

/// Whether a challenge has the form that RFC 7636 §4.2 gives one.
pub(super) fn is_challenge(text: &str) -> bool {
    LENGTHS.contains(&text.len()) && text.bytes().all(is_unreserved)
}

/// Whether the challenge was made of this verifier.
pub(super) fn is_proof(verifier: &str, challenge: &str) -> bool {
    let made = URL_SAFE_NO_PAD.encode_to_string(digest(&SHA256, verifier.as_bytes()));
    is_challenge(verifier) && made == challenge
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

// RFC 7636 §4.1 and §4.2.
const LENGTHS: std::ops::RangeInclusive<usize> = 43..=128;

#[cfg(test)]
mod tests {
    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_is_a_proof_and_no_other_verifier_is() {
        assert!(super::is_challenge(CHALLENGE));
        assert!(super::is_proof(VERIFIER, CHALLENGE));
        assert!(!super::is_proof(&VERIFIER.replace('d', "e"), CHALLENGE));
        assert!(!super::is_proof("short", CHALLENGE));
        assert!(!super::is_challenge(&CHALLENGE[1..]));
    }
}
