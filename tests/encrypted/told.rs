//! What is told of encrypted tokens: to the person who holds one, and in metrics.

use axum_entra::Entra;
use axum_entra::explain::{Explanation, Outcome};
use serde_json::json;

use crate::jwe::{Jwe, Recipient, header, sealed, sealed_with};
use crate::world::{T0, decrypting, signed, signed_with};

fn told(entra: &Entra, token: &str) -> (Explanation, String) {
    let explanation = entra.explain_at(token, axum_entra::UnixTime::from_secs(T0));
    let text = explanation.to_string();
    (explanation, text)
}

/// The outcomes of the first steps, by their names.
fn way(explanation: &Explanation) -> Vec<(&str, Outcome)> {
    let steps = explanation.steps().iter();
    steps
        .map(|step| (step.check.as_str(), step.outcome))
        .collect()
}

fn good(to: &Recipient) -> Jwe {
    sealed(to, "RSA-OAEP", "A256CBC-HS512", signed().as_bytes())
}

#[tokio::test]
async fn a_decrypted_token_has_one_step_more_than_a_plain_one() {
    let own = Recipient::new();
    let entra = decrypting(&[&own]);
    let (plain, _) = told(&entra, &signed());
    let (explanation, text) = told(&entra, &good(&own).compact());
    assert!(explanation.is_accepted(), "{text}");
    let steps = way(&explanation);
    assert_eq!(steps[0], ("decryption", Outcome::Passed));
    assert_eq!(steps[1..], way(&plain));
    let first = &explanation.steps()[0];
    let found = first.found.as_deref().unwrap();
    assert!(
        found.contains("alg RSA-OAEP, enc A256CBC-HS512, cty JWT"),
        "{found}"
    );
    // What is shown behind it is of the inner token.
    assert!(
        text.contains("RS256") && text.contains("access_as_user"),
        "{text}"
    );
    // A refusal inside is told as for a plain token.
    let token = signed_with(&json!({ "alg": "RS256", "kid": "x" }), &json!({}));
    let token = sealed(&own, "RSA-OAEP", "A128GCM", token.as_bytes()).compact();
    let (explanation, _) = told(&entra, &token);
    assert_eq!(explanation.reason(), Some("issuer"));
    assert_eq!(way(&explanation)[0], ("decryption", Outcome::Passed));
}

#[tokio::test]
async fn a_token_that_is_not_decrypted_has_a_hint_for_each_cause() {
    let own = Recipient::new();
    let entra = decrypting(&[&own]);
    let with = |change: &str, value: serde_json::Value| {
        let mut header = header("RSA-OAEP", "A256GCM");
        header.insert(change.to_owned(), value);
        sealed_with(&own, "RSA-OAEP", "A256GCM", &header, signed().as_bytes()).compact()
    };
    for (token, hint) in [
        (with("alg", json!("dir")), "not one that is accepted"),
        (with("crit", json!(["exp"])), "not one that is accepted"),
        (
            good(&Recipient::new()).compact(),
            "names no key of TokenDecryptionCredentials",
        ),
    ] {
        let (explanation, text) = told(&entra, &token);
        assert_eq!(explanation.reason(), Some("decryption"));
        let steps = way(&explanation);
        assert_eq!(steps[0], ("decryption", Outcome::Failed));
        assert!(
            steps[1..]
                .iter()
                .all(|(_, outcome)| *outcome == Outcome::Skipped),
            "{text}"
        );
        assert!(explanation.hints()[0].contains(hint), "{text}");
        assert!(!text.contains(&token[100..140]), "{text}");
    }
    let keyed = axum_entra::TokenDecryptionKey::bytes(own.pem()).key_id("k");
    let entra = crate::world::plain()
        .token_decryption_key(keyed)
        .build()
        .unwrap();
    let mut header = header("RSA-OAEP", "A256GCM");
    header.insert("kid".to_owned(), json!("k"));
    let mut changed = sealed_with(&own, "RSA-OAEP", "A256GCM", &header, signed().as_bytes());
    changed.tag[0] ^= 1;
    let (explanation, text) = told(&entra, &changed.compact());
    assert!(
        explanation.hints()[0].contains("names a key that is there"),
        "{text}"
    );
}

#[cfg(feature = "metrics")]
#[test]
fn decryptions_are_counted_by_encryption_and_result() {
    use metrics_exporter_prometheus::PrometheusBuilder;
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _in = runtime.enter();
    let own = Recipient::new();
    let entra = decrypting(&[&own]);
    ::metrics::with_local_recorder(&recorder, || {
        let token = good(&own).compact();
        for _ in 0..3 {
            // The second and third time it is known.
            assert!(runtime.block_on(entra.validate(&token)).is_ok());
        }
        let wrong = good(&Recipient::new()).compact();
        let dir = wrong.replacen(token.split('.').next().unwrap(), "eyJhbGciOiJkaXIifQ", 1);
        for token in [&wrong, &dir] {
            assert!(runtime.block_on(entra.validate(token)).is_err());
        }
    });
    let page = handle.render();
    for line in [
        r#"axum_entra_token_decryptions_total{encryption="RSA-OAEP A256CBC-HS512",result="decrypted"} 1"#,
        r#"axum_entra_token_decryptions_total{encryption="RSA-OAEP A256CBC-HS512",result="refused"} 1"#,
        r#"axum_entra_token_decryptions_total{encryption="none",result="refused"} 1"#,
    ] {
        assert!(page.contains(line), "no {line} in\n{page}");
    }
}
