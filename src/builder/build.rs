//! From a description to an [`Entra`] at work: checked first, then started.

use std::sync::Arc;

use tokio::sync::watch;

use super::wiring::{connect, install};
use super::{Entra, EntraBuilder};
use crate::authority::{ResolvedAuthority, ResolvedTransmitter, SecurityEventTransmitter};
use crate::claims::AccountId;
use crate::config_error::ConfigError;
use crate::graph::GraphConfig;
use crate::middleware::ServiceState;
#[cfg(feature = "redis")]
use crate::revocation::RevocationState;
use crate::scope_hierarchy::scope_name_problem;
use crate::token::{DecryptionKeys, MAX_TOKEN_BYTES, TOKEN_CACHE_BYTES, Transmitter, Validator};
use crate::transport::http_client::{Reach, finished, http_client, idle_http_client};

impl EntraBuilder {
    /// Checks everything and starts to fetch keys; does not wait for them.
    ///
    /// ```
    /// use axum_entra::{ConfigError, Entra, Tenant};
    ///
    /// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// let builder = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
    /// // Outside of tokio there is no place for the task that keeps keys fresh.
    /// assert!(matches!(builder.build(), Err(ConfigError::NoRuntime)));
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`], for the first setting that cannot be used.
    pub fn build(mut self) -> Result<Entra, ConfigError> {
        let most = u64::try_from(self.most_bytes).unwrap_or(u64::MAX);
        MAX_TOKEN_BYTES.check("MaxTokenBytes", most)?;
        let most = u64::try_from(self.cache_bytes).unwrap_or(u64::MAX);
        TOKEN_CACHE_BYTES.check("TokenCache:MaxBytes", most)?;
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| ConfigError::NoRuntime)?;
        if let Some((name, expected)) = self.scope_hierarchy.problem() {
            return Err(ConfigError::value("scope_hierarchy", name, expected));
        }
        let declared = !self.scope_hierarchy.is_empty();
        let scope_hierarchy = declared.then(|| Arc::new(self.scope_hierarchy));
        let trusts = self.authorities.into_iter();
        let trusts: Vec<_> = trusts
            .map(|described| {
                let mut trust = described.authority.resolve()?;
                trust.scope_hierarchy.clone_from(&scope_hierarchy);
                Ok((trust, described.graph))
            })
            .collect::<Result<_, ConfigError>>()?;
        let (decryption, key_files) = DecryptionKeys::load(self.decryption_keys)?.unzip();
        #[cfg(feature = "redis")]
        if let Some(redis) = self.redis {
            let skews = trusts.iter().map(|(trust, _)| trust.clock_skew);
            let skew = skews.max().unwrap_or_default();
            self.edge.accounts = Arc::new(RevocationState::shared(redis, &self.edge.clock, skew)?);
        }
        for hook in self.hooks {
            self.edge.accounts.on_forget(hook);
        }
        let signals = self.signals.into_iter();
        let signals: Vec<_> = signals
            .map(SecurityEventTransmitter::resolve)
            .collect::<Result<_, ConfigError>>()?;
        let client = match (self.client, reach(&trusts, &signals)) {
            (Some(builder), _) => finished(builder)?,
            (None, Some(reach)) => http_client(reach, &self.roots)?,
            (None, None) => idle_http_client()?,
        };
        let all: Vec<_> = trusts.iter().map(|(trust, _)| trust).collect();
        for scope in all.iter().flat_map(|trust| &trust.required_scopes) {
            if let Some(why) = scope_name_problem(scope) {
                tracing::warn!(scope, why, "a required scope can never match");
            }
        }
        let (resources, challenged) = self.resources.resolve(&all)?;
        self.edge.resources = challenged;
        let edge = Arc::new(self.edge);
        let mut installed = Vec::new();
        let mut refreshers = Vec::new();
        let mut connections = Vec::new();
        let mut graph_failures = Vec::new();
        for (trust, access) in trusts {
            let (endpoints, known) = watch::channel(None);
            let connection = access
                .map(|access| connect(access, &trust, &client, &edge, known))
                .transpose()?;
            graph_failures.push(connection.as_ref().map(|own| own.last_failure()));
            connections.extend(connection.clone());
            installed.push(install(
                trust,
                &client,
                &edge,
                connection,
                &resources,
                &endpoints,
                &mut refreshers,
            )?);
        }
        let validator = Arc::new(
            Validator::new(
                installed,
                self.most_bytes,
                Arc::clone(&edge.accounts),
                self.cache_bytes,
            )?
            .decrypting(decryption.clone()),
        );
        validator.forget_when_tenants_are_resolved();
        // Set here only, so it was not set before.
        let _ = edge.validator.set(Arc::downgrade(&validator));
        // The validator owns the accounts, so they must not own it.
        let forgetful = Arc::downgrade(&validator);
        edge.accounts.on_forget_own(move |accounts| {
            if let Some(validator) = forgetful.upgrade() {
                validator.forget(accounts);
            }
        });
        // Memberships and tokens held on the account's behalf are forgotten with its tokens.
        for connection in &connections {
            let forgetful = Arc::downgrade(connection);
            edge.accounts.on_forget_own(move |accounts| {
                if let Some(connection) = forgetful.upgrade() {
                    connection.forget(accounts.iter().filter_map(|account| match account {
                        AccountId::Entra {
                            tenant_id,
                            object_id,
                        } => Some((*tenant_id, *object_id)),
                        AccountId::Subject { .. } => None,
                    }));
                }
            });
        }
        let mut transmitters = Vec::new();
        for signals in signals {
            let (transmitter, refresher) = Transmitter::new(signals, &client, &edge.clock)?;
            transmitters.push(transmitter);
            refreshers.extend(refresher);
        }
        crate::metrics::describe();
        // Nothing is fetched for a description that turned out to be wrong.
        for refresher in refreshers {
            runtime.spawn(refresher.run());
        }
        if let (Some(keys), Some(files)) = (decryption, key_files)
            && files.has_files()
        {
            // A token that is encrypted to a key that is gone is refused, also one that is known.
            let forgetful = Arc::downgrade(&validator);
            runtime.spawn(files.run(keys, move || {
                if let Some(validator) = forgetful.upgrade() {
                    validator.forget_all();
                }
            }));
        }
        let state = Arc::new(ServiceState {
            validator: Arc::clone(&validator),
            edge: Arc::clone(&edge),
            transmitters,
        });
        Ok(Entra {
            validator,
            edge,
            state,
            resources: resources.into(),
            scope_hierarchy: scope_hierarchy.unwrap_or_default(),
            connections: connections.into(),
            graph_failures: graph_failures.into(),
        })
    }
}

/// What the HTTP client has to reach, by the addresses that are known; `None` where nothing is
/// asked for at all.
fn reach(
    trusts: &[(ResolvedAuthority, Option<GraphConfig>)],
    signals: &[ResolvedTransmitter],
) -> Option<Reach> {
    let authorities = trusts
        .iter()
        .filter_map(|(trust, access)| trust.asks_over_https(access.is_some()));
    let graphs = trusts
        .iter()
        .filter_map(|(_, access)| access.as_ref().map(GraphConfig::asks_over_https));
    let transmitters = signals
        .iter()
        .filter_map(ResolvedTransmitter::asks_over_https);
    let all = authorities.chain(graphs).chain(transmitters);
    all.map(|https| if https { Reach::Https } else { Reach::Plain })
        .max()
}
