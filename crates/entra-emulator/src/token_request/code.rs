//! `authorization_code`: what came back from the sign-in page (Microsoft, v2-oauth2-auth-code-flow).

use serde_json::Value;

use super::TokenRequest;
use crate::{
    aadsts::Refusal, app::App, authority::unix_now, directory::Tenant, documents::Version, pkce,
};

impl TokenRequest<'_> {
    pub(super) fn code(&self, client: &App, tenant: Option<&Tenant>) -> Result<Value, Refusal> {
        let handle = self.required("code")?;
        let code = self.authority.sign_ins().codes.get(handle).cloned();
        let code = code.ok_or_else(|| Refusal::malformed_grant("code"))?;
        if code.redeemed {
            return Err(Refusal::code_redeemed());
        }
        if code.expires_at <= unix_now() {
            return Err(Refusal::code_expired());
        }
        if code.sign_in.client != client.client_id {
            return Err(Refusal::grant_of_another_client("code"));
        }
        let redirect = self.required("redirect_uri")?;
        if redirect != code.redirect_uri {
            return Err(Refusal::other_redirect(redirect));
        }
        let verifier = self.field("code_verifier");
        let is_proven = match (&code.challenge, verifier) {
            (Some(challenge), Some(verifier)) => pkce::is_proof(verifier, challenge),
            (None, None) => true,
            // A verifier for a code that was asked for without one: RFC 9700 §4.8.2.
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_proven {
            return Err(Refusal::wrong_verifier());
        }
        self.still_good(&code.sign_in, tenant)?;
        let asked = match self.version {
            Version::V1 => self.asked(client)?,
            Version::V2 => {
                let scope = self.field("scope").unwrap_or(&code.sign_in.scope);
                self.asked_by(client, scope)?
            }
        };
        // Of two requests at the same time, one redeems it.
        match self.authority.sign_ins().codes.get_mut(handle) {
            Some(code) if !code.redeemed => code.redeemed = true,
            _ => return Err(Refusal::code_redeemed()),
        }
        self.granted_to(code.sign_in, client, &asked)
    }
}
