//! `/metrics`, and JSON answers.

use std::time::Duration;

use axum_core::body::Body;
use axum_core::response::Response;
use axum_entra::Entra;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::Value;

/// 200 with a JSON body.
pub(crate) fn json(value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// Prometheus text.
pub(crate) fn metrics(entra: &Entra, recorder: Option<&PrometheusHandle>) -> Response {
    entra.update_metrics();
    let text = recorder.map(PrometheusHandle::render);
    let mut response = Response::new(Body::from(text.unwrap_or_default()));
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

/// Counts for Prometheus; a histogram has buckets from a look-up to a wait for keys.
pub(crate) fn install_recorder() -> Result<PrometheusHandle, BuildError> {
    let seconds = [
        1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 2.0, 5.0,
    ];
    let durations = Matcher::Suffix("_duration_seconds".to_owned());
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(durations, &seconds)?
        .install_recorder()?;
    tokio::spawn(keep_up(recorder.clone()));
    Ok(recorder)
}

/// How often measurements are sorted into their buckets.
const UPKEEP: Duration = Duration::from_secs(1);

/// Sorts measurements into their buckets, again and again: until then each of them is kept, whether
/// `/metrics` is asked for or not.
async fn keep_up(recorder: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        recorder.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    use super::*;

    /// The memory of this process, in KiB.
    #[cfg(target_os = "linux")]
    fn resident() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let mut words = line.unwrap().split_whitespace();
        words.nth(1).unwrap().parse().unwrap()
    }

    #[cfg(target_os = "linux")]
    #[tokio::test(start_paused = true)]
    async fn what_is_measured_takes_no_memory_for_ever() {
        let buckets = Matcher::Suffix("_duration_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(buckets, &[1e-3]);
        let recorder = builder.unwrap().build_recorder();
        tokio::spawn(keep_up(recorder.handle()));
        let rounds = async |rounds: u32| {
            for _ in 0..rounds {
                metrics::with_local_recorder(&recorder, || {
                    let measured = metrics::histogram!("entra_gate_test_duration_seconds");
                    (0..200_000).for_each(|_| measured.record(1e-5));
                });
                tokio::time::sleep(UPKEEP).await;
            }
        };
        rounds(10).await;
        let before = resident();
        // 64 MB of measurements.
        rounds(40).await;
        let grown = resident().saturating_sub(before);
        assert!(grown < 24 * 1_024, "{grown} KiB");
        let text = recorder.handle().render();
        assert!(
            text.contains("entra_gate_test_duration_seconds_count 10000000"),
            "{text}"
        );
    }
}
