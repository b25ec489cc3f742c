//! From the choices of a [`TokenBuilder`] to claims, a key and a signature.

use std::{borrow::Cow, sync::Arc};

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::{Agent, Edits, Key, Principal, TokenBuilder};
use crate::{
    app::{App, IdentityTypes},
    authority::{Authority, unix_now},
    claims::{Facts, Subject},
    directory::User,
    documents::Version,
    error::EmulatorError,
    issued::Issued,
    key_ring::Realm,
    seeds,
    signing_key::SigningKey,
    token_encryption::TokenEncryption,
};

impl TokenBuilder {
    /// The claims as they would be signed now; ignores [`raw_payload`](Self::raw_payload).
    pub fn claims(&self) -> Map<String, Value> {
        let directory = &self.authority.directory;
        let made_at = self.made_at.unwrap_or_else(unix_now);
        let backdate = match self.policy {
            Some(_) => 0,
            None => self.authority.backdate(),
        };
        let issued_at = self.issued_at.unwrap_or(made_at.saturating_sub(backdate));
        let lifetime = self.authority.options.token_lifetime.as_secs();

        let user = match &self.principal {
            Principal::User(who) => Some(
                directory
                    .user(who)
                    .map_or_else(|| Cow::Owned(User::new(who.clone())), Cow::Borrowed),
            ),
            Principal::App(_) => None,
        };
        let client = self.client_app();
        let service = match &self.principal {
            Principal::App(app) => directory
                .app(app)
                .map_or_else(|| unknown_app(app), Cow::Borrowed),
            Principal::User(_) => client.clone(),
        };
        let (subject, roles, groups): (_, &[String], &[String]) = match &user {
            Some(user) => {
                let guest = self.guest || user.home_tenant.is_some();
                (Subject::User { user, guest }, &user.roles, &user.groups)
            }
            None => (
                Subject::App {
                    object_id: &service.object_id,
                },
                &service.roles,
                &[],
            ),
        };
        let audience = self.audience_or_default();
        let api = audience
            .as_str()
            .and_then(|audience| self.authority.api(audience));
        let default_scope = user.is_some().then_some("access_as_user");

        let facts = Facts {
            authority: &self.authority,
            tenant: self.tenant_id(),
            subject,
            client: &client.client_id,
            client_strength: client.credential.strength(),
            audience: audience.clone(),
            scopes: self.scope.as_deref().or(default_scope),
            roles: self.roles.as_deref().unwrap_or(roles),
            groups: self.groups.as_deref().unwrap_or(groups),
            overage: self.overage,
            issued_at,
            not_before: self.not_before.unwrap_or(issued_at),
            expires_at: self.expires_at.unwrap_or_else(|| {
                let from = self.issued_at.unwrap_or(made_at);
                from.saturating_add(lifetime)
            }),
            idtyp: api.map_or(IdentityTypes::None, |api| api.idtyp),
            facets: self.agent.is_some() || api.is_some_and(|api| api.facets),
            agent: self.agent == Some(Agent::Identity) || client.blueprint.is_some(),
            agent_user: self.agent == Some(Agent::UserAccount)
                || user.as_ref().is_some_and(|user| user.agent.is_some()),
            blueprint: client.blueprint.as_deref(),
        };
        let mut claims = match (&self.policy, self.version) {
            (Some(policy), _) => facts.b2c(policy),
            (None, Version::V2) => facts.v2(),
            (None, Version::V1) => facts.v1(),
        };
        if self.id_token {
            for name in NOT_IN_ID_TOKENS {
                claims.remove(name);
            }
        }
        edit(&mut claims, &self.claims);
        claims
    }

