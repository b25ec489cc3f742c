//! What each check expects and what was found, in words.

use crate::authority::ResolvedAuthority;
use crate::claims::{Claims, Confirmation};
use crate::jwks::snapshot::KeyReader;
use crate::token::validator::Validator;

use super::unverified_view::{Peek, cut};

/// What a check on claims expects; without an authority it is unknown.
pub(super) fn expected(check: &str, trust: Option<&ResolvedAuthority>, now: u64) -> String {
    let Some(trust) = trust else {
        return match check {
            "authority" => "one of the configured issuers".to_owned(),
            _ => "as the token's authority is configured".to_owned(),
        };
    };
    match check {
        "version" => "ver fits the issuer, and is switched on".to_owned(),
        "issuer" => "iss as the keys' document states it, tid its tenant, and allowed".to_owned(),
        "audience" => trust.audiences.join(" or "),
        "lifetime" => format!(
            "nbf and iat before, exp after {} (± {} s)",
            now, trust.clock_skew
        ),
        "purpose" => {
            "no cnf: a bearer token; a bound one is accepted in a request that proves it".to_owned()
        }
        "id_token" if trust.accepts_id_tokens => "an access token or an ID token".to_owned(),
        "id_token" if trust.is_b2c() => "azp, and neither c_hash nor at_hash".to_owned(),
        "id_token" => "azp or appid, and neither c_hash nor at_hash".to_owned(),
        "permissions" if trust.required_scopes.is_empty() => "scp or roles".to_owned(),
        "permissions" => format!(
            "scp or roles, and scope {}",
            trust.required_scopes.join(" or ")
        ),
        "claims" => "every claim of its type, and exp".to_owned(),
        "signature" => "made by that key".to_owned(),
        "key_id" => "the id of one of those keys".to_owned(),
        _ => String::new(),
    }
}

/// What a token holds for a check, proven or not.
pub(super) fn found(check: &str, peek: &Peek) -> Option<String> {
    let names: &[&str] = match check {
        "authority" => &["iss", "ver", "tfp"],
        "key_id" => return peek.header("kid"),
        "version" => &["ver"],
        "issuer" => &["iss", "tid"],
        "audience" => &["aud"],
        "lifetime" => &["nbf", "iat", "exp"],
        "id_token" => &["azp", "appid", "c_hash", "at_hash"],
        "permissions" => &["scp", "roles"],
        _ => return None,
    };
    peek.claims(names)
}

/// What a token is bound to, by its `cnf`.
pub(super) fn binding(confirmation: Option<&str>) -> String {
    let Some(confirmation) = confirmation else {
        return "no cnf".to_owned();
    };
    match Confirmation::parse(confirmation).map(|bound| bound.binding()) {
        Some("certificate") => "cnf of a client certificate",
        Some("key_and_certificate") => "cnf of a key and of a client certificate",
        Some(_) => "cnf of a key",
        None => "cnf that no request proves here",
    }
    .to_owned()
}

/// The scopes and roles of a caller, and what kind of caller it is.
pub(super) fn permissions(claims: &Claims) -> String {
    let scopes: Vec<&str> = claims.scopes().collect();
    let roles: Vec<&str> = claims.roles().collect();
    let agent = match claims.agent() {
        Some(agent) => format!(", an agent ({})", agent.kind().as_str()),
        None if claims.tells_actor_facets() => ", no agent".to_owned(),
        None => String::new(),
    };
    cut(&format!(
        "{}{agent}, scopes [{}], roles [{}], groups {}",
        claims.principal().as_str(),
        scopes.join(" "),
        roles.join(", "),
        claims.groups().as_str()
    ))
}

pub(super) fn issuers(validator: &Validator) -> String {
    let documents = validator
        .authorities
        .iter()
        .flat_map(|own| &own.trust.documents);
    let issuers: Vec<&str> = documents
        .flat_map(|document| &document.issuers)
        .map(|issuer| issuer.as_str())
        .collect();
    issuers.join(" or ")
}

pub(super) fn state(reader: &KeyReader) -> String {
    let snapshot = reader.load();
    match (reader.keys(), &snapshot.keys, &snapshot.last_error) {
        (Some(keys), ..) => format!("{} keys", keys.len()),
        (None, _, Some(error)) => format!("none: {error}"),
        (None, Some(_), None) => {
            "read, and not used: too old, or not bound to tenants by the v2.0 document yet"
                .to_owned()
        }
        (None, None, None) => "none yet".to_owned(),
    }
}
