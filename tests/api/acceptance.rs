//! The acceptance cases, from `tests/vectors/acceptance.json`, every one by its id.
//!
//! Issuers and tokens are those of the papers; the documents are served on loopback, so that
//! every case also shows that it caused no fetch.

mod accounts;
mod case;
mod routes;
mod scenarios;
mod stage;
mod way;

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::body::Body;
use axum::http::Request;

use crate::service::{Runs, send};
use case::{Sample, Step, file};
use routes::router;
use stage::Stage;
use way::Way;

#[test]
fn every_acceptance_case_is_answered_as_the_contract_says() {
    let file = file();
    let mut failed = Vec::new();
    let mut ran = 0;
    for case in file.cases.iter().filter(|case| !case.steps.is_empty()) {
        for step in &case.steps {
            let result = catch_unwind(AssertUnwindSafe(|| {
                runtime().block_on(run(step, &file.tokens));
            }));
            if result.is_err() {
                failed.push(case.id.as_str());
            }
        }
        ran += 1;
    }
    assert_eq!(
        failed, [""; 0],
        "these cases failed; what they said is above"
    );
    assert_eq!(ran, 69);
}

#[test]
fn every_acceptance_scenario_plays_as_the_contract_says() {
    let mut ran = 0;
    for case in file().cases {
        if let Some(name) = &case.scenario {
            println!("{}: {name}", case.id);
            runtime().block_on(scenarios::play(name, &in_process()));
            ran += 1;
        }
    }
    assert_eq!(ran, 16);
}

#[test]
fn no_acceptance_case_is_lost() {
    let cases = file().cases;
    assert_eq!(cases.len(), 85);
    let mut waiting = 0;
    for case in &cases {
        let kinds = [
            !case.steps.is_empty(),
            case.scenario.is_some(),
            case.waits_for.is_some(),
        ];
        assert_eq!(kinds.iter().filter(|kind| **kind).count(), 1, "{}", case.id);
        if let Some(feature) = &case.waits_for {
            println!("{} waits for {feature}", case.id);
            waiting += 1;
        }
    }
    assert_eq!(waiting, 0, "cases that wait for a feature");
}

/// A router in this process.
fn in_process() -> Way {
    let runs = Runs::default();
    Way::new(runs.clone(), move |entra, request| {
        let router = router(&entra, &runs);
        async move { send(&router, request).await }
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Plays one step: sets the stage, sends one request, looks at the whole answer.
async fn run(step: &Step, samples: &std::collections::HashMap<String, Sample>) {
    let stage = Stage::set(&step.profile, step.audiences.as_deref()).await;
    let entra = stage.entra(step.clock()).await;
    let way = in_process();

    let token = step.token(samples);
    let (method, target) = step.line(token.as_deref());
    let mut request = Request::builder().method(method).uri(target);
    for value in step.credentials(token.as_deref()) {
        request = request.header("authorization", value);
    }
    let before = stage.documents.seen().len();
    let answer = way.send(&entra, request.body(Body::empty()).unwrap()).await;
    let fetches = stage.documents.seen().len() - before;

    let expected = &step.answer;
    assert_eq!(answer.status.as_u16(), expected.status, "{}", answer.text);
    assert_eq!(answer.challenge(), expected.challenge.as_deref());
    assert_eq!(fetches, 0, "no case here may cause a fetch");
    assert_eq!(way.runs.count(), usize::from(expected.status == 200));
    if let (Some(error), Some(reason)) = (&expected.error, &expected.reason) {
        assert_eq!(
            (&answer.member("error"), &answer.member("reason")),
            (error, reason)
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(answer.body()["status"], expected.status);
    }
    for (name, value) in expected.body.iter().flatten() {
        assert_eq!(&answer.body()[name], value, "{name}");
    }
    if let Some(token) = token {
        assert!(!answer.text.contains(&token));
    }
}