    /// Signs the token.
    ///
    /// # Panics
    ///
    /// If the crypto library cannot make a key or sign, which it could when the emulator started.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "no input makes it fail, and tests should stay short"
    )]
    pub fn mint(self) -> String {
        self.try_mint()
            .expect("the crypto library made a key when the emulator started")
    }

    /// Signs the token.
    ///
    /// # Errors
    ///
    /// If the crypto library cannot make a key or sign.
    pub fn try_mint(&self) -> Result<String, EmulatorError> {
        let (key, named) = self.signing_key()?;
        let claims = self.claims();
        let mut header = Map::new();
        header.insert("typ".to_owned(), json!("JWT"));
        header.insert("alg".to_owned(), json!("RS256"));
        header.insert("kid".to_owned(), json!(named.unwrap_or(key.kid())));
        if self.version == Version::V1 && self.policy.is_none() {
            header.insert("x5t".to_owned(), json!(key.x5t()));
        }
        edit(&mut header, &self.header);

        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let header = self
            .raw_header
            .clone()
            .unwrap_or_else(|| Value::Object(header).to_string());
        let payload = self
            .raw_payload
            .clone()
            .unwrap_or_else(|| Value::Object(claims.clone()).to_string());
        let mut token = URL_SAFE_NO_PAD.encode_to_string(header);
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode_to_string(payload));
        let signature = match &self.raw_signature {
            Some(text) => text.clone(),
            None => URL_SAFE_NO_PAD.encode_to_string(key.sign(&algorithm, token.as_bytes())?),
        };
        token.push('.');
        token.push_str(&signature);
        let issued = Issued::of(&claims, unix_now());
        self.authority.issued().record(issued);
        match self.encryption() {
            Some(encryption) => encryption.encrypt(&token),
            None => Ok(token),
        }
    }

    /// How the token is encrypted: as its API's registration says, unless configured otherwise.
    fn encryption(&self) -> Option<TokenEncryption> {
        let of_api = || {
            let audience = self.audience_or_default();
            let api = self.authority.api(audience.as_str()?)?;
            // An ID token is for the client.
            api.encryption.clone().filter(|_| !self.id_token)
        };
        self.encryption.clone().or_else(of_api)
    }

    /// The key, and the key id to write where that is another one.
    fn signing_key(&self) -> Result<(Arc<SigningKey>, Option<&str>), EmulatorError> {
        let realm = match &self.key {
            Key::Of(realm) => realm.clone(),
            Key::Ordinary => self.ordinary_realm(),
            Key::WithId(kid) => {
                let known = self.authority.keys().by_kid(kid);
                return match known {
                    Some(key) => Ok((key, None)),
                    None => Ok((
                        self.authority.signing_key(&self.ordinary_realm())?,
                        Some(kid),
                    )),
                };
            }
        };
        Ok((self.authority.signing_key(&realm)?, None))
    }

    fn ordinary_realm(&self) -> Realm {
        if let Some(policy) = &self.policy {
            return Authority::realm_of_policy(self.tenant_id(), policy);
        }
        let audience = self.audience_or_default();
        match audience
            .as_str()
            .and_then(|audience| self.authority.directory.api(audience))
        {
            Some(api) if api.custom_keys => Realm::Custom {
                app: api.client_id.clone(),
            },
            _ => self.authority.realm_of(self.tenant_id()),
        }
    }

    /// The app the token is given to.
    fn client_app(&self) -> Cow<'_, App> {
        let client = match (&self.principal, &self.client) {
            (_, Some(client)) | (Principal::App(client), None) => client.as_str(),
            (Principal::User(_), None) => seeds::CLI_ID,
        };
        let known = self.authority.directory.app(client);
        known.map_or_else(|| unknown_app(client), Cow::Borrowed)
    }

    fn client_id(&self) -> String {
        self.client_app().client_id.clone()
    }

    fn tenant_id(&self) -> &str {
        let of_user = || match &self.principal {
            Principal::User(who) => self
                .authority
                .directory
                .user(who)
                .map(|user| user.tenant.as_str()),
            Principal::App(_) => None,
        };
        self.tenant
            .as_deref()
            .or_else(of_user)
            .unwrap_or(seeds::CONTOSO)
    }

    fn audience_or_default(&self) -> Value {
        let default = || match (self.version, &self.policy) {
            _ if self.id_token => json!(self.client_id()),
            (Version::V1, None) => json!(format!("api://{}", seeds::API_ID)),
            (Version::V2, _) | (_, Some(_)) => json!(seeds::API_ID),
        };
        self.audience.clone().unwrap_or_else(default)
    }
}

/// What distinguishes an access token from an ID token, and what only an access token has.
const NOT_IN_ID_TOKENS: [&str; 10] = [
    "scp",
    "azp",
    "azpacr",
    "appid",
    "appidacr",
    "_claim_names",
    "_claim_sources",
    "xms_act_fct",
    "xms_sub_fct",
    "xms_par_app_azp",
];

/// An unregistered app: its name is its client id if it looks like one.
fn unknown_app(which: &str) -> Cow<'static, App> {
    let id = match uuid::Uuid::try_parse(which) {
        Ok(_) => which.to_owned(),
        Err(_) => seeds::id_made_of(which),
    };
    Cow::Owned(App::public(which, id))
}

fn edit(object: &mut Map<String, Value>, edits: &Edits) {
    for (name, value) in edits {
        match value {
            Some(value) => object.insert(name.clone(), value.clone()),
            None => object.remove(name),
        };
    }
}
