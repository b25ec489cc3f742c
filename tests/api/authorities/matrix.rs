//! Each token at each service: accepted where it belongs, and nowhere else.

use axum_entra::{Authority, Tenant};
use entra_emulator::{B2C_POLICY, CONTOSO, Emulator};

use super::{API_ID, Kind, World, has_all_keys, outcome, statically_signed, together};
use crate::clock::eventually;
use crate::signer::key;

#[tokio::test]
async fn a_token_is_let_in_by_its_own_authority_and_by_no_other() {
    let world = World::start().await;
    let kinds = world.kinds();
    assert!(kinds.len() >= 10);
    let mut pairs = 0;
    for service in &kinds {
        let entra = together([service.authority.clone()]);
        has_all_keys(&entra).await;
        for presented in &kinds {
            let found = outcome(&entra, &presented.token).await;
            let pair = format!(
                "a token of {}, a service for {}",
                presented.name, service.name
            );
            if presented.name == service.name {
                assert_eq!(found, "in", "{pair}");
            } else {
                let reasons = ["issuer", "version", "policy"];
                assert!(reasons.contains(&found), "{pair}: {found}");
            }
            pairs += 1;
        }
    }
    println!("{pairs} pairs, of which {} are accepted", kinds.len());
    assert_eq!(pairs, kinds.len() * kinds.len());
}

/// The two versions of one tenant and two policies of one tenant are one authority each.
fn all(kinds: &[Kind], but: Option<&str>) -> Vec<Authority> {
    let kinds = kinds.iter().filter(|kind| Some(kind.name) != but);
    kinds.map(|kind| kind.authority.clone()).collect()
}

/// Without those that would have to be one authority with a neighbour: the versions of one tenant,
/// the policies of one tenant.
fn apart(kinds: Vec<Kind>) -> Vec<Kind> {
    let joint = ["contoso v1.0", "policy 2"];
    kinds
        .into_iter()
        .filter(|kind| !joint.contains(&kind.name))
        .collect()
}

#[tokio::test]
async fn all_authorities_at_once_let_in_each_token_and_without_its_own_none() {
    let world = World::start().await;
    let kinds = apart(world.kinds());
    let entra = together(all(&kinds, None));
    has_all_keys(&entra).await;
    assert_eq!(entra.status().len(), kinds.len());
    for kind in &kinds {
        assert_eq!(outcome(&entra, &kind.token).await, "in", "{}", kind.name);
    }
    for missing in &kinds {
        let entra = together(all(&kinds, Some(missing.name)));
        has_all_keys(&entra).await;
        for kind in &kinds {
            let found = outcome(&entra, &kind.token).await;
            let name = format!("{} without {}", kind.name, missing.name);
            if kind.name == missing.name {
                assert_ne!(found, "in", "{name}");
                assert_ne!(found, "keys_unavailable", "{name}");
            } else {
                assert_eq!(found, "in", "{name}");
            }
        }
    }
}

