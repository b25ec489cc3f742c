//! One discovery document, and where its keys may lie.

use url::Url;

use super::Cloud;
use super::address::is_allowed_address;
use super::issuer::IssuerPattern;
use crate::token_version::TokenVersion;

/// Whose tokens a document's keys verify: one version's, or one policy's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    Version(TokenVersion),
    /// The policy's name in lower case.
    Policy(String),
}

/// One discovery document: where it is and what is expected of it.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) purpose: Purpose,
    pub(crate) address: Url,
    /// The issuers it may state.
    pub(crate) issuers: Vec<IssuerPattern>,
    /// Hosts (with port) on which its keys may lie.
    pub(crate) key_hosts: Vec<String>,
    /// The cloud whose hosts are good for its keys too.
    pub(crate) cloud: Option<Cloud>,
    /// The cloud that the document itself states (`cloud_instance_name`), once it was read.
    pub(crate) stated_cloud: Option<String>,
    /// Whether its keys have to name their issuer: those of `common` and its like.
    pub(crate) keys_name_issuer: bool,
    /// The application whose own keys are asked for.
    pub(crate) app_id: Option<String>,
}

impl Document {
    /// Whether a key that names this cloud is of another one than the authority.
    pub(crate) fn is_another_cloud(&self, name: &str) -> bool {
        let stated = self.stated_cloud.as_deref();
        self.cloud.is_some_and(|cloud| !cloud.has_name(name))
            || stated.is_some_and(|stated| !stated.eq_ignore_ascii_case(name))
    }

    /// Whether keys may be read there.
    pub(crate) fn allows_keys_at(&self, url: &Url) -> bool {
        let on_cloud = || {
            // "Same host" means host and port; the cloud's hosts have one port.
            url.scheme() == "https"
                && url.port_or_known_default() == Some(443)
                && self
                    .cloud
                    .zip(url.host_str())
                    .is_some_and(|(cloud, host)| cloud.has_host(host))
        };
        is_allowed_address(url)
            && (host_and_port(url).is_some_and(|host| self.key_hosts.contains(&host)) || on_cloud())
    }
}

/// Host and port, which "same host" compares.
pub(crate) fn host_and_port(url: &Url) -> Option<String> {
    Some(format!(
        "{}:{}",
        url.host_str()?,
        url.port_or_known_default()?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tenant;
    use crate::authority::Authority;

    #[test]
    fn keys_lie_on_the_same_host_and_port_or_on_the_clouds() {
        let trust = Authority::entra(
            Tenant::new("11111111-1111-4111-8111-111111111111"),
            "6e74172b-be56-4843-9ff4-e66a39bb12e3",
        )
        .resolve()
        .unwrap();
        let document = trust.documents.last().unwrap();
        let allowed = |text: &str| document.allows_keys_at(&Url::parse(text).unwrap());
        for good in [
            "https://login.microsoftonline.com/common/discovery/v2.0/keys",
            "https://login.microsoftonline.com:443/k",
            "https://login.windows.net/k",
        ] {
            assert!(allowed(good), "{good}");
        }
        for bad in [
            "http://login.microsoftonline.com/k",
            "https://login.microsoftonline.com:8443/k",
            "https://login.windows.net:8443/k",
            "https://login.microsoftonline.com.evil.example/k",
            "https://login.microsoftonline.com@evil.example/k",
            "https://evil.example/login.microsoftonline.com",
            "https://login.microsoftonline.us/k",
            "http://127.0.0.1/k",
            "file:///etc/passwd",
            "data:,x",
        ] {
            assert!(!allowed(bad), "{bad}");
        }
    }
}
