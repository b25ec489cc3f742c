//! Tokens in other places than the header, and streams that end with their token.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::get;
use axum_entra::{Claims, Entra, TokenExpiry, TokenSource};
use entra_emulator::Emulator;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use super::{text, trusting};

async fn entra() -> (Emulator, Entra) {
    let emulator = Emulator::start().await.unwrap();
    let entra = trusting(&emulator).build().unwrap();
    (emulator, entra)
}

/// Shows what is left of the header that the token stood in.
async fn seen(headers: HeaderMap) -> String {
    let left = headers.get("sec-websocket-protocol");
    left.map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default()
}

async fn ask(app: &Router, headers: &[(&str, &str)]) -> Response {
    let request = headers
        .iter()
        .fold(Request::builder().uri("/"), |request, (name, value)| {
            request.header(*name, *value)
        });
    app.clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn other_places_are_off_until_asked_for() {
    let (emulator, entra) = entra().await;
    let good = emulator.token().mint();
    let app = Router::new()
        .route("/", get(seen))
        .route_layer(entra.layer());
    let protocols = format!("bearer, {good}");
    let cookie = format!("token={good}");
    for header in [("sec-websocket-protocol", &*protocols), ("cookie", &cookie)] {
        let response = ask(&app, &[("upgrade", "websocket"), header]).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_handshake_may_bring_the_token_among_its_protocols() {
    let (emulator, entra) = entra().await;
    let good = emulator.token().mint();
    let layer = entra
        .layer()
        .token_source(TokenSource::websocket_protocol());
    let app = Router::new().route("/", get(seen)).route_layer(layer);
    let upgrade = ("upgrade", "websocket");
    for (protocols, left) in [
        (format!("bearer, {good}"), "bearer"),
        (format!("access_token.{good}, chat"), "chat"),
    ] {
        let response = ask(&app, &[upgrade, ("sec-websocket-protocol", &protocols)]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["sec-websocket-protocol"], left);
        assert_eq!(text(response).await, left, "the token goes no further");
        // Not a handshake: an ordinary request keeps to the header.
        let response = ask(&app, &[("sec-websocket-protocol", &protocols)]).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
    let late = emulator.token().expired().mint();
    let (damaged, fine) = (format!("bearer, {late}"), format!("bearer, {good}"));
    let bearer = format!("Bearer {late}");
    let header_wins = [
        upgrade,
        ("sec-websocket-protocol", &*fine),
        ("authorization", &*bearer),
    ];
    let table: [(&[(&str, &str)], u16); 4] = [
        (&[upgrade, ("sec-websocket-protocol", &damaged)], 401),
        (&header_wins, 401),
        (
            &[upgrade, ("sec-websocket-protocol", "bearer, not a token")],
            400,
        ),
        (
            &[
                upgrade,
                ("sec-websocket-protocol", "bearer, a, access_token.b"),
            ],
            400,
        ),
    ];
    for (headers, status) in table {
        assert_eq!(ask(&app, headers).await.status(), status);
    }
}

#[tokio::test]
async fn cookies_and_places_of_ones_own() {
    let (emulator, entra) = entra().await;
    let good = emulator.token().mint();
    let query = |_: &HeaderMap, uri: &http::Uri| Some(uri.query()?.strip_prefix("t=")?.to_owned());
    let layer = entra
        .layer()
        .token_source(TokenSource::cookie("token"))
        .token_source(TokenSource::header(HeaderName::from_static("x-token")))
        .token_source(TokenSource::from_fn(query));
    let app = Router::new().route("/", get(seen)).route_layer(layer);
    let cookie = format!("a=b; token={good}");
    let with_scheme = format!("bearer {good}");
    for header in [
        ("cookie", &*cookie),
        ("x-token", &good),
        ("x-token", &with_scheme),
    ] {
        assert_eq!(ask(&app, &[header]).await.status(), StatusCode::OK);
    }
    let request = Request::get(format!("/?t={good}")).body(Body::empty());
    let response = app.clone().oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let twice = ask(&app, &[("x-token", &good), ("x-token", &good)]).await;
    assert_eq!(twice.status(), StatusCode::BAD_REQUEST);
    for (value, status) in [
        ("", 401),
        ("a b", 400),
        ("Bearer ", 400),
        ("not.a.token", 401),
    ] {
        assert_eq!(
            ask(&app, &[("x-token", value)]).await.status(),
            status,
            "{value:?}"
        );
    }
    let both = ask(&app, &[("cookie", &cookie), ("x-token", &good)]).await;
    assert_eq!(both.status(), StatusCode::BAD_REQUEST);
    let none = ask(&app, &[("cookie", "token=")]).await;
    assert_eq!(none.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_real_handshake_names_a_protocol_that_is_no_secret() {
    let (emulator, entra) = entra().await;
    let good = emulator.token().mint();
    let chosen = get(|upgrade: WebSocketUpgrade| async move {
        upgrade.protocols(["chat"]).on_upgrade(|_| async {})
    });
    let unchosen = get(|upgrade: WebSocketUpgrade| async move { upgrade.on_upgrade(|_| async {}) });
    let layer = entra
        .layer()
        .token_source(TokenSource::websocket_protocol());
    let app = Router::new()
        .route("/chosen", chosen)
        .route("/unchosen", unchosen)
        .route_layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    for (path, offered, named) in [
        ("/chosen", format!("bearer, {good}, chat"), "chat"),
        ("/unchosen", format!("bearer, {good}"), "bearer"),
        ("/chosen", format!("access_token.{good}, chat"), "chat"),
    ] {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-protocol: {offered}\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(socket.read_u8().await.unwrap());
        }
        let answer = String::from_utf8(answer).unwrap().to_lowercase();
        assert!(answer.starts_with("http/1.1 101"), "{answer}");
        assert!(
            answer.contains(&format!("sec-websocket-protocol: {named}\r\n")),
            "{answer}"
        );
        assert!(!answer.contains(&good.to_lowercase()));
    }
}

/// Claims of a token that lives for so long.
async fn claims_for(emulator: &Emulator, entra: &Entra, seconds: u64) -> Claims {
    let now = axum_entra::Clock::system().now().as_secs();
    let token = emulator.token().expires_at(now + seconds).mint();
    entra.validate(&token).await.unwrap()
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let (emulator, entra) = entra().await;
    let claims = claims_for(&emulator, &entra, 100).await;
    tokio::time::pause();
    let ticks =
        tokio_stream::wrappers::IntervalStream::new(tokio::time::interval(Duration::from_secs(10)));
    let stream = ticks.take_until(TokenExpiry::new(&claims));
    let seen = stream.collect::<Vec<_>>().await.len();
    // One at once, and one every ten seconds before the end, whose second may have begun.
    assert!((9..=11).contains(&seen), "{seen}");
}

#[tokio::test]
async fn a_stream_of_an_expired_token_does_not_begin() {
    let (emulator, entra) = entra().await;
    // Within the skew a token is still accepted, but opens nothing that lasts.
    let now = axum_entra::Clock::system().now().as_secs();
    let token = emulator
        .token()
        .issued_at(now - 700)
        .expires_at(now - 100)
        .mint();
    let claims = entra.validate(&token).await.unwrap();
    let stream = tokio_stream::iter([1, 2, 3]).take_until(TokenExpiry::new(&claims));
    assert_eq!(stream.collect::<Vec<i32>>().await, Vec::<i32>::new());
}
