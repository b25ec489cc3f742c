//! Tokens that are bound to a key or a certificate.

use super::*;

const THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

async fn ask(emulator: &Emulator, kind: &str, cnf: &str) -> (u16, Value) {
    let cnf = base64_simd::URL_SAFE_NO_PAD.encode_to_string(cnf);
    let body = format!(
        "grant_type=password&client_id={CLI_ID}&password={USER_PASSWORD}&username=alice\
         &scope=api://{API_ID}/access_as_user&token_type={kind}&req_cnf={cnf}"
    );
    let (status, answer) = post(emulator, &format!("/{CONTOSO}/oauth2/v2.0/token"), &body).await;
    (status.as_u16(), answer)
}

#[tokio::test]
async fn a_token_is_bound_to_what_the_client_names() {
    let emulator = Emulator::start().await.unwrap();
    for (kind, cnf) in [
        ("pop", json!({ "kid": THUMBPRINT, "xms_ksl": "sw" })),
        ("pop", json!({ "kid": THUMBPRINT })),
        ("mtls_pop", json!({ "x5t#S256": THUMBPRINT })),
    ] {
        let (status, answer) = ask(&emulator, kind, &cnf.to_string()).await;
        assert_eq!(
            (status, &answer["token_type"]),
            (200, &json!(kind)),
            "{answer}"
        );
        let token = answer["access_token"].as_str().unwrap();
        assert!(verifies(token, &emulator.keys_document()));
        assert_eq!(claims(token)["cnf"], cnf);
    }
    let (status, answer) = ask(&emulator, "Bearer", "{}").await;
    assert_eq!((status, &answer["token_type"]), (200, &json!("Bearer")));
    assert!(
        claims(answer["access_token"].as_str().unwrap())
            .get("cnf")
            .is_none()
    );
}

#[tokio::test]
async fn a_binding_that_names_no_key_is_refused() {
    let emulator = Emulator::start().await.unwrap();
    for (kind, cnf) in [
        ("pop", json!({})),
        ("pop", json!({ "kid": "short" })),
        ("pop", json!({ "kid": 7 })),
        ("pop", json!({ "x5t#S256": THUMBPRINT })),
        (
            "pop",
            json!({ "kid": THUMBPRINT, "jku": "https://a.example" }),
        ),
        ("mtls_pop", json!({ "kid": THUMBPRINT })),
        ("ssh-cert", json!({ "kid": THUMBPRINT })),
        ("pop", json!([])),
    ] {
        let (status, answer) = ask(&emulator, kind, &cnf.to_string()).await;
        assert_eq!(
            (status, &answer["error"]),
            (400, &json!("invalid_request")),
            "{kind} {cnf}"
        );
    }
}

#[tokio::test]
async fn a_minted_token_is_bound_in_one_line() {
    let emulator = Emulator::start().await.unwrap();
    let token = emulator.token().bound_to_key(THUMBPRINT).mint();
    assert_eq!(
        claims(&token)["cnf"],
        json!({ "kid": THUMBPRINT, "xms_ksl": "sw" })
    );
    let token = emulator.token().bound_to_certificate(b"DER").mint();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"DER");
    let hash = base64_simd::URL_SAFE_NO_PAD.encode_to_string(hash);
    assert_eq!(claims(&token)["cnf"], json!({ "x5t#S256": hash }));
}
