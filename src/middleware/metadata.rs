//! What this API says about itself to clients that do not know it (RFC 9728).

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW,
    CACHE_CONTROL, CONTENT_TYPE,
};
use http::{HeaderValue, Method, Request, StatusCode};
use serde::Serialize;
use tower_service::Service;
use url::Url;

use crate::authority::{ResolvedAuthority, full_scope_name};
use crate::config_error::ConfigError;
use crate::token::Validator;

use super::resources::{Challenged, Resources};

/// Where clients look for the document (RFC 9728 section 3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Discovery documents change seldom, and a client that meets a 401 reads them again.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// This API's protected-resource metadata: where to get tokens for it, and with which scopes.
///
/// From [`Entra::resource_metadata`](crate::Entra::resource_metadata); as a response it is the
/// document itself, readable by any web page. Source: RFC 9728 section 2, and the Model Context
/// Protocol's authorization specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ResourceMetadata {
    /// This API's address, as it was given.
    pub resource: String,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// The issuers of the authorities, as their discovery documents state them.
    pub authorization_servers: Vec<String>,
    /// Full names, as a client asks for them: `{App ID URI}/scope`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// `header`: a token in the query or in the body is not looked for.
    pub bearer_methods_supported: [&'static str; 1],
}

impl IntoResponse for ResourceMetadata {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = cors_response(StatusCode::OK, Body::from(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, CACHE);
        response
    }
}

/// What the application said of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResourceConfig {
    pub(crate) addresses: Vec<String>,
    /// Addresses at the program's own listener, where no others were given.
    pub(crate) listener: Vec<String>,
    pub(crate) name: Option<String>,
    pub(crate) scopes: Vec<String>,
    /// What a client without a good token is told to ask for.
    pub(crate) challenge_scopes: Vec<String>,
    /// Where the document is, if it is served elsewhere.
    pub(crate) metadata: Option<String>,
    /// What is said of one address, by its path.
    pub(crate) descriptions: Vec<(String, ResourceDescription)>,
}

/// What protected-resource metadata and challenges say about one address of an API with several.
///
/// For [`EntraBuilder::describe_resource`](crate::EntraBuilder::describe_resource).
#[derive(Debug, Clone, Default)]
pub struct ResourceDescription {
    name: Option<String>,
    scopes: Vec<String>,
    challenge_scopes: Vec<String>,
}

impl ResourceDescription {
    /// Says nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A name for people.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The scopes that the metadata offers, as
    /// [`EntraBuilder::resource_scopes`](crate::EntraBuilder::resource_scopes).
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// The scopes that a challenge names to a client without a good token: the least that it can
    /// begin with, as
    /// [`EntraBuilder::challenge_scopes`](crate::EntraBuilder::challenge_scopes).
    #[must_use]
    pub fn challenge_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.challenge_scopes
            .extend(scopes.into_iter().map(Into::into));
        self
    }
}

/// One address of this API, checked, with what follows from it.
#[derive(Debug)]
pub(crate) struct Resource {
    address: String,
    /// The path of the address, without a slash at its end.
    path: String,
    /// Where the document is, as challenges name it.
    metadata: String,
    paths: Vec<String>,
    name: Option<String>,
    scopes: Vec<String>,
}

impl ResourceConfig {
    /// What challenges say at each address, in the order of [`resolve`](Self::resolve); one entry
    /// where there is no address.
    pub(crate) fn challenged(
        &self,
        resources: &[Arc<Resource>],
        trusts: &[&ResolvedAuthority],
    ) -> Resources {
        if resources.is_empty() {
            return Resources::new(vec![Challenged {
                metadata: self.metadata.clone(),
                scope: self.challenge_scope(trusts, None, &self.challenge_scopes),
                ..Challenged::default()
            }]);
        }
        let each = resources.iter().map(|resource| Challenged {
            address: resource.address.clone(),
            path: resource.path.clone(),
            metadata: Some(self.metadata.as_ref().unwrap_or(&resource.metadata).clone()),
            scope: self.challenge_scope(
                trusts,
                Some(&resource.address),
                match self.description(&resource.path) {
                    Some(own) if !own.challenge_scopes.is_empty() => &own.challenge_scopes,
                    _ => &self.challenge_scopes,
                },
            ),
            ..Challenged::default()
        });
        Resources::new(each.collect())
    }

