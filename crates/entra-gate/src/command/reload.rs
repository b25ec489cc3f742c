//! New rules while the gate runs: at SIGHUP, and when a file changes.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::time::{MissedTickBehavior, interval};

use crate::assertion::SigningKey;
use crate::door::SharedGate;
use crate::policy::Policy;

/// How often the files are looked at: their metadata only, so that it costs next to nothing.
const EVERY: Duration = Duration::from_secs(1);

/// Replaces the rules whenever a file changes, whole or not at all; ends with the program.
pub(super) async fn follow(
    gate: SharedGate,
    file: PathBuf,
    made: Arc<SigningKey>,
    mut hangup: Signal,
) {
    // Empty, so that the files are read once more at the first look: a change since they were read
    // for the start must not be missed.
    let mut seen = Vec::new();
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let asked = tokio::select! {
            _ = tick.tick() => false,
            signal = hangup.recv() => signal.is_some(),
        };
        let now = stamps(&gate, &file);
        if asked || now != seen {
            reload(&gate, &file, &made);
            // As of before they were read. Rules that name another key file are read twice.
            seen = now;
        }
    }
}

/// Reads the rules once more; what is wrong with them is told, and the old ones stay.
pub(super) fn reload(gate: &SharedGate, file: &Path, made: &Arc<SigningKey>) {
    let before = gate.policy.load_full();
    match Policy::load(file, &gate.entra, made, Some(&before)) {
        Ok(policy) => {
            for warning in policy.warnings() {
                tracing::warn!(file = %file.display(), warning);
            }
            tracing::info!(file = %file.display(), rules = policy.len(), "rules loaded");
            gate.policy.store(Arc::new(policy));
            metrics::gauge!("entra_gate_rules_current").set(1.0);
        }
        Err(error) => {
            tracing::error!(%error, "the rules are wrong; the old ones stay");
            metrics::gauge!("entra_gate_rules_current").set(0.0);
        }
    }
}

/// What tells one version of a file from another; a link is followed, as in a Kubernetes volume.
type Stamp = Option<(u64, u64, u64, i64, i64, i64, i64)>;

fn stamps(gate: &SharedGate, file: &Path) -> Vec<Stamp> {
    let others = gate.policy.load().other_files();
    let files = std::iter::once(file.to_owned()).chain(others);
    files
        .map(|file| std::fs::metadata(file).ok().map(|of| stamp(&of)))
        .collect()
}

fn stamp(of: &Metadata) -> (u64, u64, u64, i64, i64, i64, i64) {
    (
        of.dev(),
        of.ino(),
        of.len(),
        of.mtime(),
        of.mtime_nsec(),
        of.ctime(),
        of.ctime_nsec(),
    )
}
