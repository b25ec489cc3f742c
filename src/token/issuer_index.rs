//! From an issuer to its authority, in the same time however many there are.

use std::collections::{BTreeMap, HashMap};

use crate::authority::Purpose;
use crate::authority::issuer::{IssuerPattern, first_guid, lookup_key};
use crate::config_error::ConfigError;
use crate::token_version::TokenVersion;

use super::authority_state::AuthorityState;

/// Where an issuer leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AuthorityRef {
    pub(super) authority: usize,
    /// The version whose form the issuer has; `None` for B2C, where the forms tell nothing.
    pub(super) form: Option<TokenVersion>,
    /// Whether the authority speaks for one tenant whose id its documents tell.
    tenant_from_discovery: bool,
}

/// How a look-up ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lookup {
    Match(AuthorityRef),
    /// May belong to an authority whose tenant is not resolved yet.
    TenantPending(AuthorityRef),
    NoMatch,
}

/// Issuers of all authorities.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Found by comparing: for one authority that is less than to hash a token's issuer.
    exact: BTreeMap<Box<str>, AuthorityRef>,
    /// Unresolved tenants come before templates for many tenants.
    templates: HashMap<String, Vec<(IssuerPattern, AuthorityRef)>>,
}

impl Index {
    pub(super) fn new(authorities: &[AuthorityState]) -> Result<Self, ConfigError> {
        let mut index = Self::default();
        for (authority, installed) in authorities.iter().enumerate() {
            let on = installed.trust.documents.iter().flat_map(|document| {
                document
                    .issuers
                    .iter()
                    .map(|issuer| (&document.purpose, issuer))
            });
            let off = installed
                .trust
                .disabled_issuers
                .iter()
                .map(|(purpose, issuer)| (purpose, issuer));
            for (purpose, issuer) in on.chain(off) {
                let form = match purpose {
                    Purpose::Version(version) => Some(*version),
                    Purpose::Policy(_) => None,
                };
                let place = AuthorityRef {
                    authority,
                    form,
                    tenant_from_discovery: installed.tenant_from_discovery,
                };
                index.add(issuer, place)?;
            }
        }
        for templates in index.templates.values_mut() {
            // One tenant is more exact than many, in whatever order they were described.
            templates.sort_by_key(|(_, place)| !place.tenant_from_discovery);
        }
        Ok(index)
    }

    fn add(&mut self, issuer: &IssuerPattern, place: AuthorityRef) -> Result<(), ConfigError> {
        let same = || ConfigError::DuplicateIssuer {
            issuer: issuer.as_str().to_owned(),
        };
        if !issuer.is_template() {
            let before = self.exact.insert(issuer.as_str().into(), place);
            if before.is_some_and(|before| before.authority != place.authority) {
                return Err(same());
            }
            if place.form.is_some() || !issuer.as_str().contains("/tfp/") {
                return Ok(());
            }
        }
        let (key, _) =
            lookup_key(issuer.for_tenant(uuid::Uuid::nil()).as_str()).ok_or_else(same)?;
        let templates = self.templates.entry(key).or_default();
        // Two domains share a template until their tenants are resolved; two others always would.
        let claimed = !place.tenant_from_discovery
            && templates.iter().any(|(other, before)| {
                other == issuer
                    && before.authority != place.authority
                    && !before.tenant_from_discovery
            });
        if claimed {
            return Err(same());
        }
        templates.push((issuer.clone(), place));
        Ok(())
    }

    pub(super) fn find(&self, issuer: &str, authorities: &[AuthorityState]) -> Lookup {
        if let Some(place) = self.exact.get(issuer) {
            return Lookup::Match(*place);
        }
        let Some((key, tenant)) = lookup_key(issuer) else {
            return Lookup::NoMatch;
        };
        let (mut pending, mut many) = (None, None);
        for (template, place) in self.templates.get(&key).into_iter().flatten() {
            let Some(installed) = authorities.get(place.authority) else {
                continue;
            };
            if !template.is_template()
                && first_guid(template.as_str()).map(|(_, own)| own) != Some(tenant)
            {
                continue;
            }
            // B2C has the policy in one form of its issuer, in whatever letter case its document
            // states; the claim check holds the issuer against that statement, byte for byte.
            if !template.matches(issuer) && place.form.is_some() {
                continue;
            }
            match (
                place.tenant_from_discovery,
                installed.discovered_tenant.get(),
            ) {
                (true, Some(discovered_tenant)) if discovered_tenant == tenant => {
                    return Lookup::Match(*place);
                }
                (true, Some(_)) => {}
                (true, None) => pending = pending.or(Some(*place)),
                (false, _) => many = many.or(Some(*place)),
            }
        }
        // Tokens that may belong to an unresolved tenant have no authority until it is resolved.
        match (pending, many) {
            (Some(place), _) => Lookup::TenantPending(place),
            (None, Some(place)) => Lookup::Match(place),
            (None, None) => Lookup::NoMatch,
        }
    }
}
