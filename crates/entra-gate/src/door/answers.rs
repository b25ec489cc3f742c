//! How many answers each door gave, by status.

use std::sync::OnceLock;

use http::StatusCode;
use metrics::Counter;

use super::Door;

/// The statuses that doors answer.
const STATUSES: [StatusCode; 7] = [
    StatusCode::OK,
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::METHOD_NOT_ALLOWED,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::SERVICE_UNAVAILABLE,
];

/// A counter is looked up by its labels once, not with each answer.
#[derive(Default)]
pub(super) struct AnswerCounters([[OnceLock<Counter>; STATUSES.len()]; Door::COUNT]);

impl AnswerCounters {
    pub(super) fn count(&self, door: Door, status: StatusCode) {
        let place = STATUSES.iter().position(|own| *own == status);
        let of_door = self.0.get(door as usize);
        match place.and_then(|place| of_door?.get(place)) {
            Some(known) => known.get_or_init(|| counter(door, status)).increment(1),
            None => counter(door, status).increment(1),
        }
    }
}

fn counter(door: Door, status: StatusCode) -> Counter {
    let labels = [
        ("door", door.name().to_owned()),
        ("status", status.as_str().to_owned()),
    ];
    metrics::counter!("entra_gate_answers_total", &labels)
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn an_answer_is_counted_by_door_and_status() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let text = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let answers = AnswerCounters::default();
            for (door, status, times) in [
                (Door::Nginx, StatusCode::OK, 2),
                (Door::Nginx, StatusCode::FORBIDDEN, 1),
                (Door::Validate, StatusCode::OK, 3),
                // None that a door answers today.
                (Door::Forward, StatusCode::IM_A_TEAPOT, 4),
            ] {
                for _ in 0..times {
                    answers.count(door, status);
                }
            }
        });
        let text = text.render();
        for (labels, times) in [
            (r#"door="nginx",status="200""#, 2),
            (r#"door="nginx",status="403""#, 1),
            (r#"door="validate",status="200""#, 3),
            (r#"door="forward",status="418""#, 4),
        ] {
            let line = format!("entra_gate_answers_total{{{labels}}} {times}\n");
            assert!(text.contains(&line), "{line}{text}");
        }
        assert_eq!(text.matches("entra_gate_answers_total{").count(), 4);
    }
}
