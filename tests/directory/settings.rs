//! Access to the directory from a settings file.

use std::path::PathBuf;

use axum::Router;
use axum::routing::get as route;
use axum_entra::Entra;
use axum_entra::guard::RequireGroup;
use entra_emulator::{API_ID, CONTOSO, GROUP_ID};
use serde_json::{Value, json};

use crate::fake::{World, assert_is, get};

struct File(PathBuf);

impl File {
    fn new(name: &str, settings: &Value) -> Self {
        let path = std::env::temp_dir().join(format!("axum-entra-{}-{name}", std::process::id()));
        std::fs::write(&path, settings.to_string()).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn section(world: &World, more: Value) -> Value {
    let mut section = json!({
        "Instance": world.emulator.url(),
        "TenantId": CONTOSO,
        "ClientId": API_ID,
        "TokenVersions": ["2.0"],
        "MetadataAddress":
            format!("{}/{CONTOSO}/v2.0/.well-known/openid-configuration", world.fake.url),
    });
    for (name, value) in more.as_object().unwrap() {
        section[name] = value.clone();
    }
    json!({ "AzureAd": section })
}

fn app(entra: &Entra) -> Router {
    Router::new()
        .route(
            "/group",
            route(|| async {}).route_layer(RequireGroup(GROUP_ID)),
        )
        .route_layer(entra.layer())
}

/// What `build` says about a key of shared answers, beside a Redis or not.
#[cfg(feature = "redis")]
#[tokio::test]
async fn a_key_of_shared_answers_that_cannot_be_used_stops_the_program() {
    let world = World::new().await;
    let (good, short) = (
        "aHVzaCBodXNoIGh1c2ggaHVzaCBodXNoIGh1c2ggISE=",
        "aHVzaCBodXNoIGh1c2ggaHVzaCBodXNoIGh1c2ghIQ==",
    );
    let redis = json!({ "Url": "redis://127.0.0.1:1/" });
    let rows = [
        ("one", json!(good), &redis, true),
        ("two", json!([good, good]), &redis, true),
        ("short", json!(short), &redis, false),
        ("second-short", json!([good, short]), &redis, false),
        ("three", json!([good, good, good]), &redis, false),
        ("alone", json!(good), &Value::Null, false),
    ];
    for (name, key, redis, is_good) in rows {
        let graph = json!({ "BaseUrl": world.fake.base(), "SharedAnswersKey": key });
        let mut more = json!({ "ClientSecret": "s", "Graph": graph });
        if !redis.is_null() {
            more["Redis"] = redis.clone();
        }
        let file = File::new(name, &section(&world, more));
        match Entra::from_settings(&file.0) {
            Ok(_) => assert!(is_good, "{name}"),
            Err(error) => {
                let text = error.to_string();
                assert!(
                    !is_good && text.contains("Graph:SharedAnswersKey"),
                    "{name}: {text}"
                );
                assert!(!text.contains("aHVz"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn a_client_secret_alone_has_overage_answered() {
    let world = World::new().await;
    world.fake.member_of(&[GROUP_ID]);
    let token = world.emulator.token().scope("a").groups_overage().mint();
    let graph = json!({ "BaseUrl": world.fake.base() });
    let secret = json!([{ "SourceType": "ClientSecret", "ClientSecret": "s" }]);
    let rows = [
        (
            "secret",
            json!({ "ClientSecret": "s", "Graph": graph }),
            200,
        ),
        (
            "credentials",
            json!({ "ClientCredentials": secret, "Graph": graph }),
            200,
        ),
        ("none", json!({ "Graph": graph }), 403),
        (
            "off",
            json!({ "ClientSecret": "s", "Graph": { "BaseUrl": world.fake.base(), "ResolveGroups": false } }),
            403,
        ),
    ];
    for (name, more, status) in rows {
        let file = File::new(name, &section(&world, more));
        let entra = Entra::from_settings(&file.0).unwrap();
        let answer = get(&app(&entra), "/group", &token).await;
        let reason = if status == 200 { "" } else { "groups_overage" };
        assert_is(&answer, status, reason);
    }
}

#[tokio::test]
async fn the_first_credential_that_works_is_used() {
    let world = World::new().await;
    world.fake.member_of(&[GROUP_ID]);
    let more = json!({
        "ClientCredentials": [
            { "SourceType": "Path", "CertificateDiskPath": "/no/such/file.pem" },
            { "SourceType": "SignedAssertionFilePath", "SignedAssertionFileDiskPath": "/no/such" },
            { "SourceType": "ClientSecret", "ClientSecret": "third" },
        ],
        "Graph": { "BaseUrl": world.fake.base() },
    });
    let file = File::new("third", &section(&world, more));
    let entra = Entra::from_settings(&file.0).unwrap();
    let token = world.emulator.token().scope("a").groups_overage().mint();
    assert_is(&get(&app(&entra), "/group", &token).await, 200, "");
    let asked = world.fake.token_calls().pop().unwrap();
    assert_eq!(asked.field("client_secret").unwrap(), "third");
}

#[tokio::test]
async fn what_cannot_be_asked_stops_the_start() {
    let world = World::new().await;
    let rows = [
        (
            json!({ "Graph": { "CheckSessions": true } }),
            "Graph:CheckSessions: found `true`",
        ),
        (
            json!({ "ClientCredentials": [{ "SourceType": "Path", "CertificateDiskPath": "/no/such.pem" }] }),
            "ClientCredentials: found `/no/such.pem`",
        ),
    ];
    for (index, (more, expected)) in rows.into_iter().enumerate() {
        let file = File::new(&format!("stop-{index}"), &section(&world, more));
        let error = Entra::from_settings(&file.0).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
