//! What the log and the spans of requests tell of their callers: nothing, unless it was asked for.

use axum::Router;
use axum_entra::EntraBuilder;
use entra_emulator::{ALICE, BOB, CLI_ID, CONTOSO, Emulator};
use http::Request;
use tower_http::trace::TraceLayer;
use tracing::field::Empty;

use super::log::Log;
use super::{app, call, trusting};

/// The router of these tests, in spans that have room for everything.
fn traced(builder: EntraBuilder) -> Router {
    let trace = TraceLayer::new_for_http().make_span_with(|_: &Request<_>| {
        tracing::info_span!(
            "request",
            entra.tenant = Empty,
            entra.client = Empty,
            entra.agent = Empty,
            entra.blueprint = Empty,
            entra.account = Empty,
            entra.reason = Empty,
        )
    });
    app(&builder.build().unwrap()).layer(trace)
}

/// The fields of the only span that closed since, without times.
async fn span(builder: EntraBuilder, token: Option<&str>) -> String {
    let app = traced(builder);
    // The keys are there before anything is listened to.
    while call(&app, "/", Some("a.b.c")).await.status() == 503 {
        tokio::task::yield_now().await;
    }
    let (log, _listening) = Log::listen();
    drop(call(&app, "/", token).await);
    let [line] = &*log.lines("close time") else {
        panic!("{}", log.text());
    };
    // Without a field there are no braces.
    let fields = line.split_once("request{").map_or("", |(_, rest)| rest);
    fields.split('}').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_span_is_told_nothing_unless_asked_for() {
    let emulator = Emulator::start().await.unwrap();
    let good = emulator.token().user("alice").mint();
    for token in [Some(&*good), Some("junk"), None] {
        let builder = trusting(&emulator).account_pseudonym_key("key");
        assert_eq!(span(builder, token).await, "", "{token:?}");
    }
}

#[tokio::test]
async fn a_span_is_told_who_calls_and_why_it_was_not_let_in() {
    let emulator = Emulator::start().await.unwrap();
    let caller = format!("entra.tenant={CONTOSO} entra.client=\"{CLI_ID}\"");
    let good = emulator.token().user("alice").mint();
    let poor = emulator.token().user("alice").scope("Todo.Read").mint();
    let late = emulator.token().user("alice").expired().mint();
    for (token, fields) in [
        (Some(&*good), caller.clone()),
        (Some(&poor), format!("{caller} entra.reason=\"scope\"")),
        (Some(&late), "entra.reason=\"expired\"".to_owned()),
        (None, "entra.reason=\"missing_token\"".to_owned()),
    ] {
        let builder = trusting(&emulator).record_span_fields();
        assert_eq!(span(builder, token).await, fields);
    }
}

#[tokio::test]
async fn a_span_and_an_explanation_are_told_of_an_agent_and_its_blueprint() {
    let emulator = Emulator::start().await.unwrap();
    let blueprint = entra_emulator::BLUEPRINT_ID;
    let token = emulator.token().user("alice").agent();
    let token = token.claim("xms_par_app_azp", blueprint).mint();
    let builder = trusting(&emulator).record_span_fields();
    let fields = span(builder, Some(&token)).await;
    let agent = r#"entra.agent="on_behalf_of_user""#;
    assert!(fields.contains(agent), "{fields}");
    assert!(
        fields.contains(&format!("entra.blueprint=\"{blueprint}\"")),
        "{fields}"
    );
    let entra = trusting(&emulator).build().unwrap();
    let told = entra.explain(&token).await.to_string();
    assert!(told.contains("an agent (on_behalf_of_user)"), "{told}");
    let person = emulator.token().user("alice").mint();
    let told = entra.explain(&person).await.to_string();
    assert!(!told.contains("agent"), "{told}");
}

#[tokio::test]
async fn a_span_names_an_account_by_its_pseudonym_alone() {
    let emulator = Emulator::start().await.unwrap();
    let account = async |user: &str| {
        let builder = trusting(&emulator)
            .record_span_fields()
            .account_pseudonym_key("key");
        let token = emulator.token().user(user).mint();
        let fields = span(builder, Some(&token)).await;
        assert!(
            !fields.contains(ALICE) && !fields.contains(user),
            "{fields}"
        );
        let account = fields.split("entra.account=").nth(1);
        account.unwrap().to_owned()
    };
    let (one, again, other) = (
        account("alice").await,
        account("alice").await,
        account("bob").await,
    );
    assert!(one == again && one != other, "{one} {again} {other}");
}

#[tokio::test]
async fn the_log_follows_an_account_under_its_pseudonym_once_there_is_a_key() {
    let emulator = Emulator::start().await.unwrap();
    let token = |user| emulator.token().user(user).mint();
    let (alice, newer, bob) = (token("alice"), token("alice"), token("bob"));
    let run = async |builder: EntraBuilder| {
        let app = app(&builder.build().unwrap());
        let (log, _listening) = Log::listen();
        for token in [&alice, &newer, &bob] {
            assert_eq!(call(&app, "/", Some(token)).await.status(), 200);
        }
        let text = log.text();
        for secret in [ALICE, BOB, "alice", &alice[alice.len() - 20..]] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        let named = log.lines("request admitted").into_iter().map(|line| {
            let account = line.split("account=").nth(1);
            account.unwrap().to_owned()
        });
        named.collect::<Vec<_>>()
    };
    assert!(run(trusting(&emulator)).await.is_empty());
    let named = run(trusting(&emulator).account_pseudonym_key("key")).await;
    let [one, again, other] = &*named else {
        panic!("{named:?}");
    };
    assert!(one == again && one != other, "{named:?}");
    let elsewhere = run(trusting(&emulator).account_pseudonym_key("another key")).await;
    assert_ne!(&elsewhere[0], one);
}
