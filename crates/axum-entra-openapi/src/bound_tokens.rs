//! Bound tokens in a document: the scheme of signed HTTP requests, and operations that accept nothing else.

use axum_entra::PopTokens;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};

use super::requirements::OperationRequirements;

/// The scheme of signed HTTP requests.
pub(super) const POP: &str = "pop";
/// The scheme of connections with a client certificate.
pub(super) const MUTUAL_TLS: &str = "mutual_tls";

/// The code of a guard that asks for a bound token.
const PROOF: &str = "proof";

/// Whether one way to the operation's handler takes a bound token.
pub(super) fn asks_for_proof(demands: &OperationRequirements) -> bool {
    let mut conditions = demands
        .alternatives()
        .iter()
        .flat_map(|way| way.requirements());
    conditions.any(|condition| condition.reason() == PROOF)
}

/// Adds the schemes of bound tokens to an operation that is written already, and takes those of bearer
/// tokens out where they are refused.
pub(super) fn write(operation: &mut Operation, demands: &OperationRequirements, pop: PopTokens) {
    let is_bound = |way: &&axum_entra::guard::Alternative| {
        way.requirements()
            .iter()
            .any(|condition| condition.reason() == PROOF)
    };
    let ways = demands.alternatives();
    let names = |way: &axum_entra::guard::Alternative| {
        let names: Vec<String> = way.scopes().iter().chain(way.roles()).cloned().collect();
        names
    };
    let mut all = operation.security.take().unwrap_or_default();
    if pop == PopTokens::Require || ways.iter().all(|way| is_bound(&way)) {
        all.retain(|known| *known == SecurityRequirement::default());
    }
    for way in ways {
        if pop != PopTokens::Refuse {
            all.push(SecurityRequirement::new(POP, names(way)));
        }
        if is_bound(&way) && pop != PopTokens::Require {
            all.push(SecurityRequirement::new(MUTUAL_TLS, names(way)));
        }
    }
    operation.security = Some(all);
}

/// OpenAPI names the schemes of `Authorization` that are registered, and `PoP` is not; so the
/// header is described.
pub(super) fn pop_scheme() -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
        "Authorization",
        "A signed HTTP request: `PoP {signed request}`, made by MSAL for each request \
         (AuthenticationScheme.POP), with an access token that is bound to the client's key.",
    )))
}

pub(super) fn mutual_tls_scheme() -> SecurityScheme {
    SecurityScheme::MutualTls {
        description: Some(
            "A connection with the client certificate that the access token is bound to (RFC 8705); the \
             token comes as `Bearer` or `MTLS_POP`."
                .to_owned(),
        ),
        deprecated: None,
        extensions: None,
    }
}
