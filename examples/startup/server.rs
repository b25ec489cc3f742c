//! The samples' server: HTTP/1.1 and HTTP/2 without TLS, CORS around everything.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath};
use axum::http::{Request, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tower::ServiceExt;
use tower_http::cors::CorsLayer;
use tower_http::trace::TraceLayer;
use tracing::Span;

use super::problems::not_found;

/// What request headers take besides the token.
const OTHER_HEADERS: usize = 16 * 1024;

/// What HTTP/2 counts for names and entries (RFC 9113 section 6.5.2), far from exhausted.
const OVERHEAD: usize = 4 * 1024;

/// Outermost: it answers preflights, which no handler then sees, and lets a page read a refusal
/// with its challenge. An API for pages that are known names their origins here.
fn cors() -> CorsLayer {
    CorsLayer::permissive().expose_headers([header::WWW_AUTHENTICATE])
}

/// Around every route of a sample, and around what is not there, so that no sample can forget it.
pub(crate) fn around(app: Router) -> Router {
    app.fallback(async || not_found())
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(cors())
}

/// A request in the log, by its route: an address may hold account ids, or even a token.
fn span(request: &Request<Body>) -> Span {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str);
    tracing::debug_span!("request", method = %request.method(), route)
}

/// Serves until `stop`, and then until the last request is answered.
///
/// HTTP/2 limits request headers to 16 KiB unless configured otherwise, which a token with 300 groups
/// exceeds; HTTP/1.1 has room for 400 KiB.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    max_token_bytes: usize,
    stop: impl Future<Output = ()>,
) {
    let most = max_token_bytes.saturating_add(OTHER_HEADERS + OVERHEAD);
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new());
    server
        .http2()
        .timer(TokioTimer::new())
        .enable_connect_protocol()
        .max_header_list_size(u32::try_from(most).unwrap_or(u32::MAX));
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, peer)) = accepted else {
            // The peer is gone, or there are too many open files for the moment.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Answers are small, and go out at once.
        let _ = stream.set_nodelay(true);
        let service = service_of(app.clone(), peer);
        let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let connection = connections.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "connection ended");
            }
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// Who asks is known by address: `/inspect` answers this machine only.
fn service_of(
    app: Router,
    peer: SocketAddr,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = Infallible,
    Future = impl Future<Output = Result<axum::response::Response, Infallible>> + Send + 'static,
> + Clone
+ Send
+ 'static {
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        app.clone().oneshot(request.map(Body::new))
    })
}
