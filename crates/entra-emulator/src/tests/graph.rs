//! Microsoft Graph: who may ask what, and what it answers.

use reqwest::Method;

use super::*;

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn the_groups_asked_for_come_back_if_they_are_the_users() {
    let emulator = Emulator::start().await.unwrap();
    let app = graph_app_token(&emulator).await;
    let (in_it, not) = (
        emulator.user("dave").unwrap().groups()[249].clone(),
        GROUP_ID,
    );
    let path = format!("/v1.0/users/{DAVE}/checkMemberGroups");
    let body = json!({ "groupIds": [not, in_it.to_uppercase()] });
    let (status, answer) = graph(&emulator, Method::POST, &path, &app, body.clone()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["value"], json!([in_it]));

    let calls = emulator.graph_calls();
    assert_eq!((calls.len(), emulator.request_counts().graph), (1, 1));
    assert_eq!(
        (calls[0].target.as_str(), &calls[0].body),
        (format!("/graph{path}").as_str(), &body)
    );

    let ids: Vec<_> = (0..21).map(|_| not).collect();
    for body in [
        json!({ "groupIds": ids }),
        json!({ "groupIds": [] }),
        json!({ "groupIds": ["x"] }),
        json!({}),
        json!([]),
    ] {
        let (status, _) = graph(&emulator, Method::POST, &path, &app, body.clone()).await;
        assert_eq!(status, 400, "{body}");
    }
    emulator.set_memberships("dave", [GROUP_ID]);
    let body = json!({ "groupIds": [not, in_it] });
    let (_, answer) = graph(&emulator, Method::POST, &path, &app, body).await;
    assert_eq!(answer["value"], json!([GROUP_ID]));
}

#[tokio::test]
async fn an_app_is_asked_about_under_service_principals() {
    let emulator = Emulator::start().await.unwrap();
    let app = graph_app_token(&emulator).await;
    let id = emulator.app("daemon").unwrap().object_id();
    emulator.set_memberships("daemon", [GROUP_ID]);
    let body = json!({ "groupIds": [GROUP_ID] });
    let path = format!("/v1.0/servicePrincipals/{id}/checkMemberGroups");
    let (_, answer) = graph(&emulator, Method::POST, &path, &app, body.clone()).await;
    assert_eq!(answer["value"], json!([GROUP_ID]));
    let path = format!("/v1.0/users/{id}/checkMemberGroups");
    let (status, answer) = graph(&emulator, Method::POST, &path, &app, body).await;
    assert_eq!(
        (status.as_u16(), code(&answer)),
        (404, "Request_ResourceNotFound")
    );
}

#[tokio::test]
async fn all_groups_come_at_once_up_to_11000_and_page_by_page_beyond() {
    let many = (0..11_001).map(|number| format!("ffffffff-0000-4000-8000-{number:012}"));
    let zoe = many.fold(User::new("zoe"), User::in_group);
    let emulator = Emulator::builder().user(zoe).start().await.unwrap();
    let app = graph_app_token(&emulator).await;
    let (zoe, body) = (
        "zoe@contoso.onmicrosoft.com",
        json!({ "securityEnabledOnly": true }),
    );
    let path = format!("/v1.0/users/{DAVE}/getMemberObjects");
    let (_, answer) = graph(&emulator, Method::POST, &path, &app, body.clone()).await;
    assert_eq!(answer["value"].as_array().unwrap().len(), 250);
    let path = format!("/v1.0/users/{zoe}/getMemberGroups");
    let (status, answer) = graph(&emulator, Method::POST, &path, &app, body).await;
    assert_eq!(
        (status.as_u16(), code(&answer)),
        (400, "Directory_ResultSizeLimitExceeded")
    );

    let first = format!(
        "/v1.0/users/{zoe}/transitiveMemberOf/microsoft.graph.group?$select=id&$top=999&$count=true"
    );
    let (mut path, mut found, mut pages) = (first, 0, 0);
    loop {
        let (status, answer) = graph(&emulator, Method::GET, &path, &app, Value::Null).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["@odata.count"], 11_001);
        found += answer["value"].as_array().unwrap().len();
        pages += 1;
        let Some(link) = answer["@odata.nextLink"].as_str() else {
            break;
        };
        let base = format!("{}/graph", emulator.url());
        path = link.strip_prefix(&base).unwrap().to_owned();
    }
    assert_eq!((found, pages), (11_001, 12));
    let path = format!("/v1.0/users/{zoe}/transitiveMemberOf?$top=1000");
    let (status, _) = graph(&emulator, Method::GET, &path, &app, Value::Null).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn only_a_token_for_graph_with_the_permission_is_answered() {
    let narrow = App::confidential("narrow", "11111111-2222-4222-8222-333333333333", "secret")
        .with_graph_scope("User.Read");
    let emulator = Emulator::builder().app(narrow).start().await.unwrap();
    let me = "/v1.0/me/checkMemberGroups";
    let other = format!("/v1.0/users/{DAVE}/checkMemberGroups");
    let body = json!({ "groupIds": [GROUP_ID] });
    let ask = async |path: &str, token: &str| {
        let (status, answer) = graph(&emulator, Method::POST, path, token, body.clone()).await;
        (status.as_u16(), code(&answer).to_owned())
    };
    let ok = (200, String::new());
    let denied = (403, "Authorization_RequestDenied".to_owned());
    let invalid = (401, "InvalidAuthenticationToken".to_owned());

    let api = emulator.token().user("alice").mint();
    let read = graph_user_token(&emulator, &api, "User.Read").await;
    let all = graph_user_token(&emulator, &api, "https://graph.microsoft.com/.default").await;
    let own = format!("{}/.default", emulator.graph_url());
    let own = graph_user_token(&emulator, &api, &own).await;
    assert_eq!(claims(&read)["ver"], "1.0");
    assert_eq!(claims(&read)["aud"], MICROSOFT_GRAPH);
    for token in [&read, &all, &own] {
        assert_eq!(ask(me, token).await, ok);
    }
    assert_eq!(ask(&other, &read).await, denied);
    assert_eq!(ask(&other, &all).await, ok);
    let app = graph_app_token(&emulator).await;
    assert_eq!(ask(&other, &app).await, ok);
    assert_eq!(ask(me, &app).await, (400, "BadRequest".to_owned()));
    let minted = emulator.token().app("daemon").v1();
    let minted = minted.audience("https://graph.microsoft.com");
    assert_eq!(ask(&other, &minted.clone().mint()).await, denied);
    assert_eq!(ask(&other, &minted.clone().expired().mint()).await, invalid);
    assert_eq!(ask(&other, &minted.unpublished_key().mint()).await, invalid);
    for token in [api.as_str(), "", "a.b.c"] {
        assert_eq!(ask(me, token).await, invalid, "{token}");
    }

    let body = "grant_type=client_credentials&client_id=11111111-2222-4222-8222-333333333333\
                &client_secret=secret&scope=https://graph.microsoft.com/.default";
    let (_, answer) = post(&emulator, &format!("/{CONTOSO}/oauth2/v2.0/token"), body).await;
    let narrow = answer["access_token"].as_str().unwrap();
    assert_eq!(ask(&other, narrow).await, denied);
    let body = format!(
        "grant_type=password&client_id=11111111-2222-4222-8222-333333333333&client_secret=secret\
         &username=alice&password={USER_PASSWORD}&scope=User.Read.All"
    );
    let (_, answer) = post(&emulator, &format!("/{CONTOSO}/oauth2/v2.0/token"), &body).await;
    assert_eq!(answer["suberror"], "consent_required");
}

