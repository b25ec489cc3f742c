//! What a token endpoint gives: the tokens, and what it says about them.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::TokenRequest;
use crate::{
    aadsts::Refusal,
    app::{App, Credential},
    authority::unix_now,
    documents::Version,
    id_token,
    scopes::Asked,
    seeds,
    sign_ins::SignIn,
    token::TokenBuilder,
};

impl TokenRequest<'_> {
    /// A user's tokens: for the API, and about the sign-in as far as `openid` and
    /// `offline_access` ask for it.
    pub(super) fn granted_to(
        &self,
        mut sign_in: SignIn,
        client: &App,
        asked: &Asked<'_>,
    ) -> Result<Value, Refusal> {
        let demands = self.demands()?;
        if !demands.is_satisfied_by(&sign_in.acrs, unix_now()) {
            let claims = self.field("claims").unwrap_or_default();
            return Err(Refusal::interaction_required(&asked.name, claims));
        }
        if !demands.capabilities.is_empty() {
            sign_in.capabilities = demands.capabilities;
        }
        let mut scopes = asked.scopes.join(" ");
        if scopes.is_empty() {
            // Only OpenID Connect's scopes: a token for Graph's userinfo address.
            scopes = asked.full_names();
        }
        let mut token = self.token().user(&sign_in.user).tenant(&sign_in.tenant);
        token = token.client(&client.client_id).scope(scopes);
        token = token.claim("auth_time", sign_in.at);
        if let Some(session) = &sign_in.session {
            token = token.claim("sid", session.as_str());
        }
        if !sign_in.acrs.is_empty() {
            token = token.claim("acrs", json!(sign_in.acrs));
        }
        if !sign_in.capabilities.is_empty() {
            token = token.claim("xms_cc", json!(sign_in.capabilities));
        }
        if asked.is_graph() {
            // App roles and groups are what an API's own tokens show.
            token = token.roles(NONE).groups(NONE);
        }
        let mut answer = self.granted(token, client, asked)?;

        if asked.openid.openid && self.version == Version::V2 {
            let id_token = id_token::claims(self.authority, &sign_in, asked.openid);
            let id_token = id_token.try_mint().map_err(|_| Refusal::out_of_order())?;
            answer.insert("id_token".to_owned(), json!(id_token));
        }
        if self.field("client_info") == Some("1") {
            let info = id_token::client_info(&sign_in);
            answer.insert("client_info".to_owned(), json!(info));
        }
        if asked.openid.offline_access {
            sign_in.scope = self.field("scope").map_or(sign_in.scope, str::to_owned);
            let refresh_token = self.authority.sign_ins().refresh_tokens.put(sign_in);
            answer.insert("refresh_token".to_owned(), json!(refresh_token));
        }
        Ok(Value::Object(answer))
    }

    /// The access token with its life, in the form of the endpoint's version.
    pub(super) fn granted(
        &self,
        token: TokenBuilder,
        client: &App,
        asked: &Asked<'_>,
    ) -> Result<Map<String, Value>, Refusal> {
        let issued_at = unix_now();
        let lifetime = self.authority.options.token_lifetime.as_secs();
        let binding = self.binding()?;
        let token_type = binding.token_type();
        let token = self.in_its_version(token.made_at(issued_at), client, asked);
        let token = binding.bind(token);
        let access_token = token.try_mint().map_err(|_| Refusal::out_of_order())?;
        let expires_on = issued_at.saturating_add(lifetime);
        // v1.0 writes its numbers as text.
        let answer = match self.version {
            Version::V1 => json!({
                "token_type": token_type,
                "expires_in": lifetime.to_string(),
                "ext_expires_in": lifetime.to_string(),
                "expires_on": expires_on.to_string(),
                "not_before": issued_at.saturating_sub(self.authority.backdate()).to_string(),
                "resource": asked.name,
                "access_token": access_token,
            }),
            Version::V2 => json!({
                "token_type": token_type,
                "expires_in": lifetime,
                "ext_expires_in": lifetime,
                "access_token": access_token,
            }),
        };
        let Value::Object(mut answer) = answer else {
            return Err(Refusal::out_of_order());
        };
        let scopes = match self.version {
            Version::V1 => asked.scopes.join(" "),
            Version::V2 => asked.full_names(),
        };
        if !scopes.is_empty() {
            answer.insert("scope".to_owned(), json!(scopes));
        }
        Ok(answer)
    }

    /// That of the endpoint, unless the API's registration says v1.0.
    fn in_its_version(&self, token: TokenBuilder, client: &App, asked: &Asked<'_>) -> TokenBuilder {
        let with_certificate = self.has_assertion()
            && (client.credential != Credential::None || client.blueprint.is_some());
        let strength = |token: TokenBuilder, claim| match with_certificate {
            true => token.claim(claim, "2"),
            false => token,
        };
        let of_v1 =
            |token: TokenBuilder| strength(token.v1().audience(asked.name.as_str()), "appidacr");
        match (self.version, &self.policy) {
            // Microsoft Graph's tokens are v1.0 with a nonce in the header, for every client.
            _ if asked.is_graph() => {
                let nonce = URL_SAFE_NO_PAD.encode_to_string(seeds::fresh_id().as_bytes());
                let token = token.v1().audience(asked.name.as_str());
                strength(token.header("nonce", nonce), "appidacr")
            }
            (Version::V1, _) => of_v1(token),
            (Version::V2, None) if asked.api.v1_tokens => of_v1(token),
            (Version::V2, Some(policy)) => token
                .audience(asked.api.client_id.as_str())
                .policy(self.authority.directory.spelled(policy)),
            (Version::V2, None) => {
                let token = token.audience(asked.api.client_id.as_str());
                strength(token, "azpacr")
            }
        }
    }
}

const NONE: [&str; 0] = [];
