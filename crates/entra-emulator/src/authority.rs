//! What all parts of one emulator share: its address, directory, keys and condition.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tokio::sync::watch;

use super::{
    app::App,
    directory::{Directory, Tenant},
    error::EmulatorError,
    issued::IssuedLog,
    key_ring::{KeyRings, Realm},
    outage::Condition,
    seeds,
    sign_ins::SignIns,
    signing_key::SigningKey,
};

/// The choices of the builder.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) token_lifetime: Duration,
    pub(super) issued_at_backdate: Duration,
    pub(super) keys_max_age: Duration,
    pub(super) key_issuer: bool,
    pub(super) tfp_issuer: bool,
    pub(super) cloud_instance_name: String,
    pub(super) tls: bool,
}

/// One emulated authority. Locks are held for a moment and never across an await.
pub(super) struct Authority {
    /// `http://127.0.0.1:port` (`https` with TLS), no slash at the end.
    pub(super) base: String,
    pub(super) options: Options,
    pub(super) directory: Directory,
    keys: Mutex<KeyRings>,
    condition: Mutex<Condition>,
    replaced_keys: Mutex<Option<Value>>,
    sign_ins: Mutex<SignIns>,
    issued: Mutex<IssuedLog>,
    stopped: watch::Sender<bool>,
}

impl Authority {
    pub(super) fn new(base: String, options: Options, directory: Directory) -> Self {
        Self {
            base,
            options,
            directory,
            keys: Mutex::default(),
            condition: Mutex::default(),
            replaced_keys: Mutex::default(),
            sign_ins: Mutex::default(),
            issued: Mutex::default(),
            stopped: watch::Sender::new(false),
        }
    }

    pub(super) fn issued(&self) -> MutexGuard<'_, IssuedLog> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keys(&self) -> MutexGuard<'_, KeyRings> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn condition(&self) -> MutexGuard<'_, Condition> {
        self.condition
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn replaced_keys(&self) -> MutexGuard<'_, Option<Value>> {
        self.replaced_keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sign_ins(&self) -> MutexGuard<'_, SignIns> {
        self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The API that a `resource`, or a scope without its last segment, names.
    ///
    /// Microsoft Graph has a name in each cloud, and its address on this emulator.
    pub(super) fn api(&self, resource: &str) -> Option<&App> {
        let resource = resource.trim_end_matches('/');
        let here = resource.strip_prefix(&self.base);
        if matches!(here, Some("" | "/graph" | "/graph/v1.0" | "/graph/beta"))
            || seeds::GRAPH_HOSTS.contains(&resource)
        {
            return self.directory.app(seeds::MICROSOFT_GRAPH);
        }
        self.directory.api(resource)
    }

    pub(super) fn signing_key(&self, realm: &Realm) -> Result<Arc<SigningKey>, EmulatorError> {
        self.keys().signing(realm)
    }

    /// The realm whose keys sign a tenant's ordinary tokens.
    pub(super) fn realm_of(&self, tenant: &str) -> Realm {
        if tenant == seeds::CONSUMERS {
            return Realm::Consumers;
        }
        match self.directory.tenant(tenant) {
            Some(known) if known.external => Realm::External {
                tenant: known.id.clone(),
            },
            _ => Realm::Workforce,
        }
    }

    /// The realm of a B2C policy, whose name has no letter case.
    pub(super) fn realm_of_policy(tenant: &str, policy: &str) -> Realm {
        Realm::Policy {
            tenant: tenant.to_owned(),
            policy: policy.to_ascii_lowercase(),
        }
    }

    /// `{base}/{tid}/v2.0`, or on another base if the tenant says so.
    pub(super) fn issuer_v2(&self, tenant: &str) -> String {
        let base = self
            .directory
            .tenant(tenant)
            .and_then(|known: &Tenant| known.issuer_base.as_deref());
        match base {
            Some(base) => format!("{}/{tenant}/v2.0", base.replace("{tid}", tenant)),
            None => format!("{}/{tenant}/v2.0", self.base),
        }
    }

    /// `{base}/{tid}/`: the slash at the end belongs to it.
    pub(super) fn issuer_v1(&self, tenant: &str) -> String {
        format!("{}/{tenant}/", self.base)
    }

    /// The issuer of a B2C policy, in the form the builder chose.
    pub(super) fn issuer_b2c(&self, tenant: &str, policy: &str) -> String {
        if self.options.tfp_issuer {
            format!(
                "{}/tfp/{tenant}/{}/v2.0/",
                self.base,
                policy.to_ascii_lowercase()
            )
        } else {
            format!("{}/{tenant}/v2.0/", self.base)
        }
    }

    /// How much earlier than its issue time a token of no B2C policy says it was issued.
    pub(super) fn backdate(&self) -> u64 {
        self.options.issued_at_backdate.as_secs()
    }

    /// Ends the server and every answer that hangs.
    pub(super) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Completes once the last handle is gone.
    pub(super) fn until_stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopped = self.stopped.subscribe();
        async move {
            // An error means the authority is gone, which is an end as well.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// Seconds since 1970, zero on a clock before that.
pub(super) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
