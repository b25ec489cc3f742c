//! One request for a token: which grant it is, and who asks.

mod agent;
mod answer;
mod binding;
mod client_credentials;
mod code;
mod on_behalf_of;
mod password;
mod refresh;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{
    aadsts::Refusal,
    app::{App, Credential},
    authority::{Authority, unix_now},
    claims_request::ClaimsRequest,
    directory::Tenant,
    documents::Version,
    scopes::Asked,
    seeds,
    sign_ins::SignIn,
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

impl TokenRequest<'_> {
    /// The answer: a token, or why there is none.
    pub(super) fn answer(&self) -> Result<Value, Refusal> {
        let grant = self.required("grant_type")?;
        if !GRANTS.contains(&grant) {
            return Err(Refusal::unsupported_grant(grant));
        }
        let tenant = self.known_tenant()?;
        let client = self.known_client()?;
        match grant {
            "client_credentials" => self.client_credentials(client, tenant),
            "password" => self.password(client, tenant),
            "authorization_code" => self.code(client, tenant),
            "refresh_token" => self.refresh_token(client, tenant),
            USER_FIC => self.agent_user(client, tenant),
            _ => self.on_behalf_of(client, tenant),
        }
    }

    fn token(&self) -> TokenBuilder {
        TokenBuilder::new(Arc::clone(self.authority))
    }

    /// The API asked for, by `resource` (v1.0) or by `scope`.
    fn asked(&self, client: &App) -> Result<Asked<'_>, Refusal> {
        match self.version {
            Version::V1 => {
                let name = self.required("resource")?;
                Asked::resource(self.authority, client, self.tenant, name)
            }
            Version::V2 => self.asked_by(client, self.required("scope")?),
        }
    }

    fn asked_by(&self, client: &App, scope: &str) -> Result<Asked<'_>, Refusal> {
        let resource = self.field("resource");
        Asked::scopes(self.authority, client, self.tenant, scope, resource)
    }

    /// The `claims` parameter, which the sign-in must satisfy: no token can.
    fn demands(&self) -> Result<ClaimsRequest, Refusal> {
        let claims = self.field("claims").map(ClaimsRequest::read);
        match claims {
            Some(claims) => claims.ok_or_else(Refusal::malformed_claims),
            None => Ok(ClaimsRequest::default()),
        }
    }

    /// A sign-in that happens now, with the client's own choice of scopes.
    fn signing_in(&self, user: &str, tenant: &str, client: &App, scope: &str) -> SignIn {
        SignIn {
            revocations: self.authority.sign_ins().revocations(user),
            user: user.to_owned(),
            tenant: tenant.to_owned(),
            client: client.client_id.clone(),
            policy: self.policy.clone(),
            scope: scope.to_owned(),
            nonce: None,
            acrs: Vec::new(),
            capabilities: Vec::new(),
            session: None,
            at: unix_now(),
        }
    }

    /// Refuses a sign-in older than the last revocation, or one of another tenant.
    fn still_good(&self, sign_in: &SignIn, tenant: Option<&Tenant>) -> Result<(), Refusal> {
        if tenant.is_some_and(|tenant| !tenant.id.eq_ignore_ascii_case(&sign_in.tenant)) {
            return Err(Refusal::grant_of_another_tenant());
        }
        let sign_ins = self.authority.sign_ins();
        if sign_ins.revocations(&sign_in.user) == sign_in.revocations {
            return Ok(());
        }
        let valid_from = sign_ins.valid_from(&sign_in.user);
        Err(Refusal::revoked(sign_in.at, valid_from))
    }

    /// Refuses where the test asked for the user (`Emulator::require_interaction`).
    fn needs_no_interaction(&self, user: &str, resource: &str) -> Result<(), Refusal> {
        match self.authority.sign_ins().interaction(user) {
            Some(claims) => Err(Refusal::interaction_required(resource, claims)),
            None => Ok(()),
        }
    }

    /// `None` for the shared addresses, which have users of all tenants.
    fn known_tenant(&self) -> Result<Option<&Tenant>, Refusal> {
        let authority: &Authority = self.authority;
        authority.tenant_of(self.tenant, self.policy.as_deref())
    }

    fn known_client(&self) -> Result<&App, Refusal> {
        let id = self.required("client_id")?;
        let client = self.authority.client(id, self.tenant)?;
        if client.blueprint.is_some() && self.has_assertion() {
            self.agent_assertion(client)?;
            return Ok(client);
        }
        // An app may have a certificate beside its secret; the emulator checks no assertion.
        if client.credential == Credential::None || self.has_assertion() {
            return Ok(client);
        }
        match (&client.credential, self.field("client_secret")) {
            (Credential::Secret(secret), Some(given)) if given == secret => Ok(client),
            (Credential::Secret(_), Some(_)) => Err(Refusal::wrong_secret(id)),
            _ => Err(Refusal::missing_secret()),
        }
    }

    /// Refuses an app without a credential, which cannot prove to be itself.
    fn proven(&self, client: &App) -> Result<(), Refusal> {
        match client.credential {
            // Its blueprint's assertion was checked when the client was read.
            Credential::None if client.blueprint.is_some() && self.has_assertion() => Ok(()),
            Credential::None => Err(Refusal::missing_secret()),
            Credential::Secret(_) | Credential::Certificate => Ok(()),
        }
    }

    fn has_assertion(&self) -> bool {
        self.field("client_assertion").is_some()
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

impl Authority {
    /// `None` for the shared addresses, which have users of all tenants.
    pub(super) fn tenant_of(
        &self,
        segment: &str,
        policy: Option<&str>,
    ) -> Result<Option<&Tenant>, Refusal> {
        let tenant = match segment.to_ascii_lowercase().as_str() {
            "common" | "organizations" => return Ok(None),
            "consumers" => self.directory.tenant(seeds::CONSUMERS),
            _ => self.directory.tenant(segment),
        };
        let has_policy = policy.is_none_or(|policy| self.directory.has_policy(policy));
        match tenant {
            Some(tenant) if has_policy => Ok(Some(tenant)),
            _ => Err(Refusal::unknown_tenant(segment)),
        }
    }

    /// The app with this client id, whether or not the client authenticates.
    pub(super) fn client(&self, id: &str, tenant: &str) -> Result<&App, Refusal> {
        let client = self.directory.app(id).filter(|app| app.client_id == id);
        client.ok_or_else(|| Refusal::unknown_client(id, tenant))
    }
}

const ON_BEHALF_OF: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// An agent's user account (Microsoft, "Agent's user account OAuth flow").
const USER_FIC: &str = "user_fic";
const GRANTS: [&str; 6] = [
    "client_credentials",
    "password",
    "authorization_code",
    "refresh_token",
    ON_BEHALF_OF,
    USER_FIC,
];
