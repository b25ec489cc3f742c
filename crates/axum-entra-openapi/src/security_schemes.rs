//! Where the clients of a documented API get their tokens.

use std::collections::BTreeMap;

use axum_entra::{Entra, PopTokens, ScopeHierarchy};
use utoipa::Modify;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{
    AuthorizationCode, ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes,
    SecurityScheme,
};

use super::bound_tokens::{self, MUTUAL_TLS, POP};
use super::operations::operations;
use super::requirements::{BEARER, DEFAULT_SCOPE, OperationRequirements};
use axum_entra::full_scope_name;

/// Writes the security schemes of a document, and the full names of scopes into its operations.
///
/// `modify` it into the document last, when every route is there; more than once does no harm.
/// Schemes: `entra` (authorization code, with PKCE if the page asks for it), `entra_app` (client
/// credentials) where an application may call, and `bearer` for a token that was got elsewhere.
/// A further authority's are `entra_2`, `entra_app_2`. Of an [`Entra`] that accepts signed HTTP requests also
/// `pop`, and `mutual_tls` where a guard asks for a bound token.
///
/// Guards know scopes by the names in tokens (`Todo.Read`); clients ask for them by full names
/// (`api://{client id}/Todo.Read`). Does not check that the registration exposes them.
#[derive(Debug, Clone)]
#[must_use]
pub struct SecuritySchemes {
    endpoints: Vec<Endpoint>,
    descriptions: BTreeMap<String, String>,
    hierarchy: ScopeHierarchy,
    /// Whether signed HTTP requests are accepted.
    pop: PopTokens,
}

/// One authority.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) scheme: String,
    place: usize,
    authorization_url: String,
    token_url: String,
    app_id_uri: String,
    /// B2C policies sign users in; applications go to the tenant itself.
    pub(super) signs_apps_in: bool,
}

impl SecuritySchemes {
    /// Begins with an authority (`https://login.microsoftonline.com/{tenant}`) and the API's App
    /// ID URI, which is what full scope names begin with.
    pub fn new(authority: impl AsRef<str>, app_id_uri: impl Into<String>) -> Self {
        let authority = authority.as_ref().trim_end_matches('/');
        Self::none().at(
            format!("{authority}/oauth2/v2.0/authorize"),
            app_id_uri.into(),
            true,
        )
    }

    /// Begins with every authority that an [`Entra`] trusts, and with its scope hierarchy.
    pub fn of(entra: &Entra) -> Self {
        let mut none = Self::none().scope_hierarchy(entra.scope_hierarchy().clone());
        none.pop = entra.pop_tokens();
        entra.sign_in_endpoints().fold(none, |all, endpoint| {
            all.at(
                endpoint.authorization_endpoint,
                endpoint.app_id_uri,
                endpoint.issues_app_tokens,
            )
        })
    }

    fn none() -> Self {
        Self {
            endpoints: Vec::new(),
            descriptions: BTreeMap::new(),
            hierarchy: ScopeHierarchy::new(),
            pop: PopTokens::Refuse,
        }
    }

    /// Adds an authority by its authorization endpoint; the token endpoint is its neighbour.
    fn at(mut self, authorization: String, app_id_uri: String, apps: bool) -> Self {
        let start = authorization.strip_suffix("/authorize");
        let token_url = format!("{}/token", start.unwrap_or(&authorization));
        let place = self.endpoints.len() + 1;
        self.endpoints.push(Endpoint {
            scheme: numbered("entra", place),
            place,
            authorization_url: authorization,
            token_url,
            app_id_uri,
            signs_apps_in: apps,
        });
        self
    }

    /// Sets the App ID URI of every authority, where it is not `api://{client id}`.
    pub fn app_id_uri(mut self, uri: impl Into<String>) -> Self {
        let uri = uri.into();
        for endpoint in &mut self.endpoints {
            endpoint.app_id_uri.clone_from(&uri);
        }
        self
    }

