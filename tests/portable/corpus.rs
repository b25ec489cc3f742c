//! The lines of the corpus.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct Settings {
    pub(crate) id: String,
    pub(crate) now: u64,
    pub(crate) audiences: Vec<String>,
    pub(crate) tenants: Vec<String>,
    pub(crate) token_versions: Vec<String>,
    pub(crate) jwks: Value,
}

impl Settings {
    /// The API's application id, also where its audience is `api://` and that.
    pub(crate) fn client_id(&self) -> &str {
        self.audiences[0].trim_start_matches("api://")
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) settings: String,
    pub(crate) level: String,
    pub(crate) expect: String,
    pub(crate) why: String,
    pub(crate) source: String,
    pub(crate) token: String,
}

impl Case {
    pub(crate) fn is_good(&self) -> bool {
        self.expect == "accept"
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line {
    Settings(Box<Settings>),
    Case(Box<Case>),
}

pub(crate) fn read() -> (Vec<Settings>, Vec<Case>) {
    let (mut settings, mut cases) = (Vec::new(), Vec::new());
    for line in include_str!("../vectors/portable/corpus.jsonl").lines() {
        match serde_json::from_str(line).unwrap() {
            Line::Settings(one) => settings.push(*one),
            Line::Case(case) => cases.push(*case),
        }
    }
    (settings, cases)
}
