//! `/metrics`, and JSON answers.

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
    let text = recorder.map(|recorder| {
        // What was counted since the last time is sorted into buckets here.
        recorder.run_upkeep();
        recorder.render()
    });
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
    PrometheusBuilder::new()
        .set_buckets_for_metric(durations, &seconds)?
        .install_recorder()
}
