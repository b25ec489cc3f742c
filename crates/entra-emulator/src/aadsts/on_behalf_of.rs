//! Refusals of on-behalf-of, and the one that asks for the user.

use super::Refusal;

impl Refusal {
    /// The user must come back and sign in: 400 with `suberror` and the `claims` to ask for.
    pub(crate) fn interaction_required(resource: &str, claims: &str) -> Self {
        let sentence = format!(
            "Due to a configuration change made by your administrator, or because you moved to a new \
             location, you must use multi-factor authentication to access '{resource}'."
        );
        Self {
            suberror: Some("basic_action"),
            claims: Some(claims.to_owned()),
            ..Self::bad_request("interaction_required", 50_076, sentence)
        }
    }

    pub(crate) fn wrong_token_use(given: &str) -> Self {
        let sentence = format!(
            "The value '{given}' of 'requested_token_use' is not supported; it must be 'on_behalf_of'."
        );
        Self::bad_request("invalid_request", 900_144, sentence)
    }

    pub(crate) fn malformed_assertion() -> Self {
        let sentence = "JWT token is invalid or malformed.".to_owned();
        Self::bad_request("invalid_request", 50_027, sentence)
    }

    pub(crate) fn forged_assertion() -> Self {
        let sentence = "Assertion failed signature validation. [Reason - The key was not found, or \
                        the signature does not fit it.]";
        Self::bad_request("invalid_grant", 50_013, sentence.to_owned())
    }

    pub(crate) fn late_assertion() -> Self {
        let sentence = "Assertion is not within its valid time range. Ensure that the access token is \
                        not expired before using it for user assertion, or request a new token.";
        Self::bad_request("invalid_grant", 500_133, sentence.to_owned())
    }

    pub(crate) fn assertion_for_another(audience: &str, client: &str) -> Self {
        let sentence = format!(
            "Assertion failed audience validation. The audience in the assertion was '{audience}' and \
             the expected audience is '{client}' or one of the Application Uris of this application."
        );
        Self::bad_request("invalid_grant", 500_131, sentence)
    }

    pub(crate) fn assertion_of_an_app(client: &str) -> Self {
        let sentence = format!(
            "Application '{client}' is not allowed to make application on-behalf-of calls."
        );
        Self::bad_request("invalid_grant", 7_000_114, sentence)
    }

    pub(crate) fn unknown_user(tenant: &str) -> Self {
        let sentence = format!("The user account does not exist in the {tenant} directory.");
        Self::bad_request("invalid_grant", 50_034, sentence)
    }
}
