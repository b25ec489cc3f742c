//! What is published, and that it verifies what is signed.

use super::*;

#[tokio::test]
async fn a_minted_token_verifies_with_the_key_that_discovery_leads_to() {
    let emulator = Emulator::start().await.unwrap();
    let cases = [
        (
            emulator
                .token()
                .user("alice")
                .scope("access_as_user")
                .mint(),
            format!("/{CONTOSO}/v2.0/.well-known/openid-configuration"),
        ),
        (
            emulator.token().v1().user("bob").mint(),
            "/contoso.onmicrosoft.com/.well-known/openid-configuration".to_owned(),
        ),
        (
            emulator.token().policy(B2C_POLICY).mint(),
            "/contoso.onmicrosoft.com/b2c_1_SUSI/v2.0/.well-known/openid-configuration".to_owned(),
        ),
        (
            emulator.token().policy(B2C_POLICY).mint(),
            format!("/{CONTOSO}/v2.0/.well-known/openid-configuration?p={B2C_POLICY}"),
        ),
        (
            emulator.token().user("nina").mint(),
            format!("/{NORTHWIND}/v2.0/.well-known/openid-configuration"),
        ),
        (
            emulator.token().user("pat").mint(),
            "/consumers/v2.0/.well-known/openid-configuration".to_owned(),
        ),
        (
            emulator.token().custom_key_of("api").mint(),
            format!("/{CONTOSO}/v2.0/.well-known/openid-configuration?appid={API_ID}"),
        ),
    ];
    let documents_of_others = get(&emulator, &format!("/{FABRIKAM}/discovery/v2.0/keys")).await;
    for (number, (token, discovery)) in cases.iter().enumerate() {
        let metadata = get(&emulator, discovery).await;
        assert_eq!(metadata["issuer"], claims(token)["iss"], "{discovery}");
        let keys = metadata["jwks_uri"]
            .as_str()
            .unwrap()
            .strip_prefix(emulator.url())
            .unwrap();
        let document = get(&emulator, keys).await;
        assert!(verifies(token, &document), "{discovery}");
        assert_eq!(
            verifies(token, &documents_of_others),
            number < 2,
            "{discovery}"
        );
    }
    let unpublished = emulator.token().unpublished_key().mint();
    assert!(!verifies(&unpublished, &emulator.keys_document()));
    let seen = emulator.requests();
    assert!(
        seen.contains(&format!("/{CONTOSO}/discovery/v2.0/keys?appid={API_ID}")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn documents_and_keys_have_entras_members() {
    let emulator = Emulator::start().await.unwrap();
    let base = emulator.url();
    let common = get(&emulator, "/common/v2.0/.well-known/openid-configuration").await;
    assert_eq!(common["issuer"], format!("{base}/{{tenantid}}/v2.0"));
    assert_eq!(common["msgraph_host"], "graph.microsoft.com");

    let keys = get(&emulator, "/common/discovery/v2.0/keys").await;
    let issuers: Vec<_> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["issuer"])
        .collect();
    assert_eq!(issuers[0], &json!(format!("{base}/{{tenantid}}/v2.0")));
    assert_eq!(
        issuers[issuers.len() - 1],
        &json!(format!("{base}/{CONSUMERS}/v2.0"))
    );

    let v1 = get(&emulator, &format!("/{CONTOSO}/discovery/keys")).await;
    let members: Vec<_> = v1["keys"][0]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(members, ["e", "kid", "kty", "n", "use", "x5c", "x5t"]);

    let unknown = format!("{base}/unknown.example/v2.0/.well-known/openid-configuration");
    assert_eq!(client().get(unknown).send().await.unwrap().status(), 400);
    let front = client()
        .get(base)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(front.contains(DAEMON_ID) && front.contains(USER_PASSWORD));
}

#[tokio::test]
async fn a_key_document_that_is_known_is_not_sent_again() {
    let emulator = Emulator::start().await.unwrap();
    let url = format!("{}/{CONTOSO}/discovery/v2.0/keys", emulator.url());
    let first = client().get(&url).send().await.unwrap();
    assert_eq!(first.headers()["cache-control"], "max-age=86400, private");
    let etag = first.headers()["etag"].clone();
    let again = || client().get(&url).header("if-none-match", &etag).send();
    assert_eq!(again().await.unwrap().status(), 304);
    emulator.rotate_keys();
    assert_eq!(again().await.unwrap().status(), 200);
    assert_eq!(emulator.request_counts().keys, 3);
}

/// A token that was minted on the front page, and what the page says about it.
#[tokio::test]
async fn the_front_page_mints_every_kind_and_lists_what_was_issued() {
    let emulator = Emulator::start().await.unwrap();
    let post = async |body: String| {
        let answer = client()
            .post(format!("{}/mint", emulator.url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let page = async || {
        let request = client().get(emulator.url()).header("accept", "text/html");
        request.send().await.unwrap().text().await.unwrap()
    };
    let front = page().await;
    assert!(front.contains("None yet."), "{front}");
    let kinds: Vec<&str> = front
        .split("<select name=kind>")
        .nth(1)
        .unwrap()
        .split("</select>")
        .next()
        .unwrap()
        .split("value=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(kinds.len() > 12, "{kinds:?}");
    for kind in kinds {
        let (status, text) = post(format!("who=user:bob&kind={kind}&scope=Todo.Read")).await;
        assert_eq!(status, 200, "{kind}");
        assert!(text.contains("xms_emulator"), "{kind}");
    }
    for wrong in [
        "who=user:not-here&kind=good",
        "who=app:daemon&kind=no-such",
        "who=bob&kind=good",
        "kind=good",
        "",
    ] {
        assert_eq!(post(wrong.to_owned()).await.0, 400, "{wrong}");
    }
    let (_, text) = post("who=app:daemon&kind=good&roles=%3Cb%3E".to_owned()).await;
    assert!(
        text.contains("&lt;b&gt;") && !text.contains("<b>"),
        "{text}"
    );
    let front = page().await;
    assert!(front.contains("<td>bob@contoso.onmicrosoft.com</td>"));
    assert!(
        front.contains("Todo.Read") && !front.contains("eyJ"),
        "{front}"
    );
}
