//! A trusted transmitter of security events about accounts.

use super::document::host_and_port;
use super::endpoints::checked_url;
use super::issuer::IssuerPattern;
use super::{Cloud, Document, JwksRefresh, Purpose};
use crate::config_error::ConfigError;
use crate::token_version::TokenVersion;

/// A transmitter of Shared Signals whose events are accepted: its issuer, and the audience that its
/// events must name.
///
/// Its keys are found as an authority's are: a document (OpenID Shared Signals Framework 1.0
/// section 7, "Transmitter Configuration Metadata") that states the issuer, byte for byte, and
/// names a key document on the same host. Events must be signed with RS256.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum_entra::{Entra, SecurityEventTransmitter, Tenant};
///
/// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
/// let build = |issuer: &str| {
///     let signals = SecurityEventTransmitter::new(issuer, "https://api.example.com/events");
///     Entra::builder(tenant.clone(), client_id).security_event_transmitter(signals).build()
/// };
/// assert!(build("https://ssf.example.com/").is_ok());
/// assert!(build("not an address").is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SecurityEventTransmitter {
    issuer: String,
    audiences: Vec<String>,
    metadata: Option<String>,
    freshness: JwksRefresh,
    static_jwks: Option<String>,
}

/// A transmitter with everything worked out.
#[derive(Debug)]
pub(crate) struct ResolvedTransmitter {
    pub(crate) document: Document,
    pub(crate) issuer: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) freshness: JwksRefresh,
    pub(crate) static_jwks: Option<String>,
}

