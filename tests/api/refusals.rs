//! Every refusal of the contract (§2, §6, §7) with a valid counterpart that is accepted.

mod answers;
mod claims;
mod credentials;
mod errors;
mod form;
mod no_leaks;

use axum_entra::Entra;

use crate::token::{
    API, EXP, KID, OTHER, T0, TENANT, authority, built, good, good_header, mint, outcome,
    rewritten, text, with, without,
};

/// Holds every row against one service; says all that differ at once.
#[track_caller]
fn hold(entra: &Entra, rows: impl IntoIterator<Item = (String, String, &'static str)>) {
    let differ: Vec<String> = rows
        .into_iter()
        .filter_map(|(name, token, expected)| {
            let found = outcome(entra, &token);
            (found != expected).then(|| format!("{name}: {found}, expected {expected}"))
        })
        .collect();
    assert!(differ.is_empty(), "{differ:#?}");
}
