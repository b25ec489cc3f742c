//! The primitive files: one number pair, one message and one signature for each case.

use serde_json::Value;

use super::{elsewhere, from_hex, published};

/// What came of one file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    cases: usize,
    verified: usize,
}

/// Runs every case of a file and calls `expected` for what ought to come of it.
fn run(name: &str, expected: impl Fn(&Value) -> bool) -> Option<Tally> {
    let path = elsewhere::folder()?.join("wycheproof").join(name);
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut tally = Tally::default();
    for group in file["testGroups"].as_array().unwrap() {
        let numbers = &group["publicKey"];
        let key = published(
            &from_hex(&numbers["modulus"]),
            &from_hex(&numbers["publicExponent"]),
        );
        for case in group["tests"].as_array().unwrap() {
            tally.cases += 1;
            let verified = key.as_ref().is_ok_and(|jwk| {
                jwk.key
                    .verifies(&from_hex(&case["msg"]), &from_hex(&case["sig"]))
            });
            tally.verified += usize::from(verified);
            assert_eq!(verified, expected(case), "{name}, case {}", case["tcId"]);
        }
    }
    Some(tally)
}

/// A good RS256 signature is good. "Acceptable" is a digest whose algorithm has no NULL: RFC 8017
/// appendix A.2.4 lets a verifier take it, RFC 7518 section 3.3 knows one encoding, and so do we.
#[test]
fn rs256_agrees_case_by_case() {
    let files = [
        ("rsa_signature_2048_sha256_test.json", 259, 9),
        ("rsa_signature_3072_sha256_test.json", 259, 8),
        ("rsa_signature_4096_sha256_test.json", 258, 7),
        ("rsa_signature_8192_sha256_test.json", 258, 7),
    ];
    for (name, cases, verified) in files {
        let Some(tally) = run(name, |case| case["result"] == "valid") else {
            return;
        };
        assert_eq!(tally, Tally { cases, verified }, "{name}");
    }
}

/// Those sets have a few signatures that are RS256's, as examples of what is wrong *there*.
fn is_rs256_after_all(case: &Value) -> bool {
    let comment = case["comment"].as_str().unwrap();
    comment.starts_with("The message is hashed with SHA-256 instead of ")
        || comment == "PKCS #1 v1.5 signature with SHA-256"
}

#[test]
fn a_signature_with_another_hash_or_padding_is_none() {
    let mut cases = 0;
    for name in [
        "rsa_signature_2048_sha384_test.json",
        "rsa_signature_2048_sha512_test.json",
        "rsa_signature_3072_sha384_test.json",
        "rsa_signature_3072_sha512_test.json",
        "rsa_signature_4096_sha384_test.json",
        "rsa_signature_4096_sha512_test.json",
        "rsa_pss_2048_sha256_mgf1_32_test.json",
        "rsa_pss_2048_sha384_mgf1_48_test.json",
        "rsa_pss_3072_sha256_mgf1_32_test.json",
        "rsa_pss_4096_sha256_mgf1_32_test.json",
        "rsa_pss_4096_sha384_mgf1_48_test.json",
        "rsa_pss_4096_sha512_mgf1_64_test.json",
    ] {
        let Some(tally) = run(name, is_rs256_after_all) else {
            return;
        };
        cases += tally.cases;
    }
    assert_eq!(cases, 2_339);
}
