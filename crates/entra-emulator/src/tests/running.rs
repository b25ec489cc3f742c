//! Starting, being out of order, stopping.

use std::{sync::Arc, time::Duration};

use super::*;

#[tokio::test]
async fn an_address_other_machines_can_reach_is_refused() {
    let address = "0.0.0.0:0".parse().unwrap();
    let refused = Emulator::builder().listen(address).start().await;
    assert!(matches!(refused, Err(EmulatorError::NotLoopback(_))));
}

#[tokio::test]
async fn outages_are_played_and_end() {
    let emulator = Emulator::builder()
        .token_lifetime(Duration::from_secs(60))
        .start()
        .await
        .unwrap();
    let url = format!("{}/{CONTOSO}/discovery/v2.0/keys", emulator.url());
    let fetch = || {
        client()
            .get(&url)
            .timeout(Duration::from_millis(300))
            .send()
    };

    emulator.inject_fault(Fault::Status(503));
    assert_eq!(fetch().await.unwrap().status(), 503);
    emulator.inject_fault(Fault::CloseConnection);
    let error = fetch().await.unwrap_err();
    assert!(!error.is_timeout(), "{error:?}");
    emulator.inject_fault(Fault::Hang);
    assert!(fetch().await.unwrap_err().is_timeout());
    emulator.inject_fault(Fault::Redirect);
    let moved = fetch().await.unwrap();
    assert_eq!(moved.status(), 302);
    let target = moved.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(client().get(target).send().await.unwrap().status(), 200);
    emulator.inject_fault(Fault::Oversized);
    assert!(fetch().await.unwrap().bytes().await.unwrap().len() > 2_000_000);
    emulator.inject_fault(Fault::NotJson);
    assert!(
        fetch()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .starts_with("<!doctype")
    );
    emulator.inject_fault_at(Endpoint::Keys, Fault::EmptyKeys);
    assert_eq!(
        fetch().await.unwrap().text().await.unwrap(),
        r#"{"keys":[]}"#
    );
    emulator.clear_faults();
    emulator.inject_fault_at(Endpoint::Discovery, Fault::WrongIssuer);
    let metadata = get(
        &emulator,
        &format!("/{CONTOSO}/v2.0/.well-known/openid-configuration"),
    )
    .await;
    assert_eq!(
        metadata["issuer"],
        format!("https://wrong-issuer.example/{CONTOSO}/v2.0")
    );
    emulator.set_key_document(Some(json!({ "keys": [{}] })));
    assert_eq!(
        fetch().await.unwrap().text().await.unwrap(),
        r#"{"keys":[{}]}"#
    );
}

#[tokio::test]
async fn the_last_handle_stops_the_server() {
    let emulator = Emulator::start().await.unwrap();
    let (address, second) = (emulator.address(), emulator.clone());
    let weak = Arc::downgrade(emulator.authority());
    drop(emulator);
    assert!(tokio::net::TcpStream::connect(address).await.is_ok());
    drop(second);
    while weak.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
