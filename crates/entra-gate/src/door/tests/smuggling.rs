//! Headers that a client sends in the hope that the gate or the service takes them for the gate's.

use super::super::Door;
use super::world::{ALL, Asked, PROXIES, World};

const RULES: &str = r#"
[[rule]]
path = "/open"
allow = "open"
[[rule]]
path = "/me"
allow = "authenticated"
[[rule]]
path = "/admin"
allow = 'role("Task Admin")'
"#;

const NAMES: [&str; 8] = [
    "tenant-id",
    "object-id",
    "client-id",
    "scopes",
    "roles",
    "principal",
    "agent",
    "assertion",
];

#[tokio::test]
async fn a_header_that_looks_like_the_identitys_is_refused_at_every_door() {
    let world = World::new(RULES).await;
    let token = world.user("Todo.Read");
    let mut cases = 0;
    for name in NAMES {
        let under = name.replace('-', "_");
        let mut spellings = vec![
            format!("x_entra_{under}"),
            format!("X_Entra_{under}"),
            format!("x-entra_{name}"),
            format!("x_entra-{name}"),
            format!("X-ENTRA_{}", name.to_uppercase()),
        ];
        if name.contains('-') {
            spellings.push(format!("x-entra-{under}"));
            spellings.push(format!("X-Entra-{}", under.to_uppercase()));
        }
        for spelling in spellings {
            for door in ALL {
                for asked in [Asked::get("/me").bearer(&token), Asked::get("/open")] {
                    let told = world.ask(door, &asked.clone().with(&spelling, "x")).await;
                    let status = if door == Door::Nginx { 403 } else { 400 };
                    let expected = (status, "door");
                    assert_eq!(
                        (told.status, told.reason()),
                        expected,
                        "{door:?} {spelling}"
                    );
                    cases += 1;
                }
            }
        }
    }
    assert!(cases >= 60 * ALL.len());
    // Counterparts: other names with an underscore, and names that only begin alike.
    for name in [
        "x_request_id",
        "x_entr",
        "x-entrax_id",
        "entra_id",
        "y_entra_roles",
    ] {
        for door in ALL {
            let told = world
                .ask(door, &Asked::get("/me").bearer(&token).with(name, "x"))
                .await;
            assert_eq!(told.status, 200, "{door:?} {name}");
        }
    }
}

#[tokio::test]
async fn what_a_client_says_of_itself_changes_no_answer() {
    let world = World::new(RULES).await;
    let token = world.user("Todo.Read");
    let long = "x".repeat(8_192);
    let mut cases = 0;
    for name in NAMES {
        let usual = format!("X-Entra-{name}");
        for (name, values) in [
            (usual.clone(), vec!["Task Admin"]),
            (usual.to_uppercase(), vec!["Task Admin"]),
            (usual.clone(), vec!["Task Admin", "Todo.Admin"]),
            (usual.clone(), vec![""]),
            (usual.clone(), vec![&*long]),
            ("Connection".to_owned(), vec![&*usual]),
            ("Connection".to_owned(), vec!["close", &*usual]),
            ("X-Original-Identity".to_owned(), vec!["Task Admin"]),
        ] {
            for door in PROXIES {
                for (path, status) in [("/me", 200), ("/admin", 403)] {
                    let plain = Asked::get(path).bearer(&token);
                    let expected = world.ask(door, &plain).await;
                    assert_eq!(expected.status, status);
                    let add = |asked: Asked, value: &&str| asked.with(&name, value);
                    let told = world.ask(door, &values.iter().fold(plain, add)).await;
                    assert_eq!(told, expected, "{door:?} {name}");
                    cases += 1;
                }
            }
        }
    }
    assert!(cases >= 60 * PROXIES.len());
}

/// The headers of one door mean nothing at another, and a client's own cannot stand in for them.
#[tokio::test]
async fn the_original_request_is_told_by_the_doors_own_means_only() {
    let world = World::new(RULES).await;
    for door in PROXIES {
        let asked = [
            "X-Original-URI",
            "X-Forwarded-Uri",
            "X-Rewrite-URL",
            "X-Original-URL",
        ]
        .into_iter()
        .fold(Asked::get("/me"), |asked, name| asked.with(name, "/open"));
        let told = match door {
            // In the test as in the shipped configuration the proxy replaces its own.
            Door::Grpc => world.ask(door, &asked).await,
            _ => world.send(asked.at(door)).await,
        };
        assert_eq!(
            (told.status, told.reason()),
            (401, "missing_token"),
            "{door:?}"
        );
        let asked = [
            "X-HTTP-Method-Override",
            "X-Method-Override",
            "X-Forwarded-Method",
        ]
        .into_iter()
        .fold(Asked::get("/me"), |asked, name| asked.with(name, "OPTIONS"));
        assert_eq!(world.ask(door, &asked).await.status, 401, "{door:?}");
    }
}
