//! RSA keys that tell their own factors (ROCA, CVE-2017-15361).
//!
//! A library of smart cards and TPMs made primes of the form `k·M + (65537^a mod M)`, M the product
//! of the first primes. A modulus of two of them is a power of 65537 modulo each of those primes,
//! and can be factored in practice. Source: Nemec, Sys, Svenda, Klinec and Matyas, "The Return of
//! Coppersmith's Attack", CCS 2017, section 3.1.

/// The primes that divide M for every size of key.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

const GENERATOR: u32 = 65_537;

/// Whether a modulus (big-endian) was made that way; for any other the chance is below 2⁻²⁷.
pub(super) fn has_fingerprint(modulus: &[u8]) -> bool {
    PRIMES
        .iter()
        .all(|prime| is_power_of_generator(remainder(modulus, *prime), *prime))
}

#[allow(
    clippy::arithmetic_side_effects,
    reason = "a byte behind a number below 167"
)]
fn remainder(number: &[u8], prime: u32) -> u32 {
    number
        .iter()
        .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime)
}

#[allow(
    clippy::arithmetic_side_effects,
    reason = "products of numbers below 167"
)]
fn is_power_of_generator(number: u32, prime: u32) -> bool {
    let step = GENERATOR % prime;
    let mut power = 1;
    // The powers repeat before there are as many as the prime.
    for _ in 0..prime {
        if power == number {
            return true;
        }
        power = power * step % prime;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_of_the_generator_is_told_from_other_numbers() {
        // 65537³ has 49 bits; one more is no power of it modulo 3 already.
        let cube: u64 = 65_537 * 65_537 * 65_537;
        assert!(has_fingerprint(&cube.to_be_bytes()));
        assert!(!has_fingerprint(&(cube + 2).to_be_bytes()));
        assert!(!has_fingerprint(&[]));
    }
}
