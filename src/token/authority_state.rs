//! An authority that is trusted, together with its keys.

use std::sync::Arc;

use crate::authority::{Purpose, ResolvedAuthority};
use crate::claims::{Claims, ContextHandle};
use crate::jwks::discovery::DiscoveredTenant;
use crate::jwks::snapshot::KeyReader;
use crate::token_version::TokenVersion;

/// An authority with its keys.
#[derive(Debug)]
pub(crate) struct AuthorityState {
    pub(crate) trust: ResolvedAuthority,
    /// In the order of the trust's documents.
    pub(crate) readers: Vec<KeyReader>,
    /// The keys of the trust's binding document, which verify no token.
    pub(crate) binding: Option<KeyReader>,
    pub(crate) tenant_from_discovery: bool,
    pub(crate) discovered_tenant: Arc<DiscoveredTenant>,
    /// What guards want to find again in claims that this authority's tokens become.
    pub(crate) context: Option<ContextHandle>,
}

impl AuthorityState {
    /// The keys of all documents, the binding one's too.
    pub(super) fn all_readers(&self) -> impl Iterator<Item = &KeyReader> {
        self.readers.iter().chain(&self.binding)
    }

    /// What the authority's clock shows when the local one shows `now`.
    pub(super) fn authority_time(&self, now: u64) -> u64 {
        self.trust.clock.now(now)
    }

    /// Lowers the backdating of `iat` where a token that is here at `now` cannot have that much.
    pub(super) fn learn_backdate(&self, claims: &Claims, now: u64) {
        let now = self.authority_time(now);
        if let Some(seconds) = self
            .trust
            .backdate
            .learn(claims.issued_at().map(|time| time.as_secs()), now)
        {
            tracing::warn!(
                authority = self.trust.name,
                seconds,
                "a token's `iat` is later than IssuedAtBackdateSeconds allows: lowered to what was seen"
            );
        }
    }

    /// The v2.0 issuer, or each policy's.
    pub(super) fn stated_issuers(&self) -> Vec<String> {
        let documents = self.trust.documents.iter().zip(&self.readers);
        let issuers = documents
            .filter(|(document, _)| document.purpose != Purpose::Version(TokenVersion::V1))
            .map(|(document, reader)| {
                let snapshot = reader.load();
                let stated = snapshot.keys.as_deref().map(|keys| keys.issuer());
                stated
                    .filter(|issuer| !issuer.is_template())
                    .or_else(|| document.issuers.first())
                    .filter(|issuer| !issuer.is_template())
                    .map_or_else(|| self.own_address(), |issuer| issuer.as_str().to_owned())
            });
        let issuers: Vec<String> = issuers.collect();
        if issuers.is_empty() {
            // Tokens of version 1.0 come from the same authority, which is asked at its v2.0 address.
            let off = self.trust.disabled_issuers.iter();
            return off
                .map(|(_, issuer)| issuer)
                .find(|issuer| !issuer.is_template())
                .map_or_else(
                    || vec![self.own_address()],
                    |issuer| vec![issuer.as_str().to_owned()],
                );
        }
        issuers
    }

    fn own_address(&self) -> String {
        format!("{}/v2.0", self.trust.name)
    }
}
