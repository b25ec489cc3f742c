//! App registrations: APIs, and clients of APIs.

use super::{seeds, token_encryption::TokenEncryption};

/// How an app proves who it is, and so what `azpacr` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credential {
    None,
    Secret(String),
    Certificate,
}

impl Credential {
    /// The value of `azpacr` and `appidacr`.
    pub(super) fn strength(&self) -> &'static str {
        match self {
            Self::None => "0",
            Self::Secret(_) => "1",
            Self::Certificate => "2",
        }
    }
}

/// An app registration of the emulator: an API, or a client of one.
#[derive(Debug, Clone)]
pub struct App {
    pub(super) name: String,
    pub(super) client_id: String,
    pub(super) object_id: String,
    pub(super) credential: Credential,
    pub(super) is_api: bool,
    pub(super) identifier_uris: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) exposed_roles: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) graph_roles: Vec<String>,
    pub(super) graph_scopes: Vec<String>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) custom_keys: bool,
    pub(super) idtyp: IdentityTypes,
    pub(super) facets: bool,
    pub(super) blueprint: Option<String>,
    pub(super) encryption: Option<TokenEncryption>,
    pub(super) v1_tokens: bool,
}

/// In which of an API's tokens `idtyp` stands: an optional claim, which is off in a new
/// registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdentityTypes {
    None,
    OfApps,
    OfAll,
}

impl App {
    /// A client with no secret: a single-page app, a command line, a phone.
    pub fn public(name: impl Into<String>, client_id: impl Into<String>) -> Self {
        let (name, client_id) = (name.into(), client_id.into());
        Self {
            object_id: seeds::id_made_of(&format!("service principal {client_id}")),
            identifier_uris: vec![format!("api://{client_id}")],
            credential: Credential::None,
            is_api: false,
            scopes: Vec::new(),
            exposed_roles: Vec::new(),
            roles: Vec::new(),
            graph_roles: Vec::new(),
            graph_scopes: Vec::new(),
            redirect_uris: Vec::new(),
            custom_keys: false,
            idtyp: IdentityTypes::None,
            facets: false,
            blueprint: None,
            encryption: None,
            v1_tokens: false,
            name,
            client_id,
        }
    }

    /// A client with a secret.
    pub fn confidential(
        name: impl Into<String>,
        client_id: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        Self {
            credential: Credential::Secret(secret.into()),
            ..Self::public(name, client_id)
        }
    }

