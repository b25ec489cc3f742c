//! What metrics and spans are told when the application itself refuses a valid caller.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::{Router, routing::get};
use axum_entra::guard::{Denied, from_fn};
use axum_entra::middleware::{CheckError, check_fn};
use axum_entra::{Claims, Entra, Rejection};
use entra_emulator::Emulator;
use http::Request;
use metrics_exporter_prometheus::PrometheusBuilder;
use tower_http::trace::TraceLayer;
use tracing::field::Empty;

use super::log::Log;
use super::{call, trusting};

/// A route for each way to refuse, with its status and what span and metric are told.
const WAYS: [(&str, u16, &str, &str); 8] = [
    ("/handler", 403, "not_the_owner", "denied"),
    ("/check", 403, "not_the_owner", "denied"),
    ("/check_denied", 403, "closed", "denied"),
    ("/guard", 403, "closed", "denied"),
    ("/check_undecided", 503, "database_unavailable", "undecided"),
    (
        "/handler_undecided",
        503,
        "database_unavailable",
        "undecided",
    ),
    // Another response is the application's own: no code of it is known, and no span is told.
    ("/check_response", 418, "", "denied"),
    ("/passes", 200, "", "granted"),
];

fn routes(entra: &Entra) -> Router {
    async fn forbids(claims: Claims) -> Result<(), Rejection> {
        Err(Rejection::forbidden(&claims, "not_the_owner"))
    }
    async fn denies() -> Result<(), Denied<'static>> {
        Err(Denied::custom("closed"))
    }
    async fn does_not_know(claims: Claims) -> Result<(), Rejection> {
        Err(Rejection::undecided(&claims, "database_unavailable"))
    }
    async fn answers() -> Result<(), CheckError> {
        Err(StatusCode::IM_A_TEAPOT.into_response().into())
    }
    async fn passes(_: Claims) -> Result<(), Rejection> {
        Ok(())
    }
    let ok = || get(|| async { "in" });
    let closed = from_fn(|_| Err(Denied::custom("closed")));
    Router::new()
        .route(
            "/handler",
            get(|claims: Claims| async move { forbids(claims).await }),
        )
        .route("/check", ok().layer(check_fn(forbids)))
        .route("/check_denied", ok().layer(check_fn(denies)))
        .route("/guard", ok().layer(closed))
        .route("/check_undecided", ok().layer(check_fn(does_not_know)))
        .route(
            "/handler_undecided",
            get(|claims: Claims| async move { does_not_know(claims).await }),
        )
        .route("/check_response", ok().layer(check_fn(answers)))
        .route("/passes", ok().layer(check_fn(passes)))
        .route_layer(entra.layer())
}

#[test]
fn each_refusal_is_counted_once_as_a_guards_decision_with_its_code() {
    for (path, status, reason, decision) in WAYS {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        ::metrics::with_local_recorder(&recorder, || {
            runtime.block_on(async {
                let emulator = Emulator::start().await.unwrap();
                let app = routes(&trusting(&emulator).build().unwrap());
                let token = emulator.token().user("alice").mint();
                assert_eq!(
                    call(&app, path, Some(&token)).await.status(),
                    status,
                    "{path}"
                );
            });
        });
        let page = handle.render();
        let lines = |name: &str| {
            let lines = page.lines().filter(|line| line.starts_with(name));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let told = match (decision, reason) {
            ("granted", _) => "none",
            (_, "") => "custom",
            (_, reason) => reason,
        };
        let expected = format!(
            r#"axum_entra_guard_decisions_total{{decision="{decision}",reason="{told}"}} 1"#
        );
        assert_eq!(
            lines("axum_entra_guard_decisions_total{"),
            [expected],
            "{path}"
        );
        let challenge = r#"axum_entra_challenges_total{status="403",error="forbidden"} 1"#;
        let challenges: &[&str] = if status == 403 { &[challenge] } else { &[] };
        assert_eq!(lines("axum_entra_challenges_total{"), challenges, "{path}");
        // The caller was admitted by the layer all the same.
        let admitted = r#"axum_entra_authentication_duration_seconds_count{result="admitted",reason="none"} 1"#;
        assert!(page.contains(admitted), "{path}: {page}");
    }
}

#[tokio::test]
async fn the_span_is_told_the_code_of_the_refusal() {
    let emulator = Emulator::start().await.unwrap();
    let entra = trusting(&emulator).record_span_fields().build().unwrap();
    let trace = TraceLayer::new_for_http()
        .make_span_with(|_: &Request<_>| tracing::info_span!("request", entra.reason = Empty));
    let app = routes(&entra).layer(trace);
    let token = emulator.token().user("alice").mint();
    // The keys are there before anything is listened to.
    assert_eq!(call(&app, "/passes", Some(&token)).await.status(), 200);
    for (path, _, reason, _) in WAYS {
        let (log, _listening) = Log::listen();
        drop(call(&app, path, Some(&token)).await);
        let [line] = &*log.lines("close time") else {
            panic!("{path}: {}", log.text());
        };
        let fields = line.split_once("request{").map_or("", |(_, rest)| rest);
        let fields = fields.split('}').next().unwrap_or_default();
        let expected = match reason {
            "" => String::new(),
            reason => format!("entra.reason=\"{reason}\""),
        };
        assert_eq!(fields, expected, "{path}");
    }
}
