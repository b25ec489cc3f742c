//! What the token endpoints give and refuse.

use super::*;

#[tokio::test]
async fn an_api_with_v1_tokens_has_them_from_the_v2_endpoint_for_the_uri_that_was_asked() {
    let uri = "https://todo.example/mcp";
    let app = crate::sample_api()
        .with_identifier_uri(uri)
        .with_v1_tokens();
    let emulator = Emulator::builder().app(app).start().await.unwrap();
    let login = format!("grant_type=password&client_id={CLI_ID}&password={USER_PASSWORD}");
    for asked in [uri.to_owned(), format!("api://{API_ID}")] {
        let body = format!("{login}&username=alice&scope=openid+{asked}/Todo.Read");
        let (_, answer) = post(&emulator, &format!("/{CONTOSO}/oauth2/v2.0/token"), &body).await;
        let found = claims(answer["access_token"].as_str().unwrap());
        assert_eq!(
            (&found["ver"], &found["aud"], &found["scp"]),
            (&json!("1.0"), &json!(asked), &json!("Todo.Read"))
        );
        assert_eq!(found["iss"], emulator.issuer_v1(CONTOSO));
        assert!(found["appid"].is_string() && found.get("azp").is_none());
        // The answer is that of its endpoint, and so is the ID token.
        assert_eq!(answer["scope"], format!("{asked}/Todo.Read"));
        let id_token = claims(answer["id_token"].as_str().unwrap());
        assert_eq!(id_token["ver"], "2.0");
    }
}

#[tokio::test]
async fn the_password_grant_gives_a_user_token_in_the_form_of_its_endpoint() {
    let emulator = Emulator::start().await.unwrap();
    let login = format!("grant_type=password&client_id={CLI_ID}&password={USER_PASSWORD}");

    let body = format!(
        "{login}&username=alice%40contoso.onmicrosoft.com&scope=openid+api://{API_ID}/Todo.Read+api://{API_ID}/Todo.ReadWrite"
    );
    let (status, v2) = post(&emulator, &format!("/{CONTOSO}/oauth2/v2.0/token"), &body).await;
    assert_eq!(
        (status.as_u16(), &v2["token_type"]),
        (200, &json!("Bearer")),
        "{v2}"
    );
    let token = v2["access_token"].as_str().unwrap();
    assert!(verifies(token, &emulator.keys_document()));
    let found = claims(token);
    assert_eq!(found["scp"], "Todo.Read Todo.ReadWrite");
    assert_eq!(
        (&found["oid"], &found["roles"]),
        (&json!(ALICE), &json!(["Todo.Admin"]))
    );
    assert_eq!(
        (&found["aud"], &found["azpacr"]),
        (&json!(API_ID), &json!("0"))
    );
    assert_eq!(found[EMULATOR_CLAIM], true);
    assert!(found.get("idtyp").is_none());

    let body = format!("{login}&username=carol&resource=api://{API_ID}");
    let (_, v1) = post(&emulator, &format!("/{CONTOSO}/oauth2/token"), &body).await;
    let found = claims(v1["access_token"].as_str().unwrap());
    assert_eq!(
        (&found["ver"], &found["aud"]),
        (&json!("1.0"), &json!(format!("api://{API_ID}")))
    );
    assert_eq!(found["iss"], emulator.issuer_v1(CONTOSO));
    assert_eq!(
        (&found["acct"], &found["idp"]),
        (&json!(1), &json!(emulator.issuer_v1(FABRIKAM)))
    );

    let body =
        format!("{login}&username=bob&scope=https://contoso.onmicrosoft.com/{API_ID}/Todo.Read");
    let path = "/contoso.onmicrosoft.com/b2c_1_susi/oauth2/v2.0/token";
    let (_, b2c) = post(&emulator, path, &body).await;
    let found = claims(b2c["access_token"].as_str().unwrap());
    assert_eq!(
        (&found["ver"], &found["tfp"]),
        (&json!("1.0"), &json!(B2C_POLICY))
    );
    assert_eq!(found["iss"], emulator.issuer_b2c(CONTOSO, B2C_POLICY));
    assert_eq!(emulator.request_counts().token, 3);
}

#[tokio::test]
async fn the_client_credentials_grant_gives_an_app_only_token() {
    let emulator = Emulator::start().await.unwrap();
    let path = format!("/{CONTOSO}/oauth2/v2.0/token");
    let scope = format!("scope=api%3A%2F%2F{API_ID}%2F.default");
    let body = format!(
        "grant_type=client_credentials&client_id={DAEMON_ID}&client_secret={DAEMON_SECRET}&{scope}"
    );
    let (status, answer) = post(&emulator, &path, &body).await;
    assert_eq!(status, 200, "{answer}");
    let found = claims(answer["access_token"].as_str().unwrap());
    assert_eq!(found["roles"], json!(["Tasks.Run", "Todo.Read.All"]));
    assert_eq!(
        (&found["azp"], &found["azpacr"]),
        (&json!(DAEMON_ID), &json!("1"))
    );
    assert_eq!(found["sub"], found["oid"]);
    assert!(
        found.get("idtyp").is_none(),
        "an optional claim, off at first"
    );
    assert!(found.get("scp").is_none());
    let minted = claims(&emulator.token().app("certificate-daemon").mint());
    assert_eq!(
        (&minted["azpacr"], &minted["azp"]),
        (&json!("2"), &json!(CERTIFICATE_DAEMON_ID))
    );
}

#[tokio::test]
async fn refusals_have_entras_numbers() {
    let emulator = Emulator::start().await.unwrap();
    let daemon = format!("grant_type=client_credentials&client_id={DAEMON_ID}");
    let scope = format!("scope=api://{API_ID}/.default");
    let user = format!("grant_type=password&client_id={CLI_ID}&username=alice");
    let cases = [
        (
            format!("{daemon}&client_secret=wrong&{scope}"),
            401,
            "invalid_client",
            7_000_215,
        ),
        (
            format!("{daemon}&{scope}"),
            401,
            "invalid_client",
            7_000_218,
        ),
        (
            format!("grant_type=client_credentials&client_id={FABRIKAM}&{scope}"),
            400,
            "unauthorized_client",
            700_016,
        ),
        (
            format!("{user}&password=wrong&{scope}"),
            400,
            "invalid_grant",
            50_126,
        ),
        (
            format!("{user}&password={USER_PASSWORD}&scope=api://{FABRIKAM}/Todo.Read"),
            400,
            "invalid_resource",
            500_011,
        ),
        (
            format!("{user}&password={USER_PASSWORD}&scope=api://{API_ID}/No.Such"),
            400,
            "invalid_client",
            650_053,
        ),
        (
            "grant_type=device_code".to_owned(),
            400,
            "unsupported_grant_type",
            70_003,
        ),
        ("client_id=x".to_owned(), 400, "invalid_request", 900_144),
    ];
    for (body, status, error, code) in cases {
        let (got, answer) = post(&emulator, &format!("/{CONTOSO}/oauth2/v2.0/token"), &body).await;
        assert_eq!(got.as_u16(), status, "{body}: {answer}");
        assert_eq!(
            (&answer["error"], &answer["error_codes"]),
            (&json!(error), &json!([code]))
        );
        let text = answer["error_description"].as_str().unwrap();
        assert!(text.starts_with(&format!("AADSTS{code}: ")) && text.contains("\r\nTrace ID: "));
    }
}