    /// Declares which scopes imply others: operations then list the least scopes only, and say which
    /// others imply them. [`of`](Self::of) takes the hierarchy from the [`Entra`].
    pub fn scope_hierarchy(mut self, hierarchy: ScopeHierarchy) -> Self {
        self.hierarchy = hierarchy;
        self
    }

    /// Says what a scope is for, by its name in the token; people read it when they consent.
    pub fn scope(mut self, name: impl Into<String>, description: impl Into<String>) -> Self {
        self.descriptions.insert(name.into(), description.into());
        self
    }

    /// The full names of scopes at the first authority: what a client asks for.
    #[must_use]
    pub fn qualified_scopes<N: AsRef<str>>(
        &self,
        names: impl IntoIterator<Item = N>,
    ) -> Vec<String> {
        let Some(first) = self.endpoints.first() else {
            return Vec::new();
        };
        let names = names.into_iter();
        names.map(|name| first.full_name(name.as_ref())).collect()
    }

    /// The scopes that an authority's scheme declares: those described, and those guards name.
    fn scopes(&self, endpoint: &Endpoint, named: &[String]) -> Scopes {
        let undescribed = named
            .iter()
            .filter(|name| !self.descriptions.contains_key(*name))
            .map(|name| (endpoint.full_name(name), name.clone()));
        self.descriptions
            .iter()
            .map(|(name, description)| (endpoint.full_name(name), description.clone()))
            .chain(undescribed)
            .collect()
    }
}

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut OpenApi) {
        let mut named: Vec<String> = Vec::new();
        let mut has_app_ways = false;
        let mut asks_for_proof = false;
        for operation in operations(&mut document.paths) {
            let Some(demands) = OperationRequirements::of(operation) else {
                continue;
            };
            let demands = demands.least(&self.hierarchy);
            for way in demands.alternatives() {
                named.extend_from_slice(way.scopes());
                has_app_ways |= way.accepts_apps();
            }
            demands.write(operation, &self.endpoints, &self.hierarchy);
            bound_tokens::write(operation, &demands, self.pop);
            asks_for_proof |= bound_tokens::asks_for_proof(&demands);
        }
        let components = document.components.get_or_insert_with(Default::default);
        for endpoint in &self.endpoints {
            let flow = AuthorizationCode::new(
                &endpoint.authorization_url,
                &endpoint.token_url,
                self.scopes(endpoint, &named),
            );
            let users = OAuth2::with_description(
                [Flow::AuthorizationCode(flow)],
                "A user signs in: authorization code with PKCE.",
            );
            components.add_security_scheme(&endpoint.scheme, SecurityScheme::OAuth2(users));
            if has_app_ways && endpoint.signs_apps_in {
                let granted = (
                    endpoint.full_name(DEFAULT_SCOPE),
                    "What the application was granted".to_owned(),
                );
                let flow =
                    ClientCredentials::new(&endpoint.token_url, Scopes::from_iter([granted]));
                let apps = OAuth2::with_description(
                    [Flow::ClientCredentials(flow)],
                    "An application signs in as itself.",
                );
                components.add_security_scheme(endpoint.app_scheme(), SecurityScheme::OAuth2(apps));
            }
        }
        if self.pop != PopTokens::Refuse {
            components.add_security_scheme(POP, bound_tokens::pop_scheme());
        }
        if asks_for_proof && self.pop != PopTokens::Require {
            components.add_security_scheme(MUTUAL_TLS, bound_tokens::mutual_tls_scheme());
        }
        let pasted = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token for this API, got elsewhere."));
        components.add_security_scheme(BEARER, SecurityScheme::Http(pasted.build()));
    }
}

impl Endpoint {
    /// The name a client asks for; one that is full already stays as it is.
    pub(super) fn full_name(&self, scope: &str) -> String {
        full_scope_name(&self.app_id_uri, scope)
    }

    pub(super) fn app_scheme(&self) -> String {
        numbered("entra_app", self.place)
    }
}

fn numbered(name: &str, place: usize) -> String {
    match place {
        1 => name.to_owned(),
        _ => format!("{name}_{place}"),
    }
}
