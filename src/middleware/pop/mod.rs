//! Signed HTTP requests (`Authorization: PoP`): from the header to claims whose client has proved
//! that it holds the token's key.

mod body;
mod config;
mod covered;
mod nonce;
mod target;

use std::sync::Arc;

use axum_core::body::Body;
use http::Request;

use crate::claims::Claims;
use crate::revocation::StoreUnavailable;
use crate::token::{
    InvalidToken, Possession, SignedClaims, SignedRequest, SignedRequestId, ValidationFailure,
    Validator, Verdict,
};

use super::context::{AuthorityContext, LayerContext};
use super::head::{Head, OwnedHead};
use super::patience::Patience;
use super::rejection::Rejection;
use super::session_check::check_sessions;

pub(crate) use config::BoundTokens;
pub(crate) use nonce::Nonces;

use target::Target;

/// What a signed HTTP request brought, before anything of it is believed.
pub(super) struct Presented {
    request: SignedRequest,
    /// The access token in it.
    token: String,
    /// `None` where it is not certain which host the request is for.
    target: Option<Target>,
    certificate: Option<[u8; 32]>,
    body: Option<Body>,
    head: OwnedHead,
}

/// A request that is proved to be its client's.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) claims: Claims,
    /// What is left of the time for questions to the directory.
    pub(super) patience: Option<Patience>,
    /// The body, where its hash was signed; to be put back.
    pub(super) body: Option<Body>,
    pub(super) head: OwnedHead,
}

/// How old a signed HTTP request may be, and how far ahead of this clock, in seconds.
const WINDOW: f64 = 300.0;

impl Presented {
    /// Takes a request's proof, and its body where the proof covers that.
    pub(super) fn of<B: 'static>(
        text: &str,
        request: &mut Request<B>,
        edge: &LayerContext,
        most_bytes: usize,
    ) -> Result<Self, InvalidToken> {
        let (signed, token) = SignedRequest::read(text, most_bytes)?;
        let head = Head::of(request);
        Ok(Self {
            token,
            target: Target::of(head, &edge.bound),
            certificate: edge.bound.certificate_of(head),
            head: head.to_owned_signed(),
            body: match signed.covers_body() {
                true => body::take(request),
                false => None,
            },
            request: signed,
        })
    }

    /// Verifies all of it: the token by the ordinary way, its binding, the signature, what was
    /// signed, and that the request comes for the first time; in this order, so that only the
    /// holder of a good token and its key can make an entry in the record.
    pub(super) async fn verified(
        self,
        validator: &Validator,
        edge: &Arc<LayerContext>,
    ) -> Result<Proven, Rejection> {
        let Self {
            request,
            token,
            target,
            certificate,
            body,
            head,
        } = self;
        let refused = |refusal| Rejection::refused(refusal, edge, head.as_head());
        let invalid = |invalid: InvalidToken| refused(ValidationFailure::from(invalid));
        let clock = || edge.clock.seconds();
        let possession = Possession::of_key(request.thumbprint(), certificate);
        let claims = match validator.validate_with(&token, clock(), &possession) {
            Verdict::Valid(claims) => claims,
            Verdict::Refused(refusal) => return Err(refused(refusal)),
            Verdict::Wait(awaited) => validator
                .validate_after_fetch(awaited, &token, &possession, clock)
                .await
                .map_err(refused)?,
        };
        let now = clock();
        let target = target.ok_or(InvalidToken::Proof).map_err(invalid)?;
        let (signed, id) = proved(request, &target, &head, &edge.bound, now).map_err(invalid)?;
        let body = match signed.body {
            Some(hash) => {
                let read = body::with_hash(body, &hash, edge.bound.most_body).await;
                Some(read.ok_or(InvalidToken::Proof).map_err(invalid)?)
            }
            None => None,
        };
        let settled = check_sessions(&claims).resolve(&claims, &token).await;
        let session = |failure| Rejection::session(&failure, &claims, head.as_head());
        let patience = settled.map_err(session)?;
        let skew = AuthorityContext::of(&claims).map_or(0, |origin| origin.clock_skew);
        let until = whole(signed.at + WINDOW).saturating_add(skew);
        let answer = edge.accounts.first_request(&id.0, until, clock());
        match answer.wait().await {
            Ok(true) => {}
            Ok(false) => return Err(invalid(InvalidToken::Proof)),
            Err(StoreUnavailable) => return Err(refused(ValidationFailure::StoreUnavailable)),
        }
        Ok(Proven {
            claims,
            patience,
            body,
            head,
        })
    }
}

/// Whether the request is the one that was signed, a short time ago, by the key it is said to be
/// signed with. What costs little is looked at before the signature.
fn proved(
    request: SignedRequest,
    target: &Target,
    head: &OwnedHead,
    bound: &BoundTokens,
    now: u64,
) -> Result<(SignedClaims, SignedRequestId), InvalidToken> {
    #[expect(clippy::cast_precision_loss, reason = "times are below 2^53")]
    let age = now as f64 - request.signed_at();
    if age.abs() > WINDOW {
        return Err(InvalidToken::Proof);
    }
    let (signed, id) = request.verified()?;
    let nonce_fits = match &bound.nonces {
        Some(nonces) => signed
            .nonce
            .as_deref()
            .is_some_and(|nonce| nonces.has_made(nonce, now)),
        None => true,
    };
    if nonce_fits && covered::covers(&signed, target, head.as_head()) {
        Ok((signed, id))
    } else {
        Err(InvalidToken::Proof)
    }
}

/// The second that a time lies in or ends with.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times are between 0 and 2^53, checked when the request was read"
)]
fn whole(seconds: f64) -> u64 {
    seconds.ceil() as u64
}

/// Puts a body back where it was taken from.
pub(super) fn put_back<B: 'static>(request: &mut Request<B>, body: Option<Body>) {
    if let Some(body) = body {
        body::put(request, body);
    }
}
