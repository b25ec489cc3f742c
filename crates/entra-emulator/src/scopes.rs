//! What a client asks for: one API's scopes, and OpenID Connect's beside them.

use super::{aadsts::Refusal, app::App, authority::Authority, seeds};

/// A `scope` or a `resource`, understood.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) api: &'a App,
    /// The API as the request spells it; v1.0 tokens repeat it as the audience.
    pub(super) name: String,
    pub(super) scopes: Vec<String>,
    /// `.default` was asked for, which the answer repeats.
    pub(super) default: bool,
    pub(super) openid: OpenId,
}

/// The scopes that are about the sign-in, not about an API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OpenId {
    pub(super) openid: bool,
    pub(super) profile: bool,
    pub(super) email: bool,
    pub(super) offline_access: bool,
}

impl<'a> Asked<'a> {
    /// Understands the `scope` of a v2.0 request: at most one API, and scopes it has. A `resource`
    /// beside it must be an identifier URI of that API.
    ///
    /// A bare scope is one of Microsoft Graph's; only OpenID Connect's scopes also mean Microsoft
    /// Graph.
    pub(super) fn scopes(
        authority: &'a Authority,
        client: &App,
        tenant: &str,
        text: &str,
        resource: Option<&str>,
    ) -> Result<Self, Refusal> {
        // Byte for byte: a slash at the end is another resource (since about March 2026).
        let is_of = |api: &App| {
            resource.is_none_or(|resource| api.identifier_uris.iter().any(|own| own == resource))
        };
        let mut openid = OpenId::default();
        let mut found: Option<Self> = None;
        for asked in text.split_ascii_whitespace() {
            if openid.takes(asked) {
                continue;
            }
            let (name, scope) = asked
                .rsplit_once('/')
                .unwrap_or((seeds::MICROSOFT_GRAPH, asked));
            let asked = Self::nothing(authority, tenant, name)?;
            let found = found.get_or_insert(asked);
            if Some(&found.api.client_id) != authority.api(name).map(|api| &api.client_id) {
                return Err(Refusal::several_resources());
            }
            if !is_of(found.api) {
                return Err(Refusal::other_resource());
            }
            found.add(client, scope)?;
        }
        let mut found = match found {
            Some(found) => found,
            None if openid == OpenId::default() => {
                return Err(Refusal::unknown_resource(seeds::MICROSOFT_GRAPH, tenant));
            }
            None => Self::nothing(authority, tenant, seeds::MICROSOFT_GRAPH)?,
        };
        found.openid = openid;
        Ok(found)
    }

    /// Understands the `resource` of a v1.0 request: all scopes of that API.
    pub(super) fn resource(
        authority: &'a Authority,
        client: &App,
        tenant: &str,
        name: &str,
    ) -> Result<Self, Refusal> {
        let mut asked = Self::nothing(authority, tenant, name)?;
        name.clone_into(&mut asked.name);
        asked.add(client, DEFAULT)?;
        Ok(asked)
    }

    pub(super) fn is_graph(&self) -> bool {
        self.api.client_id == seeds::MICROSOFT_GRAPH
    }

    /// The scopes with the API's name in front, as a v2.0 answer lists them.
    pub(super) fn full_names(&self) -> String {
        let default = self.default.then_some(DEFAULT);
        let scopes = self.scopes.iter().map(String::as_str).chain(default);
        let full = scopes.map(|scope| format!("{}/{scope}", self.name));
        // Only Graph, whose userinfo address takes them, has OpenID Connect's scopes in its tokens.
        let openid = self.openid.names().filter(|_| self.is_graph());
        full.chain(openid.map(str::to_owned))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn nothing(authority: &'a Authority, tenant: &str, name: &str) -> Result<Self, Refusal> {
        let api = authority.api(name);
        Ok(Self {
            api: api.ok_or_else(|| Refusal::unknown_resource(name, tenant))?,
            name: name.trim_end_matches('/').to_owned(),
            scopes: Vec::new(),
            default: false,
            openid: OpenId::default(),
        })
    }

    fn add(&mut self, client: &App, scope: &str) -> Result<(), Refusal> {
        let limited = self.is_graph() && !client.graph_scopes.is_empty();
        if scope == DEFAULT {
            self.default = true;
            let all = if limited {
                &client.graph_scopes
            } else {
                &self.api.scopes
            };
            self.scopes.clone_from(all);
        } else if !self.api.scopes.iter().any(|known| known == scope) {
            return Err(Refusal::unknown_scope(&client.client_id, scope, &self.name));
        } else if limited && !client.graph_scopes.iter().any(|granted| granted == scope) {
            return Err(Refusal::consent_required(&client.client_id, scope));
        } else if !self.scopes.iter().any(|known| known == scope) {
            self.scopes.push(scope.to_owned());
        }
        Ok(())
    }
}

impl OpenId {
    fn takes(&mut self, scope: &str) -> bool {
        match scope {
            "openid" => self.openid = true,
            "profile" => self.profile = true,
            "email" => self.email = true,
            "offline_access" => self.offline_access = true,
            _ => return false,
        }
        true
    }

    /// Those that an answer repeats: `offline_access` shows in the refresh token.
    fn names(self) -> impl Iterator<Item = &'static str> {
        let named = [
            (self.openid, "openid"),
            (self.profile, "profile"),
            (self.email, "email"),
        ];
        named
            .into_iter()
            .filter_map(|(asked, name)| asked.then_some(name))
    }
}

const DEFAULT: &str = ".default";