    /// A client with a certificate. The token endpoint takes any assertion and checks none.
    pub fn certificate(name: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            credential: Credential::Certificate,
            ..Self::public(name, client_id)
        }
    }

    /// An API with the App ID URI `api://{client_id}`.
    pub fn api(name: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            is_api: true,
            ..Self::public(name, client_id)
        }
    }

    /// Gives an API the secret it signs in with itself, for on-behalf-of and app-only tokens.
    #[must_use]
    pub fn with_secret(self, secret: impl Into<String>) -> Self {
        Self {
            credential: Credential::Secret(secret.into()),
            ..self
        }
    }

    /// Exposes one more scope (of an API).
    #[must_use]
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Declares one more app role (of an API).
    #[must_use]
    pub fn with_app_role(mut self, role: impl Into<String>) -> Self {
        self.exposed_roles.push(role.into());
        self
    }

    /// Grants one more app role (to a client).
    #[must_use]
    pub fn with_role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// Grants one more application permission of Microsoft Graph (`User.Read.All`), to a client.
    #[must_use]
    pub fn with_graph_role(mut self, permission: impl Into<String>) -> Self {
        self.graph_roles.push(permission.into());
        self
    }

    /// Grants one more delegated permission of Microsoft Graph, and none that is not granted.
    ///
    /// Without any, consent to all of them is taken as given.
    #[must_use]
    pub fn with_graph_scope(mut self, permission: impl Into<String>) -> Self {
        self.graph_scopes.push(permission.into());
        self
    }

    /// Registers one more redirect address. The port of an `http` loopback address does not count.
    #[must_use]
    pub fn with_redirect_uri(mut self, address: impl Into<String>) -> Self {
        self.redirect_uris.push(address.into());
        self
    }

    /// Sets the App ID URI, which is the audience of v1.0 tokens, in place of every other.
    #[must_use]
    pub fn with_app_id_uri(self, uri: impl Into<String>) -> Self {
        Self {
            identifier_uris: vec![uri.into()],
            ..self
        }
    }

    /// Adds an identifier URI: scopes may begin with it, and the `resource` of a v2.0 request must be
    /// one of them, byte for byte (AADSTS9010010). An MCP server needs its own URL among them.
    #[must_use]
    pub fn with_identifier_uri(mut self, uri: impl Into<String>) -> Self {
        self.identifier_uris.push(uri.into());
        self
    }

    /// Signs this API's tokens with keys of its own, published under `?appid={client_id}` only.
    #[must_use]
    pub fn with_custom_keys(self) -> Self {
        Self {
            custom_keys: true,
            ..self
        }
    }

    /// Encrypts this API's access tokens, as `tokenEncryptionKeyId` does.
    #[must_use]
    pub fn with_token_encryption(self, encryption: TokenEncryption) -> Self {
        Self {
            encryption: Some(encryption),
            ..self
        }
    }

    /// Has tokens of v1.0 from both endpoints (`requestedAccessTokenVersion` null or 1): their audience
    /// is the identifier URI that the scopes began with.
    #[must_use]
    pub fn with_v1_tokens(self) -> Self {
        Self {
            v1_tokens: true,
            ..self
        }
    }

    /// Asks for the optional claim `idtyp` in this API's tokens: `app` in those of applications.
    ///
    /// A new registration has it not, and then `scp`, `sub` and `oid` tell users from
    /// applications.
    #[must_use]
    pub fn with_idtyp(self) -> Self {
        Self {
            idtyp: IdentityTypes::OfApps,
            ..self
        }
    }

    /// Asks for `idtyp` with `include_user_token`: `user` in users' tokens as well.
    #[must_use]
    pub fn with_idtyp_of_users(self) -> Self {
        Self {
            idtyp: IdentityTypes::OfAll,
            ..self
        }
    }

    /// Asks for the optional claims that tell agents (`xms_act_fct`, `xms_sub_fct`, `xms_idrel`,
    /// `xms_par_app_azp`) in this API's tokens, which those of people and applications have too.
    #[must_use]
    pub fn with_facets(self) -> Self {
        Self {
            facets: true,
            ..self
        }
    }

    /// Makes the client an agent identity (Entra Agent ID) of a blueprint, by its application id.
    ///
    /// An agent identity has no credential of its own: its blueprint gets a token for it (`fmi_path`),
    /// which is its client assertion.
    ///
    /// Only tokens for an API [with facets](Self::with_facets) say that it is one.
    #[must_use]
    pub fn as_agent_of(self, blueprint: impl Into<String>) -> Self {
        Self {
            blueprint: Some(blueprint.into()),
            ..self
        }
    }

    /// The client id.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The object id of the service principal (`oid` and `sub` of its app-only tokens).
    pub fn object_id(&self) -> &str {
        &self.object_id
    }

    /// Whether a `resource`, or a scope without its last segment, means this API.
    pub(super) fn answers_to(&self, resource: &str) -> bool {
        let resource = resource.trim_end_matches('/');
        self.identifier_uris.iter().any(|own| own.trim_end_matches('/') == resource)
            || resource.eq_ignore_ascii_case(&self.client_id)
            || resource.strip_prefix("api://").is_some_and(|id| id == self.client_id)
            // B2C: https://contoso.onmicrosoft.com/{client id}
            || (resource.starts_with("https://")
                && resource.rsplit('/').next().is_some_and(|last| last == self.client_id))
    }
}
