//! The answer of a readiness probe.

use axum_entra::Entra;
use entra_emulator::{Emulator, Fault};
use serde_json::{Value, json};

use super::{text, trusting};

/// Status and body.
async fn asked(entra: &Entra) -> (u16, Value) {
    let response = entra.readiness();
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json");
    (status, serde_json::from_str(&text(response).await).unwrap())
}

#[tokio::test]
async fn it_is_503_with_the_cause_until_there_are_keys() {
    let emulator = Emulator::start().await.unwrap();
    emulator.inject_fault(Fault::Status(500));
    let entra = trusting(&emulator).build().unwrap();
    while entra.status()[0].jwks[0].last_error.is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let (status, body) = asked(&entra).await;
    assert_eq!(
        (status, &body["ready"], &body["keys"]),
        (503, &json!(false), &json!(0))
    );
    assert!(
        body["last_error"].as_str().unwrap().contains("500"),
        "{body}"
    );
    assert_eq!(body["age_seconds"], Value::Null);
}

#[tokio::test]
async fn it_is_200_with_the_state_of_each_document() {
    let emulator = Emulator::start().await.unwrap();
    let entra = trusting(&emulator).build().unwrap();
    while !entra.is_ready() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let (status, body) = asked(&entra).await;
    assert_eq!((status, &body["ready"]), (200, &json!(true)));
    let documents = body["authorities"][0]["documents"].as_array().unwrap();
    let known = entra.status();
    assert_eq!(documents.len(), known[0].jwks.len());
    for (shown, own) in documents.iter().zip(&known[0].jwks) {
        assert_eq!(shown["document"], own.name);
        assert!(
            shown["keys"].as_u64().is_some() && shown["withdrawn"] == 0,
            "{shown}"
        );
    }
    assert!(body["keys"].as_u64().unwrap() > 0);
    let store = json!({
        "shared": false,
        "following": entra.store_status().connected,
        "revocations": 0,
        "clock_offset_seconds": null,
        "last_error": null,
    });
    assert_eq!(body["store"], store);
}
