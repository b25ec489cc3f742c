//! The service, one guard for each of its methods.

use axum::Router;
use axum_entra::guard::{RequireAppOnly, RequireScope};
use axum_entra::{Entra, GuardLayer};

// ANCHOR: service
/// A path is `/package.Service/Method`. A method that has no line here does not exist.
pub(crate) fn routes(entra: &Entra) -> Router {
    let (_, health) = tonic_health::server::health_reporter();
    let check = GuardLayer::around(health.clone(), RequireScope("access_as_user"));
    let watch = GuardLayer::around(health, RequireAppOnly);
    Router::new()
        .route_service("/grpc.health.v1.Health/Check", check)
        .route_service("/grpc.health.v1.Health/Watch", watch)
        .layer(entra.layer())
}
// ANCHOR_END: service
