//! ID tokens, which tell a client who signed in and open no API.

use super::CheckContext;
use crate::claims::IssuerKind;
use crate::claims::raw::Name;
use crate::token::invalid_token::InvalidToken;

/// An access token names the client it was issued to, and has no hash of a code or of a token.
///
/// An ID token has the API's own client id as `aud` where page and API share a registration, and
/// has `roles` and `groups` like an access token. Sources: Microsoft, "Access token claims
/// reference", `appid`, `azp`; "ID token claims reference", `c_hash`, `at_hash`.
pub(super) fn check(presented: &CheckContext<'_>) -> Result<(), InvalidToken> {
    if presented.trust.accepts_id_tokens {
        return Ok(());
    }
    let claims = presented.claims;
    let names = |name| claims.text(name).is_some_and(|client| !client.is_empty());
    let names_client = match presented.issuer_kind() {
        IssuerKind::B2c => names(Name::AuthorizedParty),
        IssuerKind::EntraId | IssuerKind::ExternalId => {
            names(Name::AuthorizedParty) || names(Name::AppId)
        }
    };
    let has_hash = claims.has(Name::CodeHash) || claims.has(Name::AccessTokenHash);
    if names_client && !has_hash {
        Ok(())
    } else {
        Err(InvalidToken::IdToken)
    }
}
