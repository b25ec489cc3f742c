//! `client_credentials`: a token for the app itself (Microsoft, v2-oauth2-client-creds-grant-flow).

use serde_json::Value;

use super::{TokenRequest, agent::EXCHANGE_SCOPE};
use crate::{
    aadsts::Refusal, app::App, directory::Tenant, documents::Version, scopes::Asked, seeds,
};

impl TokenRequest<'_> {
    pub(super) fn client_credentials(
        &self,
        client: &App,
        tenant: Option<&Tenant>,
    ) -> Result<Value, Refusal> {
        self.proven(client)?;
        if self.field("scope") == Some(EXCHANGE_SCOPE) {
            return self.exchange(client, tenant);
        }
        let asked = self.asked(client)?;
        if self.version == Version::V2 {
            let scope = self.required("scope")?;
            if !scope.ends_with("/.default") {
                return Err(Refusal::not_default_scope(scope));
            }
        }
        let tenant = tenant.map_or(seeds::CONTOSO, |tenant| &tenant.id);
        let token = self.token().app(&client.client_id).tenant(tenant);
        let token = if asked.is_graph() {
            token.roles(client.graph_roles.iter().cloned())
        } else {
            token
        };
        // Entra names no scopes in these answers.
        let asked = Asked {
            scopes: Vec::new(),
            default: false,
            ..asked
        };
        self.granted(token, client, &asked).map(Value::Object)
    }
}
