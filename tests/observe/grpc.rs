//! gRPC: refusals are its status codes, seen by a real client over a real connection.

use axum_entra::emulator::{API_ID, CONTOSO, Emulator};
use axum_entra::guard::RequireScope;
use axum_entra::{Authority, Entra, Tenant};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::trusting;

async fn serve(entra: &Entra) -> HealthClient<Channel> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (_, health) = tonic_health::server::health_reporter();
    let server = Server::builder()
        .layer(entra.layer())
        .layer(RequireScope("access_as_user"))
        .add_service(health);
    let incoming = TcpListenerStream::new(listener);
    tokio::spawn(async move { server.serve_with_incoming(incoming).await });
    let channel = Channel::from_shared(address).unwrap();
    HealthClient::new(channel.connect().await.unwrap())
}

async fn check(client: &mut HealthClient<Channel>, token: Option<&str>) -> Result<(), Status> {
    let mut request = Request::new(HealthCheckRequest::default());
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    client.check(request).await.map(|_| ())
}

#[tokio::test]
async fn a_client_gets_16_7_or_its_answer() {
    let emulator = Emulator::start().await.unwrap();
    let mut client = serve(&trusting(&emulator).build().unwrap()).await;
    let good = emulator.token().scope("access_as_user").mint();
    check(&mut client, Some(&good)).await.unwrap();
    let poor = emulator.token().scope("Todo.Read").mint();
    let late = emulator.token().expired().mint();
    for (token, code, reason) in [
        (None, Code::Unauthenticated, "missing_token"),
        (Some("a=b"), Code::Unauthenticated, "malformed_header"),
        (Some(&*late), Code::Unauthenticated, "expired"),
        (Some(&*poor), Code::PermissionDenied, "scope"),
    ] {
        let status = check(&mut client, token).await.unwrap_err();
        assert_eq!(status.code(), code, "{reason}");
        assert!(status.message().starts_with(reason), "{status}");
    }
}

#[tokio::test]
async fn without_keys_it_is_14_which_clients_try_again() {
    let tenant = Tenant::id(CONTOSO);
    let authority = Authority::entra(tenant, API_ID).instance("http://127.0.0.1:9");
    let mut client = serve(&Entra::trusting(authority).build().unwrap()).await;
    let emulator = Emulator::start().await.unwrap();
    let issuer = format!("http://127.0.0.1:9/{CONTOSO}/v2.0");
    let token = emulator.token().issuer(issuer).mint();
    let status = check(&mut client, Some(&token)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().starts_with("keys_unavailable"));
}
