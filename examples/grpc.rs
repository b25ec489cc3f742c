//! gRPC behind the layer: `cargo run --example grpc`
//!
//! A refusal is a gRPC status: 16 (unauthenticated), 7 (permission denied), 14 (unavailable). The
//! service is the standard health check, which needs no protocol compiler; the program starts it
//! with the emulator as its authority and calls it as three clients. For a real tenant, build
//! `Entra` as in `quickstart`; the layers are the same.
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use axum_entra::Builder;
use axum_entra::emulator::Emulator;
use axum_entra::guard::RequireScope;
use axum_entra::settings::Settings;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Request;
use tonic::transport::{Channel, Server};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start().await?;
    let text = emulator.settings().to_string();
    let settings = Settings::from_parts(Some(("the emulator", &text)), [])?;
    let entra = Builder::from_settings(&settings)?.build()?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let (_, health) = tonic_health::server::health_reporter();
    // The first layer is the outermost: who is asking, then whether they may.
    let server = Server::builder()
        .layer(entra.layer())
        .layer(RequireScope("access_as_user"))
        .add_service(health)
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);

    let mut client = HealthClient::new(Channel::from_shared(address)?.connect().await?);
    let mint = |scope: &str| format!("Bearer {}", emulator.token().scope(scope).mint());
    for (who, header) in [
        ("no token", None),
        ("a token without the scope", Some(mint("Todo.Read"))),
        ("a token with the scope", Some(mint("access_as_user"))),
    ] {
        let mut request = Request::new(HealthCheckRequest::default());
        if let Some(header) = header {
            request
                .metadata_mut()
                .insert("authorization", header.parse()?);
        }
        match client.check(request).await {
            Ok(answer) => println!("{who}: {:?}", answer.into_inner().status()),
            Err(status) => println!("{who}: {} {}", status.code() as i32, status.message()),
        }
    }
    Ok(())
}
