//! One address of this API, with what follows from it.

use url::Url;

use crate::authority::full_scope_name;
use crate::config_error::ConfigError;
use crate::token::Validator;

use super::metadata::ResourceMetadata;
use super::protected_resource::ProtectedResource;

/// Where clients look for the document (RFC 9728 section 3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// One address of this API, checked, with what follows from it.
#[derive(Debug)]
pub(crate) struct Resource {
    address: String,
    /// The path of the address, without a slash at its end.
    path: String,
    /// Where the document is, as challenges name it.
    metadata_url: String,
    paths: Vec<String>,
    name: Option<String>,
    scopes: Vec<String>,
}

impl Resource {
    /// Works out an address whose full scope names begin with `app_id_uri`.
    pub(super) fn new(
        address: &str,
        described: &ProtectedResource,
        app_id_uri: &str,
    ) -> Result<Self, ConfigError> {
        let url = Url::parse(address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .filter(|url| url.username().is_empty() && url.password().is_none())
            // RFC 9728 section 1.2: no fragment.
            .filter(|url| url.fragment().is_none())
            .ok_or_else(|| {
                let expected = "this API's own URL, without a fragment";
                ConfigError::value("Resource", address, expected)
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
        let scopes = described.scopes.iter();
        Ok(Self {
            path: path.trim_end_matches('/').to_owned(),
            metadata_url: format!("{origin}{inserted}{query}"),
            paths,
            name: described.name.clone(),
            scopes: scopes
                .map(|scope| full_scope_name(app_id_uri, scope))
                .collect(),
            // As it was given: clients compare it, byte for byte, with what they asked for
            // (RFC 9728 section 3.3).
            address: address.to_owned(),
        })
    }

    /// The root form of the document's path speaks for the whole host, so it is not one of several
    /// resources'.
    pub(super) fn is_one_of_several(&mut self) {
        if !self.path.is_empty() {
            self.paths.retain(|path| path != WELL_KNOWN);
        }
    }

    /// The path of the address, without a slash at its end.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Where the document is, as challenges name it.
    pub(super) fn metadata_url(&self) -> &str {
        &self.metadata_url
    }

    /// This API's own URL, as it was given.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The paths the document is served under: the root form, and the one with the API's path.
    pub(crate) fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Logs at the start what otherwise only a client that cannot sign in would find.
    pub(super) fn warn_on_scope_mismatch(&self, app_id_uri: &str) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(address: &str, scopes: &[&str]) -> Resource {
        let described = ProtectedResource::unaddressed().scopes(scopes.iter().copied());
        Resource::new(address, &described, "api://id").unwrap()
    }

    #[test]
    fn an_address_stays_as_it_was_given_and_its_path_goes_behind_the_well_known_one() {
        let root = resource("https://API.example/", &[]);
        assert_eq!(root.address, "https://API.example/");
        assert_eq!(
            root.metadata_url,
            format!("https://api.example{WELL_KNOWN}")
        );
        assert_eq!(root.paths(), [WELL_KNOWN]);
        let nested = resource("https://api.example:8443/mcp/v1/", &[]);
        assert_eq!(nested.address, "https://api.example:8443/mcp/v1/");
        let metadata = format!("https://api.example:8443{WELL_KNOWN}/mcp/v1/");
        assert_eq!(nested.metadata_url, metadata);
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
    fn an_address_that_entra_refuses_is_recognized() {
        let found = |address: &str, uri: &str| {
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
            assert_eq!(found(address, uri), expected, "{address} {uri}");
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
            let described = ProtectedResource::unaddressed();
            assert!(Resource::new(bad, &described, "").is_err(), "{bad}");
        }
    }
}
