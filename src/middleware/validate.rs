//! What becomes of a request whose bearer token is not known already: which scheme of the header
//! (`Bearer`, `PoP`) is validated in which way.

use std::sync::Arc;

use http::Request;

use crate::claims::Claims;
use crate::jwks::snapshot::PendingFetch;
use crate::metrics::bound_token_admitted;
use crate::token::{InvalidToken, PopTokens, Possession, Scheme, ValidationFailure, Verdict};

use super::auth_layer::{Authenticate, Decision, Inner, RequestExtension, refuse};
use super::bearer::{BearerCredential, Credentials, OtherScheme, credentials};
use super::head::Head;
use super::pop::Presented;
use super::rejection::Rejection;
use super::session_check::check_sessions;

impl Authenticate {
    /// `known` is what became of a token that was seen before.
    pub(super) fn validate_uncached(
        &self,
        known: Option<Verdict>,
        presented: BearerCredential<'_>,
        now: u64,
        head: Head<'_>,
    ) -> Decision {
        let certificate = self.own.edge.bound.certificate_of(head);
        let possession = Possession::of_certificate(Scheme::Bearer, certificate);
        match known {
            None if possession.is_any() => self.validate_bound(possession, presented, head),
            known => self.judge(known, possession, presented, now, head),
        }
    }

    /// A token that may be bound to the certificate of the connection.
    #[cold]
    fn validate_bound(
        &self,
        possession: Possession,
        presented: BearerCredential<'_>,
        head: Head<'_>,
    ) -> Decision {
        let now = self.own.edge.clock.seconds();
        let token = presented.as_bytes();
        let known = self.own.validator.lookup_bound(token, now, &possession);
        self.judge(known, possession, presented, now, head)
    }

    fn judge(
        &self,
        known: Option<Verdict>,
        possession: Possession,
        presented: BearerCredential<'_>,
        now: u64,
        head: Head<'_>,
    ) -> Decision {
        let Inner {
            validator, edge, ..
        } = &*self.own;
        if edge.bound.pop == PopTokens::Require {
            return self.unsigned(presented, head);
        }
        let token = presented.as_bytes();
        match known.unwrap_or_else(|| validator.validate_uncached(token, now, &possession)) {
            Verdict::Valid(claims) => {
                let binding = claims.confirmation().map(|bound| bound.binding());
                let decision = self.admit_claims(claims, presented, head);
                if let (Decision::Allow(_), Some(binding)) = (&decision, binding) {
                    bound_token_admitted(binding);
                }
                decision
            }
            // Rejected before it was fully decoded: it may not be a token at all.
            Verdict::Refused(ValidationFailure::Invalid(
                InvalidToken::TooLarge { .. }
                | InvalidToken::Malformed
                | InvalidToken::UnsupportedAlgorithm,
            )) if presented.token().is_none() => self.malformed(head),
            Verdict::Refused(refusal) => refuse(Rejection::refused(refusal, edge, head)),
            Verdict::Wait(awaited) => match presented.token() {
                Some(token) => self.validate_async(awaited, token, possession, head),
                None => self.malformed(head),
            },
        }
    }

    #[cold]
    fn validate_async(
        &self,
        awaited: PendingFetch,
        token: &str,
        possession: Possession,
        head: Head<'_>,
    ) -> Decision {
        let own = Arc::clone(&self.own);
        let (token, head) = (token.to_owned(), head.to_owned());
        Decision::Pending(Box::pin(async move {
            let Inner {
                validator, edge, ..
            } = &*own;
            let claims = validator
                .validate_after_fetch(awaited, &token, &possession, || edge.clock.seconds())
                .await
                .map_err(|refusal| Rejection::refused(refusal, edge, head.as_head()))?;
            if let Some(rejection) = own.of_another_resource(&claims, head.as_head()) {
                return Err(rejection);
            }
            let settled = check_sessions(&claims).resolve(&claims, &token).await;
            let refused = |failure| Rejection::session(&failure, &claims, head.as_head());
            let patience = settled.map_err(refused)?;
            count_binding(&claims);
            Ok(RequestExtension::after(patience, claims))
        }))
    }

    /// Every request has to be signed, and this one is not, whatever its token is.
    #[cold]
    pub(super) fn unsigned(&self, presented: BearerCredential<'_>, head: Head<'_>) -> Decision {
        match presented.token() {
            Some(_) => refuse(Rejection::refused(
                InvalidToken::Proof.into(),
                &self.own.edge,
                head,
            )),
            None => self.malformed(head),
        }
    }

    /// What becomes of a request with another scheme; `None` for a signed HTTP request.
    #[cold]
    pub(super) fn bound(&self, other: OtherScheme<'_>, head: Head<'_>) -> Option<Decision> {
        let bound = &self.own.edge.bound;
        if bound.pop != PopTokens::Refuse && other.is("PoP") {
            return None;
        }
        let certificate = bound.certificate_of(head);
        if certificate.is_none() || !other.is("MTLS_POP") {
            return Some(self.no_credentials(head));
        }
        let possession = Possession::of_certificate(Scheme::MtlsPop, certificate);
        Some(match other.credential() {
            Some(presented) => self.validate_bound(possession, presented, head),
            None => self.malformed(head),
        })
    }

    #[cold]
    pub(super) fn signed<B: 'static>(&self, request: &mut Request<B>) -> Decision {
        let Inner {
            validator, edge, ..
        } = &*self.own;
        let head = Head::of(request);
        let text = match credentials(head.headers) {
            Credentials::Other(other) => other.credential().and_then(BearerCredential::token),
            _ => None,
        };
        let Some(text) = text.map(str::to_owned) else {
            return self.malformed(head.to_owned_signed().as_head());
        };
        match Presented::of(&text, request, edge, validator.most_bytes()) {
            Ok(presented) => {
                let own = Arc::clone(&self.own);
                Decision::Pending(Box::pin(async move {
                    let proven = presented.verified(&own.validator, &own.edge).await?;
                    let head = proven.head.as_head();
                    if let Some(rejection) = own.of_another_resource(&proven.claims, head) {
                        return Err(rejection);
                    }
                    count_binding(&proven.claims);
                    Ok(RequestExtension::Proven(Box::new(proven)))
                }))
            }
            Err(invalid) => {
                let head = Head::of(request).to_owned_signed();
                refuse(Rejection::refused(invalid.into(), edge, head.as_head()))
            }
        }
    }
}

/// Counts a request that is admitted, if its token is bound.
pub(super) fn count_binding(claims: &Claims) {
    if let Some(confirmation) = claims.confirmation() {
        bound_token_admitted(confirmation.binding());
    }
}
