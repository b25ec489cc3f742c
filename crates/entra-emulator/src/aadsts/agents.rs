//! Refusals of agent identities and their blueprints (Entra Agent ID).

use super::Refusal;

impl Refusal {
    /// The client assertion is no token that the blueprint got for this agent.
    pub(crate) fn foreign_assertion(client: &str) -> Self {
        let sentence = format!(
            "No matching federated identity record found for the presented assertion of the \
             application '{client}'."
        );
        Self::unauthorized(700_213, sentence)
    }

    /// `fmi_path` names no agent identity of the blueprint.
    pub(crate) fn unknown_agent(path: &str) -> Self {
        let sentence =
            format!("The agent identity '{path}' was not found, or is not of this blueprint.");
        Self::bad_request("invalid_request", 700_016, sentence)
    }

    /// The user is no account of this agent identity.
    pub(crate) fn not_the_agents_user(client: &str) -> Self {
        let sentence =
            format!("The account is not a user account of the agent identity '{client}'.");
        Self::bad_request("invalid_grant", 50_034, sentence)
    }
}
