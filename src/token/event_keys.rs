//! A transmitter of security events, with its keys.

use std::sync::Arc;

use crate::authority::ResolvedTransmitter;
use crate::authority::issuer::IssuerPattern;
use crate::clock::Clock;
use crate::config_error::ConfigError;
use crate::jwks::KeySet;
use crate::jwks::fetch::{Remote, transport};
use crate::jwks::refresh::Refresher;
use crate::jwks::snapshot::{KeyReader, fixed_set, refreshing};
use crate::transport::HttpClient;

/// Whose events are believed, and the keys that tell them from others'.
#[derive(Debug)]
pub(crate) struct Transmitter {
    pub(crate) signals: ResolvedTransmitter,
    pub(crate) reader: KeyReader,
}

impl Transmitter {
    /// With its keys, or with the task that will fetch them.
    pub(crate) fn new(
        signals: ResolvedTransmitter,
        client: &HttpClient,
        clock: &Clock,
    ) -> Result<(Self, Option<Refresher>), ConfigError> {
        let document = &signals.document;
        if let Some(jwks) = &signals.static_jwks {
            let issuer = IssuerPattern::new(signals.issuer.as_str());
            let keys = KeySet::read(jwks.as_bytes(), issuer, document)
                .map_err(|error| ConfigError::value("static_jwks", error, "a JWK set"))?;
            let reader = fixed_set(keys);
            return Ok((Self { signals, reader }, None));
        }
        let (publisher, reader) = refreshing(&signals.freshness);
        let remote = Remote {
            transport: transport(client, clock, &signals.freshness),
            document: document.clone(),
            tenant_from_discovery: false,
            discovered_tenant: Arc::default(),
            endpoints: None,
            last: None,
            clock: None,
        };
        let name = document.address.to_string();
        let refresher = Refresher::new(name, remote, publisher, &signals.freshness);
        Ok((Self { signals, reader }, Some(refresher)))
    }
}
