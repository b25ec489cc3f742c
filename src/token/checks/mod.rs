//! The claim checks, in the order in which they are made; the first failure names itself.

mod audience;
mod issuer;
pub(super) mod lifetime;
mod purpose;
mod version;

use uuid::Uuid;

use crate::authority::Trust;
use crate::claims::Finished;
use crate::keys::PublishedKey;
use crate::token_version::TokenVersion;

use super::invalid::InvalidToken;

/// What a verified token is held against.
pub(super) struct Presented<'p> {
    pub(super) claims: &'p Finished,
    pub(super) trust: &'p Trust,
    pub(super) key: &'p PublishedKey,
    /// The version whose form the issuer has; `None` for B2C.
    pub(super) form: Option<TokenVersion>,
    pub(super) now: u64,
}

type Check = fn(&Presented<'_>) -> Result<(), InvalidToken>;

/// Each check, under the name that an explanation gives it.
pub(super) const CHECKS: [(&str, Check); 5] = [
    ("version", version::check),
    ("issuer", issuer::check),
    ("audience", audience::check),
    ("lifetime", lifetime::check),
    ("purpose", purpose::check),
];

/// Makes every check and says whose tenant the token is.
pub(super) fn check(presented: &Presented<'_>) -> Result<Option<Uuid>, InvalidToken> {
    for (_, check) in CHECKS {
        check(presented)?;
    }
    Ok(issuer::tenant(presented))
}