#[tokio::test]
async fn revoking_moves_the_valid_from_time_and_refuses_older_tokens() {
    let emulator = Emulator::start().await.unwrap();
    let app = graph_app_token(&emulator).await;
    let path = format!("/v1.0/users/{ALICE}?$select=id,signInSessionsValidFromDateTime");
    let (_, before) = graph(&emulator, Method::GET, &path, &app, Value::Null).await;
    assert_eq!(before["id"], ALICE);
    let old = emulator.token().user("alice").v1().scope("User.Read");
    let old = old.audience("https://graph.microsoft.com");
    let old = old
        .issued_at(1_704_067_200)
        .expires_at(4_000_000_000)
        .mint();
    let (status, _) = graph(&emulator, Method::GET, "/v1.0/me", &old, Value::Null).await;
    assert_eq!(status, 200);

    let revoke = "/v1.0/users/alice@contoso.onmicrosoft.com/revokeSignInSessions";
    let (status, answer) = graph(&emulator, Method::POST, revoke, &app, Value::Null).await;
    assert_eq!((status.as_u16(), &answer["value"]), (200, &json!(true)));
    let (_, after) = graph(&emulator, Method::GET, &path, &app, Value::Null).await;
    let time = "signInSessionsValidFromDateTime";
    assert!(after[time].as_str() > before[time].as_str(), "{after}");
    let (status, _) = graph(&emulator, Method::GET, "/v1.0/me", &old, Value::Null).await;
    assert_eq!(status, 401);
    let (_, plain) = graph(
        &emulator,
        Method::GET,
        &path[..path.len() - 43],
        &app,
        Value::Null,
    )
    .await;
    assert!(plain.get(time).is_none(), "{plain}");

    // Whether a user calls, or the application.
    for (path, is_user, expected) in [
        ("/beta/me/invalidateAllRefreshTokens".to_owned(), true, 204),
        (
            format!("/beta/users/{ALICE}/invalidateAllRefreshTokens"),
            false,
            403,
        ),
        ("/v1.0/me/invalidateAllRefreshTokens".to_owned(), true, 400),
        (format!("/v1.0/users/{BOB}/revokeSignInSessions"), true, 403),
        (
            "/v1.0/users/unknown/revokeSignInSessions".to_owned(),
            false,
            404,
        ),
        ("/v1.0/groups".to_owned(), false, 400),
    ] {
        // A token for each call: the first of these calls revokes what was issued in an earlier second.
        let user = match is_user {
            true => {
                let api = emulator.token().user("alice").mint();
                Some(graph_user_token(&emulator, &api, "User.ReadWrite").await)
            }
            false => None,
        };
        let token = user.as_ref().unwrap_or(&app);
        let (status, _) = graph(&emulator, Method::POST, &path, token, Value::Null).await;
        assert_eq!(status, expected, "{path}");
    }
}

#[tokio::test]
async fn graph_can_be_out_of_order_while_the_rest_is_not() {
    let emulator = Emulator::start().await.unwrap();
    emulator.inject_fault_at(Endpoint::Graph, Fault::Throttle(7));
    let app = graph_app_token(&emulator).await;
    let url = format!("{}/users/{DAVE}", emulator.graph_url());
    let ask = async || client().get(&url).bearer_auth(&app).send().await.unwrap();
    let answer = ask().await;
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "7");
    let body = answer.text().await.unwrap();
    assert!(body.contains("TooManyRequests"), "{body}");
    emulator.inject_fault_at(Endpoint::Graph, Fault::Status(503));
    assert_eq!(ask().await.status(), 503);
    emulator.clear_faults();
    assert_eq!(ask().await.status(), 200);
    assert_eq!(emulator.graph_calls().len(), 3);
}
