//! What an API says about its addresses in protected-resource metadata and in challenges.

use std::sync::Arc;

use crate::authority::{ResolvedAuthority, full_scope_name};
use crate::config_error::ConfigError;

use super::resource::Resource;
use super::resources::{Challenged, Resources};

/// One address of this API: what its protected-resource metadata (RFC 9728) offers, and what
/// challenges there name. It is not the audience.
///
/// For [`EntraBuilder::resource`](crate::EntraBuilder::resource) and
/// [`EntraBuilder::default_resource`](crate::EntraBuilder::default_resource). Scopes are named and
/// not checked: guards do that. A short name gets the App ID URI in front of it
/// ([`Authority::app_id_uri`](crate::Authority::app_id_uri)).
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{Entra, ProtectedResource, Tenant};
///
/// let builder = || {
///     let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
///     Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
/// };
/// let todos = ProtectedResource::new("https://todo.example.com/mcp")
///     .name("To-do lists")
///     .scopes(["Todo.Read", "Todo.ReadWrite"])
///     .challenge_scopes(["Todo.Read"]);
/// let entra = builder().resource(todos).build()?;
/// let document = entra.resource_metadata().unwrap();
/// assert_eq!(document.resource_name.as_deref(), Some("To-do lists"));
///
/// // Not an address.
/// assert!(builder().resource("todo.example.com").build().is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProtectedResource {
    address: Option<String>,
    pub(super) name: Option<String>,
    pub(super) scopes: Vec<String>,
    challenge_scopes: Vec<String>,
    metadata_url: Option<String>,
}

