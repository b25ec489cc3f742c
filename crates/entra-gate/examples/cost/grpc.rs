//! Load over gRPC: questions as Envoy asks them, over one connection as one of its workers does.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use envoy_types::ext_authz::v3::pb::{CheckRequest, HttpResponse};
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{
    HttpRequest, Request as PbRequest,
};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use tonic::transport::{Channel, Endpoint};

use crate::process::{Measured, processor_time};
use crate::row::Sample;

pub(crate) async fn run(
    to: SocketAddr,
    tokens: &[String],
    seconds: u64,
    in_flight: usize,
    gate: &Measured,
) -> Sample {
    let endpoint = Endpoint::from_shared(format!("http://{to}")).unwrap();
    let client = AuthorizationClient::new(endpoint.connect().await.unwrap());
    let questions: Arc<[CheckRequest]> = tokens.iter().map(|token| question(token)).collect();
    ask(&client, &questions, Duration::from_secs(1), in_flight).await;
    let before = processor_time(&[gate]);
    let start = Instant::now();
    let (answered, refused) =
        ask(&client, &questions, Duration::from_secs(seconds), in_flight).await;
    Sample {
        answered,
        refused,
        took: start.elapsed(),
        processor: processor_time(&[gate]) - before,
    }
}

async fn ask(
    client: &AuthorizationClient<Channel>,
    questions: &Arc<[CheckRequest]>,
    long: Duration,
    in_flight: usize,
) -> (u64, u64) {
    let end = Instant::now() + long;
    let next = Arc::new(AtomicU64::new(0));
    let askers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (mut client, questions) = (client.clone(), Arc::clone(questions));
            let next = Arc::clone(&next);
            tokio::spawn(async move {
                let (mut answered, mut refused) = (0, 0);
                while Instant::now() < end {
                    let number = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap();
                    let question = questions[number % questions.len()].clone();
                    let answer = client.check(question).await.unwrap().into_inner();
                    answered += 1;
                    if !matches!(answer.http_response, Some(HttpResponse::OkResponse(_))) {
                        refused += 1;
                    }
                }
                (answered, refused)
            })
        })
        .collect();
    let mut all = (0, 0);
    for asker in askers {
        let (answered, refused) = asker.await.unwrap();
        all = (all.0 + answered, all.1 + refused);
    }
    all
}

fn question(token: &str) -> CheckRequest {
    let headers = [
        (":authority", "api.example.com"),
        (":method", "GET"),
        (":path", "/todos/1"),
        (":scheme", "http"),
        ("accept", "*/*"),
        ("user-agent", "curl/8.5.0"),
        ("x-forwarded-proto", "http"),
        ("x-request-id", "2ffb4a0c-3a55-4a83-8f5f-9f1f2f9d7a51"),
        ("authorization", &format!("Bearer {token}")),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let http = HttpRequest {
        id: "10238432940393292".to_owned(),
        method: "GET".to_owned(),
        headers: HashMap::from(headers),
        path: "/todos/1".to_owned(),
        host: "api.example.com".to_owned(),
        scheme: "http".to_owned(),
        protocol: "HTTP/1.1".to_owned(),
        ..HttpRequest::default()
    };
    CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(PbRequest {
                http: Some(http),
                ..PbRequest::default()
            }),
            ..AttributeContext::default()
        }),
    }
}
