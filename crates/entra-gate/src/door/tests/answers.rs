//! Verdict, status and challenge at every door.

use http::Request;

use super::super::{Door, DoorSecret};
use super::world::{ALL, Asked, PROXIES, World};

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
[[rule]]
host = "other.example.com"
path = "/todos/*"
allow = "open"
[[rule]]
path = "/todos/*"
methods = ["GET", "HEAD"]
allow = 'scope("Todo.Read") or (app_only and role("Todo.Read.All"))'
[[rule]]
path = "/todos/*"
methods = ["POST"]
allow = 'scope_all("Todo.Read", "Todo.ReadWrite")'
"#;

/// What nginx is told instead of a status that it does not pass on.
fn at(door: Door, status: u16) -> u16 {
    match (door, status) {
        (Door::Nginx, 400) => 403,
        _ => status,
    }
}

#[tokio::test]
async fn verdict_status_and_challenge_are_the_same_at_every_door() {
    let world = World::new(RULES).await;
    let (reader, app) = (world.user("Todo.Read"), world.app());
    let writer = world.user("Todo.Read Todo.ReadWrite");
    let expired = world.emulator.token().expired().mint();
    let forged = world.emulator.token().raw_signature("AAAA").mint();
    let api = entra_emulator::API_ID;
    let read = format!("Bearer error=\"insufficient_scope\", scope=\"api://{api}/Todo.Read\"");
    let both = format!(
        "Bearer error=\"insufficient_scope\", scope=\"api://{api}/Todo.Read api://{api}/Todo.ReadWrite\""
    );
    let other = "Bearer error=\"insufficient_scope\"";
    let invalid = "Bearer error=\"invalid_token\"";
    let header = "Bearer error=\"invalid_request\"";
    let get = Asked::get;
    for (asked, status, reason, challenge) in [
        (get("/open"), 200, "", ""),
        (get("/open").bearer("junk"), 200, "", ""),
        (get("/open").with("authorization", "a b c"), 200, "", ""),
        (get("/open?x=%2f;//.."), 200, "", ""),
        (get("/optional"), 200, "", ""),
        (get("/optional").bearer(&reader), 200, "", ""),
        (get("/optional").bearer(&expired), 401, "expired", invalid),
        (get("/me"), 401, "missing_token", "Bearer"),
        (
            get("/me").with("authorization", "Basic YTpi"),
            401,
            "missing_token",
            "Bearer",
        ),
        (get("/me").bearer(&reader), 200, "", ""),
        (get("/me").bearer(&expired), 401, "expired", invalid),
        (get("/me").bearer(&forged), 401, "bad_signature", invalid),
        (get("/me").bearer("a.b.c"), 401, "malformed", invalid),
        (
            get("/me").with("authorization", "Bearer"),
            400,
            "malformed_header",
            header,
        ),
        (
            get("/me").with("authorization", "Bearer a  b"),
            400,
            "malformed_header",
            header,
        ),
        (
            get("/me").bearer(&reader).bearer(&reader),
            400,
            "malformed_header",
            header,
        ),
        (get("/todos/1").bearer(&reader), 200, "", ""),
        (get("/todos/").bearer(&reader), 200, "", ""),
        (get("/%74odos/1?x=1").bearer(&reader), 200, "", ""),
        (get("/todos/1").bearer(&app), 200, "", ""),
        (get("/todos/1").method("HEAD").bearer(&reader), 200, "", ""),
        (get("/todos/1"), 401, "missing_token", "Bearer"),
        (
            get("/todos/1").bearer(&world.user("Data.Read")),
            403,
            "scope",
            &read,
        ),
        (get("/todos/1").method("POST").bearer(&writer), 200, "", ""),
        (
            get("/todos/1").method("POST").bearer(&reader),
            403,
            "scope",
            &both,
        ),
        (
            get("/todos/1").method("DELETE").bearer(&writer),
            403,
            "no_rule",
            other,
        ),
        (get("/todos").bearer(&reader), 403, "no_rule", other),
        (get("/TODOS/1").bearer(&reader), 403, "no_rule", other),
        (get("/elsewhere"), 401, "missing_token", "Bearer"),
        (get("/elsewhere").bearer(&expired), 401, "expired", invalid),
        (get("/elsewhere").bearer(&reader), 403, "no_rule", other),
        (get("/todos/../me").bearer(&reader), 400, "path", ""),
        (get("/todos/%2e%2e/me").bearer(&reader), 400, "path", ""),
        (get("/todos//1").bearer(&reader), 400, "path", ""),
        (get("/todos%2f1").bearer(&reader), 400, "path", ""),
        (get("/todos/1;x").bearer(&reader), 400, "path", ""),
        (get("/open/%00"), 400, "path", ""),
        (get("/open%"), 400, "path", ""),
        (
            get("/todos/1").method("post").bearer(&writer),
            400,
            "door",
            "",
        ),
    ] {
        for door in PROXIES {
            let told = world.ask(door, &asked).await;
            let status = at(door, status);
            assert_eq!(
                (told.status, told.reason()),
                (status, reason),
                "{door:?} {asked:?}"
            );
            assert_eq!(
                told.challenge().unwrap_or_default(),
                challenge,
                "{door:?} {asked:?}"
            );
            if status != 200 {
                assert_eq!(told.body["status"], status, "{door:?} {asked:?}");
                let kind = told.header("content-type");
                assert_eq!(kind, Some("application/problem+json"), "{door:?} {asked:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_host_decides_whatever_its_letter_case_and_port() {
    let world = World::new(RULES).await;
    for (host, status) in [
        ("other.example.com", 200),
        ("OTHER.example.com:8443", 200),
        ("other.example.com.", 200),
        ("other.example.com.evil.example", 401),
        ("api.example.com", 401),
        ("other.example.com,api.example.com", 400),
        ("user@other.example.com", 400),
    ] {
        for door in PROXIES {
            let mut asked = Asked::get("/todos/1");
            asked.host = host;
            let told = world.ask(door, &asked).await;
            assert_eq!(told.status, at(door, status), "{door:?} {host}");
            if status == 400 {
                assert_eq!(told.reason(), "door");
            }
        }
    }
}

#[tokio::test]
async fn a_doors_headers_have_to_be_there_once() {
    let world = World::new(RULES).await;
    for (door, names) in [
        (
            Door::Nginx,
            ["x-original-method", "x-original-uri", "x-original-host"],
        ),
        (
            Door::Haproxy,
            ["x-original-method", "x-original-uri", "x-original-host"],
        ),
        (
            Door::Forward,
            ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host"],
        ),
        (Door::Envoy, ["host"; 3]),
    ] {
        let good = Asked::get("/open").at(door);
        assert_eq!(world.send(good.clone()).await.status, 200, "{door:?}");
        for name in names {
            let mut missing = good.clone();
            missing.headers_mut().remove(name);
            let mut doubled = good.clone();
            let value = doubled.headers()[name].clone();
            doubled.headers_mut().append(name, value);
            for request in [missing, doubled] {
                let told = world.send(request).await;
                assert_eq!(
                    (told.status, told.reason()),
                    (at(door, 400), "door"),
                    "{door:?} {name}"
                );
            }
        }
    }
    let empty = tonic::Request::new(Default::default());
    let told = world.ask_grpc(empty).await;
    assert_eq!((told.status, told.reason()), (400, "door"));
    // HTTP/2 has the host in its target, and another one beside it is no question.
    for (host, status) in [
        (None, 200),
        (Some("api.example.com"), 200),
        (Some("b.example"), 400),
    ] {
        let mut request = Request::new(());
        *request.uri_mut() = "http://api.example.com/auth/envoy/open".parse().unwrap();
        if let Some(host) = host {
            request.headers_mut().insert("host", host.parse().unwrap());
        }
        assert_eq!(world.send(request).await.status, status);
    }
}

#[tokio::test]
async fn only_the_doors_that_were_named_are_there() {
    let world = World::changed(RULES, |gate| gate.doors = vec![Door::Forward]).await;
    for door in ALL.into_iter().filter(|door| *door != Door::Grpc) {
        let told = world.send(Asked::get("/open").at(door)).await;
        let expected = if door == Door::Forward { 200 } else { 404 };
        assert_eq!(told.status, expected, "{door:?}");
    }
    for (path, expected) in [
        ("/health", 200),
        ("/ready", 200),
        ("/metrics", 200),
        ("/", 404),
        ("/auth", 404),
        ("/auth/forward/", 404),
        ("/auth/forwardx", 404),
        ("/auth/envoy", 404),
        ("/.well-known/jwks.json", 404),
    ] {
        let request = Request::get(path).body(()).unwrap();
        assert_eq!(world.send(request).await.status, expected, "{path}");
    }
    let world = World::new(RULES).await;
    for (path, expected) in [
        ("/auth/envoy", 400),
        ("/auth/envoyx", 404),
        ("/auth/envoy/open", 200),
    ] {
        let request = Request::get(path)
            .header("host", "a.example")
            .body(())
            .unwrap();
        assert_eq!(world.send(request).await.status, expected, "{path}");
    }
}

#[tokio::test]
async fn the_door_secret_is_demanded_of_every_question() {
    let secret = |gate: &mut super::super::Gate| gate.secret = Some(DoorSecret::of("s3cret"));
    let world = World::changed(RULES, secret).await;
    let token = world.user("Todo.Read");
    for (values, passes) in [
        (vec!["s3cret"], true),
        (vec![], false),
        (vec![""], false),
        (vec!["s3cre"], false),
        (vec!["s3crets"], false),
        (vec!["S3CRET"], false),
        (vec!["s3cret", "s3cret"], false),
    ] {
        for door in ALL {
            let asked = Asked::get("/me").bearer(&token);
            let told = match door {
                Door::Grpc => {
                    let mut question = tonic::Request::new(asked.over_grpc());
                    for value in &values {
                        question
                            .metadata_mut()
                            .append("x-entra-door", value.parse().unwrap());
                    }
                    world.ask_grpc(question).await
                }
                _ => {
                    let mut request = asked.at(door);
                    for value in &values {
                        request
                            .headers_mut()
                            .append("x-entra-door", value.parse().unwrap());
                    }
                    world.send(request).await
                }
            };
            match passes {
                true => assert_eq!(told.status, 200, "{door:?} {values:?}"),
                false => assert_eq!(
                    (told.status, told.reason()),
                    (403, "door"),
                    "{door:?} {values:?}"
                ),
            }
        }
    }
    // Of the client's own headers a gRPC question tells, and they are not the proxy's.
    let asked = Asked::get("/me")
        .bearer(&token)
        .with("x-entra-door", "s3cret");
    assert_eq!(world.ask(Door::Grpc, &asked).await.status, 403);
    // What no proxy asks needs no secret.
    for path in ["/health", "/ready"] {
        let request = Request::get(path).body(()).unwrap();
        assert_eq!(world.send(request).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_decided_is_503_at_every_door() {
    let world = World::new(RULES).await;
    world
        .emulator
        .inject_fault(entra_emulator::Fault::Status(500));
    let token = world.emulator.token().unpublished_key().mint();
    for door in ALL {
        let told = world.ask(door, &Asked::get("/me").bearer(&token)).await;
        assert_eq!(
            (told.status, told.reason()),
            (503, "keys_unavailable"),
            "{door:?}"
        );
        assert!(told.header("retry-after").is_some(), "{door:?}");
        assert_eq!(told.challenge(), None, "{door:?}");
        let told = world.ask(door, &Asked::get("/open")).await;
        let expected = if door == Door::Validate { 401 } else { 200 };
        assert_eq!(told.status, expected, "{door:?}");
    }
}

#[tokio::test]
async fn an_answer_in_the_form_of_grpc_never_looks_like_a_yes() {
    let world = World::new(RULES).await;
    for door in PROXIES {
        let asked = Asked::get("/me")
            .method("POST")
            .with("content-type", "application/grpc");
        let told = match door {
            Door::Grpc => world.ask(door, &asked).await,
            _ => {
                let mut request = asked.at(door);
                *request.version_mut() = http::Version::HTTP_2;
                world.send(request).await
            }
        };
        assert_eq!(
            (told.status, told.reason()),
            (401, "missing_token"),
            "{door:?}"
        );
    }
}