    /// The scopes that a challenge names: those given for it, else the first of those of which every
    /// route needs one.
    ///
    /// With several authorities the latter are only known where all need the same.
    fn challenge_scope(
        &self,
        trusts: &[&ResolvedAuthority],
        address: Option<&str>,
        given: &[String],
    ) -> String {
        let Some((first, others)) = trusts.split_first() else {
            return String::new();
        };
        let needed = &first.required_scopes;
        let scopes = match given {
            [] if others.iter().any(|other| other.required_scopes != *needed) => {
                return String::new();
            }
            [] => needed.get(..1).unwrap_or_default(),
            _ => given,
        };
        let uri = first.app_id_uri(address);
        let scopes: Vec<_> = scopes
            .iter()
            .map(|scope| full_scope_name(uri, scope))
            .collect();
        scopes.join(" ")
    }

    /// What is said of the address with a path.
    fn description(&self, path: &str) -> Option<&ResourceDescription> {
        let mut all = self.descriptions.iter();
        let found = all.find(|(own, _)| own.trim_end_matches('/') == path);
        found.map(|(_, description)| description)
    }

    /// Works the addresses out; none where no address is given, and nothing is served.
    pub(crate) fn resolve(
        &self,
        trust: Option<&ResolvedAuthority>,
    ) -> Result<Vec<Arc<Resource>>, ConfigError> {
        let are_given = !self.addresses.is_empty();
        let addresses = match are_given {
            true => &*self.addresses,
            false => &*self.listener,
        };
        let mut resources: Vec<Arc<Resource>> = Vec::new();
        for address in addresses {
            let uri = trust.map(|trust| trust.app_id_uri(Some(address)));
            let mut resource = self.resource(address, uri.unwrap_or_default())?;
            if resources.iter().any(|other| other.path == resource.path) {
                return Err(ConfigError::value(
                    "Resource",
                    address,
                    "addresses with different paths, since the path says which of them a route is under",
                ));
            }
            // The root form speaks for the whole host, so it is not one of several paths'.
            if addresses.len() > 1 && !resource.path.is_empty() {
                resource.paths.retain(|path| path != WELL_KNOWN);
            }
            if are_given {
                resource.warn_on_scope_mismatch(uri.unwrap_or_default());
            }
            resources.push(Arc::new(resource));
        }
        Ok(resources)
    }

