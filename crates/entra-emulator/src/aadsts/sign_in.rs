//! Refusals of sign-in, of authorization codes and of refresh tokens.

use super::{Refusal, utc};

impl Refusal {
    pub(crate) fn unregistered_redirect(redirect: &str, client: &str) -> Self {
        let sentence = format!(
            "The redirect URI '{redirect}' specified in the request does not match the redirect \
             URIs configured for the application '{client}'."
        );
        Self::bad_request("invalid_request", 50_011, sentence)
    }

    pub(crate) fn unsupported_response_type(kind: &str) -> Self {
        let sentence = format!("response_type '{kind}' is not enabled for the application.");
        Self::bad_request("unsupported_response_type", 700_051, sentence)
    }

    pub(crate) fn unsupported_response_mode(mode: &str) -> Self {
        let sentence = format!(
            "response_mode '{mode}' is not supported for this response_type: a token never stands \
             in a query."
        );
        Self::bad_request("invalid_request", 70_007, sentence)
    }

    pub(crate) fn missing_nonce() -> Self {
        let sentence = "The required field 'nonce' is missing from the request.".to_owned();
        Self::bad_request("invalid_request", 50_020, sentence)
    }

    pub(crate) fn challenge_required() -> Self {
        let sentence = "Proof Key for Code Exchange (code_challenge, code_challenge_method=S256) is \
                        required for a public client.";
        Self::bad_request("invalid_request", 9_002_325, sentence.to_owned())
    }

    pub(crate) fn unsupported_challenge() -> Self {
        let sentence =
            "Invalid code_challenge or code_challenge_method: 43 to 128 characters, S256.";
        Self::bad_request("invalid_request", 50_149, sentence.to_owned())
    }

    pub(crate) fn malformed_req_cnf() -> Self {
        let sentence =
            "The req_cnf parameter is not base64url of a JSON object with the thumbprint of \
                        one key."
                .to_owned();
        Self::bad_request("invalid_request", 90_015, sentence)
    }

    pub(crate) fn unsupported_token_type(kind: &str) -> Self {
        let sentence = format!("The emulator issues no tokens of the type '{kind}'.");
        Self::bad_request("invalid_request", 90_015, sentence)
    }

    pub(crate) fn malformed_claims() -> Self {
        let sentence = "The claims parameter is not a JSON object.".to_owned();
        Self::bad_request("invalid_request", 90_015, sentence)
    }

    /// `prompt=none`, and no user has signed in with this browser.
    pub(crate) fn login_required() -> Self {
        let sentence = "A silent sign-in request was sent but no user is signed in.".to_owned();
        Self::bad_request("login_required", 50_058, sentence)
    }

    /// `prompt=none`, and the sign-in is not strong enough.
    pub(crate) fn stronger_sign_in_required() -> Self {
        let sentence = "Due to a configuration change made by your administrator, you must use \
                        multi-factor authentication.";
        Self::bad_request("interaction_required", 50_076, sentence.to_owned())
    }

    pub(crate) fn consent_required(client: &str, scope: &str) -> Self {
        let sentence = format!(
            "The user or administrator has not consented to use the application with ID '{client}' \
             (scope '{scope}'). Send an interactive authorization request for this user and resource."
        );
        Self {
            suberror: Some("consent_required"),
            ..Self::bad_request("invalid_grant", 65_001, sentence)
        }
    }

    pub(crate) fn malformed_grant(name: &str) -> Self {
        let sentence = format!(
            "The provided value for the input parameter '{name}' is not valid: it is malformed, or \
             it was never issued."
        );
        Self::bad_request("invalid_grant", 9_002_313, sentence)
    }

    pub(crate) fn grant_of_another_client(name: &str) -> Self {
        let sentence = format!(
            "The provided value for the input parameter '{name}' is not valid: it was issued to \
             another client."
        );
        Self::bad_request("invalid_grant", 70_000, sentence)
    }

    pub(crate) fn grant_of_another_tenant() -> Self {
        let sentence = "The provided authorization code or refresh token is intended to use against \
                        other tenant, thus rejected.";
        Self::bad_request("invalid_grant", 700_005, sentence.to_owned())
    }

    pub(crate) fn code_expired() -> Self {
        let sentence = "The provided authorization code has expired. Send a new interactive \
                        authorization request for this user and resource.";
        Self::bad_request("invalid_grant", 70_008, sentence.to_owned())
    }

    pub(crate) fn code_redeemed() -> Self {
        let sentence = "OAuth2 Authorization code was already redeemed, please retry with a new \
                        valid code or use an existing refresh token.";
        Self::bad_request("invalid_grant", 54_005, sentence.to_owned())
    }

    pub(crate) fn other_redirect(given: &str) -> Self {
        let sentence = format!(
            "The reply address '{given}' does not match the reply address provided when requesting \
             Authorization code."
        );
        Self::bad_request("invalid_client", 500_112, sentence)
    }

    pub(crate) fn wrong_verifier() -> Self {
        let sentence = "The Code_Verifier does not match the code_challenge supplied in the \
                        authorization request.";
        Self::bad_request("invalid_grant", 501_481, sentence.to_owned())
    }

    /// The sign-in sessions were revoked after this grant was given.
    pub(crate) fn revoked(issued_at: u64, valid_from: u64) -> Self {
        let sentence = format!(
            "The provided grant has expired due to it being revoked, a fresh auth token is needed. \
             The user might have changed or reset their password. The grant was issued on '{}' and \
             the TokensValidFrom date (before which tokens are not valid) for this user is '{}'.",
            utc(issued_at, 'T'),
            utc(valid_from, 'T'),
        );
        Self::bad_request("invalid_grant", 50_173, sentence)
    }
}
