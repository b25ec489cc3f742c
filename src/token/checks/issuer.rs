//! `iss` and `tid`: who issued the token, and for which tenant.

use uuid::Uuid;

use super::CheckContext;
use crate::authority::issuer::first_guid;
use crate::claims::raw::Name;
use crate::guid::parse_guid;
use crate::jwks::PublishedKey;
use crate::token::invalid_token::InvalidToken;

/// The issuer must be the document's, the key's and the tenant's; the tenant must be accepted.
///
/// Source: Microsoft, "Access tokens", "Validate the issuer" and "Validate the signing key issuer".
pub(super) fn check(presented: &CheckContext<'_>) -> Result<(), InvalidToken> {
    let issuer = presented
        .claims
        .text(Name::Issuer)
        .ok_or(InvalidToken::InvalidIssuer)?;
    check_key(presented.key, issuer)?;
    let named = first_guid(issuer).map(|(_, tenant)| tenant);
    let tenant = if presented.trust.is_b2c() {
        // Custom policies copy the home tenant's `tid`, which is no tenant of this identity.
        named
    } else {
        let tid = presented.claims.text(Name::Tenant);
        Some(
            tid.and_then(parse_guid)
                .ok_or(InvalidToken::InvalidIssuer)?,
        )
    };
    // An issuer with no tenant in it was configured exactly, and stands for itself.
    if named.is_some() && tenant != named {
        return Err(InvalidToken::InvalidIssuer);
    }
    match tenant {
        Some(tenant) if !presented.trust.is_tenant(tenant) => Err(InvalidToken::InvalidIssuer),
        Some(tenant) if !presented.trust.allows_tenant(tenant) => {
            Err(InvalidToken::TenantNotAllowed)
        }
        _ => Ok(()),
    }
}

/// Whether a key may sign what this issuer issues: for access tokens and for every other message.
pub(in crate::token) fn check_key(key: &PublishedKey, issuer: &str) -> Result<(), InvalidToken> {
    if key.is_for(issuer) {
        Ok(())
    } else {
        Err(InvalidToken::InvalidIssuer)
    }
}

/// `tid`, which was checked; for B2C and for an issuer without one, the tenant in the issuer.
pub(super) fn tenant(presented: &CheckContext<'_>) -> Option<Uuid> {
    let of_issuer = || {
        let issuer = presented.claims.text(Name::Issuer)?;
        first_guid(issuer).map(|(_, tenant)| tenant)
    };
    if presented.trust.is_b2c() {
        return of_issuer();
    }
    let tid = presented.claims.text(Name::Tenant);
    tid.and_then(parse_guid).or_else(of_issuer)
}
