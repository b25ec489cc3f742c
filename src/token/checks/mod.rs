//! The claim checks, in the order in which they are made; the first failure names itself.

mod audience;
mod confirmation;
mod id_token;
pub(super) mod issuer;
pub(super) mod lifetime;
mod version;

use uuid::Uuid;

use crate::authority::{ResolvedAuthority, is_external_id_issuer};
use crate::claims::raw::Name;
use crate::claims::{Claims, ContextHandle, IssuerKind, ParsedClaims};
use crate::jwks::PublishedKey;
use crate::token_version::TokenVersion;

use super::invalid_token::InvalidToken;
use super::possession::Possession;

/// What a verified token is checked against.
pub(super) struct CheckContext<'p> {
    pub(super) claims: &'p ParsedClaims,
    pub(super) trust: &'p ResolvedAuthority,
    pub(super) key: &'p PublishedKey,
    /// The version whose form the issuer has; `None` for B2C.
    pub(super) form: Option<TokenVersion>,
    /// What the request proves beside the token.
    pub(super) possession: &'p Possession,
    pub(super) now: u64,
}

impl CheckContext<'_> {
    /// The product that issued the token. An issuer that was checked shows External ID.
    fn issuer_kind(&self) -> IssuerKind {
        if self.trust.is_b2c() {
            return IssuerKind::B2c;
        }
        match self.claims.text(Name::Issuer) {
            Some(issuer) if is_external_id_issuer(issuer) => IssuerKind::ExternalId,
            _ => IssuerKind::EntraId,
        }
    }
}

type Check = fn(&CheckContext<'_>) -> Result<(), InvalidToken>;

/// Each check, under the name that an explanation gives it.
pub(super) const CHECKS: [(&str, Check); 6] = [
    ("version", version::check),
    ("issuer", issuer::check),
    ("audience", audience::check),
    ("lifetime", lifetime::check),
    ("purpose", confirmation::check),
    ("id_token", id_token::check),
];

/// What is known of a token behind every check.
pub(super) struct Checked {
    pub(super) tenant: Option<Uuid>,
    issuer_kind: IssuerKind,
}

/// Makes every check and says whose tenant the token is.
pub(super) fn check(presented: &CheckContext<'_>) -> Result<Checked, InvalidToken> {
    for (_, check) in CHECKS {
        check(presented)?;
    }
    Ok(checked(presented))
}

/// The same for a token of which every check was made one by one.
pub(super) fn checked(presented: &CheckContext<'_>) -> Checked {
    Checked {
        tenant: issuer::tenant(presented),
        issuer_kind: presented.issuer_kind(),
    }
}

impl Checked {
    /// The claims, of which nothing is left to be checked.
    pub(super) fn claims(
        self,
        finished: ParsedClaims,
        trust: &ResolvedAuthority,
        nonce: Option<Box<str>>,
        context: Option<ContextHandle>,
    ) -> Claims {
        let is_own = |idp: &str| {
            self.tenant
                .is_some_and(|tenant| trust.issues_as(idp, tenant))
        };
        finished
            .issued_by(self.issuer_kind, is_own)
            .with_scope_hierarchy(trust.scope_hierarchy.clone())
            .into_claims(self.tenant, nonce, context)
    }
}
