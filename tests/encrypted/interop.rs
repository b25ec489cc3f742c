//! Tokens that other libraries encrypted, and what they refuse to decrypt.
//!
//! `.ci/jwe` has `jwcrypto` and `jose` make them, judge them, and then runs this test.

use std::collections::BTreeSet;
use std::path::PathBuf;

use axum_entra::{Authority, Clock, Entra, Tenant, TokenDecryptionKey, UnixTime};
use serde_json::Value;

use crate::world::{API, T0, TENANT, outcome};

#[tokio::test]
async fn what_others_encrypt_is_accepted_and_what_they_refuse_is_not() {
    let Some(folder) = std::env::var_os("AXUM_ENTRA_JWE_INTEROP").map(PathBuf::from) else {
        println!("skipped: no tokens of jwcrypto and jose (run .ci/jwe)");
        return;
    };
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let authority = Authority::entra(Tenant::new(TENANT), API).static_jwks(read("jwks.json"));
    let entra = Entra::builder_for(authority)
        .clock(Clock::from_fn(|| UnixTime::from_secs(T0)))
        .token_decryption_key(TokenDecryptionKey::file(folder.join("key.pem")))
        .build()
        .unwrap();
    let (mut good, mut bad, mut stricter, mut wrong) = (BTreeSet::new(), 0, 0, Vec::new());
    for line in read("judged.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| case[name].as_str().unwrap().to_owned();
        let reason = outcome(&entra, &text("token"));
        let ours = reason == "in";
        match case["change"].as_str() {
            None => {
                if !ours {
                    wrong.push(format!("{case} is refused: {reason}"));
                }
                good.insert((text("by"), text("alg"), text("enc")));
            }
            Some(_) => {
                let theirs = ["jwcrypto", "jose"].map(|by| case[by].as_bool().unwrap());
                if ours && theirs != [true, true] {
                    wrong.push(format!(
                        "{case} is accepted, jwcrypto and jose say {theirs:?}"
                    ));
                }
                bad += usize::from(!theirs[0] && !theirs[1]);
                stricter += usize::from(!ours && theirs.contains(&true));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(good.len(), 16, "2 libraries × 2 × 4");
    assert!(bad > 200, "{bad} that both refuse");
    println!("16 of 16 accepted; {bad} refused by all, {stricter} more by this crate");
}
