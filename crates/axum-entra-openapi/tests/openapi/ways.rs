//! Each way of the document, gone to its end and left one step before it.

use serde_json::{Value, json};

use crate::schema::assert_problem;
use crate::tokens::Alternative;
use crate::{Api, send};

#[tokio::test]
async fn a_token_with_exactly_what_is_documented_passes() {
    let api = Api::start().await;
    for (method, path, operation) in api.operations() {
        for way in Alternative::all_of(&operation) {
            for token in way.tokens(&api.emulator) {
                let bearer = format!("Bearer {token}");
                let answer = send(&api.router, &method, &path, Some(&bearer)).await;
                // Where Microsoft Graph is asked and the API has no credentials: past the guard.
                let passed = answer.status.is_success() || answer.status == 503;
                assert!(passed, "{method} {path} {way:?}: {answer:?}");
                let status = answer.status.as_str();
                assert!(!operation["responses"][status].is_null(), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_with_one_thing_less_is_refused_as_documented() {
    let api = Api::start().await;
    let mut tried = 0;
    for (method, path, operation) in api.operations() {
        for way in Alternative::all_of(&operation) {
            for (missing, token) in way.damaged(&api.emulator) {
                tried += 1;
                let bearer = format!("Bearer {token}");
                let answer = send(&api.router, &method, &path, Some(&bearer)).await;
                assert_eq!(
                    answer.status, 403,
                    "{method} {path} without {missing}: {answer:?}"
                );
                assert_problem(&api.document, &operation, &answer);
                let said = operation["responses"]["403"]["description"]
                    .as_str()
                    .unwrap();
                let reason = answer.body["reason"].as_str().unwrap();
                assert!(
                    said.contains(reason),
                    "{method} {path}: {reason} in {said:?}"
                );
            }
        }
    }
    assert!(tried >= 8, "only {tried}");
}

#[tokio::test]
async fn the_security_requirements_are_the_ways() {
    let api = Api::start().await;
    let prefix = format!("api://{}", entra_emulator::API_ID);
    for (method, path, operation) in api.operations() {
        let mut expected: Vec<Value> = Vec::new();
        for way in Alternative::all_of(&operation) {
            let full: Vec<String> = way
                .scopes
                .iter()
                .map(|name| format!("{prefix}/{name}"))
                .collect();
            let names: Vec<&String> = way.scopes.iter().chain(&way.roles).collect();
            if way.accepts_users() {
                expected.push(json!({ "entra": full }));
            }
            if way.accepts_apps() {
                expected.push(json!({ "entra_app": [format!("{prefix}/.default")] }));
            }
            expected.push(json!({ "bearer": names }));
        }
        assert_eq!(operation["security"], json!(expected), "{method} {path}");
    }
}

#[tokio::test]
async fn the_sample_demands_what_the_contract_says() {
    let api = Api::start().await;
    let mut all: Vec<String> = Vec::new();
    for (method, path, operation) in api.operations() {
        for way in Alternative::all_of(&operation) {
            all.push(format!(
                "{method} {path} {} {} {}",
                way.scopes.join(","),
                way.roles.join(","),
                way.conditions.join(",")
            ));
        }
    }
    all.sort();
    for expected in [
        "GET /me   ",
        "GET /todos access_as_user  no_identity",
        "GET /todos/all  Todo.Read.All ",
        "GET /todos/all access_as_user Todo.Admin ",
        "POST /jobs  Tasks.Run app_only",
        "POST /me/invalidateAllRefreshTokens User.ReadWrite  ",
        "POST /me/invalidateAllRefreshTokens Directory.ReadWrite.All  ",
        "POST /me/invalidateAllRefreshTokens Directory.AccessAsUser.All  ",
        "POST /me/revokeSignInSessions User.RevokeSessions.All  ",
        "POST /signout   ",
        "POST /users/{id}/invalidateAllRefreshTokens  User.RevokeSessions.All ",
        "POST /users/{id}/revokeSignInSessions Directory.AccessAsUser.All  ",
        "POST /users/{id}/revokeSignInSessions Directory.ReadWrite.All  ",
        "POST /todos access_as_user  no_identity",
    ] {
        assert!(
            all.iter().any(|one| one == expected),
            "{expected:?} in {all:#?}"
        );
    }
}

#[tokio::test]
async fn every_route_answers_400_and_401_as_documented() {
    let api = Api::start().await;
    let expired = format!("Bearer {}", api.emulator.token().expired().mint());
    for (method, path, operation) in api.operations() {
        for (authorization, status) in [
            (None, 401),
            (Some("Bearer a b"), 400),
            (Some("Bearer garbage"), 401),
            (Some(expired.as_str()), 401),
        ] {
            let answer = send(&api.router, &method, &path, authorization).await;
            assert_eq!(answer.status, status, "{method} {path} {authorization:?}");
            assert_problem(&api.document, &operation, &answer);
        }
    }
}

#[tokio::test]
async fn a_token_without_any_permission_is_refused_as_documented() {
    let api = Api::start().await;
    let token = api.emulator.token().without("scp").without("roles").mint();
    let bearer = format!("Bearer {token}");
    for (method, path, operation) in api.operations() {
        let answer = send(&api.router, &method, &path, Some(&bearer)).await;
        assert_eq!(answer.body["reason"], "no_permissions", "{method} {path}");
        assert_problem(&api.document, &operation, &answer);
    }
}
