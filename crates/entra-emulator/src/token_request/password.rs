//! `password`: a user's token for name and password (Microsoft, v2-oauth-ropc).

use serde_json::Value;

use super::TokenRequest;
use crate::{aadsts::Refusal, app::App, directory::Tenant};

impl TokenRequest<'_> {
    pub(super) fn password(&self, client: &App, tenant: Option<&Tenant>) -> Result<Value, Refusal> {
        let name = self.required("username")?;
        let password = self.required("password")?;
        let directory = &self.authority.directory;
        let user = directory.account(tenant, name);
        let Some(user) = user.filter(|user| user.agent.is_none() && user.password == password)
        else {
            return Err(Refusal::wrong_password());
        };
        let asked = self.asked(client)?;
        let scope = self.field("scope").unwrap_or_default();
        let sign_in = self.signing_in(&user.object_id, &user.tenant, client, scope);
        self.granted_to(sign_in, client, &asked)
    }
}