impl ProtectedResource {
    /// The API's own URL, as clients know it (RFC 9728 section 1.2: without a fragment).
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, ProtectedResource, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let build = |address: &str| {
    ///     Entra::builder(tenant.clone(), client_id).resource(ProtectedResource::new(address)).build()
    /// };
    /// let document = build("https://todo.example.com/mcp")?.resource_metadata().unwrap();
    /// assert_eq!(document.resource, "https://todo.example.com/mcp");
    /// assert!(build("https://todo.example.com/#mcp").is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`EntraBuilder::build`](crate::EntraBuilder::build) refuses what is not such a URL.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: Some(address.into()),
            ..Self::default()
        }
    }

    /// Without an address of its own: no document is served, and challenges name its scopes.
    ///
    /// Where the setting `Resource` may give the address, hand it to
    /// [`default_resource`](crate::EntraBuilder::default_resource): given by
    /// [`resource`](crate::EntraBuilder::resource) beside an address it is a second resource without
    /// one, which `build` refuses.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::{Entra, ProtectedResource, Tenant};
    /// use tower::ServiceExt;
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let resource = ProtectedResource::unaddressed().challenge_scopes(["Todo.Read"]);
    /// let entra = Entra::builder(tenant, client_id).default_resource(resource).build()?;
    /// assert!(entra.resource_metadata().is_none());
    ///
    /// let app: Router = Router::new().route("/", get(|| async { "milk" })).layer(entra.layer());
    /// let refused = app.oneshot(Request::get("/").body(Body::empty())?).await?;
    /// let challenge = refused.headers()["www-authenticate"].to_str()?;
    /// assert!(challenge.contains(r#"scope="api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Todo.Read""#));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn unaddressed() -> Self {
        Self::default()
    }

    /// A name for people (`resource_name`).
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, ProtectedResource, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let resource = ProtectedResource::new("https://todo.example.com").name("To-do lists");
    /// let entra = Entra::builder(tenant, client_id).resource(resource).build()?;
    /// let document = entra.resource_metadata().unwrap();
    /// assert_eq!(document.resource_name.as_deref(), Some("To-do lists"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The scopes that the metadata offers (`scopes_supported`); never list `offline_access`.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, ProtectedResource, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let resource = ProtectedResource::new("https://todo.example.com").scopes(["Todo.Read"]);
    /// let entra = Entra::builder(tenant, client_id).resource(resource).build()?;
    /// // As clients have to ask for it. No request is refused for want of it: guards do that.
    /// let document = entra.resource_metadata().unwrap();
    /// assert_eq!(document.scopes_supported, ["api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Todo.Read"]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// The scopes that a challenge names to a client without a good token: the least that it can
    /// begin with (RFC 6750 section 3, and the Model Context Protocol's authorization specification).
    ///
    /// For an API whose routes all need these. Without it a challenge names the first scope of the
    /// setting `Scopes`, of which every route needs one.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::{Entra, ProtectedResource, Tenant};
    /// use tower::ServiceExt;
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let resource = ProtectedResource::new("https://todo.example.com")
    ///     .scopes(["Todo.Read", "Todo.ReadWrite"])
    ///     .challenge_scopes(["Todo.Read"]);
    /// let entra = Entra::builder(tenant, client_id).resource(resource).build()?;
    /// let app: Router = Router::new().route("/", get(|| async { "milk" })).layer(entra.layer());
    /// let refused = app.oneshot(Request::get("/").body(Body::empty())?).await?;
    /// let challenge = refused.headers()["www-authenticate"].to_str()?;
    /// assert!(challenge.contains("/Todo.Read\"") && !challenge.contains("Todo.ReadWrite"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn challenge_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.challenge_scopes
            .extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Where the document is, if another server publishes it; challenges name this URL.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::{Entra, ProtectedResource, Tenant};
    /// use tower::ServiceExt;
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let published = "https://www.example.com/todo-metadata";
    /// let resource = ProtectedResource::new("https://todo.example.com").metadata_url(published);
    /// let entra = Entra::builder(tenant, client_id).resource(resource).build()?;
    /// let app: Router = Router::new().route("/", get(|| async { "milk" })).layer(entra.layer());
    /// let refused = app.oneshot(Request::get("/").body(Body::empty())?).await?;
    /// let challenge = refused.headers()["www-authenticate"].to_str()?;
    /// assert!(challenge.contains(&format!(r#"resource_metadata="{published}""#)));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn metadata_url(mut self, url: impl Into<String>) -> Self {
        self.metadata_url = Some(url.into());
        self
    }

    /// What it says itself, and what `default` says where it says nothing.
    fn or(&self, default: Option<&Self>) -> Self {
        let mut own = self.clone();
        if let Some(default) = default {
            let fill = |own: &mut Vec<String>, default: &[String]| {
                if own.is_empty() {
                    own.extend_from_slice(default);
                }
            };
            fill(&mut own.scopes, &default.scopes);
            fill(&mut own.challenge_scopes, &default.challenge_scopes);
            own.name = own.name.or_else(|| default.name.clone());
            own.metadata_url = own.metadata_url.or_else(|| default.metadata_url.clone());
        }
        own
    }

    /// The path of its address, without a slash at its end.
    fn path(&self) -> Option<String> {
        let url = url::Url::parse(self.address.as_ref()?).ok()?;
        Some(url.path().trim_end_matches('/').to_owned())
    }

    /// The scopes that a challenge names: those given for it, else the first of those of which every
    /// route needs one.
    ///
    /// With several authorities the latter are only known where all need the same.
    fn challenge_scope(&self, trusts: &[&ResolvedAuthority]) -> String {
        let Some((first, others)) = trusts.split_first() else {
            return String::new();
        };
        let needed = &first.required_scopes;
        let scopes = match &*self.challenge_scopes {
            [] if others.iter().any(|other| other.required_scopes != *needed) => {
                return String::new();
            }
            [] => needed.get(..1).unwrap_or_default(),
            given => given,
        };
        let uri = first.app_id_uri(self.address.as_deref());
        let scopes: Vec<_> = scopes
            .iter()
            .map(|scope| full_scope_name(uri, scope))
            .collect();
        scopes.join(" ")
    }

    fn challenged(&self, resource: Option<&Resource>, trusts: &[&ResolvedAuthority]) -> Challenged {
        let own = resource.map(|resource| resource.metadata_url().to_owned());
        Challenged {
            address: self.address.clone().unwrap_or_default(),
            path: resource.map_or("", Resource::path).to_owned(),
            metadata: self.metadata_url.clone().or(own),
            scope: self.challenge_scope(trusts),
            ..Challenged::default()
        }
    }
}

impl From<&str> for ProtectedResource {
    fn from(address: &str) -> Self {
        Self::new(address)
    }
}

impl From<String> for ProtectedResource {
    fn from(address: String) -> Self {
        Self::new(address)
    }
}

impl From<&String> for ProtectedResource {
    fn from(address: &String) -> Self {
        Self::new(address)
    }
}

/// What the application and its settings said of the API's addresses.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResourceConfig {
    pub(crate) given: Vec<ProtectedResource>,
    /// At the program's own listener, where no others were given.
    pub(crate) default: Vec<ProtectedResource>,
}

