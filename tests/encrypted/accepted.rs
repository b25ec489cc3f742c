//! What is decrypted, and with which key.

use axum_entra::TokenDecryptionKey;
use miniz_oxide::deflate::compress_to_vec;
use serde_json::json;

use crate::jwe::{ENCRYPTIONS, KEY_ENCRYPTIONS, Recipient, header, sealed, sealed_with};
use crate::world::{T0, claims, decrypting, outcome, plain, signed, signed_with};

#[tokio::test]
async fn each_key_encryption_goes_with_each_content_encryption() {
    let own = Recipient::new();
    let entra = decrypting(&[&own]);
    let mut combinations = 0;
    for alg in KEY_ENCRYPTIONS {
        for enc in ENCRYPTIONS {
            let token = sealed(&own, alg, enc, signed().as_bytes()).compact();
            let claims = entra.validate(&token).await.unwrap();
            assert_eq!(
                claims.scopes().next(),
                Some("access_as_user"),
                "{alg} {enc}"
            );
            // Another time it comes out of the cache.
            assert_eq!(outcome(&entra, &token), "in");
            combinations += 1;
        }
    }
    assert_eq!(combinations, 8);
    // A token that is not encrypted is accepted beside them.
    assert_eq!(outcome(&entra, &signed()), "in");
}

#[tokio::test]
async fn without_a_key_five_parts_are_malformed() {
    let own = Recipient::new();
    let token = sealed(&own, "RSA-OAEP", "A256CBC-HS512", signed().as_bytes()).compact();
    let entra = plain().build().unwrap();
    assert_eq!(outcome(&entra, &token), "malformed");
    assert_eq!(outcome(&decrypting(&[&own]), &token), "in");
    let explanation = entra.explain(&token).await;
    assert!(explanation.hints()[0].contains("TokenDecryptionCredentials"));
}

#[tokio::test]
async fn the_letter_case_of_cty_and_an_absent_typ_do_not_matter() {
    let own = Recipient::new();
    let entra = decrypting(&[&own]);
    let with = |change: serde_json::Value| {
        let mut header = header("RSA-OAEP-256", "A128GCM");
        for (name, value) in change.as_object().unwrap() {
            match value.is_null() {
                true => header.remove(name),
                false => header.insert(name.clone(), value.clone()),
            };
        }
        let token = sealed_with(
            &own,
            "RSA-OAEP-256",
            "A128GCM",
            &header,
            signed().as_bytes(),
        );
        outcome(&entra, &token.compact())
    };
    assert_eq!(with(json!({ "cty": "jwt" })), "in");
    assert_eq!(with(json!({ "typ": null })), "in");
    assert_eq!(with(json!({ "typ": "JWE" })), "in");
    // Members that mean nothing to RSA-OAEP, and names of no key.
    assert_eq!(
        with(json!({ "kid": "another", "x5t": "AAAA", "p2c": 9, "epk": {}, "jku": "https://x/" })),
        "in"
    );
    assert_eq!(with(json!({ "cty": null })), "decryption");
    assert_eq!(with(json!({ "cty": "at+jwt" })), "decryption");
    assert_eq!(with(json!({ "typ": 5 })), "malformed");
}

#[tokio::test]
async fn the_inner_token_takes_the_whole_ordinary_way() {
    let own = Recipient::new();
    let entra = decrypting(&[&own]);
    let sealed = |token: String| {
        let token = sealed(&own, "RSA-OAEP", "A256GCM", token.as_bytes());
        outcome(&entra, &token.compact())
    };
    let header = json!({ "alg": "RS256", "kid": "key-1" });
    let changed = |name: &str, value: serde_json::Value| {
        let mut claims = claims();
        claims.insert(name.to_owned(), value);
        signed_with(&header, &claims.into())
    };
    for (token, reason) in [
        (signed(), "in"),
        (changed("aud", json!("another")), "audience"),
        (changed("exp", json!(T0 - 1)), "expired"),
        (changed("iss", json!("https://evil.example/")), "issuer"),
        (changed("cnf", json!({ "kid": "x" })), "sender_constrained"),
        (changed("scp", json!("")), "no_permissions"),
        (
            signed_with(&json!({ "alg": "none" }), &claims().into()),
            "algorithm",
        ),
        (
            signed_with(&json!({ "alg": "RS256", "kid": "x" }), &claims().into()),
            "unknown_key",
        ),
        (
            signed_with(
                &json!({ "alg": "RS256", "kid": "key-1", "typ": "logout+jwt" }),
                &claims().into(),
            ),
            "token_type",
        ),
    ] {
        // The same as for the plain token.
        assert_eq!(outcome(&entra, &token), reason, "plain");
        assert_eq!(sealed(token), reason);
    }
}

