//! No token text and no person in answers and logs.

use std::io;
use std::sync::{Arc, Mutex};

use axum_entra::guard::RequireScope;
use entra_emulator::{ALICE, Emulator};
use tracing_subscriber::fmt::MakeWriter;

use crate::service::{Runs, entra_for, fetch, protected};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// The first piece of 17 characters of a token that stands in a text.
fn piece_of<'t>(token: &'t str, text: &str) -> Option<&'t str> {
    (17..=token.len())
        .map(|end| &token[end - 17..end])
        .find(|piece| text.contains(piece))
}

#[tokio::test]
async fn neither_logs_nor_answers_hold_a_token_or_a_person() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // With a single subscriber `tracing` asks the one of the thread that meets an event first, and
    // threads of other tests have none; with two it asks both.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);

    let emulator = Emulator::start().await.unwrap();
    let (entra, runs) = (entra_for(&emulator), Runs::default());
    let router = protected(&entra, &runs);
    let guarded = axum::Router::new()
        .route("/", runs.handler())
        .route_layer(RequireScope("Todo.None"))
        .route_layer(entra.layer());
    let token = || emulator.token().user("alice").groups_overage();
    let tokens = [
        token().mint(),
        token().expired().mint(),
        token().audience("api://other").mint(),
        token().header("kid", "another-key").mint(),
        token()
            .unpublished_key()
            .key("invented-key-id-of-some-length")
            .mint(),
        token().header("alg", "none").raw_signature("").mint(),
        token()
            .tenant("33333333-3333-4333-8333-333333333333")
            .mint(),
        token().raw_payload("{\"iss\":\"a\",\"iss\":\"b\"}").mint(),
        token().header("nonce", "n").raw_signature("AAAA").mint(),
        "EwBwA8l6BAAUkj1NuJYtTVhaEwBwA8l6BAAUkj1NuJYtTVha".to_owned(),
        format!("{}=", token().mint()),
        format!("{} {}", token().mint(), token().mint()),
    ];
    for token in &tokens {
        for router in [&router, &guarded] {
            let answer = fetch(router, "/", token).await;
            let whole = format!(
                "{} {:?} {:?}",
                answer.text, answer.headers, answer.rejection
            );
            assert_eq!(piece_of(token, &whole), None);
        }
        let outside = entra.validate(token).await;
        assert_eq!(piece_of(token, &format!("{outside:?}")), None);
    }
    assert_eq!(runs.count(), 1, "one of them is good");

    let text = log.text();
    assert!(
        text.contains("request rejected"),
        "something was captured: {text}"
    );
    assert!(
        text.contains("signing keys loaded"),
        "the refresher's words too"
    );
    for token in &tokens {
        assert_eq!(piece_of(token, &text), None);
    }
    for person in [ALICE, "Alice", "alice@"] {
        assert!(!text.contains(person), "{person}");
    }
}
