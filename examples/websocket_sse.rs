//! What stays open: a WebSocket and Server-Sent Events. `cargo run --example websocket_sse`
//!
//! A browser can set no header on a WebSocket, so the token goes among the subprotocols:
//! `new WebSocket("ws://127.0.0.1:3000/ws", ["bearer", token])`. `EventSource` can set none either;
//! use `fetch` and read its body. Both end when the token does: at its `exp`, and at once when it is
//! revoked or the account signs out (`POST /signout`). The client comes back with a new one. The
//! program prints lines to try it.

mod startup;

use std::process::ExitCode;

// ANCHOR: uses
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use axum_entra::guard::RequireScope;
use axum_entra::{Claims, Entra, TokenExpiry, TokenSource};
use futures_util::{Stream, StreamExt};
use tokio_stream::wrappers::IntervalStream;
// ANCHOR_END: uses

use startup::Sample;

#[tokio::main]
async fn main() -> ExitCode {
    startup::run(routes).await
}

async fn routes(sample: &Sample) -> Router {
    sample.show(|walk, _| {
        walk.user("TOKEN", "alice", "access_as_user")
            .call(
                200,
                "events, for three seconds",
                "TOKEN",
                "GET /events -N -m 3",
            )
            .call_anonymously(
                101,
                "a socket; what is sent comes back",
                "GET /ws -N -m 3 -H 'Connection: upgrade' -H 'Upgrade: websocket' \
                 -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
                 -H \"Sec-WebSocket-Protocol: bearer, $TOKEN\"",
            )
            .call_anonymously(401, "no token, no events", "GET /events")
            .call(
                204,
                "alice signs out; with `curl -N` of the first line running, it ends",
                "TOKEN",
                "POST /signout",
            );
    });
    app(&sample.entra)
}

// ANCHOR: streams
fn app(entra: &Entra) -> Router {
    // Beside `Authorization`; the layer also answers the subprotocol `bearer`.
    let layer = entra
        .layer()
        .token_source(TokenSource::websocket_protocol());
    Router::new()
        .route_service("/signout", entra.sign_out_service())
        .route("/ws", get(ws))
        .route("/events", get(events))
        .route_layer(RequireScope("access_as_user"))
        .route_layer(layer)
}

async fn ws(claims: Claims, upgrade: WebSocketUpgrade) -> Response {
    // Before the upgrade and not after it: sign-outs count from here on.
    let expiry = TokenExpiry::new(&claims);
    upgrade.on_upgrade(move |socket| echo(socket, expiry))
}

async fn echo(mut socket: WebSocket, expiry: TokenExpiry) {
    let mut expiry = pin!(expiry);
    loop {
        let message = tokio::select! {
            () = &mut expiry => break,
            message = socket.recv() => message,
        };
        let message = match message {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => message,
            // `recv` returns them too; a ping is answered without this code.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            _ => break,
        };
        // A client that reads nothing keeps `send` waiting.
        let sent = tokio::select! {
            () = &mut expiry => break,
            sent = socket.send(message) => sent,
        };
        if sent.is_err() {
            break;
        }
    }
    // Gone already, or asked to come back with a new token.
    let close = socket.send(Message::Close(None));
    drop(tokio::time::timeout(Duration::from_secs(5), close).await);
}

async fn events(claims: Claims) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = IntervalStream::new(tokio::time::interval(Duration::from_secs(1)));
    let mut number = 0_u64;
    let events = ticks.map(move |_| {
        number += 1;
        Ok(Event::default().data(number.to_string()))
    });
    Sse::new(events.take_until(TokenExpiry::new(&claims))).keep_alive(KeepAlive::default())
}
// ANCHOR_END: streams