#[tokio::test]
async fn compressed_content_is_inflated_within_the_limit_on_tokens() {
    let own = Recipient::new();
    let keyed = |most| {
        let key = TokenDecryptionKey::bytes(own.pem());
        let builder = plain().token_decryption_key(key).max_token_size(most);
        builder.build().unwrap()
    };
    let mut header = header("RSA-OAEP", "A128CBC-HS256");
    header.insert("zip".to_owned(), json!("DEF"));
    let zipped = |content: &[u8]| {
        let content = compress_to_vec(content, 9);
        sealed_with(&own, "RSA-OAEP", "A128CBC-HS256", &header, &content).compact()
    };
    let mut large = claims();
    large.insert("groups".to_owned(), json!(vec!["0".repeat(36); 200]));
    let large = signed_with(&json!({ "alg": "RS256", "kid": "key-1" }), &large.into());
    let token = zipped(large.as_bytes());
    assert!(token.len() < 3_000 && large.len() > 10_000);
    assert_eq!(outcome(&keyed(large.len()), &token), "in");
    assert_eq!(outcome(&keyed(large.len() - 1), &token), "too_large");
    assert_eq!(outcome(&keyed(large.len() - 1), &large), "too_large");
    // A hundred megabytes of zeros, in as many kilobytes.
    let bomb = zipped(&vec![0; 100_000_000]);
    assert!(bomb.len() < 262_144);
    assert_eq!(outcome(&keyed(262_144), &bomb), "too_large");
    // The limit on what comes in holds before anything is decoded.
    assert_eq!(
        outcome(&keyed(1_024), &zipped(signed().as_bytes())),
        "too_large"
    );
}

#[tokio::test]
async fn during_a_change_of_keys_tokens_of_each_are_decrypted_four_keys_at_most() {
    let keys: Vec<Recipient> = (0..6).map(|_| Recipient::new()).collect();
    let all: Vec<&Recipient> = keys.iter().collect();
    let named = |number: usize| {
        let key = TokenDecryptionKey::bytes(keys[number].pem());
        key.key_id(format!("key {number}"))
    };
    let token = |number: usize, kid: Option<&str>| {
        let mut header = header("RSA-OAEP", "A256CBC-HS512");
        if let Some(kid) = kid {
            header.insert("kid".to_owned(), json!(kid));
        }
        let to = &keys[number];
        sealed_with(
            to,
            "RSA-OAEP",
            "A256CBC-HS512",
            &header,
            signed().as_bytes(),
        )
        .compact()
    };
    // Without a name: the first four.
    let entra = decrypting(&all);
    let found: Vec<_> = (0..6)
        .map(|number| outcome(&entra, &token(number, None)))
        .collect();
    assert_eq!(found, ["in", "in", "in", "in", "decryption", "decryption"]);
    // The one that is named goes first, so the sixth is found, too.
    let entra = (0..6)
        .fold(plain(), |builder, number| {
            builder.token_decryption_key(named(number))
        })
        .build()
        .unwrap();
    assert_eq!(outcome(&entra, &token(5, Some("key 5"))), "in");
    assert_eq!(outcome(&entra, &token(5, Some("key 9"))), "decryption");
    // A wrong name is no more than a wrong name.
    assert_eq!(outcome(&entra, &token(0, Some("key 5"))), "in");
    assert_eq!(outcome(&entra, &token(2, Some("key 5"))), "in");
    assert_eq!(outcome(&entra, &token(3, Some("key 5"))), "decryption");
}

#[tokio::test]
async fn a_key_shows_nothing_of_itself() {
    let own = Recipient::new();
    let key = TokenDecryptionKey::bytes(own.pem())
        .password("hush")
        .key_id("k");
    let told = format!("{key:?} {:?}", plain().token_decryption_key(key.clone()));
    assert!(!told.contains("hush") && !told.contains("BEGIN"), "{told}");
    let error = plain().token_decryption_key(key).build().unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(
        told.starts_with("TokenDecryptionCredentials: found "),
        "{told}"
    );
    assert!(!told.contains("hush") && !told.contains("MII"), "{told}");
}
