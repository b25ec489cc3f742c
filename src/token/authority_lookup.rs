//! Which authority a token is of, and what the authorities say together.

use uuid::Uuid;

use crate::authority::issuer::first_guid;
use crate::authority::{AuthorityClock, ResolvedAuthority};
use crate::jwks::snapshot::KeyReader;
use crate::token_version::TokenVersion;

use super::authority_state::AuthorityState;
use super::invalid_token::InvalidToken;
use super::issuer_index::{AuthorityRef, Lookup};
use super::status::AuthorityStatus;
use super::unverified::UnverifiedToken;
use super::validator::Validator;

/// What a token of unknown key may lead to.
pub(super) enum KeySource<'v> {
    Ready(&'v KeyReader),
    /// The tenant's authority is not known yet; discovery is running.
    TenantPending(&'v KeyReader),
}

impl Validator {
    /// The unverified issuer, version and policy choose an authority's document, nothing more.
    pub(super) fn authority_of(
        &self,
        token: &UnverifiedToken<'_>,
    ) -> Result<(&AuthorityState, AuthorityRef, usize, KeySource<'_>), InvalidToken> {
        let issuer = token.issuer()?;
        let version = token.version()?;
        let policy = token.policy()?;
        let (place, learning) = match self.index.find(issuer, &self.authorities) {
            Lookup::Match(place) => (place, false),
            Lookup::TenantPending(place) => (place, true),
            Lookup::NoMatch => return Err(InvalidToken::InvalidIssuer),
        };
        let installed = self
            .authorities
            .get(place.authority)
            .ok_or(InvalidToken::InvalidIssuer)?;
        if learning {
            // Whose token it is comes first, and any of its documents states it.
            let version = place.form.and_then(|form| installed.trust.version(form));
            let document = version.unwrap_or_default();
            let reader = installed.readers.get(document);
            let reader = reader.ok_or(InvalidToken::InvalidIssuer)?;
            return Ok((installed, place, document, KeySource::TenantPending(reader)));
        }
        let document = match place.form {
            // v1.0 tokens are checked against the v1.0 document, v2.0 tokens against the v2.0 one.
            Some(form) => installed
                .trust
                .version(version.and_then(TokenVersion::parse).unwrap_or(form))
                .ok_or(InvalidToken::InvalidVersion)?,
            None => policy
                .and_then(|policy| installed.trust.policy(policy))
                .ok_or(InvalidToken::InvalidPolicy)?,
        };
        let reader = installed
            .readers
            .get(document)
            .ok_or(InvalidToken::InvalidIssuer)?;
        Ok((installed, place, document, KeySource::Ready(reader)))
    }

    /// Who issues tokens for this API: each issuer as its discovery document states it.
    ///
    /// An authority that serves many tenants, or whose tenant is not resolved yet, has its own
    /// address there.
    pub(crate) fn authorization_servers(&self) -> Vec<String> {
        let mut servers: Vec<String> = Vec::new();
        for installed in &self.authorities {
            for issuer in installed.stated_issuers() {
                if !servers.contains(&issuer) {
                    servers.push(issuer);
                }
            }
        }
        servers
    }

    /// The tenant of an issuer whose tokens are accepted.
    pub(crate) fn tenant_of(&self, issuer: &str) -> Option<Uuid> {
        let (_, tenant) = first_guid(issuer)?;
        let authority = self.trust_of(issuer)?;
        authority.allows_tenant(tenant).then_some(tenant)
    }

    /// The cut-off for what happens in a tenant now: the next whole second of its authority's
    /// clock, of the local one where no authority has that tenant.
    pub(crate) fn cut_off_now(&self, tenant: Option<Uuid>, now: u64) -> u64 {
        let clock = self.clock_of(tenant, now);
        clock.map_or_else(|| now.saturating_add(1), |clock| clock.cut_off(now))
    }

    /// The clock of the authority that is configured for a tenant, else of one that admits it; of
    /// several the one that is furthest ahead, so that a cut-off comes rather too late.
    fn clock_of(&self, tenant: Option<Uuid>, now: u64) -> Option<&AuthorityClock> {
        let tenant = tenant?;
        let all = || self.authorities.iter();
        let own = all()
            .filter(|one| one.trust.is_of(tenant) || one.discovered_tenant.get() == Some(tenant));
        let many =
            all().filter(|one| one.trust.is_tenant(tenant) && one.trust.allows_tenant(tenant));
        let ahead = |one: &&AuthorityState| one.trust.clock.cut_off(now);
        let found = own.max_by_key(ahead).or_else(|| many.max_by_key(ahead));
        found.map(|one| &*one.trust.clock)
    }

    pub(super) fn trust_of(&self, issuer: &str) -> Option<&ResolvedAuthority> {
        match self.index.find(issuer, &self.authorities) {
            Lookup::Match(place) => Some(&self.authorities.get(place.authority)?.trust),
            Lookup::TenantPending(_) | Lookup::NoMatch => None,
        }
    }

    pub(crate) fn status(&self) -> Vec<AuthorityStatus> {
        self.authorities.iter().map(AuthorityStatus::of).collect()
    }
}
