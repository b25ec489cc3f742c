//! Sign-outs: the caller's own, and those that OpenID Connect reports to a relying party.

use std::borrow::Cow;

use axum_core::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::claims::Claims;
use crate::token::{InvalidToken, ValidationFailure};

use super::event_endpoints::{Received, ServiceState, bad_request, has_type, status};
use super::guard_layer::missing_claims;

/// The caller signs out: everything that is kept of the account is forgotten, nothing is revoked.
pub(super) async fn sign_out(state: &ServiceState, received: &Received) -> Response {
    let Some(claims) = received.extensions.get::<Claims>() else {
        return missing_claims(
            "the service of Entra::sign_out_service",
            received.head.with_extensions(&received.extensions),
        )
        .into_response();
    };
    // Nothing is stored for a caller without a certain identity.
    if let Some(account) = claims.account_id() {
        let now = state.edge.clock.seconds();
        state.edge.accounts.sign_out(&account, now).await;
    }
    status(StatusCode::NO_CONTENT)
}

/// OpenID Connect Back-Channel Logout 1.0 sections 2.5 to 2.8.
pub(super) async fn back_channel(state: &ServiceState, received: &Received) -> Response {
    let refused = |text: &str| {
        let members = ["error", "error_description"];
        bad_request(members, "invalid_request", text)
    };
    if !has_type(&received.headers, "application/x-www-form-urlencoded") {
        return refused("The request is not a form.");
    }
    let Some(token) = only("logout_token", received.body.as_bytes()) else {
        return refused("The form does not hold one logout_token.");
    };
    let now = state.edge.clock.seconds();
    let ended = match state.validator.logout(&token, now).await {
        Ok(ended) => ended,
        Err(ValidationFailure::Invalid(invalid)) => {
            tracing::debug!(reason = invalid.reason(), "logout token refused");
            return refused(invalid_text(&invalid));
        }
        Err(refusal) => return state.unavailable(refusal),
    };
    match state.end(&[ended]).await {
        Ok(()) => status(StatusCode::OK),
        Err(refusal) => state.unavailable(refusal),
    }
}

/// OpenID Connect Front-Channel Logout 1.0 section 2: a browser loads the page, in a frame.
///
/// Nothing proves who sent it there: a client that knows a session's id can end that session.
/// Only a session that a valid token named is stored, so that invented ids take no memory.
pub(super) async fn front_channel(state: &ServiceState, received: &Received) -> Response {
    let query = received.query.as_bytes();
    let (Some(issuer), Some(session)) = (only("iss", query), only("sid", query)) else {
        return status(StatusCode::BAD_REQUEST);
    };
    let tenant = state.validator.tenant_of(&issuer);
    let (Some(tenant), 1..=LONGEST_SESSION) = (tenant, session.len()) else {
        return status(StatusCode::BAD_REQUEST);
    };
    let now = state.edge.clock.seconds();
    let at = state.validator.cut_off_now(Some(tenant), now);
    let told = state
        .edge
        .accounts
        .end_seen_session(tenant, &session, at, now);
    match told.await {
        Ok(()) => status(StatusCode::OK),
        Err(_) => state.unavailable(ValidationFailure::StoreUnavailable),
    }
}

/// Entra's are GUIDs.
const LONGEST_SESSION: usize = 128;

/// The value of a parameter that stands there once.
fn only<'f>(name: &str, form: &'f [u8]) -> Option<Cow<'f, str>> {
    let mut values = url::form_urlencoded::parse(form)
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value);
    let first = values.next().filter(|value| !value.is_empty())?;
    values.next().is_none().then_some(first)
}

fn invalid_text(invalid: &InvalidToken) -> &'static str {
    match invalid {
        InvalidToken::TokenType => "The token is not typed as a logout token.",
        InvalidToken::Malformed => "The token is not a well-formed logout token.",
        InvalidToken::InvalidAudience => "The logout token is for another audience.",
        InvalidToken::InvalidIssuer | InvalidToken::TenantNotAllowed => {
            "The logout token is of an issuer that is not accepted here."
        }
        InvalidToken::Expired { .. } | InvalidToken::NotYetValid { .. } => {
            "The logout token is not valid at this time."
        }
        _ => "The signature of the logout token does not verify.",
    }
}
