//! Why a token is not accepted.

use crate::clock::UnixTime;

/// A token that is refused, and the fact that refused it.
///
/// For clients: [`reason`](Self::reason) is the stable code in the answer. What was expected and
/// what was found is for the log, at `debug`, and never holds token text.
///
/// ```
/// use axum_entra::InvalidToken;
///
/// assert_eq!(InvalidToken::InvalidAudience.reason(), "audience");
/// // A sentence for people, with nothing of the token in it.
/// assert!(!InvalidToken::InvalidAudience.description().is_empty());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// Not a JWT in its one strict form, or a claim of a type it must not have.
    #[error("the token is malformed")]
    Malformed,
    /// Longer than allowed.
    #[error("the token has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// `alg` is not RS256.
    #[error("the token is not signed with RS256")]
    UnsupportedAlgorithm,
    /// The header has `crit` or `b64`: an extension that must be understood and is not.
    #[error("the token's header has a critical extension")]
    UnsupportedCritical,
    /// `typ` is of another kind of token, or the token is encrypted, compressed or nested.
    #[error("the token is of another type")]
    TokenType,
    /// No key of that id, or no id at all.
    #[error("no key with the token's key id verifies tokens of its issuer")]
    UnknownKey,
    /// The signature is not that key's.
    #[error("the signature does not verify")]
    BadSignature,
    /// `iss` is no configured authority's, or `tid` or the key do not belong to it.
    #[error("the issuer is not accepted, or tenant or key do not belong to it")]
    InvalidIssuer,
    /// The tenant is not one of the accepted tenants.
    #[error("the tenant is not allowed")]
    TenantNotAllowed,
    /// `aud` is not this API.
    #[error("the token is meant for another audience")]
    InvalidAudience,
    /// The token's lifetime is over, even with skew.
    #[error("the token expired at {expired_at}, it is {now}")]
    Expired {
        /// `exp`.
        expired_at: UnixTime,
        /// The time it was checked against.
        now: UnixTime,
    },
    /// The token's lifetime has not begun, even with skew.
    #[error("the token is not valid yet, it is {now}")]
    NotYetValid {
        /// The time it was checked against.
        now: UnixTime,
    },
    /// `ver` does not fit the issuer, is missing, or is switched off.
    #[error("the token's version does not fit its issuer or is not accepted")]
    InvalidVersion,
    /// The B2C policy is none of those configured.
    #[error("the token's policy is not accepted")]
    InvalidPolicy,
    /// A token for Microsoft Graph, which only Microsoft Graph can validate.
    #[error("the token is meant for Microsoft Graph")]
    IssuedForGraph,
    /// An ID token, which is for the client only: it names no client, or has a hash of a code or
    /// a token.
    #[error("the token is an ID token")]
    IdToken,
    /// `cnf`: bound to a key or a certificate, of which the request has no proof.
    #[error(
        "the token is bound to its sender's key or certificate, and the request proves neither"
    )]
    SenderConstrained,
    /// The request's proof does not fit the request, or not the token; or there is none where every
    /// request needs one ([`PopTokens::Require`](crate::PopTokens::Require)).
    #[error("the request's proof of possession does not fit")]
    Proof,
    /// Encrypted in a way that is not accepted, to no key of this API, or changed on its way: these
    /// are not distinguished.
    #[error("the token is encrypted and cannot be decrypted")]
    Decryption,
    /// Issued before the account's cut-off.
    #[error("the account's tokens of that age are revoked")]
    Revoked,
    /// Used before, where each token is good once.
    #[error("the token was used before")]
    Replayed,
    /// The authority gives out nothing on the token's behalf until its user has signed in again.
    #[error("the authority wants the token's user to sign in again")]
    InteractionRequired,
}

impl InvalidToken {
    /// The stable code, as it stands in the answer.
    ///
    /// ```
    /// use axum_entra::InvalidToken;
    ///
    /// assert_eq!(InvalidToken::BadSignature.reason(), "bad_signature");
    /// assert_eq!(InvalidToken::IssuedForGraph.reason(), "graph_token");
    /// ```
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge { .. } => "too_large",
            Self::UnsupportedAlgorithm => "algorithm",
            Self::UnsupportedCritical => "critical_header",
            Self::TokenType => "token_type",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::InvalidIssuer => "issuer",
            Self::TenantNotAllowed => "tenant_not_allowed",
            Self::InvalidAudience => "audience",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::InvalidVersion => "version",
            Self::InvalidPolicy => "policy",
            Self::IssuedForGraph => "graph_token",
            Self::IdToken => "id_token",
            Self::SenderConstrained => "sender_constrained",
            Self::Proof => "proof",
            Self::Decryption => "decryption",
            Self::Revoked => "revoked",
            Self::Replayed => "replay",
            Self::InteractionRequired => "interaction_required",
        }
    }

    /// A sentence for the holder of the token; it contains nothing from the token.
    ///
    /// ```
    /// use axum_entra::InvalidToken;
    ///
    /// assert_eq!(InvalidToken::Revoked.description(), "The access token was revoked. Sign in again.");
    /// ```
    #[must_use]
    pub const fn description(&self) -> &'static str {
        match self {
            Self::Malformed => "The access token is not a well-formed JWT.",
            Self::TooLarge { .. } => "The access token is too long.",
            Self::UnsupportedAlgorithm => "The access token is not signed with RS256.",
            Self::UnsupportedCritical => {
                "The access token has a header extension that is not supported."
            }
            Self::TokenType => "The access token is of a type that is not accepted here.",
            Self::UnknownKey => {
                "The access token is signed with a key that its issuer does not publish."
            }
            Self::BadSignature => "The signature of the access token does not verify.",
            Self::InvalidIssuer => {
                "The access token was issued by an authority that is not accepted here."
            }
            Self::TenantNotAllowed => "Accounts of this tenant are not accepted here.",
            Self::InvalidAudience => "The access token is meant for another API.",
            Self::Expired { .. } => "The access token has expired.",
            Self::NotYetValid { .. } => "The access token is not valid yet.",
            Self::InvalidVersion => {
                "The version of the access token does not fit its issuer, or is not accepted here."
            }
            Self::InvalidPolicy => "The user went through a policy that is not accepted here.",
            Self::IssuedForGraph => {
                "The access token is meant for Microsoft Graph. Ask for a scope of this API instead \
                 (api://.../scope); one token cannot serve both."
            }
            Self::IdToken => {
                "This is an ID token, which tells the client who signed in. Send the access token: \
                 the client gets one by asking for a scope of this API (api://.../scope)."
            }
            Self::SenderConstrained => {
                "The access token is bound to a key or a certificate, and the request does not prove \
                 that its sender has it."
            }
            Self::Proof => {
                "The request's proof that its sender has the token's key or certificate does not fit."
            }
            Self::Decryption => "The access token is encrypted and could not be decrypted.",
            Self::Revoked => "The access token was revoked. Sign in again.",
            Self::Replayed => "The access token was used before.",
            Self::InteractionRequired => {
                "The authority wants the user to sign in again before this API may act for them."
            }
        }
    }
}
