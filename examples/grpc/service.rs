//! The service, one guard for each of its methods.

// ANCHOR: service
use axum::Router;
use axum_entra::Entra;
use axum_entra::guard::{RequireAppOnly, RequireScope};
use tower::Layer as _; // `.layer` on a guard

/// A path is `/package.Service/Method`. A method that has no line here does not exist.
pub(crate) fn routes(entra: &Entra) -> Router {
    let (_, health) = tonic_health::server::health_reporter();
    let check = RequireScope("access_as_user").layer(health.clone());
    let watch = RequireAppOnly.layer(health);
    Router::new()
        .route_service("/grpc.health.v1.Health/Check", check)
        .route_service("/grpc.health.v1.Health/Watch", watch)
        .layer(entra.layer())
}
// ANCHOR_END: service
