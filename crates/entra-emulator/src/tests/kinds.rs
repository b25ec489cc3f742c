//! The kinds of tokens, distinguished by the claims that Entra gives them.

use std::time::Duration;

use super::*;
use crate::{App, NORTHWIND, TokenBuilder};

const AGENT: &str = "aaaaaaaa-2222-4222-8222-00000000000a";
const BLUEPRINT: &str = "bbbbbbbb-2222-4222-8222-00000000000b";

fn absent(token: &Value, names: &[&str]) -> bool {
    names.iter().all(|name| token.get(name).is_none())
}

#[tokio::test]
async fn an_access_token_names_its_client_and_an_id_token_none() {
    let emulator = Emulator::start().await.unwrap();
    let token = || emulator.token();
    let client = ["azp", "appid"];
    let kinds: [fn(TokenBuilder) -> TokenBuilder; 4] = [
        |token| token,
        TokenBuilder::v1,
        |token| token.policy(B2C_POLICY),
        |token| token.user("nina").tenant(NORTHWIND),
    ];
    for kind in kinds {
        for made in [kind(token()), kind(token().app("daemon"))] {
            let access = claims(&made.clone().mint());
            assert!(!absent(&access, &client), "{access}");
            assert!(
                absent(&access, &["c_hash", "at_hash", "nonce", "idtyp"]),
                "{access}"
            );
            let id = claims(&made.id_token().mint());
            let of_access = ["scp", "azp", "azpacr", "appid", "appidacr"];
            assert!(absent(&id, &of_access), "{id}");
        }
    }
    assert_eq!(claims(&token().id_token().mint())["aud"], CLI_ID);
    let shared = token().id_token().audience(API_ID).mint();
    assert_eq!(claims(&shared)["roles"], json!(["Todo.Admin"]));
}

#[tokio::test]
async fn b2cs_client_credentials_have_their_permissions_in_scp() {
    let emulator = Emulator::start().await.unwrap();
    let app = claims(&emulator.token().app("daemon").policy(B2C_POLICY).mint());
    let said = ["azpacr", "ver", "scp"].map(|name| app[name].as_str().unwrap());
    assert_eq!(said, ["1", "2.0", "Tasks.Run Todo.Read.All"]);
    assert_eq!(app["sub"], app["oid"]);
    assert!(absent(&app, &["idtyp", "roles", "tid"]));
    let user = claims(&emulator.token().policy(B2C_POLICY).mint());
    assert_eq!(
        (&user["ver"], &user["scp"]),
        (&json!("1.0"), &json!("access_as_user"))
    );
    assert!(absent(&user, &["azpacr", "idtyp"]));
}

#[tokio::test]
async fn entra_dates_tokens_back_and_b2c_does_not() {
    let emulator = Emulator::start().await.unwrap();
    let plain = Emulator::builder().issued_at_backdate(Duration::ZERO);
    let plain = plain.start().await.unwrap();
    let ages = |token: TokenBuilder| {
        let claims = claims(&token.mint());
        let of = |name: &str| claims[name].as_u64().unwrap();
        assert_eq!(of("iat"), of("nbf"));
        of("exp") - of("iat")
    };
    let token = || emulator.token();
    assert_eq!(ages(token()), 3_900);
    assert_eq!(ages(token().v1()), 3_900);
    assert_eq!(ages(token().id_token()), 3_900);
    assert_eq!(ages(token().user("nina").tenant(NORTHWIND)), 3_900);
    assert_eq!(ages(token().policy(B2C_POLICY)), 3_600);
    assert_eq!(ages(plain.token()), 3_600);
    // A time that a test sets is the time it sets.
    assert_eq!(ages(token().issued_at(1_000)), 3_600);
    assert_eq!(claims(&token().issued_at(1_000).mint())["iat"], 1_000);
}

#[tokio::test]
async fn optional_claims_come_where_the_registration_asks_for_them() {
    let idtyp = |api: App| async {
        let emulator = Emulator::builder().app(api).start().await.unwrap();
        let token = || emulator.token().audience(API_ID);
        let of = |token: TokenBuilder| claims(&token.mint()).get("idtyp").cloned();
        (of(token()), of(token().app("daemon")))
    };
    let api = || App::api("api", API_ID);
    assert_eq!(idtyp(api()).await, (None, None));
    assert_eq!(idtyp(api().with_idtyp()).await, (None, Some(json!("app"))));
    assert_eq!(
        idtyp(api().with_idtyp_of_users()).await,
        (Some(json!("user")), Some(json!("app")))
    );

    let agent = App::confidential("agent", AGENT, "s").as_agent_of(BLUEPRINT);
    let silent = Emulator::builder()
        .app(agent.clone())
        .start()
        .await
        .unwrap();
    let unasked = claims(&silent.token().client(AGENT).mint());
    assert!(absent(
        &unasked,
        &["xms_act_fct", "xms_sub_fct", "xms_par_app_azp"]
    ));
    let emulator = Emulator::builder().app(agent).app(api().with_facets());
    let emulator = emulator.start().await.unwrap();
    let token = || emulator.token();
    for (token, actor, subject, blueprint) in [
        (token(), "3 9", "3", None),
        (token().app("daemon"), "3 9", "9 3", None),
        (token().client(AGENT), "3 9 11", "3", Some(BLUEPRINT)),
        (token().app(AGENT), "3 9 11", "9 3 11", Some(BLUEPRINT)),
        (
            token().client(AGENT).agent_user(),
            "3 9 11",
            "3 13",
            Some(BLUEPRINT),
        ),
    ] {
        let found = claims(&token.mint());
        assert_eq!(
            (&found["xms_act_fct"], &found["xms_sub_fct"]),
            (&json!(actor), &json!(subject))
        );
        assert_eq!(
            found.get("xms_par_app_azp").and_then(Value::as_str),
            blueprint
        );
    }
}
