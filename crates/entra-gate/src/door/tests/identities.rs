//! What the service learns of the caller, and `/validate`.

use entra_emulator::{ALICE, API_ID, CLI_ID, CONTOSO, DAEMON_ID};
use http::Request;

use super::super::Door;
use super::world::{Asked, PROXIES, World};

const RULES: &str = r#"
[[rule]]
path = "/open"
allow = "open"
[[rule]]
path = "/optional"
allow = "optional"
[[rule]]
path = "/me"
allow = "authenticated"
"#;

const NAMES: [&str; 7] = [
    "x-entra-tenant-id",
    "x-entra-object-id",
    "x-entra-client-id",
    "x-entra-scopes",
    "x-entra-roles",
    "x-entra-principal",
    "x-entra-agent",
];

#[tokio::test]
async fn the_identity_is_answered_whole_at_every_door() {
    let world = World::new(RULES).await;
    let user = world.user("Todo.Read Data.Read");
    let odd = world
        .emulator
        .token()
        .user(ALICE)
        .client(CLI_ID)
        .scope("Todo.Read");
    let odd = odd.roles(["Task Admin", "50%", "é"]).mint();
    let app = world.app();
    let daemon = world
        .emulator
        .app(DAEMON_ID)
        .unwrap()
        .object_id()
        .to_owned();
    let nothing = [""; 7];
    let alice = [
        CONTOSO,
        ALICE,
        CLI_ID,
        "Todo.Read Data.Read",
        "Todo.Admin",
        "user",
        "",
    ];
    let of_odd = [
        CONTOSO,
        ALICE,
        CLI_ID,
        "Todo.Read",
        "Task%20Admin 50%25 %C3%A9",
        "user",
        "",
    ];
    let roles = "Tasks.Run Todo.Read.All";
    let of_app = [CONTOSO, &daemon, DAEMON_ID, "", roles, "app", ""];
    for (asked, expected) in [
        (Asked::get("/open"), nothing),
        (Asked::get("/open").bearer(&user), nothing),
        (Asked::get("/optional"), nothing),
        (Asked::get("/optional").bearer(&user), alice),
        (Asked::get("/me").bearer(&user), alice),
        (Asked::get("/me").bearer(&odd), of_odd),
        (Asked::get("/me").bearer(&app), of_app),
    ] {
        for door in PROXIES {
            let told = world.ask(door, &asked).await;
            assert_eq!(told.status, 200);
            for (name, expected) in NAMES.into_iter().zip(expected) {
                if door != Door::Grpc {
                    assert_eq!(
                        told.headers.get_all(name).iter().count(),
                        1,
                        "{door:?} {name}"
                    );
                    assert_eq!(told.header(name), Some(expected), "{door:?} {name}");
                    continue;
                }
                let is_removed = told.removed.contains(&name.to_owned());
                match expected {
                    "" => assert!(told.header(name).is_none() && is_removed, "{name}"),
                    text => assert!(told.header(name) == Some(text) && !is_removed, "{name}"),
                }
            }
            assert_eq!(told.header("x-entra-assertion"), None, "{door:?}");
            let removes = told.removed.contains(&"x-entra-assertion".to_owned());
            assert_eq!(removes, door == Door::Grpc);
        }
    }
}

#[tokio::test]
async fn an_agent_is_told() {
    let world = World::new(RULES).await;
    let token = world
        .emulator
        .token()
        .user(ALICE)
        .client(CLI_ID)
        .scope("Todo.Read");
    let token = token.claim("xms_act_fct", "11").mint();
    for door in PROXIES {
        let told = world.ask(door, &Asked::get("/me").bearer(&token)).await;
        assert_eq!(
            told.header("x-entra-agent"),
            Some("on_behalf_of_user"),
            "{door:?}"
        );
    }
}

#[tokio::test]
async fn validate_answers_what_microsofts_sidecar_answers() {
    let world = World::new(RULES).await;
    let token = world.user("Todo.Read");
    let send = async |method: &str, path: &str, header: Option<&str>| {
        let request = Request::builder().method(method).uri(path);
        let request = header.iter().fold(request, |request, header| {
            request.header("authorization", *header)
        });
        world.send(request.body(()).unwrap()).await
    };
    let bearer = format!("Bearer {token}");
    for path in ["/validate", "/Validate"] {
        let told = send("GET", path, Some(&bearer)).await;
        assert_eq!(told.status, 200);
        assert_eq!(told.body["protocol"], "Bearer");
        assert_eq!(told.body["claims"]["oid"], ALICE);
        assert_eq!(told.body["claims"]["scp"], "Todo.Read");
        assert_eq!(told.body["claims"]["aud"], API_ID);
        assert_eq!(told.body.get("token"), None);
        assert_eq!(told.header("content-type"), Some("application/json"));
    }
    // The scheme has no letter case.
    let lower = send("GET", "/validate", Some(&format!("bearer {token}"))).await;
    assert_eq!(lower.body["claims"]["oid"], ALICE);
    for (method, path, header, status) in [
        ("GET", "/VALIDATE", Some(&*bearer), 404),
        ("GET", "/validate/", Some(&*bearer), 404),
        ("POST", "/validate", Some(&*bearer), 405),
        ("GET", "/validate", None, 401),
        ("GET", "/validate", Some("Bearer junk"), 401),
        ("GET", "/validate", Some("Bearer"), 400),
    ] {
        assert_eq!(
            send(method, path, header).await.status,
            status,
            "{method} {path} {header:?}"
        );
    }
}

#[tokio::test]
async fn validate_answers_the_token_only_where_the_rules_say_so() {
    let world = World::new(&format!("validate_returns_token = true\n{RULES}")).await;
    let token = world.user("Todo.Read");
    let asked = Asked::get("").bearer(&token);
    let told = world.ask(Door::Validate, &asked).await;
    assert_eq!(told.body["token"], token.as_str());
    let refused = world
        .ask(Door::Validate, &Asked::get("").bearer("junk.junk.junk"))
        .await;
    assert_eq!(refused.status, 401);
    assert!(!refused.body.to_string().contains("junk"));
}
