//! `jwt-bearer` with `on_behalf_of`: an API calls another one (Microsoft, v2-oauth2-on-behalf-of-flow).

use serde_json::Value;

use super::TokenRequest;
use crate::{
    aadsts::Refusal,
    app::App,
    directory::Tenant,
    received::{NotTaken, Received},
};

impl TokenRequest<'_> {
    pub(super) fn on_behalf_of(
        &self,
        client: &App,
        tenant: Option<&Tenant>,
    ) -> Result<Value, Refusal> {
        match self.required("requested_token_use")? {
            "on_behalf_of" => {}
            other => return Err(Refusal::wrong_token_use(other)),
        }
        self.proven(client)?;
        let assertion = self.assertion(client)?;
        let directory = &self.authority.directory;
        let user = directory
            .user(assertion.object_id())
            .filter(|user| user.tenant.eq_ignore_ascii_case(assertion.tenant()))
            .ok_or_else(|| Refusal::unknown_user(assertion.tenant()))?;

        let scope = self.required("scope")?;
        let asked = self.asked_by(client, scope)?;
        let mut sign_in = self.signing_in(&user.object_id, &user.tenant, client, scope);
        if tenant.is_some_and(|tenant| !tenant.id.eq_ignore_ascii_case(&user.tenant)) {
            return Err(Refusal::grant_of_another_tenant());
        }
        let valid_from = self.authority.sign_ins().valid_from(&user.object_id);
        if assertion.made_at(self.authority) < valid_from {
            return Err(Refusal::revoked(assertion.issued_at(), valid_from));
        }
        self.needs_no_interaction(&user.object_id, &asked.name)?;
        let texts = |claim| assertion.texts(claim).into_iter().map(str::to_owned);
        sign_in.acrs = texts("acrs").collect();
        sign_in.capabilities = texts("xms_cc").collect();
        sign_in.at = assertion.number("auth_time").unwrap_or(sign_in.at);
        self.granted_to(sign_in, client, &asked)
    }

    /// A user's token for this API, from this emulator, not signed with custom keys.
    fn assertion(&self, client: &App) -> Result<Received, Refusal> {
        let assertion = Received::read(self.authority, self.required("assertion")?);
        let assertion = assertion.map_err(|reason| match reason {
            NotTaken::Malformed => Refusal::malformed_assertion(),
            NotTaken::Forged => Refusal::forged_assertion(),
            NotTaken::Late => Refusal::late_assertion(),
        })?;
        // A user's token for an agent is one for its blueprint.
        let blueprint = client.blueprint.as_deref();
        let blueprint = blueprint.and_then(|id| self.authority.directory.app(id));
        let mut apps = [Some(client), blueprint].into_iter().flatten();
        if !apps.any(|app| app.answers_to(assertion.audience())) {
            let audience = assertion.audience();
            return Err(Refusal::assertion_for_another(audience, &client.client_id));
        }
        if assertion.is_app_only() {
            return Err(Refusal::assertion_of_an_app(&client.client_id));
        }
        if client.custom_keys {
            return Err(Refusal::forged_assertion());
        }
        Ok(assertion)
    }
}
