//! The only file that imports `metrics`: what is counted, under which names.
//!
//! Every label has a bounded set of values: reason codes, configured addresses, and words that
//! stand in this crate. Nothing that a token or a request says becomes a label.
//!
//! Without the feature `metrics` every function here is empty.
#![cfg_attr(
    not(feature = "metrics"),
    expect(
        unused_variables,
        clippy::missing_const_for_fn,
        reason = "nothing is counted"
    )
)]

#[cfg(feature = "metrics")]
use std::time::Duration;

/// One instrument: its name, what kind it is, and what it says.
#[cfg(feature = "metrics")]
pub(crate) struct Instrument {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) description: &'static str,
}

#[cfg(feature = "metrics")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

macro_rules! instruments {
    ($($constant:ident = $name:literal, $kind:ident, $description:literal;)+) => {
        $(#[cfg(feature = "metrics")] const $constant: &str = concat!("axum_entra_", $name);)+

        /// All of them.
        #[cfg(feature = "metrics")]
        pub(crate) const INSTRUMENTS: &[Instrument] = &[
            $(Instrument { name: $constant, kind: Kind::$kind, description: $description },)+
        ];
    };
}

instruments! {
    AUTHENTICATION = "authentication_duration_seconds", Histogram,
        "Time from a request's head to its judgement, by result and reason.";
    CALLERS = "callers_total", Counter,
        "Admitted requests, by whether an agent acts.";
    CHALLENGES = "challenges_total", Counter,
        "Answers with a WWW-Authenticate header, by status and error.";
    GUARDS = "guard_decisions_total", Counter,
        "Decisions of guards, by decision and reason.";
    FETCHES = "key_fetches_total", Counter,
        "Fetches of a discovery document and its keys, by document and result.";
    KEY_AGE = "key_age_seconds", Gauge,
        "Time since the keys of a document were last confirmed.";
    KEYS = "keys", Gauge,
        "Keys of a document that are in use; 0 answers its tokens with 503.";
    CACHE = "token_cache_total", Counter,
        "Look-ups of verified tokens, by result.";
    BOUND = "bound_tokens_total", Counter,
        "Requests admitted with a token that is bound and proved, by binding.";
    DECRYPTIONS = "token_decryptions_total", Counter,
        "Encrypted tokens that were not among the verified ones, by encryption and result.";
    DIRECTORY = "directory_calls_total", Counter,
        "Calls to the directory and its token endpoint, by call and result.";
    DIRECTORY_TIME = "directory_call_duration_seconds", Histogram,
        "Time a call to the directory took, by call.";
    REVOCATION_LAG = "revocation_lag_seconds", Gauge,
        "Time since the shared revocations were last known to be complete.";
}

/// Describes each instrument to the recorder, if the application has installed one.
pub(crate) fn describe() {
    #[cfg(feature = "metrics")]
    for Instrument {
        name,
        kind,
        description,
    } in INSTRUMENTS
    {
        match kind {
            Kind::Counter => metrics::describe_counter!(*name, *description),
            Kind::Gauge => metrics::describe_gauge!(*name, *description),
            Kind::Histogram => {
                metrics::describe_histogram!(*name, metrics::Unit::Seconds, *description);
            }
        }
    }
}

/// How a request's authentication ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Admitted,
    Anonymous,
    Refused(&'static str),
    /// 503: nothing could be decided.
    Undecided(&'static str),
}

impl Outcome {
    #[cfg(feature = "metrics")]
    const fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Admitted => ("admitted", "none"),
            Self::Anonymous => ("anonymous", "none"),
            Self::Refused(reason) => ("refused", reason),
            Self::Undecided(reason) => ("undecided", reason),
        }
    }
}

/// A duration that is being measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timer {
    #[cfg(feature = "metrics")]
    started: std::time::Instant,
}

impl Timer {
    pub(crate) fn start() -> Self {
        Self {
            #[cfg(feature = "metrics")]
            started: std::time::Instant::now(),
        }
    }

    /// A request was checked.
    pub(crate) fn authenticated(self, outcome: Outcome) {
        #[cfg(feature = "metrics")]
        {
            let took = self.started.elapsed();
            let histogram = match outcome {
                // Nearly all requests. A key made only of literals is made once, and not for each.
                Outcome::Admitted => {
                    metrics::histogram!(
                        "axum_entra_authentication_duration_seconds",
                        "result" => "admitted", "reason" => "none"
                    )
                }
                other => {
                    let (result, reason) = other.labels();
                    metrics::histogram!(AUTHENTICATION, "result" => result, "reason" => reason)
                }
            };
            histogram.record(took);
        }
    }

    /// The directory, or its token endpoint, answered or failed.
    pub(crate) fn directory_called(self, call: &'static str, result: &'static str) {
        #[cfg(feature = "metrics")]
        {
            metrics::counter!(DIRECTORY, "call" => call, "result" => result).increment(1);
            metrics::histogram!(DIRECTORY_TIME, "call" => call).record(self.started.elapsed());
        }
    }
}

/// Whether an agent acts, as far as the token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgentActs {
    Yes,
    No,
    /// The token has no facets.
    Unknown,
}

/// A caller was admitted; `acts` is asked only where it is counted.
pub(crate) fn called(acts: impl FnOnce() -> AgentActs) {
    // Keys made only of literals are made once.
    #[cfg(feature = "metrics")]
    let counter = match acts() {
        AgentActs::Yes => metrics::counter!("axum_entra_callers_total", "agent" => "yes"),
        AgentActs::No => metrics::counter!("axum_entra_callers_total", "agent" => "no"),
        AgentActs::Unknown => metrics::counter!("axum_entra_callers_total", "agent" => "unknown"),
    };
    #[cfg(feature = "metrics")]
    counter.increment(1);
}

