//! Agent identities and their blueprints (Microsoft, "Agent OAuth protocols").
//!
//! An agent identity has no credential. Its blueprint gets a token for it (`fmi_path`), and that is
//! the agent's client assertion: for a token of its own, on behalf of a user, or as its user account.

use serde_json::{Value, json};

use super::TokenRequest;
use crate::{aadsts::Refusal, app::App, directory::Tenant, received::Received, seeds};

/// What a token that is an assertion is asked for with.
pub(super) const EXCHANGE_SCOPE: &str = "api://AzureADTokenExchange/.default";

/// Its audience: the application id of the token exchange.
const EXCHANGE: &str = "fb60f99c-7a34-4190-8149-302f77469936";

impl TokenRequest<'_> {
    /// A token that is an assertion: a blueprint's for one of its agents, or an agent's own.
    pub(super) fn exchange(&self, client: &App, tenant: Option<&Tenant>) -> Result<Value, Refusal> {
        let directory = &self.authority.directory;
        let agent = match (self.field("fmi_path"), &client.blueprint) {
            (Some(path), _) => directory
                .app(path)
                .filter(|agent| agent.blueprint.as_deref() == Some(&client.client_id))
                .ok_or_else(|| Refusal::unknown_agent(path))?,
            (None, Some(_)) => client,
            (None, None) => return Err(Refusal::missing_parameter("fmi_path")),
        };
        let tenant = tenant.map_or(seeds::CONTOSO, |tenant| &tenant.id);
        let lifetime = self.authority.options.token_lifetime.as_secs();
        let token = self.token().app(&client.client_id).tenant(tenant);
        let token = token
            .audience(EXCHANGE)
            .claim("sub", subject(client, agent))
            .try_mint()
            .map_err(|_| Refusal::out_of_order())?;
        Ok(json!({
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": token,
        }))
    }

    /// Checks that the client assertion is what the blueprint got for this agent.
    pub(super) fn agent_assertion(&self, agent: &App) -> Result<(), Refusal> {
        let foreign = || Refusal::foreign_assertion(&agent.client_id);
        let blueprint = agent.blueprint.as_deref().ok_or_else(foreign)?;
        let blueprint = self
            .authority
            .directory
            .app(blueprint)
            .ok_or_else(foreign)?;
        self.assertion_of("client_assertion", blueprint, agent)
    }

    fn assertion_of(&self, field: &str, client: &App, agent: &App) -> Result<(), Refusal> {
        let foreign = || Refusal::foreign_assertion(&agent.client_id);
        let given = Received::read(self.authority, self.required(field)?);
        let given = given.map_err(|_| foreign())?;
        let is_theirs = given.audience() == EXCHANGE && given.subject() == subject(client, agent);
        is_theirs.then_some(()).ok_or_else(foreign)
    }

    /// `user_fic`: a token of the agent's own user account.
    pub(super) fn agent_user(
        &self,
        client: &App,
        tenant: Option<&Tenant>,
    ) -> Result<Value, Refusal> {
        self.proven(client)?;
        self.agent_assertion(client)?;
        self.assertion_of("user_federated_identity_credential", client, client)?;
        let name = match self.field("user_id") {
            Some(id) => id,
            None => self.required("username")?,
        };
        let user = self.authority.directory.account(tenant, name);
        let user = user.filter(|user| user.agent.as_deref() == Some(&client.client_id));
        let user = user.ok_or_else(|| Refusal::not_the_agents_user(&client.client_id))?;
        let scope = self.required("scope")?;
        let asked = self.asked_by(client, scope)?;
        let sign_in = self.signing_in(&user.object_id, &user.tenant, client, scope);
        self.granted_to(sign_in, client, &asked)
    }
}

/// AccountKey an assertion is for, and whose it is.
fn subject(client: &App, agent: &App) -> String {
    format!("/eid1/c/pub/a/{}/{}", client.client_id, agent.client_id)
}
