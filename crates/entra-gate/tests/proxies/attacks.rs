//! Every row of `tests/vectors/attacks.toml`, through each proxy and at a door without one.

use serde_json::Value;

use crate::authority::Authority;
use crate::forge::{Forge, Made};
use crate::program::Program;
use crate::proxy::{KINDS, Kind};
use crate::row::{Row, rows};
use crate::upstream::Service;
use crate::wire::{self, Answer};

const RULES: &str = r#"
rule = [
  { path = "/open", allow = "open" },
  { path = "/optional", allow = "optional" },
  { path = "/me", allow = "authenticated" },
  { path = "/scope", allow = 'scope("access_as_user")' },
  { path = "/role", allow = 'role("Task Admin")' },
  { path = "/role-task", allow = 'role("Task")' },
  { path = "/group", allow = 'group("aaaaaaaa-0000-4000-8000-000000000001")' },
  { path = "/user-only", allow = "user" },
  { path = "/app-only", allow = "app_only" },
  { path = "/confidential-client", allow = "secret_client" },
  { path = "/no-guests", allow = "no_guests" },
  { path = "/mfa", allow = "mfa" },
  { path = "/auth-context", allow = 'auth_context("c1")' },
  { path = "/fresh", allow = "max_age(600)" },
]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attack_gets_the_same_answer_through_every_proxy() {
    let authority = Authority::start().await;
    let folder = std::env::temp_dir().join(format!("entra-gate-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("rules.toml"), RULES).unwrap();
    let gate = Program::start(folder.join("rules.toml"), authority.environment()).await;
    let service = Service::start().await;
    // The rule that a token names one account has no name in the gate's rules; bytes that are
    // meant for a server's parser meet the proxy's here.
    let is_for_the_gate = |row: &Row| row.path != "/identity" && !row.raw_only;
    let rows: Vec<Row> = rows().into_iter().filter(is_for_the_gate).collect();
    let mut wrong = Vec::new();
    for row in &rows {
        let made = Forge::new(&authority).make(row);
        let answer = at_the_door(&gate, &made, row).await;
        wrong.extend(difference(row, &made, &answer, None));
    }
    assert_eq!(wrong, [""; 0], "without a proxy");
    for kind in KINDS {
        let Some(proxy) = kind.start(gate.addresses(), &service).await else {
            continue;
        };
        let (mut same, mut own) = (0, 0);
        for row in &rows {
            let made = Forge::new(&authority).make(row);
            let target = match made.query.as_str() {
                "" => row.path.clone(),
                query => format!("{}?{query}", row.path),
            };
            let before = service.requests();
            let lines: Vec<(&str, &[u8])> = made
                .headers
                .iter()
                .map(|value| ("Authorization", value.as_slice()))
                .collect();
            let answer = wire::send(proxy.address, "GET", &target, &lines).await;
            let reached = service.requests() - before;
            let row = &as_joined(kind, row);
            if reached != usize::from(row.status == 200) {
                wrong.push(format!(
                    "{kind:?} {}: the service was reached {reached} times",
                    row.name
                ));
            }
            // Bytes that are no HTTP the proxy refuses itself.
            let is_own =
                row.status != 200 && matches!(answer.status, 0 | 400) && answer.body == Value::Null;
            if is_own {
                own += 1;
                continue;
            }
            same += 1;
            wrong.extend(difference(row, &made, &answer, Some(kind)));
        }
        println!(
            "{kind:?}: {same} attacks answered as without a proxy, {own} refused by the proxy itself"
        );
        assert!(own < 30, "{kind:?} refused {own} itself");
    }
    assert_eq!(wrong, [""; 0]);
    let _ = std::fs::remove_dir_all(folder);
}

/// Envoy joins two fields of one name by a comma, and an empty one with another to that one, before
/// its filters and the service read them: both read the same.
fn as_joined(kind: Kind, row: &Row) -> Row {
    let mut row = row.clone();
    if matches!(kind, Kind::EnvoyHttp | Kind::EnvoyGrpc) {
        (row.status, row.reason) = match row.name.as_str() {
            "another_scheme_and_a_good_one" => (401, "missing_token".to_owned()),
            "an_empty_header_and_a_good_one" => (200, "in".to_owned()),
            _ => (row.status, row.reason),
        };
    }
    row
}

async fn at_the_door(gate: &Program, made: &Made, row: &Row) -> Answer {
    let target = format!("{}?{}", row.path, made.query);
    let mut lines: Vec<(&str, &[u8])> = vec![
        ("X-Forwarded-Method", b"GET"),
        ("X-Forwarded-Uri", target.as_bytes()),
        ("X-Forwarded-Host", b"api.example.com"),
    ];
    lines.extend(
        made.headers
            .iter()
            .map(|value| ("Authorization", value.as_slice())),
    );
    wire::send(gate.http, "GET", "/auth/forward", &lines).await
}

/// Status, reason and challenge of a row; nginx passes on no body, and 400 as 403.
fn difference(row: &Row, made: &Made, answer: &Answer, through: Option<Kind>) -> Option<String> {
    let status = match (through, row.status) {
        (Some(Kind::Nginx), 400) => 403,
        (_, status) => status,
    };
    let place = format!("{through:?} {}", row.name);
    if answer.status != status {
        return Some(format!(
            "{place}: {} instead of {status}: {answer:?}",
            answer.status
        ));
    }
    if status == 200 || row.reason.is_empty() {
        return None;
    }
    if through != Some(Kind::Nginx) && answer.reason() != Some(&row.reason) {
        return Some(format!(
            "{place}: {:?} instead of {}",
            answer.reason(),
            row.reason
        ));
    }
    if made.leaks_into(&format!("{answer:?}")) {
        return Some(format!("{place}: the token is in the answer"));
    }
    let expected = match (row.status, row.reason.as_str()) {
        (_, "missing_token") => "Bearer",
        (400, _) => "Bearer error=\"invalid_request\"",
        (401, _) => "Bearer error=\"invalid_token\"",
        _ => "Bearer error=\"insufficient_scope\"",
    };
    match answer.all("www-authenticate")[..] {
        [one] if one.starts_with(expected) => None,
        ref others => Some(format!("{place}: {others:?} instead of {expected}")),
    }
}