impl SecurityEventTransmitter {
    /// The exact `iss` of its events, and the `aud` that means this API.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use axum_entra::{Entra, SecurityEventTransmitter, Tenant};
    ///
    /// let build = |issuer: &str, audience: &str| {
    ///     let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    ///     Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
    ///         .security_event_transmitter(SecurityEventTransmitter::new(issuer, audience))
    ///         .build()
    /// };
    /// assert!(build("https://ssf.example.com/", "https://api.example.com/events").is_ok());
    /// assert!(build("https://ssf.example.com/", "").is_err());
    /// assert!(build("ssf.example.com", "https://api.example.com/events").is_err());
    /// # }
    /// ```
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audiences: vec![audience.into()],
            metadata: None,
            freshness: JwksRefresh::default(),
            static_jwks: None,
        }
    }

    /// A further `aud` that means this API.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use axum_entra::{Entra, SecurityEventTransmitter, Tenant};
    ///
    /// # let build = |signals| {
    /// #     let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// #     Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
    /// #         .security_event_transmitter(signals)
    /// #         .build()
    /// # };
    /// // The name of the stream is another one after a move.
    /// let signals = SecurityEventTransmitter::new("https://ssf.example.com/", "https://old.example.com")
    ///     .audience("https://new.example.com");
    /// assert!(build(signals.clone()).is_ok());
    /// assert!(build(signals.audience("")).is_err());
    /// # }
    /// ```
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Where its configuration is read, in place of `/.well-known/ssf-configuration`.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use axum_entra::{Entra, SecurityEventTransmitter, Tenant};
    ///
    /// # let build = |signals| {
    /// #     let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// #     Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
    /// #         .security_event_transmitter(signals)
    /// #         .build()
    /// # };
    /// let signals = SecurityEventTransmitter::new("https://ssf.example.com/", "https://api.example.com");
    /// let named = |address: &str| build(signals.clone().metadata_address(address));
    /// assert!(named("https://ssf.example.com/configuration").is_ok());
    /// assert!(named("http://ssf.example.com/configuration").is_err());
    /// # }
    /// ```
    #[must_use]
    pub fn metadata_address(mut self, address: impl Into<String>) -> Self {
        self.metadata = Some(address.into());
        self
    }

    /// How fresh its keys are kept.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use std::time::Duration;
    /// use axum_entra::{Entra, JwksRefresh, SecurityEventTransmitter, Tenant};
    ///
    /// # let build = |signals| {
    /// #     let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// #     Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
    /// #         .security_event_transmitter(signals)
    /// #         .build()
    /// # };
    /// let signals = SecurityEventTransmitter::new("https://ssf.example.com/", "https://api.example.com");
    /// let every = |seconds| JwksRefresh::default().interval(Duration::from_secs(seconds));
    /// assert!(build(signals.clone().jwks_refresh(every(600))).is_ok());
    /// // The limits are those of an authority's keys.
    /// assert!(build(signals.jwks_refresh(every(1))).is_err());
    /// # }
    /// ```
    #[must_use]
    pub fn jwks_refresh(mut self, freshness: JwksRefresh) -> Self {
        self.freshness = freshness;
        self
    }

    /// Uses this JWK set (RFC 7517, as JSON text) and fetches nothing.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, SecurityEventTransmitter, Tenant};
    /// use entra_emulator::Emulator;
    ///
    /// # let build = |signals| {
    /// #     let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// #     Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
    /// #         .security_event_transmitter(signals)
    /// #         .build()
    /// # };
    /// let signals = SecurityEventTransmitter::new("https://ssf.example.com/", "https://api.example.com");
    /// let keys = Emulator::start().await?.keys_document().to_string();
    /// assert!(build(signals.clone().static_jwks(keys)).is_ok());
    /// assert!(build(signals.static_jwks("not JSON")).is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn static_jwks(mut self, jwks: impl Into<String>) -> Self {
        self.static_jwks = Some(jwks.into());
        self
    }

    /// Works everything out, or says what cannot be used.
    pub(crate) fn resolve(self) -> Result<ResolvedTransmitter, ConfigError> {
        self.freshness.check()?;
        if self.audiences.iter().any(String::is_empty) {
            return Err(ConfigError::value(
                "SharedSignals audience",
                "",
                "a text that is not empty",
            ));
        }
        let issuer = checked_url("SharedSignals issuer", &self.issuer)?;
        let address = match &self.metadata {
            Some(text) => checked_url("SharedSignals metadata_address", text)?,
            None => {
                let mut address = issuer.clone();
                let path = issuer.path().trim_end_matches('/').to_owned();
                // Between host and path: section 7.1 of the framework.
                address.set_path(&format!("/.well-known/ssf-configuration{path}"));
                address
            }
        };
        Ok(ResolvedTransmitter {
            document: Document {
                // Of no version; what counts is the issuer, which is exact.
                purpose: Purpose::Version(TokenVersion::V2),
                key_hosts: [&address, &issuer]
                    .into_iter()
                    .filter_map(host_and_port)
                    .collect(),
                address,
                issuers: vec![IssuerPattern::new(self.issuer.as_str())],
                cloud: issuer.host_str().and_then(Cloud::of_host),
                stated_cloud: None,
                keys_name_issuer: false,
                app_id: None,
            },
            issuer: self.issuer,
            audiences: self.audiences,
            freshness: self.freshness,
            static_jwks: self.static_jwks,
        })
    }
}

impl ResolvedTransmitter {
    /// Whether `https` addresses are asked for its keys; `None` if none is asked.
    pub(crate) fn asks_over_https(&self) -> Option<bool> {
        let https =
            || self.issuer.starts_with("https:") || self.document.address.scheme() == "https";
        self.static_jwks.is_none().then(https)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_lies_between_host_and_path() {
        let address = |issuer: &str| {
            let signals = SecurityEventTransmitter::new(issuer, "a")
                .resolve()
                .unwrap();
            signals.document.address.to_string()
        };
        assert_eq!(
            address("https://a.example/"),
            "https://a.example/.well-known/ssf-configuration"
        );
        assert_eq!(
            address("https://a.example/tenant/1"),
            "https://a.example/.well-known/ssf-configuration/tenant/1"
        );
        for bad in ["http://a.example/", "a", "https://u:p@a.example/"] {
            assert!(
                SecurityEventTransmitter::new(bad, "a").resolve().is_err(),
                "{bad}"
            );
        }
        let unnamed = SecurityEventTransmitter::new("https://a.example/", "");
        assert!(unnamed.resolve().is_err());
    }
}
