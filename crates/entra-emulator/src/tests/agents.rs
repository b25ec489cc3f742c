//! Agent identities: assertions of their blueprint, and the three kinds of tokens.

use super::*;

const TOKEN: &str = "/oauth2/v2.0/token";
const EXCHANGE: &str = "api://AzureADTokenExchange/.default";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn at_endpoint(emulator: &Emulator, fields: &[(&str, &str)]) -> (u16, Value) {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    let path = format!("/{CONTOSO}{TOKEN}");
    let (status, answer) = post(emulator, &path, &body.finish()).await;
    (status.as_u16(), answer)
}

fn token_of((status, answer): &(u16, Value)) -> String {
    assert_eq!(*status, 200, "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

/// The blueprint's token for an agent.
async fn assertion_for(emulator: &Emulator, agent: &str) -> (u16, Value) {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", BLUEPRINT_ID),
        ("client_secret", BLUEPRINT_SECRET),
        ("scope", EXCHANGE),
        ("fmi_path", agent),
    ];
    at_endpoint(emulator, &fields).await
}

/// A request of the agent itself.
async fn as_agent(emulator: &Emulator, assertion: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let mut fields = vec![
        ("client_id", AGENT_ID),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    fields.extend(more);
    at_endpoint(emulator, &fields).await
}

async fn started() -> Emulator {
    let api = sample_api().with_facets().with_idtyp_of_users();
    Emulator::builder().app(api).start().await.unwrap()
}

fn code(answer: &Value) -> u64 {
    answer["error_codes"][0].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn an_agent_gets_each_kind_of_token_through_its_blueprint() {
    let emulator = started().await;
    let assertion = token_of(&assertion_for(&emulator, AGENT_ID).await);
    let scope = format!("api://{API_ID}/.default");

    let own = [("grant_type", "client_credentials"), ("scope", &*scope)];
    let own = claims(&token_of(&as_agent(&emulator, &assertion, &own).await));
    assert_eq!(own["idtyp"], "app");
    assert_eq!(own["roles"], json!(["Tasks.Run", "Data.Read.All"]));
    assert_eq!(
        (&own["azp"], &own["azpacr"]),
        (&json!(AGENT_ID), &json!("2"))
    );

    let of_alice = emulator
        .token()
        .user("alice")
        .audience(BLUEPRINT_ID)
        .scope("access_agent");
    let of_alice = of_alice.mint();
    let read = format!("api://{API_ID}/Todo.Read");
    let obo = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("requested_token_use", "on_behalf_of"),
        ("assertion", &of_alice),
        ("scope", &read),
    ];
    let obo = claims(&token_of(&as_agent(&emulator, &assertion, &obo).await));
    assert_eq!(
        (&obo["oid"], &obo["idtyp"]),
        (&json!(ALICE), &json!("user"))
    );
    assert_eq!(
        (&obo["scp"], &obo["azp"]),
        (&json!("Todo.Read"), &json!(AGENT_ID))
    );

    let exchanged = [("grant_type", "client_credentials"), ("scope", EXCHANGE)];
    let exchanged = token_of(&as_agent(&emulator, &assertion, &exchanged).await);
    let user = [
        ("grant_type", "user_fic"),
        ("username", "assistant-user@contoso.onmicrosoft.com"),
        ("user_federated_identity_credential", &*exchanged),
        ("scope", &read),
    ];
    let user = claims(&token_of(&as_agent(&emulator, &assertion, &user).await));
    assert_eq!(user["idtyp"], "user");
    assert_ne!(user["oid"], ALICE);

    for (token, subject) in [(&own, "9 3 11"), (&obo, "3"), (&user, "3 13")] {
        assert_eq!(token["xms_act_fct"], "3 9 11");
        assert_eq!(token["xms_sub_fct"], subject);
        assert_eq!(token["xms_par_app_azp"], BLUEPRINT_ID);
    }
}

#[tokio::test]
async fn an_assertion_is_for_one_agent_and_an_account_is_one_agents() {
    let other = "0dd00000-1111-4111-8111-111111111111";
    let emulator = Emulator::builder()
        .app(App::public("other", other).as_agent_of("0dd0b1e0-1111-4111-8111-111111111111"))
        .start()
        .await
        .unwrap();
    let (status, refused) = assertion_for(&emulator, other).await;
    assert_eq!((status, code(&refused)), (400, 700_016), "{refused}");
    let assertion = token_of(&assertion_for(&emulator, AGENT_ID).await);
    let scope = format!("api://{API_ID}/.default");
    let own = [("grant_type", "client_credentials"), ("scope", &*scope)];
    let forged = emulator.token().app(BLUEPRINT_ID).mint();
    for bad in ["junk", &forged] {
        let (status, refused) = as_agent(&emulator, bad, &own).await;
        assert_eq!((status, code(&refused)), (401, 700_213), "{refused}");
    }
    let fields = [("client_id", AGENT_ID), own[0], own[1]];
    let (status, refused) = at_endpoint(&emulator, &fields).await;
    assert_eq!((status, code(&refused)), (401, 7_000_218), "{refused}");

    let exchanged = [("grant_type", "client_credentials"), ("scope", EXCHANGE)];
    let exchanged = token_of(&as_agent(&emulator, &assertion, &exchanged).await);
    let user = |name| {
        [
            ("grant_type", "user_fic"),
            ("username", name),
            ("user_federated_identity_credential", &*exchanged),
            ("scope", &*scope),
        ]
    };
    let (status, refused) = as_agent(&emulator, &assertion, &user("alice")).await;
    assert_eq!((status, code(&refused)), (400, 50_034), "{refused}");
    assert_eq!(
        as_agent(&emulator, &assertion, &user("assistant-user"))
            .await
            .0,
        200
    );
    // It has no password of its own.
    let body = [
        ("grant_type", "password"),
        ("client_id", CLI_ID),
        ("username", "assistant-user"),
        ("password", USER_PASSWORD),
        ("scope", &*scope),
    ];
    let (status, refused) = at_endpoint(&emulator, &body).await;
    assert_eq!((status, code(&refused)), (400, 50_126), "{refused}");
}

#[tokio::test]
async fn a_resource_is_an_identifier_uri_of_the_scopes_application_byte_for_byte() {
    let mcp = "https://todo.example/mcp";
    let reports = "https://todo.example/reports/mcp";
    let api = sample_api()
        .with_identifier_uri(mcp)
        .with_identifier_uri(reports);
    let emulator = Emulator::builder().app(api).start().await.unwrap();
    let asked = async |scope: &str, resource: Option<&str>| {
        let mut fields = vec![
            ("grant_type", "password"),
            ("client_id", CLI_ID),
            ("username", "alice"),
            ("password", USER_PASSWORD),
            ("scope", scope),
        ];
        fields.extend(resource.map(|resource| ("resource", resource)));
        let (status, answer) = at_endpoint(&emulator, &fields).await;
        (
            status,
            code(&answer),
            answer["error"].as_str().map(str::to_owned),
        )
    };
    let full = format!("{mcp}/Todo.Read");
    let api_uri = format!("api://{API_ID}");
    for resource in [None, Some(mcp), Some(reports), Some(&*api_uri)] {
        assert_eq!(asked(&full, resource).await, (200, 0, None), "{resource:?}");
    }
    let target = Some("invalid_target".to_owned());
    for resource in [
        "https://todo.example/mcp/",
        "https://TODO.example/mcp",
        "https://todo.example",
        "https://other.example/mcp",
        API_ID,
    ] {
        let refused = asked(&full, Some(resource)).await;
        assert_eq!(refused, (400, 9_010_010, target.clone()), "{resource}");
    }
    // A bare scope is looked up on Microsoft Graph.
    let bare = asked("Todo.Read", None).await;
    assert_eq!((bare.0, bare.1), (400, 650_053));
    assert_eq!(
        asked("Todo.Read", Some(mcp)).await,
        (400, 9_010_010, target)
    );
}
