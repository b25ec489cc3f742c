//! `refresh_token`: another access token without the user (Microsoft, v2-oauth2-auth-code-flow).

use serde_json::Value;

use super::TokenRequest;
use crate::{aadsts::Refusal, app::App, directory::Tenant, sign_ins::SignIn};

impl TokenRequest<'_> {
    /// The old refresh token stays good, as in Entra; the answer brings a new one.
    pub(super) fn refresh_token(
        &self,
        client: &App,
        tenant: Option<&Tenant>,
    ) -> Result<Value, Refusal> {
        let handle = self.required("refresh_token")?;
        let sign_in = self
            .authority
            .sign_ins()
            .refresh_tokens
            .get(handle)
            .cloned();
        let sign_in = sign_in.ok_or_else(|| Refusal::malformed_grant("refresh_token"))?;
        if sign_in.client != client.client_id || sign_in.policy != self.policy {
            return Err(Refusal::grant_of_another_client("refresh_token"));
        }
        self.still_good(&sign_in, tenant)?;
        // A refresh token is not bound to one API: any scope the client may have.
        let scope = self.field("scope").unwrap_or(&sign_in.scope).to_owned();
        let mut asked = self.asked_by(client, &scope)?;
        self.needs_no_interaction(&sign_in.user, &asked.name)?;
        asked.openid.offline_access = true;
        // OpenID Connect Core §12.2: no nonce in an ID token of a refresh.
        let sign_in = SignIn {
            nonce: None,
            ..sign_in
        };
        self.granted_to(sign_in, client, &asked)
    }
}
