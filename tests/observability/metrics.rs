//! What is counted, as Prometheus reads it.

use entra_emulator::Emulator;
use metrics_exporter_prometheus::PrometheusBuilder;

use super::{app, call, trusting};

#[test]
fn decisions_are_counted_by_result_and_reason_and_name_no_account() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let token = ::metrics::with_local_recorder(&recorder, || runtime.block_on(drive()));
    let page = handle.render();
    for line in [
        r#"axum_entra_authentication_duration_seconds_count{result="admitted",reason="none"} 3"#,
        r#"axum_entra_authentication_duration_seconds_count{result="refused",reason="missing_token"} 1"#,
        r#"axum_entra_authentication_duration_seconds_count{result="refused",reason="malformed"} 1"#,
        r#"axum_entra_callers_total{agent="unknown"} 3"#,
        r#"axum_entra_guard_decisions_total{decision="granted",reason="none"} 2"#,
        r#"axum_entra_guard_decisions_total{decision="denied",reason="scope"} 1"#,
        r#"axum_entra_challenges_total{status="403",error="insufficient_scope"} 1"#,
        r#"axum_entra_token_cache_total{result="hit"} 1"#,
    ] {
        assert!(page.contains(line), "no {line} in\n{page}");
    }
    assert!(
        page.contains(r#"/v2.0/.well-known/openid-configuration",result="ok"} 1"#),
        "{page}"
    );
    assert!(
        page.contains("axum_entra_key_age_seconds{document="),
        "{page}"
    );
    assert!(page.contains("# HELP axum_entra_keys "), "{page}");
    for secret in ["alice", &token, entra_emulator::ALICE] {
        assert!(!page.contains(secret));
    }
}

#[test]
fn callers_are_counted_by_whether_an_agent_acts() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    ::metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let emulator = Emulator::start().await.unwrap();
            let app = app(&trusting(&emulator).build().unwrap());
            let person = || emulator.token().user("alice");
            let untold = person().mint();
            let told = person().claim("xms_act_fct", "3 9").mint();
            let agent = person().agent().mint();
            for token in [&untold, &told, &told, &agent, &agent, &agent] {
                call(&app, "/", Some(token)).await;
            }
        });
    });
    let page = handle.render();
    for (acts, count) in [("unknown", 1), ("no", 2), ("yes", 3)] {
        let line = format!(r#"axum_entra_callers_total{{agent="{acts}"}} {count}"#);
        assert!(page.contains(&line), "no {line} in\n{page}");
    }
}

async fn drive() -> String {
    let emulator = Emulator::start().await.unwrap();
    let entra = trusting(&emulator).build().unwrap();
    let app = app(&entra);
    let good = emulator
        .token()
        .user("alice")
        .scope("access_as_user")
        .mint();
    let poor = emulator.token().user("alice").scope("Todo.Read").mint();
    for token in [None, Some("a.b"), Some(&*good), Some(&good), Some(&poor)] {
        call(&app, "/", token).await;
    }
    entra.update_metrics();
    good
}