/// A challenge goes out.
pub(crate) fn challenged(status: u16, error: &'static str) {
    #[cfg(feature = "metrics")]
    {
        let status = match status {
            400 => "400",
            401 => "401",
            403 => "403",
            _ => "other",
        };
        metrics::counter!(CHALLENGES, "status" => status, "error" => error).increment(1);
    }
}

/// A guard let a caller pass, refused, or could not decide.
pub(crate) fn guarded(outcome: Outcome) {
    #[cfg(feature = "metrics")]
    {
        let counter = match outcome {
            Outcome::Admitted | Outcome::Anonymous => {
                metrics::counter!(
                    "axum_entra_guard_decisions_total",
                    "decision" => "granted", "reason" => "none"
                )
            }
            Outcome::Refused(reason) => {
                metrics::counter!(GUARDS, "decision" => "denied", "reason" => reason)
            }
            Outcome::Undecided(reason) => {
                metrics::counter!(GUARDS, "decision" => "undecided", "reason" => reason)
            }
        };
        counter.increment(1);
    }
}

/// A fetch of keys ended: `ok`, `unchanged`, or the kind of failure.
pub(crate) fn keys_fetched(document: &str, result: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(FETCHES, "document" => document.to_owned(), "result" => result).increment(1);
}

/// How old a document's keys are, and how many are in use.
#[cfg(feature = "metrics")]
pub(crate) fn key_age(document: &str, age: Option<Duration>, keys: usize) {
    if let Some(age) = age {
        metrics::gauge!(KEY_AGE, "document" => document.to_owned()).set(age);
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 1,000 keys")]
    metrics::gauge!(KEYS, "document" => document.to_owned()).set(keys as f64);
}

/// A request was admitted with a token whose binding it has proved.
pub(crate) fn bound_token_admitted(binding: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(BOUND, "binding" => binding).increment(1);
}

/// A token was looked up among the verified ones.
pub(crate) fn token_looked_up(hit: bool) {
    #[cfg(feature = "metrics")]
    match hit {
        true => metrics::counter!("axum_entra_token_cache_total", "result" => "hit"),
        false => metrics::counter!("axum_entra_token_cache_total", "result" => "miss"),
    }
    .increment(1);
}

/// An encrypted token was decrypted, or refused; `encryption` is `none` where its header was refused.
pub(crate) fn token_decrypted(encryption: &'static str, decrypted: bool) {
    #[cfg(feature = "metrics")]
    {
        let result = if decrypted { "decrypted" } else { "refused" };
        metrics::counter!(DECRYPTIONS, "encryption" => encryption, "result" => result).increment(1);
    }
}

/// How long ago the shared revocations were last known to be complete.
#[cfg(feature = "metrics")]
pub(crate) fn revocations_behind(lag: Duration) {
    metrics::gauge!(REVOCATION_LAG).set(lag);
}

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PAPERS: [(&str, &str); 3] = [
        ("docs/operations.md", include_str!("../docs/operations.md")),
        (
            "deploy/grafana-dashboard.json",
            include_str!("../deploy/grafana-dashboard.json"),
        ),
        (
            "deploy/prometheus-alerts.yml",
            include_str!("../deploy/prometheus-alerts.yml"),
        ),
    ];

    /// The names of instruments in a text, without what Prometheus adds to a histogram's.
    fn named(text: &str) -> BTreeSet<&str> {
        text.match_indices("axum_entra_")
            .map(|(start, _)| {
                let rest = &text[start..];
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let name = &rest[..end.unwrap_or(rest.len())];
                ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|suffix| name.strip_suffix(suffix))
                    .unwrap_or(name)
            })
            .collect()
    }

    #[test]
    fn names_that_stand_in_the_code_are_those_of_the_instruments() {
        let written = named(include_str!("metrics.rs"));
        for own in [AUTHENTICATION, GUARDS, CACHE] {
            assert!(written.contains(own), "{own}");
        }
    }

    #[test]
    fn documents_dashboard_and_alerts_name_instruments_that_exist() {
        let own: BTreeSet<&str> = INSTRUMENTS.iter().map(|own| own.name).collect();
        for (paper, text) in PAPERS {
            let unknown: Vec<_> = named(text).difference(&own).copied().collect();
            assert!(unknown.is_empty(), "{paper} names {unknown:?}");
        }
        let (_, documented) = PAPERS[0];
        let missing: Vec<_> = own.difference(&named(documented)).copied().collect();
        assert!(missing.is_empty(), "docs/operations.md lacks {missing:?}");
    }

    #[test]
    fn the_dashboard_is_json_and_every_panel_asks_something() {
        let dashboard: serde_json::Value = serde_json::from_str(PAPERS[1].1).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        assert!(panels.len() >= 6);
        for panel in panels {
            assert!(
                panel["targets"][0]["expr"].as_str().is_some(),
                "{}",
                panel["title"]
            );
        }
    }

    #[test]
    fn counters_and_durations_are_named_as_prometheus_wants() {
        for Instrument { name, kind, .. } in INSTRUMENTS {
            assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert_eq!(
                *kind == Kind::Histogram,
                name.ends_with("_duration_seconds"),
                "{name}"
            );
        }
    }
}
