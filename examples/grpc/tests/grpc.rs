//! gRPC: refusals are its status codes, seen by a real client over a real connection.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[path = "../service.rs"]
mod service;

use axum_entra::EntraBuilder;
use axum_entra::guard::RequireScope;
use axum_entra::settings::Settings;
use axum_entra::{Authority, Entra, HttpClient, Tenant};
use entra_emulator::{API_ID, CONTOSO, Emulator};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::server::HealthReporter;

/// A builder that trusts an emulator.
fn trusting(emulator: &Emulator) -> EntraBuilder {
    let text = emulator.settings().to_string();
    let settings = Settings::from_parts(Some(("the emulator", &text)), []).unwrap();
    EntraBuilder::from_settings(&settings).unwrap()
}

/// Serves the health check, and says where.
async fn serve_at(entra: &Entra) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (_, health) = tonic_health::server::health_reporter();
    let server = Server::builder()
        .layer(entra.layer())
        .layer(RequireScope("access_as_user"))
        .add_service(health);
    let incoming = TcpListenerStream::new(listener);
    tokio::spawn(async move { server.serve_with_incoming(incoming).await });
    address
}

async fn serve(entra: &Entra) -> HealthClient<Channel> {
    let channel = Channel::from_shared(serve_at(entra).await).unwrap();
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
    let tenant = Tenant::new(CONTOSO);
    let authority = Authority::entra(tenant, API_ID).instance("http://127.0.0.1:9");
    let mut client = serve(&Entra::builder_for(authority).build().unwrap()).await;
    let emulator = Emulator::start().await.unwrap();
    let issuer = format!("http://127.0.0.1:9/{CONTOSO}/v2.0");
    let token = emulator.token().issuer(issuer).mint();
    let status = check(&mut client, Some(&token)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().starts_with("keys_unavailable"));
}

/// Tonic runs a method of a service whatever the HTTP method was, so nothing may be exempt.
#[tokio::test]
async fn no_method_of_http_opens_a_method_of_a_service() {
    let emulator = Emulator::start().await.unwrap();
    let base = serve_at(&trusting(&emulator).build().unwrap()).await;
    let client = HttpClient::builder().http2_prior_knowledge().build();
    let client = client.unwrap();
    let ask = async |method: &str, token: Option<&str>| {
        let mut request = client
            .request(
                method.parse().unwrap(),
                format!("{base}/grpc.health.v1.Health/Check"),
            )
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("origin", "https://page.example")
            .header("access-control-request-method", "POST")
            .body(&b"\0\0\0\0\0"[..]);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        (status, headers, answer.bytes().await.unwrap())
    };
    let poor = emulator.token().scope("Todo.Read").mint();
    let good = emulator.token().scope("access_as_user").mint();
    for method in ["OPTIONS", "GET", "PUT", "TRACE", "PURGE"] {
        for (token, refused) in [(None, 401), (Some("junk"), 401), (Some(&*poor), 403)] {
            let (status, headers, body) = ask(method, token).await;
            assert_eq!(status, refused, "{method}");
            assert_eq!(headers["content-type"], "application/problem+json");
            assert!(body.starts_with(b"{"), "{method}: {body:?}");
        }
        let (status, headers, body) = ask(method, Some(&good)).await;
        assert_eq!((status, headers.get("www-authenticate")), (200, None));
        assert_eq!(body.first(), Some(&0), "{method}: a message");
    }
    for (token, code) in [(None, "16"), (Some(&*poor), "7")] {
        let (status, headers, body) = ask("POST", token).await;
        assert_eq!((status, body.len()), (200, 0));
        assert_eq!(headers["grpc-status"], code);
    }
}

/// Each method of a service is a route with a guard of its own.
#[tokio::test]
async fn each_method_of_a_service_has_its_own_guard() {
    let emulator = Emulator::start().await.unwrap();
    let entra = trusting(&emulator).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let app = service::routes(&entra, &HealthReporter::new());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let client = HttpClient::builder().http2_prior_knowledge().build();
    let client = client.unwrap();
    let user = emulator.token().scope("access_as_user").mint();
    let app = emulator.token().app("daemon").roles(["Tasks.Run"]).mint();
    for (method, token, code) in [
        ("Check", Some(&user), "0"),
        ("Check", Some(&app), "7"),
        ("Watch", Some(&user), "7"),
        ("Watch", Some(&app), "0"),
        ("Check", None, "16"),
        ("Watch", None, "16"),
    ] {
        let mut request = client
            .post(format!("{base}/grpc.health.v1.Health/{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(&b"\0\0\0\0\0"[..]);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        let found = answer.headers().get("grpc-status");
        let found = found.map_or("0", |code| code.to_str().unwrap());
        assert_eq!(found, code, "{method}");
    }
}

/// A stream that outlives its token ends with status 16, and one that its service ends with 0.
#[tokio::test]
async fn a_stream_whose_token_is_revoked_ends_with_16() {
    let emulator = Emulator::start().await.unwrap();
    let entra = trusting(&emulator).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let mut reporter = HealthReporter::new();
    let serving = tonic_health::ServingStatus::Serving;
    reporter.set_service_status("todos", serving).await;
    let app = service::routes(&entra, &reporter);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let channel = Channel::from_shared(address).unwrap();
    let mut client = HealthClient::new(channel.connect().await.unwrap());
    let mut watch = async |token: &str| {
        let mut request = Request::new(HealthCheckRequest {
            service: "todos".to_owned(),
        });
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
        let mut changes = client.watch(request).await.unwrap().into_inner();
        assert_eq!(changes.message().await.unwrap().unwrap().status, 1);
        changes
    };
    let daemon = emulator.token().app("daemon").roles(["Tasks.Run"]).mint();
    let other = emulator.token().app("job").roles(["Tasks.Run"]).mint();
    let mut revoked = watch(&daemon).await;
    let mut lasting = watch(&other).await;
    let account = entra.validate(&daemon).await.unwrap().account_id().unwrap();
    entra.revoke_tokens(&account).await.unwrap();
    let status = revoked.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated, "{status}");

    reporter.clear_service_status("todos").await;
    assert!(lasting.message().await.unwrap().is_none());
}
