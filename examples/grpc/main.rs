//! gRPC behind the layer: `cargo run --example grpc`, then paste what it prints.
//!
//! A refusal is a gRPC status: 16 (unauthenticated), 7 (permission denied), 14 (unavailable). The
//! service is the standard health check, which needs no protocol compiler. Tonic's services are
//! routes of an axum router, so layers and guards go around them as around any other route; with
//! tonic's own `Server::builder()` the first `.layer(…)` is the outermost. Each method is a route of its
//! own here, with its own guard. A gRPC server runs a
//! method whatever the HTTP method was, so nothing may be exempt from the layer, and nothing is.

mod service;
#[path = "../startup/mod.rs"]
mod startup;

use std::process::ExitCode;

use axum::Router;
use startup::Sample;
use tonic_health::server::HealthReporter;

#[tokio::main]
async fn main() -> ExitCode {
    startup::run(routes).await
}

async fn routes(sample: &Sample) -> Router {
    sample.show(|walk, _| {
        // An empty message: not compressed, no bytes.
        let check = "POST /grpc.health.v1.Health/Check --http2-prior-knowledge --output - \
             -H 'content-type: application/grpc' -H 'te: trailers' \
             --data-binary @<(printf '\\0\\0\\0\\0\\0')";
        walk.call_anonymously(200, "grpc-status 16: no token", check)
            .user("READER", "alice", "Todo.Read")
            .call(200, "grpc-status 7: not the scope", "READER", check)
            .user("TOKEN", "alice", "access_as_user")
            .call(200, "grpc-status 0: it is serving", "TOKEN", check)
            .call(
                200,
                "grpc-status 7: this method is for applications",
                "TOKEN",
                &check.replace("/Check", "/Watch"),
            );
    });
    service::routes(&sample.entra, &HealthReporter::new())
}