    fn resource(&self, address: &str, app_id_uri: &str) -> Result<Resource, ConfigError> {
        let url = Url::parse(address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .filter(|url| url.username().is_empty() && url.password().is_none())
            // RFC 9728 section 1.2: no fragment.
            .filter(|url| url.fragment().is_none())
            .ok_or_else(|| {
                ConfigError::value(
                    "Resource",
                    address,
                    "this API's own URL, without a fragment",
                )
            })?;
        // RFC 9728 section 3.1: the slash that only ends the host is no path.
        let path = Some(url.path()).filter(|path| *path != "/");
        let path = path.unwrap_or_default();
        let query = url.query().map(|query| format!("?{query}"));
        let query = query.unwrap_or_default();
        let origin = url.origin().ascii_serialization();
        let inserted = format!("{WELL_KNOWN}{path}");
        let mut paths = vec![WELL_KNOWN.to_owned()];
        if inserted != WELL_KNOWN {
            paths.push(inserted.clone());
            // And where those look who take the last slash off.
            paths.extend(inserted.strip_suffix('/').map(str::to_owned));
        }
        let path = path.trim_end_matches('/');
        let own = self.description(path);
        let scopes = match own {
            Some(own) if !own.scopes.is_empty() => own.scopes.iter(),
            _ => self.scopes.iter(),
        };
        let name = own.and_then(|own| own.name.as_ref());
        Ok(Resource {
            path: path.to_owned(),
            metadata: format!("{origin}{inserted}{query}"),
            paths,
            name: name.or(self.name.as_ref()).cloned(),
            scopes: scopes
                .map(|scope| full_scope_name(app_id_uri, scope))
                .collect(),
            // As it was given: clients compare it, byte for byte, with what they asked for
            // (RFC 9728 section 3.3).
            address: address.to_owned(),
        })
    }
}

impl Resource {
    /// This API's own URL, as it was given.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The paths the document is served under: the root form, and the one with the API's path.
    pub(crate) fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Says at the start what would only be found out by a client that cannot sign in.
    fn warn_on_scope_mismatch(&self, app_id_uri: &str) {
        if self.has_extra_slash(app_id_uri) {
            tracing::warn!(
                resource = self.address,
                app_id_uri,
                "Resource ends with a slash: Entra compares it byte for byte (AADSTS9010010)"
            );
        }
        if self.is_on_another_host(app_id_uri) {
            tracing::warn!(
                resource = self.address,
                app_id_uri,
                "Resource is on another host than the App ID URI: it has to be an identifier URI too, \
                 on a domain that the tenant has verified (AADSTS9010010)"
            );
        }
        // Clients of the Model Context Protocol send `resource` along with the scopes (RFC 8707),
        // and Entra refuses them where it does not know the one by the other's prefix.
        if self.address != app_id_uri {
            tracing::warn!(
                resource = self.address,
                app_id_uri,
                "Resource is not the prefix of the scopes: a client that sends it as `resource` is \
                 refused by Entra (AADSTS9010010) unless it is an identifier URI of the application"
            );
        }
        if self.is_plain_http() {
            tracing::warn!(resource = self.address, "Resource is not https");
        }
    }

    fn has_extra_slash(&self, app_id_uri: &str) -> bool {
        self.address.ends_with('/') && !app_id_uri.ends_with('/')
    }

    /// Of an App ID URI without a host, such as `api://…`, nothing is said.
    fn is_on_another_host(&self, app_id_uri: &str) -> bool {
        let host = |address: &str| {
            let url = Url::parse(address).ok()?;
            let is_web = matches!(url.scheme(), "http" | "https");
            url.host_str().filter(|_| is_web).map(str::to_owned)
        };
        host(app_id_uri).is_some_and(|own| host(&self.address) != Some(own))
    }

    fn is_plain_http(&self) -> bool {
        self.address.starts_with("http://") && !self.address.starts_with("http://127.0.0.1")
    }

    pub(crate) fn document(&self, validator: &Validator) -> ResourceMetadata {
        ResourceMetadata {
            resource: self.address.clone(),
            resource_name: self.name.clone(),
            authorization_servers: validator.authorization_servers(),
            scopes_supported: self.scopes.clone(),
            bearer_methods_supported: ["header"],
        }
    }
}

/// Serves the protected-resource metadata; from [`Entra::metadata_routes`](crate::Entra::metadata_routes).
///
/// It answers `GET` and `HEAD` to every client, from any web page, and the preflight of such a page;
/// any other method is 405. It does not look at the path: the router has.
#[derive(Debug, Clone)]
pub struct MetadataService {
    resource: Arc<Resource>,
    validator: Arc<Validator>,
}

impl MetadataService {
    pub(crate) fn new(resource: Arc<Resource>, validator: Arc<Validator>) -> Self {
        Self {
            resource,
            validator,
        }
    }
}

impl<B> Service<Request<B>> for MetadataService {
    type Response = Response;
    type Error = Infallible;
    type Future = Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let response = match *request.method() {
            Method::GET => self.resource.document(&self.validator).into_response(),
            Method::HEAD => {
                let mut head = self.resource.document(&self.validator).into_response();
                *head.body_mut() = Body::empty();
                head
            }
            // Clients send headers of their own, which makes browsers ask first.
            Method::OPTIONS => {
                let mut preflight = cors_response(StatusCode::NO_CONTENT, Body::empty());
                let headers = preflight.headers_mut();
                headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
                preflight
            }
            _ => {
                let mut refused = cors_response(StatusCode::METHOD_NOT_ALLOWED, Body::empty());
                refused.headers_mut().insert(ALLOW, METHODS);
                refused
            }
        };
        ready(Ok(response))
    }
}

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

