//! Which challenges an answer carries: `Bearer`, `PoP`, or both, each a header field of its own.

use http::{HeaderValue, StatusCode};

use super::cause::Cause;
use super::challenge::{Challenge, ChallengeKind};
use super::context::LayerContext;
use super::rejection::Rejection;
use super::resources::Challenged;
use crate::token::PopTokens;

impl Rejection {
    /// The `WWW-Authenticate` header fields of the answer.
    ///
    /// The scheme that the request came with is challenged; one that came without credentials, or
    /// with a bearer token that is refused, learns the other one too, where both are accepted.
    pub(super) fn challenges(&self) -> impl Iterator<Item = HeaderValue> {
        let edge = self.edge.as_deref();
        let resource = edge.and_then(|edge| edge.resources.at(self.resource));
        let pop = edge.map_or(PopTokens::Refuse, |edge| edge.bound.pop);
        let (bearer, signed) = match pop {
            PopTokens::Refuse => (true, false),
            PopTokens::Require => (false, true),
            PopTokens::Accept if self.signed => (false, true),
            PopTokens::Accept => (true, self.status() == StatusCode::UNAUTHORIZED),
        };
        let bearer = bearer.then(|| self.bearer_challenge(resource)).flatten();
        let signed = signed.then(|| self.pop_challenge(edge, resource)).flatten();
        bearer.into_iter().chain(signed)
    }

    fn bearer_challenge(&self, resource: Option<&Challenged>) -> Option<HeaderValue> {
        let usual = |kind| Some(Challenge::usual(kind, resource));
        match &self.cause {
            Cause::MissingToken => return usual(ChallengeKind::NoToken),
            Cause::MalformedHeader => return usual(ChallengeKind::NoHeader),
            Cause::Invalid(_) => return usual(ChallengeKind::BadToken),
            _ => {}
        }
        let metadata = resource.and_then(|resource| resource.metadata.as_deref());
        let challenge = self.described(Challenge::bearer())?;
        Some(
            challenge
                .with_some("resource_metadata", metadata)
                .into_header(),
        )
    }

    /// `PoP`, with a nonce where the application asks for one.
    fn pop_challenge(
        &self,
        edge: Option<&LayerContext>,
        resource: Option<&Challenged>,
    ) -> Option<HeaderValue> {
        let nonce = edge.and_then(|edge| {
            let nonces = edge.bound.nonces.as_ref()?;
            Some(nonces.make(edge.clock.seconds()))
        });
        let challenge = Challenge::pop(nonce.as_deref());
        let scope = resource.map(|resource| resource.scope.as_str());
        let challenge = match &self.cause {
            Cause::MissingToken => challenge.with_some("scope", scope),
            Cause::MalformedHeader => challenge.with("error", "invalid_request"),
            Cause::Invalid(_) => challenge
                .with("error", "invalid_token")
                .with_some("scope", scope),
            _ => self.described(challenge)?,
        };
        Some(challenge.into_header())
    }

    /// What is said to this client only; `None` where the answer has no challenge.
    fn described(&self, challenge: Challenge) -> Option<Challenge> {
        Some(match &self.cause {
            Cause::Denied(refused) => challenge
                .with("error", "insufficient_scope")
                .with_some("scope", Some(&refused.scopes)),
            // A scope of another API, which the client cannot ask this one's authority for.
            Cause::ConsentRequired { .. } => challenge.with("error", "insufficient_scope"),
            Cause::StepUp {
                claims,
                authorization_uri,
                ..
            } => challenge
                .with("error", "insufficient_claims")
                .with("claims", claims)
                .with_some("authorization_uri", Some(authorization_uri)),
            Cause::MissingToken
            | Cause::MalformedHeader
            | Cause::Invalid(_)
            | Cause::KeysUnavailable
            | Cause::StoreUnavailable
            | Cause::Undecided { .. }
            | Cause::DirectoryUnavailable { .. }
            | Cause::NotFound
            | Cause::NotConfigured { .. }
            | Cause::Mcp(_) => return None,
        })
    }
}
