//! The bounds of a request, over a network in memory.

use std::sync::Arc;

use http::header::{LOCATION, RETRY_AFTER};

use super::http_client::{idle_http_client, in_memory};
use super::*;
use crate::causes::WithCauses;

const LIMIT: usize = 1_024;

/// What a peer does with a request.
#[derive(Clone, Copy)]
enum Peer {
    /// No connection comes about.
    Unreachable,
    /// It never answers.
    Silent,
    Answers(u16, usize),
}

/// The status and the size of the body that was read, or the error and its kind.
async fn send(
    peer: Peer,
    reads_refusals: bool,
) -> Result<(u16, usize, Option<Duration>), (&'static str, String)> {
    in_memory::install(Some(Arc::new(move |request| {
        assert_eq!(
            request.url().as_str(),
            "https://login.example/keys?secret=1"
        );
        Box::pin(async move {
            match peer {
                Peer::Unreachable => Err(in_memory::no_answer()),
                Peer::Silent => std::future::pending().await,
                Peer::Answers(status, size) => {
                    let answer = http::Response::builder()
                        .status(status)
                        .header(RETRY_AFTER, "7")
                        .header(LOCATION, "https://elsewhere.example/")
                        .body(vec![b' '; size]);
                    Ok(answer.unwrap().into())
                }
            }
        })
    })));
    let transport = HttpTransport {
        client: idle_http_client().unwrap(),
        clock: Clock::system(),
        timeout: Duration::from_secs(3),
        max_bytes: LIMIT,
    };
    let sent = transport.send(HttpRequest {
        name: "keys document",
        peer: Some("the authority"),
        method: Method::GET,
        address: Url::parse("https://login.example/keys?secret=1").unwrap(),
        headers: HeaderMap::new(),
        body: Vec::new(),
        reads_refusals,
    });
    let answer = sent.await;
    in_memory::install(None);
    answer
        .map(|answer| {
            let pause = answer.retry_after();
            (answer.status.as_u16(), answer.body.len(), pause)
        })
        .map_err(|error| (error.kind(), WithCauses(&error).to_string()))
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_in_time_and_within_its_size_or_is_an_error() {
    let pause = Some(Duration::from_secs(7));
    for reads_refusals in [true, false] {
        for (size, expected) in [(0, Ok((200, 0, pause))), (LIMIT, Ok((200, LIMIT, pause)))] {
            assert_eq!(
                send(Peer::Answers(200, size), reads_refusals).await,
                expected
            );
        }
        for (peer, kind, text) in [
            (Peer::Silent, "timed_out", "no answer within 3000 ms"),
            (
                Peer::Answers(200, LIMIT + 1),
                "too_large",
                "more than 1024 bytes",
            ),
        ] {
            let text = format!("keys document: {text}");
            assert_eq!(send(peer, reads_refusals).await, Err((kind, text)));
        }
        let (kind, text) = send(Peer::Unreachable, reads_refusals).await.unwrap_err();
        assert_eq!(kind, "transport");
        let (what, cause) = text.split_at("keys document: no answer from the authority: ".len());
        assert_eq!(what, "keys document: no answer from the authority: ");
        assert!(
            !cause.is_empty() && !text.contains("login.example"),
            "{text}"
        );
    }
}

/// A page of a proxy around a 503 must not hide the status, nor how long to wait.
#[tokio::test(start_paused = true)]
async fn the_body_of_a_refusal_is_read_only_where_it_says_something() {
    let pause = Some(Duration::from_secs(7));
    for status in [302, 304, 404, 503] {
        let asks = |size, reads| send(Peer::Answers(status, size), reads);
        assert_eq!(asks(LIMIT + 1, false).await, Ok((status, 0, pause)));
        assert_eq!(asks(LIMIT, true).await, Ok((status, LIMIT, pause)));
        let too_large = asks(LIMIT + 1, true).await.unwrap_err();
        assert_eq!(too_large.0, "too_large", "{status}");
    }
}
