//! Tokens that others made, good and faulty, through the whole pipeline; and whatever is accepted
//! is compared with another library.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it measured"
)]

mod damaged_tokens;
mod oracle;
mod shared_folder;
#[allow(dead_code, reason = "the API's tests use all of it")]
#[path = "../../api/signer.rs"]
mod signer;

use axum_entra::{Authority, Entra, Rejection, Tenant};
use serde_json::Value;

use oracle::Oracle;

const TENANT: &str = "11111111-2222-4333-8444-555555555555";
const AUDIENCE: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

/// An API that trusts one tenant and these keys; `None` where no key can be used.
fn entra(jwks: &Value) -> Option<Entra> {
    let authority = Authority::entra(Tenant::new(TENANT), AUDIENCE).static_jwks(jwks.to_string());
    Entra::builder_for(authority).build().ok()
}

#[tokio::test]
async fn of_226_bearer_tokens_made_elsewhere_3_pass() {
    let Some(cases) = shared_folder::lines("bearer_wycheproof_rs256.jsonl") else {
        return;
    };
    let jwks = shared_folder::json("bearer_jwks.json").unwrap();
    let config = shared_folder::json("bearer_config.json").unwrap();
    assert_eq!(config["tenant"], TENANT);
    assert_eq!(config["audience"], AUDIENCE);
    let entra = entra(&jwks).unwrap();
    let oracle = Oracle::new(&jwks, config["issuer"].as_str().unwrap(), AUDIENCE);
    assert_eq!(cases.len(), 226);
    let mut passed = 0;
    for case in &cases {
        let token = case["token"].as_str().unwrap();
        // Twice: the second time a good token is a known one.
        for _ in 0..2 {
            let answer = entra.validate(token).await;
            let status = answer
                .as_ref()
                .map_or_else(|no| Rejection::from(no.clone()).status().as_u16(), |_| 200);
            assert_eq!(status, case["expect_status"], "{}", case["id"]);
            if let Err(rejection) = &answer {
                assert_eq!(rejection.reason(), "bad_signature", "{}", case["id"]);
            }
        }
        if case["expect_status"] == 200 {
            passed += 1;
            oracle.must_accept(token);
        }
    }
    assert_eq!(passed, 3);
}

/// Their payloads are no JSON objects, or no claims: not one may pass, however good its signature.
#[tokio::test]
async fn none_of_455_signed_tokens_made_elsewhere_is_an_access_token() {
    let Some(cases) = shared_folder::lines("jws_cases.jsonl") else {
        return;
    };
    assert_eq!(cases.len(), 455);
    let mut without_keys = 0;
    for case in &cases {
        let Some(entra) = entra(&case["jwks"]) else {
            without_keys += 1;
            continue;
        };
        let refused = entra
            .validate(case["token"].as_str().unwrap())
            .await
            .expect_err("no access token");
        let good = case["accept_rs256_only"].as_bool().unwrap();
        let reasons: &[&str] = match (good, case["id"].as_str().unwrap()) {
            // The one payload that is a JSON object names an issuer of its own.
            (true, "rfc7515-A.2") => &["issuer"],
            (true, _) => &["malformed"],
            (false, _) => &["malformed", "algorithm", "critical_header", "issuer"],
        };
        assert!(
            reasons.contains(&refused.reason()),
            "{}: {}",
            case["id"],
            refused.reason()
        );
    }
    println!("{without_keys} of 455 key sets have no key that could be used");
}
