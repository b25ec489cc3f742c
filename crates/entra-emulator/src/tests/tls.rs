//! The listener with TLS.

use super::*;

#[tokio::test]
async fn a_client_that_trusts_the_ca_is_answered_and_no_other() {
    let emulator = Emulator::builder().tls().start().await.unwrap();
    let port = emulator.address().port();
    assert_eq!(emulator.url(), format!("https://127.0.0.1:{port}"));
    let ca = reqwest::Certificate::from_pem(emulator.ca_pem().unwrap().as_bytes()).unwrap();
    let trusting = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_merge([ca])
        .build()
        .unwrap();
    let path = format!("{CONTOSO}/v2.0/.well-known/openid-configuration");
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{port}/{path}");
        let answer = trusting.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let document: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(document["issuer"], emulator.issuer(CONTOSO));
    }
    let url = format!("{}/{path}", emulator.url());
    assert!(client().get(url).send().await.is_err());
    let plain = format!("http://127.0.0.1:{port}/{path}");
    assert!(client().get(plain).send().await.is_err());

    emulator.inject_fault(Fault::CloseConnection);
    let url = format!("{}/{path}", emulator.url());
    assert!(trusting.get(url).send().await.is_err());
}

#[tokio::test]
async fn without_tls_there_is_no_ca() {
    let emulator = Emulator::start().await.unwrap();
    assert_eq!(emulator.ca_pem(), None);
}
