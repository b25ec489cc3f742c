//! One request for a token, from its form fields to the answer.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    aadsts::Refusal,
    app::{App, Credential},
    authority::{Authority, unix_now},
    directory::Tenant,
    documents::Version,
    seeds,
    token::TokenBuilder,
};

/// The fields of a form.
pub(super) type Fields = BTreeMap<String, String>;

/// A request that a token endpoint received.
pub(super) struct TokenRequest<'a> {
    pub(super) authority: &'a Arc<Authority>,
    pub(super) version: Version,
    pub(super) tenant: &'a str,
    pub(super) policy: Option<String>,
    pub(super) fields: Fields,
}

/// What was asked for, understood.
struct Resource<'a> {
    api: &'a App,
    /// As the request spells it; v1.0 tokens repeat it as the audience.
    name: String,
    scopes: Vec<String>,
}

impl TokenRequest<'_> {
    /// The answer: a token, or why there is none.
    pub(super) fn answer(&self) -> Result<Value, Refusal> {
        let grant = self.required("grant_type")?;
        if !matches!(grant, "client_credentials" | "password") {
            return Err(Refusal::unsupported_grant(grant));
        }
        let tenant = self.known_tenant()?;
        let client = self.known_client()?;
        let (token, resource) = match grant {
            "password" => self.for_user(client, tenant)?,
            _ => self.for_app(client, tenant)?,
        };
        self.granted(&token, &resource)
    }

    fn for_app<'s>(
        &'s self,
        client: &App,
        tenant: Option<&Tenant>,
    ) -> Result<(TokenBuilder, Resource<'s>), Refusal> {
        // An app without a credential cannot prove to be itself.
        if client.credential == Credential::None {
            return Err(Refusal::missing_secret());
        }
        let resource = self.resource(client)?;
        if self.version == Version::V2 {
            let scope = self.required("scope")?;
            if !scope.ends_with("/.default") {
                return Err(Refusal::not_default_scope(scope));
            }
        }
        let tenant = tenant.map_or(seeds::CONTOSO, |tenant| &tenant.id);
        let token = self.token().app(&client.client_id).tenant(tenant);
        Ok((
            token,
            Resource {
                scopes: Vec::new(),
                ..resource
            },
        ))
    }

    fn for_user<'s>(
        &'s self,
        client: &App,
        tenant: Option<&Tenant>,
    ) -> Result<(TokenBuilder, Resource<'s>), Refusal> {
        let name = self.required("username")?;
        let password = self.required("password")?;
        let user = self.authority.directory.users.iter().rev().find(|user| {
            let is_here = tenant.is_none_or(|tenant| tenant.id.eq_ignore_ascii_case(&user.tenant));
            let directory = &self.authority.directory;
            is_here
                && (user.name.eq_ignore_ascii_case(name)
                    || directory.principal_name(user).eq_ignore_ascii_case(name)
                    || directory.sign_in_name(user).eq_ignore_ascii_case(name))
        });
        let Some(user) = user.filter(|user| user.password == password) else {
            return Err(Refusal::wrong_password());
        };
        let resource = self.resource(client)?;
        let token = self
            .token()
            .user(&user.object_id)
            .tenant(&user.tenant)
            .client(&client.client_id)
            .scope(resource.scopes.join(" "));
        Ok((token, resource))
    }

    fn token(&self) -> TokenBuilder {
        TokenBuilder::new(Arc::clone(self.authority))
    }

    fn granted(&self, token: &TokenBuilder, resource: &Resource<'_>) -> Result<Value, Refusal> {
        let issued_at = unix_now();
        let lifetime = self.authority.options.token_lifetime.as_secs();
        let token = token.clone().issued_at(issued_at);
        let token = match (self.version, &self.policy) {
            (Version::V1, _) => token.v1().audience(resource.name.as_str()),
            (Version::V2, Some(policy)) => token
                .audience(resource.api.client_id.as_str())
                .policy(self.spelled(policy)),
            (Version::V2, None) => token.audience(resource.api.client_id.as_str()),
        };
        let access_token = token.try_mint().map_err(|_| Refusal::out_of_order())?;
        let expires_on = issued_at.saturating_add(lifetime);
        // v1.0 writes its numbers as text.
        let mut answer = match self.version {
            Version::V1 => json!({
                "token_type": "Bearer",
                "expires_in": lifetime.to_string(),
                "ext_expires_in": lifetime.to_string(),
                "expires_on": expires_on.to_string(),
                "not_before": issued_at.to_string(),
                "resource": resource.name,
                "access_token": access_token,
            }),
            Version::V2 => json!({
                "token_type": "Bearer",
                "expires_in": lifetime,
                "ext_expires_in": lifetime,
                "access_token": access_token,
            }),
        };
        if let (Some(answer), false) = (answer.as_object_mut(), resource.scopes.is_empty()) {
            let full = |scope: &String| format!("{}/{scope}", resource.name);
            let scopes: Vec<_> = match self.version {
                Version::V1 => resource.scopes.clone(),
                Version::V2 => resource.scopes.iter().map(full).collect(),
            };
            answer.insert("scope".to_owned(), json!(scopes.join(" ")));
        }
        Ok(answer)
    }

    /// The API asked for, by `resource` (v1.0) or by the part of the scopes before the last slash.
    fn resource(&self, client: &App) -> Result<Resource<'_>, Refusal> {
        if self.version == Version::V1 {
            let name = self.required("resource")?;
            let api = self.api(name)?;
            return Ok(Resource {
                api,
                name: name.to_owned(),
                scopes: api.scopes.clone(),
            });
        }
        let mut found: Option<Resource<'_>> = None;
        for asked in self.required("scope")?.split_ascii_whitespace() {
            if matches!(asked, "openid" | "profile" | "email" | "offline_access") {
                continue;
            }
            let Some((name, scope)) = asked.rsplit_once('/') else {
                // A bare scope is one of Microsoft Graph's.
                return Err(Refusal::unknown_scope(
                    &client.client_id,
                    asked,
                    MICROSOFT_GRAPH,
                ));
            };
            let api = self.api(name)?;
            let resource = found.get_or_insert_with(|| Resource {
                api,
                name: name.trim_end_matches('/').to_owned(),
                scopes: Vec::new(),
            });
            if resource.api.client_id != api.client_id {
                return Err(Refusal::several_resources());
            }
            if scope == ".default" {
                resource.scopes.clone_from(&api.scopes);
            } else if !api.scopes.iter().any(|known| known == scope) {
                return Err(Refusal::unknown_scope(&client.client_id, scope, name));
            } else if !resource.scopes.iter().any(|known| known == scope) {
                resource.scopes.push(scope.to_owned());
            }
        }
        found.ok_or_else(|| Refusal::unknown_resource(MICROSOFT_GRAPH, self.tenant))
    }

    fn api(&self, name: &str) -> Result<&App, Refusal> {
        let api = self.authority.directory.api(name);
        api.ok_or_else(|| Refusal::unknown_resource(name, self.tenant))
    }

    /// `None` for the shared addresses, which have users of all tenants.
    fn known_tenant(&self) -> Result<Option<&Tenant>, Refusal> {
        let directory = &self.authority.directory;
        let tenant = match self.tenant.to_ascii_lowercase().as_str() {
            "common" | "organizations" => return Ok(None),
            "consumers" => directory.tenant(seeds::CONSUMERS),
            _ => directory.tenant(self.tenant),
        };
        let has_policy = self
            .policy
            .as_ref()
            .is_none_or(|policy| directory.has_policy(policy));
        match tenant {
            Some(tenant) if has_policy => Ok(Some(tenant)),
            _ => Err(Refusal::unknown_tenant(self.tenant)),
        }
    }

    fn known_client(&self) -> Result<&App, Refusal> {
        let id = self.required("client_id")?;
        let client = self
            .authority
            .directory
            .app(id)
            .filter(|app| app.client_id == id);
        let client = client.ok_or_else(|| Refusal::unknown_client(id, self.tenant))?;
        match &client.credential {
            Credential::None => {}
            Credential::Secret(secret) => match self.field("client_secret") {
                None => return Err(Refusal::missing_secret()),
                Some(given) if given != secret => return Err(Refusal::wrong_secret(id)),
                Some(_) => {}
            },
            Credential::Certificate => {
                self.field("client_assertion")
                    .ok_or_else(Refusal::missing_secret)?;
            }
        }
        Ok(client)
    }

    /// The policy as it was registered: the `tfp` claim keeps that letter case.
    fn spelled<'s>(&'s self, policy: &'s str) -> &'s str {
        let mut known = self.authority.directory.policies.iter();
        known
            .find(|known| known.eq_ignore_ascii_case(policy))
            .map_or(policy, String::as_str)
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.field(name)
            .ok_or_else(|| Refusal::missing_parameter(name))
    }

    /// A parameter without a value counts as absent (RFC 6749 §3.2).
    fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

const MICROSOFT_GRAPH: &str = "00000003-0000-0000-c000-000000000000";
