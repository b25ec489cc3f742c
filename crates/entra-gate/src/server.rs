//! The server: HTTP/1.1 and HTTP/2 without TLS, on addresses that clients cannot reach.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket};

/// What request headers take besides the token.
const OTHER_HEADERS: usize = 16 * 1024;

/// What HTTP/2 counts for names and entries (RFC 9113 section 6.5.2), far from exhausted.
const OVERHEAD: usize = 4 * 1024;

/// How long requests may go on after the signal to stop.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// How many connections wait for the gate to take them.
const BACKLOG: u32 = 1_024;

/// Takes an address without listening yet.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

pub(crate) fn listen(socket: TcpSocket) -> std::io::Result<TcpListener> {
    socket.listen(BACKLOG)
}

/// Serves until `stop`, and then until the last request is answered.
///
/// HTTP/2 limits request headers to 16 KiB unless configured otherwise, which a token with 300 groups
/// exceeds; HTTP/1.1 has room for 400 KiB.
pub(crate) async fn serve<F, A, B>(
    listener: TcpListener,
    max_token_size: usize,
    stop: impl Future<Output = ()>,
    answer: F,
) where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<B>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let most = max_token_size.saturating_add(OTHER_HEADERS + OVERHEAD);
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new());
    server
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(most).unwrap_or(u32::MAX));
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, _)) = accepted else {
            // The peer is gone, or there are too many open files for the moment.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Answers are small, and go out at once.
        let _ = stream.set_nodelay(true);
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answer = answer(request);
            async { Ok::<_, Infallible>(answer.await) }
        });
        let connection = server.serve_connection(TokioIo::new(stream), service);
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