impl ResourceConfig {
    /// Works out the documents that are served, and what challenges say at each address, in the same
    /// order; one entry of the latter where there is no address.
    pub(crate) fn resolve(
        &self,
        trusts: &[&ResolvedAuthority],
    ) -> Result<(Vec<Arc<Resource>>, Resources), ConfigError> {
        let all = self.effective();
        let uri = |address| trusts.first().map(|trust| trust.app_id_uri(Some(address)));
        let (mut resources, mut challenged): (Vec<Arc<Resource>>, _) = (Vec::new(), Vec::new());
        for described in &all {
            let Some(address) = &described.address else {
                if all.len() > 1 {
                    let expected = "an address for each, where an API has several";
                    return Err(ConfigError::value("Resource", "", expected));
                }
                challenged.push(described.challenged(None, trusts));
                continue;
            };
            let uri = uri(address).unwrap_or_default();
            let mut resource = Resource::new(address, described, uri)?;
            if resources.iter().any(|one| one.path() == resource.path()) {
                let expected = "addresses with different paths, since the path says which of them a \
                                route is under";
                return Err(ConfigError::value("Resource", address, expected));
            }
            if all.len() > 1 {
                resource.is_one_of_several();
            }
            if !self.given.is_empty() {
                resource.warn_on_scope_mismatch(uri);
            }
            challenged.push(described.challenged(Some(&resource), trusts));
            resources.push(Arc::new(resource));
        }
        Ok((resources, Resources::new(challenged)))
    }

    /// Those given, completed by the default with the same path or by the only one; else the defaults,
    /// of which there is at least one.
    fn effective(&self) -> Vec<ProtectedResource> {
        let complete = |given: &ProtectedResource| {
            let path = given.path();
            let mut defaults = self.default.iter();
            let same = defaults.find(|default| path.is_some() && default.path() == path);
            given.or(same.or(match &*self.default {
                [only] => Some(only),
                _ => None,
            }))
        };
        match (&*self.given, &*self.default) {
            ([], []) => vec![ProtectedResource::unaddressed()],
            ([], defaults) => defaults.to_vec(),
            (given, _) => given.iter().map(complete).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "/.well-known/oauth-protected-resource";

    fn paths(config: &ResourceConfig) -> Result<Vec<Vec<String>>, ConfigError> {
        let (resources, _) = config.resolve(&[])?;
        Ok(resources.iter().map(|one| one.paths().to_vec()).collect())
    }

    #[test]
    fn the_path_distinguishes_several_addresses() {
        let resolved = |given: &[&str]| {
            paths(&ResourceConfig {
                given: given.iter().map(|&one| one.into()).collect(),
                default: Vec::new(),
            })
        };
        let of = |path: &str| format!("{ROOT}{path}");
        assert!(resolved(&[]).unwrap().is_empty());
        let two = resolved(&["https://x.example/mcp", "https://x.example/reports/mcp"]).unwrap();
        assert_eq!(two, [[of("/mcp")], [of("/reports/mcp")]]);
        let rooted = resolved(&["https://x.example/mcp", "https://x.example"]).unwrap();
        assert_eq!(rooted, [[of("/mcp")], [of("")]]);
        for same in [
            ["https://x.example/mcp", "https://y.example/mcp"],
            ["https://x.example/mcp", "https://x.example/mcp/"],
            ["https://x.example", "https://y.example/"],
        ] {
            let text = resolved(&same).unwrap_err().to_string();
            assert!(
                text.contains("Resource") && text.contains(same[1]),
                "{text}"
            );
        }
    }

    #[test]
    fn a_given_address_takes_what_the_default_says_where_it_says_nothing() {
        let listener = |path: &str, name: &str| {
            ProtectedResource::new(format!("http://127.0.0.1:1{path}"))
                .name(name)
                .scopes([name])
        };
        let named = |given: &[ProtectedResource], default: &[ProtectedResource]| {
            let config = ResourceConfig {
                given: given.to_vec(),
                default: default.to_vec(),
            };
            let all = config.effective();
            let name = |one: ProtectedResource| one.name.unwrap_or_default();
            all.into_iter().map(name).collect::<Vec<_>>()
        };
        let two = [listener("/mcp", "a"), listener("/reports/mcp", "b")];
        let given = |path: &str| ProtectedResource::new(format!("https://x.example{path}"));
        assert_eq!(named(&[], &two), ["a", "b"]);
        assert_eq!(named(&[given("/reports/mcp/")], &two), ["b"]);
        assert_eq!(named(&[given("/other")], &two), [""]);
        assert_eq!(named(&[given("/mcp").name("c")], &two), ["c"]);
        // One is everything that the API says of itself, whatever the path.
        assert_eq!(named(&[given("/other")], &two[..1]), ["a"]);
        let unaddressed = ProtectedResource::unaddressed().name("d");
        assert_eq!(named(&[given("/other")], &[unaddressed]), ["d"]);
    }

    #[test]
    fn each_of_several_needs_an_address() {
        let of = |given: &[ProtectedResource]| {
            paths(&ResourceConfig {
                given: given.to_vec(),
                default: Vec::new(),
            })
        };
        let unaddressed = ProtectedResource::unaddressed();
        assert!(of(std::slice::from_ref(&unaddressed)).unwrap().is_empty());
        assert!(of(&[unaddressed, "https://x.example".into()]).is_err());
    }
}
