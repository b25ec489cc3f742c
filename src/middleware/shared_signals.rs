//! Security events that are pushed here (RFC 8935).

use axum_core::response::Response;
use http::StatusCode;

use crate::token::{InvalidToken, SignedMessage, TokenKind, ValidationFailure};

use super::event_endpoints::{Received, ServiceState, bad_request, has_type, status};

/// Takes one security event token, and answers after every replica was notified.
///
/// A message that comes twice changes nothing: its cut-off is the time of the event, and cut-offs
/// are only raised. So no record of messages is kept, and one whose answer was lost is welcome
/// again (section 2.2).
pub(super) async fn push(state: &ServiceState, received: &Received) -> Response {
    if !has_type(&received.headers, "application/secevent+jwt") {
        return refused("invalid_request", "The body is not a security event token.");
    }
    let now = state.edge.clock.seconds();
    let ended = match read(state, received.body.trim(), now).await {
        Ok(ended) => ended,
        Err(ValidationFailure::Invalid(invalid)) => {
            tracing::warn!(reason = invalid.reason(), "security event refused");
            let (error, description) = error(&invalid);
            return refused(error, description);
        }
        Err(refusal) => return state.unavailable(refusal),
    };
    match state.end(&ended).await {
        Ok(()) => status(StatusCode::ACCEPTED),
        Err(refusal) => state.unavailable(refusal),
    }
}

async fn read(
    state: &ServiceState,
    text: &str,
    now: u64,
) -> Result<Vec<crate::token::SessionTermination>, ValidationFailure> {
    let of_issuer = |issuer: &str| {
        let mut transmitters = state.transmitters.iter();
        transmitters
            .find(|transmitter| transmitter.signals.issuer == issuer)
            .ok_or(InvalidToken::InvalidIssuer)
    };
    let message = SignedMessage::verified(TokenKind::SecurityEvent, text, |token| {
        Ok(&of_issuer(token.issuer()?)?.reader)
    })
    .await?;
    let transmitter = of_issuer(&message.issuer)?;
    Ok(message.security_events(&transmitter.signals, now)?)
}

/// Section 2.3 and 2.4.
fn refused(error: &str, description: &str) -> Response {
    bad_request(["err", "description"], error, description)
}

fn error(invalid: &InvalidToken) -> (&'static str, &'static str) {
    match invalid {
        InvalidToken::InvalidIssuer | InvalidToken::TenantNotAllowed => {
            ("invalid_issuer", "The issuer is not accepted here.")
        }
        InvalidToken::InvalidAudience => ("invalid_audience", "The event is for another audience."),
        InvalidToken::UnknownKey
        | InvalidToken::BadSignature
        | InvalidToken::UnsupportedAlgorithm => (
            "invalid_key",
            "No key of the issuer verifies the signature.",
        ),
        _ => (
            "invalid_request",
            "The body is not a well-formed security event token, or its subject is not one that \
             accounts are known by here.",
        ),
    }
}
