//! `iss` and `tid`: who issued the token, and for which tenant.

use uuid::Uuid;

use super::Presented;
use crate::authority::issuer::first_guid;
use crate::claims::wire::Name;
use crate::guid::parse_guid;
use crate::token::invalid::InvalidToken;

/// The issuer must be the document's, the key's and the tenant's; the tenant must be let in.
///
/// Source: Microsoft, "Access tokens", "Validate the issuer" and "Validate the signing key issuer".
pub(super) fn check(presented: &Presented<'_>) -> Result<(), InvalidToken> {
    let issuer = presented
        .claims
        .text(Name::Issuer)
        .ok_or(InvalidToken::Issuer)?;
    if !presented.key.stated().fits(issuer) {
        return Err(InvalidToken::Issuer);
    }
    let key = presented.key.key();
    if key.is_of_another_cloud() || key.issuer().is_some_and(|bound| !bound.fits(issuer)) {
        return Err(InvalidToken::Issuer);
    }
    let named = first_guid(issuer).map(|(_, tenant)| tenant);
    let tenant = match presented.claims.text(Name::Tenant) {
        Some(text) => Some(parse_guid(text).ok_or(InvalidToken::Issuer)?),
        None if presented.trust.is_b2c() && !presented.claims.has(Name::Tenant) => named,
        None => return Err(InvalidToken::Issuer),
    };
    // An issuer with no tenant in it was configured exactly, and stands for itself.
    if named.is_some() && tenant != named {
        return Err(InvalidToken::Issuer);
    }
    match tenant {
        Some(tenant) if !presented.trust.is_tenant(tenant) => Err(InvalidToken::Issuer),
        Some(tenant) if !presented.trust.admits(tenant) => Err(InvalidToken::TenantNotAllowed),
        _ => Ok(()),
    }
}

/// `tid`, or the tenant of the issuer.
pub(super) fn tenant(presented: &Presented<'_>) -> Option<Uuid> {
    presented
        .claims
        .text(Name::Tenant)
        .and_then(parse_guid)
        .or_else(|| {
            let issuer = presented.claims.text(Name::Issuer)?;
            first_guid(issuer).map(|(_, tenant)| tenant)
        })
}
