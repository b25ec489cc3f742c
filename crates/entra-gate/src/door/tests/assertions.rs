//! Assertions, and the rules that change while they are on their way.

use entra_emulator::{ALICE, CLI_ID, CONTOSO};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::super::Door;
use super::world::{Asked, PROXIES, Told, World};

fn rules(more: &str) -> String {
    format!(
        r#"
[[rule]]
path = "/open"
allow = "open"
[[rule]]
path = "/optional"
allow = "optional"
[[rule]]
path = "/me"
allow = "authenticated"
[assertion]
audience = "todos"
{more}
"#
    )
}

/// The claims of an assertion that the published keys verify.
async fn verified(world: &World, told: &Told) -> Value {
    let token = told.header("x-entra-assertion").unwrap();
    let header = decode_header(token).unwrap();
    let request = http::Request::get("/.well-known/jwks.json")
        .body(())
        .unwrap();
    let keys = world.send(request).await;
    assert_eq!(keys.status, 200);
    let keys: JwkSet = serde_json::from_value(keys.body).unwrap();
    let key = keys.find(header.kid.as_deref().unwrap()).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.algorithms = vec![Algorithm::ES256, Algorithm::RS256];
    validation.algorithms.retain(|own| *own == header.alg);
    validation.set_audience(&["todos"]);
    validation.set_issuer(&["entra-gate"]);
    decode(token, &DecodingKey::from_jwk(key).unwrap(), &validation)
        .unwrap()
        .claims
}

#[tokio::test]
async fn an_assertion_says_what_the_headers_say() {
    let world = World::new(&rules("lifetime_seconds = 30")).await;
    let token = world
        .emulator
        .token()
        .user(ALICE)
        .client(CLI_ID)
        .scope("Todo.Read Data.Read");
    let token = token.roles(["Task Admin"]).mint();
    let mut ids = std::collections::BTreeSet::new();
    for door in PROXIES {
        let told = world.ask(door, &Asked::get("/me").bearer(&token)).await;
        let claims = verified(&world, &told).await;
        for (name, expected) in [
            ("tid", CONTOSO),
            ("oid", ALICE),
            ("azp", CLI_ID),
            ("scp", "Todo.Read Data.Read"),
            ("principal", "user"),
        ] {
            assert_eq!(claims[name], expected, "{door:?} {name}");
        }
        assert_eq!(claims["roles"], serde_json::json!(["Task Admin"]));
        assert_eq!(claims.get("agent"), None);
        let time = |name: &str| claims[name].as_u64().unwrap();
        assert_eq!(time("exp") - time("iat"), 30);
        assert!(ids.insert(claims["jti"].to_string()), "each has its own id");
        // A caller without a token has no identity, and on open the token is not looked at.
        let anonymous = world.ask(door, &Asked::get("/optional")).await;
        let claims = verified(&world, &anonymous).await;
        for name in ["tid", "oid", "azp", "scp", "roles", "principal", "agent"] {
            assert_eq!(claims.get(name), None, "{door:?} {name}");
        }
        let open = world.ask(door, &Asked::get("/open").bearer(&token)).await;
        assert_eq!(open.header("x-entra-assertion"), None, "{door:?}");
        let refused = world.ask(door, &Asked::get("/me")).await;
        assert_eq!(refused.header("x-entra-assertion"), None, "{door:?}");
    }
}

#[tokio::test]
async fn a_new_key_leaves_the_old_one_published() {
    let world = World::new(&rules("")).await;
    let token = world.user("Todo.Read");
    let asked = Asked::get("/me").bearer(&token);
    let before = world.ask(Door::Forward, &asked).await;
    // Another key: here the one that `load` makes, as a changed key file would be.
    world.load(&world.file("rules.toml")).unwrap();
    let after = world.ask(Door::Forward, &asked).await;
    let id = |told: &Told| {
        decode_header(told.header("x-entra-assertion").unwrap())
            .unwrap()
            .kid
    };
    assert_ne!(id(&before), id(&after));
    verified(&world, &before).await;
    verified(&world, &after).await;
}

#[tokio::test]
async fn a_wrong_key_file_is_told_at_its_place_and_the_old_rules_stay() {
    let world = World::new(&rules("")).await;
    let file = world.file("rules.toml");
    std::fs::write(world.file("key.pem"), "no key").unwrap();
    std::fs::write(&file, rules("key_file = \"key.pem\"")).unwrap();
    let error = world.load(&file).unwrap_err();
    assert!(
        error.contains("rules.toml:13:12: assertion.key_file: expected"),
        "{error}"
    );
    std::fs::write(&file, "[[rule]]\n").unwrap();
    assert!(world.load(&file).is_err());
    let asked = Asked::get("/me").bearer(&world.user("Todo.Read"));
    assert_eq!(world.ask(Door::Forward, &asked).await.status, 200);
    // The counterpart: good rules replace the old ones.
    std::fs::write(&file, "[[rule]]\npath = \"/\"\nallow = \"open\"\n").unwrap();
    world.load(&file).unwrap();
    assert_eq!(world.ask(Door::Forward, &asked).await.reason(), "no_rule");
}
