//! One row of a table.

use std::fmt;
use std::time::Duration;

/// One measurement: how many questions were answered in which time, and what that cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) answered: u64,
    pub(crate) refused: u64,
    pub(crate) took: Duration,
    /// Processor time of the measured processes.
    pub(crate) processor: Duration,
}

pub(crate) struct Row {
    pub(crate) name: String,
    micros: Vec<f64>,
    per_second: Vec<f64>,
    /// KiB.
    pub(crate) resident: Option<u64>,
}

impl Row {
    pub(crate) const HEAD: &str = "| | processor µs a request: median [lowest–highest] | requests a second | resident MiB |\n|---|---|---|---|";

    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            micros: Vec::new(),
            per_second: Vec::new(),
            resident: None,
        }
    }

    pub(crate) fn add(&mut self, sample: Sample) {
        assert_eq!(
            sample.refused, 0,
            "{}: every request has to pass",
            self.name
        );
        let answered = sample.answered as f64;
        self.micros
            .push(sample.processor.as_secs_f64() * 1e6 / answered);
        self.per_second.push(answered / sample.took.as_secs_f64());
    }

    pub(crate) fn micros(&self) -> f64 {
        median(&self.micros)
    }

    pub(crate) fn per_second(&self) -> f64 {
        median(&self.per_second)
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, median) = (&self.name, self.micros());
        let least = self.micros.iter().copied().fold(f64::MAX, f64::min);
        let most = self.micros.iter().copied().fold(0.0, f64::max);
        let rate = self.per_second();
        let resident = self
            .resident
            .map(|kib| format!("{:.1}", kib as f64 / 1_024.0));
        let resident = resident.unwrap_or_default();
        write!(
            f,
            "| {name} | {median:.1} [{least:.1}–{most:.1}] | {rate:.0} | {resident} |"
        )
    }
}
