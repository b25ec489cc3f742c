//! One row of the table: what is changed, and what is answered.
//!
//! Texts may hold `$` words, which [`Forge`](super::forge::Forge) fills in.

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// What the attacker hopes for, or where it is written that it must fail.
    pub(crate) why: String,
    pub(crate) status: u16,
    /// The answer's `reason`; `in` for a good request, empty where the server itself answers.
    pub(crate) reason: String,
    /// What plain `validate` says, where that differs: a header's fault is no token's.
    pub(crate) validate_reason: Option<String>,
    /// `/me` unless told.
    #[serde(default = "me")]
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    /// Members of the JOSE header to set, as a JSON object.
    pub(crate) header: Option<String>,
    #[serde(default)]
    pub(crate) without_header: Vec<String>,
    /// The whole JOSE header, whether JSON or not.
    pub(crate) raw_header: Option<String>,
    /// Claims to set, as a JSON object; put in as text, so that odd numbers stay as they are.
    pub(crate) claims: Option<String>,
    #[serde(default)]
    pub(crate) without: Vec<String>,
    /// The whole payload, whether JSON or not.
    pub(crate) raw_payload: Option<String>,
    /// The whole payload in hexadecimal, for bytes that are no text.
    pub(crate) payload_hex: Option<String>,
    /// How the signature is made; with the published key unless told.
    pub(crate) sign: Option<String>,
    /// The whole token.
    pub(crate) token: Option<String>,
    /// The values of the `Authorization` headers, with `\t`, `\r`, `\n` and `\xNN`.
    pub(crate) authorization: Option<Vec<String>>,
    /// Can be sent over a socket alone.
    #[serde(default)]
    pub(crate) raw_only: bool,
}

fn me() -> String {
    "/me".to_owned()
}

#[derive(Deserialize)]
struct Table {
    attack: Vec<Row>,
}

pub(crate) fn rows() -> Vec<Row> {
    let table: Table = toml::from_str(include_str!("../vectors/attacks.toml")).unwrap();
    table.attack
}
