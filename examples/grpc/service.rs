//! The service, one guard for each of its methods.

// ANCHOR: service
use axum::Router;
use axum_entra::guard::{RequireAppOnly, RequireScope};
use axum_entra::{Claims, Entra, TokenExpiry};
use futures_util::future::ready;
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};
use tonic::{Request, Response, Status};
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_health::server::{HealthReporter, HealthService};
use tower::Layer as _; // `.layer` on a guard

/// A path is `/package.Service/Method`. A method that has no line here does not exist.
pub(crate) fn routes(entra: &Entra, reporter: &HealthReporter) -> Router {
    let service = || {
        HealthServer::new(Expiring(HealthService::from_health_reporter(
            reporter.clone(),
        )))
    };
    let check = RequireScope("access_as_user").layer(service());
    let watch = RequireAppOnly.layer(service());
    Router::new()
        .route_service("/grpc.health.v1.Health/Check", check)
        .route_service("/grpc.health.v1.Health/Watch", watch)
        .layer(entra.layer())
}
// ANCHOR_END: service

// ANCHOR: stream
/// The standard health service; its streams end when their token does.
struct Expiring(HealthService);

#[tonic::async_trait]
impl Health for Expiring {
    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        self.0.check(request).await
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let claims = request.extensions().get::<Claims>();
        let expiry = TokenExpiry::new(claims.ok_or_else(|| Status::internal("no layer"))?);
        let changes = self.0.watch(request).await?;
        Ok(changes.map(|changes| until_expired(changes, expiry).boxed()))
    }
}

/// The stream, and status 16 as its end when the token expires or is revoked first. With
/// `take_until` the status would be 0: the client would take the stream for complete.
fn until_expired<T>(
    items: impl Stream<Item = Result<T, Status>>,
    expiry: TokenExpiry,
) -> impl Stream<Item = Result<T, Status>> {
    let expired = stream::once(async {
        expiry.await;
        Some(Err(Status::unauthenticated("expired")))
    });
    // `None`: the service has ended the stream itself.
    let items = items.map(Some).chain(stream::once(ready(None)));
    stream::select(items, expired)
        .take_while(|item| ready(item.is_some()))
        .filter_map(ready)
}
// ANCHOR_END: stream