/// The contract's "policy" row: keys of one policy verify only that policy's tokens.
#[tokio::test]
async fn a_policys_key_signs_for_no_other_policy() {
    let emulator = Emulator::start().await.unwrap();
    let policies = ["b2c_1_susi", "B2C_1_EDIT"];
    let both = Authority::b2c(emulator.url(), Tenant::new(CONTOSO), API_ID, policies);
    let entra = together([both]);
    has_all_keys(&entra).await;
    let token = |policy: &str| emulator.token().policy(policy);
    for policy in [B2C_POLICY, "B2C_1_edit", "b2c_1_Susi"] {
        assert_eq!(
            outcome(&entra, &token(policy).mint()).await,
            "in",
            "{policy}"
        );
    }
    let table = [
        (
            "another policy's key",
            token("B2C_1_edit").claim("tfp", B2C_POLICY),
            "unknown_key",
        ),
        (
            "a policy that is not configured",
            token("B2C_1_reset"),
            "policy",
        ),
        ("no policy", token(B2C_POLICY).without("tfp"), "policy"),
        (
            "in acr",
            token(B2C_POLICY).without("tfp").claim("acr", "b2c_1_SUSI"),
            "in",
        ),
        (
            "tfp before acr",
            token(B2C_POLICY).claim("acr", "B2C_1_edit"),
            "in",
        ),
        (
            "a tid of another tenant",
            token(B2C_POLICY).claim("tid", super::FABRIKAM),
            "in",
        ),
        ("its own tid", token(B2C_POLICY).claim("tid", CONTOSO), "in"),
        (
            "no slash",
            token(B2C_POLICY).issuer(emulator.issuer(CONTOSO)),
            "issuer",
        ),
        ("version 2.0", token(B2C_POLICY).claim("ver", "2.0"), "in"),
        (
            "another API",
            token(B2C_POLICY).audience("api://other"),
            "audience",
        ),
    ];
    for (name, token, expected) in table {
        assert_eq!(outcome(&entra, &token.mint()).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_policy_in_the_issuer_is_the_policy_of_the_token() {
    let emulator = Emulator::builder().tfp_issuer(true).start().await.unwrap();
    let policies = [B2C_POLICY, "B2C_1_edit"];
    let both = Authority::b2c(emulator.url(), Tenant::new(CONTOSO), API_ID, policies);
    let entra = together([both]);
    has_all_keys(&entra).await;
    let token = |policy: &str| emulator.token().policy(policy);
    assert_eq!(outcome(&entra, &token(B2C_POLICY).mint()).await, "in");
    assert_eq!(outcome(&entra, &token("B2C_1_edit").mint()).await, "in");
    let issuer = |policy: &str| format!("{}/tfp/{CONTOSO}/{policy}/v2.0/", emulator.url());
    for (iss, expected) in [
        (issuer("b2c_1_susi"), "in"),
        // Byte for byte what the document states.
        (issuer("B2C_1_susi"), "issuer"),
        (issuer("b2c_1_edit"), "issuer"),
        (format!("{}/{CONTOSO}/v2.0/", emulator.url()), "issuer"),
        (
            issuer("b2c_1_susi").replace(CONTOSO, super::FABRIKAM),
            "issuer",
        ),
    ] {
        let found = outcome(&entra, &token(B2C_POLICY).issuer(iss.clone()).mint()).await;
        assert_eq!(found, expected, "{iss}");
    }
}

#[tokio::test]
async fn one_key_id_in_two_authorities_is_two_keys() {
    let world = World::start().await;
    let kinds = apart(world.kinds());
    let entra = together(all(&kinds, None));
    has_all_keys(&entra).await;
    let kid = world.one.signing_key_id();
    let ours = statically_signed(&world.one, &kid, 0);
    assert_eq!(outcome(&entra, &ours).await, "in");
    // The emulator's key of that id, under the other authority's issuer.
    let issuer = format!("https://login.microsoftonline.com/{}/v2.0", super::STATIC);
    let theirs = world
        .one
        .token()
        .tenant(super::STATIC)
        .issuer(issuer)
        .mint();
    assert_eq!(outcome(&entra, &theirs).await, "bad_signature");
    // And the other way round.
    let claims = serde_json::Value::Object(world.one.token().claims()).to_string();
    let header = serde_json::json!({ "alg": "RS256", "kid": kid }).to_string();
    assert_eq!(
        outcome(&entra, &key(0).sign(&header, &claims)).await,
        "bad_signature"
    );
}

#[tokio::test]
async fn audiences_are_each_authoritys_own() {
    let (one, two) = (
        Emulator::start().await.unwrap(),
        Emulator::start().await.unwrap(),
    );
    let at = |emulator: &Emulator, audience: &str| {
        super::at(emulator, Tenant::new(CONTOSO), API_ID).audience(audience)
    };
    let entra = together([at(&one, "api://one"), at(&two, "api://two")]);
    has_all_keys(&entra).await;
    for (emulator, audience, expected) in [
        (&one, "api://one", "in"),
        (&two, "api://two", "in"),
        (&one, "api://two", "audience"),
        (&two, "api://one", "audience"),
    ] {
        let token = emulator.token().audience(audience).mint();
        assert_eq!(outcome(&entra, &token).await, expected, "{audience}");
    }
}

#[tokio::test]
async fn custom_keys_are_asked_for_on_both_fetches_and_no_other_counts() {
    let world = World::start().await;
    let kinds = world.kinds();
    let own = kinds
        .iter()
        .find(|kind| kind.name == "keys of its own")
        .unwrap();
    world.custom.reset_request_counts();
    let entra = together([own.authority.clone()]);
    has_all_keys(&entra).await;
    assert_eq!(outcome(&entra, &own.token).await, "in");
    for target in world.custom.requests() {
        assert!(
            target.contains(&format!("appid={}", super::OWN_KEYS)),
            "{target}"
        );
    }
    let ordinary = world.custom.token().audience(super::OWN_KEYS);
    let common = ordinary.key(world.custom.signing_key_id()).mint();
    eventually("the cooldown's fetch", || true).await;
    assert_eq!(outcome(&entra, &common).await, "unknown_key");
}