fn cors_response(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{Authority, Tenant};

    fn resource(address: &str, scopes: &[&str]) -> Arc<Resource> {
        let described = ResourceConfig {
            addresses: vec![address.to_owned()],
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            ..ResourceConfig::default()
        };
        let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
        let authority = Authority::entra(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
        let trust = authority.audience("api://id").resolve().unwrap();
        described.resolve(Some(&trust)).unwrap().remove(0)
    }

    #[test]
    fn an_address_stays_as_it_was_given_and_its_path_goes_behind_the_well_known_one() {
        let root = resource("https://API.example/", &[]);
        assert_eq!(root.address, "https://API.example/");
        assert_eq!(root.metadata, format!("https://api.example{WELL_KNOWN}"));
        assert_eq!(root.paths(), [WELL_KNOWN]);
        let nested = resource("https://api.example:8443/mcp/v1/", &[]);
        assert_eq!(nested.address, "https://api.example:8443/mcp/v1/");
        let metadata = format!("https://api.example:8443{WELL_KNOWN}/mcp/v1/");
        assert_eq!(nested.metadata, metadata);
        assert_eq!(
            nested.paths(),
            [
                WELL_KNOWN,
                &format!("{WELL_KNOWN}/mcp/v1/"),
                &format!("{WELL_KNOWN}/mcp/v1")
            ]
        );
    }

    #[test]
    fn addresses_that_entra_refuses_are_told_with_the_reason() {
        let told = |address: &str, uri: &str| {
            let resource = resource(address, &[]);
            (
                resource.has_extra_slash(uri),
                resource.is_on_another_host(uri),
            )
        };
        let mcp = "https://todo.example/mcp";
        for (address, uri, expected) in [
            (mcp, mcp, (false, false)),
            (mcp, "api://id", (false, false)),
            ("https://todo.example/mcp/", mcp, (true, false)),
            (
                "https://todo.example/mcp/",
                "https://todo.example/mcp/",
                (false, false),
            ),
            ("https://x.amazonaws.com/mcp", mcp, (false, true)),
            ("https://x.amazonaws.com/mcp/", mcp, (true, true)),
            ("https://TODO.example/mcp", mcp, (false, false)),
        ] {
            assert_eq!(told(address, uri), expected, "{address} {uri}");
        }
    }

    #[test]
    fn scopes_get_their_prefix_and_full_ones_keep_theirs() {
        let resource = resource(
            "https://api.example",
            &["Todo.Read", "https://contoso.example/api/Todo.Read"],
        );
        assert_eq!(
            resource.scopes,
            [
                "api://id/Todo.Read",
                "https://contoso.example/api/Todo.Read"
            ]
        );
    }

    #[test]
    fn what_is_no_address_of_an_api_is_refused() {
        for bad in [
            "",
            "api.example",
            "api://id",
            "https://api.example/#x",
            "https://user@api.example",
        ] {
            let described = ResourceConfig {
                addresses: vec![bad.to_owned()],
                ..ResourceConfig::default()
            };
            assert!(described.resolve(None).is_err(), "{bad}");
        }
        assert!(ResourceConfig::default().resolve(None).unwrap().is_empty());
    }

    #[test]
    fn the_path_tells_several_addresses_apart() {
        let resolved = |addresses: &[&str]| {
            let described = ResourceConfig {
                addresses: addresses.iter().map(|&one| one.to_owned()).collect(),
                ..ResourceConfig::default()
            };
            let paths = |resource: &Arc<Resource>| resource.paths().to_vec();
            let resolved = described.resolve(None)?;
            Ok::<Vec<Vec<String>>, ConfigError>(resolved.iter().map(paths).collect())
        };
        let of = |path: &str| format!("{WELL_KNOWN}{path}");
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
}
