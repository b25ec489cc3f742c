//! The store that replicas share: its address, what makes it safe, and how it is followed. Only this
//! file and those in its folder import redis-rs.

mod commands;

use std::fmt;
use std::sync::Arc;

use redis::{Client, ConnectionAddr, ConnectionInfo};

use crate::clock::Clock;
use crate::config_error::ConfigError;

use super::cutoffs::Revocations;
use super::shared::RedisRevocations;
use super::store::StoreFailurePolicy;
use super::subscriber;

#[cfg(test)]
pub(crate) use commands::dialled::Dial;
pub(super) use commands::{BATCH, EventStream, RedisClient, StoreConnectionError, Stored};

/// A Redis (6.2 or newer, or Valkey) that replicas share, and what happens while it is away.
///
/// Every replica follows a stream of revocations and sign-outs, so that a request needs no call;
/// only [replay protection](crate::Entra::replay_protection) asks Redis, and a question to Graph where
/// [answers are shared](crate::graph::GraphConfig::shared_answers_key). A connection that is dead
/// without having been closed, and a Redis that answers too slowly to be followed, are noticed within
/// four seconds, and the policy holds from then on.
/// What was revoked here stays revoked, and is published again to a Redis that lost it. Give it a
/// `maxmemory-policy` of `noeviction`: what it evicts, a replica that starts later never learns.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use axum_entra::{Entra, RedisStore, StoreFailurePolicy, Tenant};
///
/// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
/// let younger = StoreFailurePolicy::AllowIssuedWithin(Duration::from_secs(600));
/// let redis = RedisStore::new("redis://127.0.0.1/", younger).key_prefix("payments");
/// let entra = Entra::builder(tenant, client_id).redis(redis).build()?;
/// assert_eq!(entra.store_status().failure_policy, Some(younger));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    source: Source,
    prefix: String,
    on_loss: StoreFailurePolicy,
}

#[derive(Clone)]
enum Source {
    Address(String),
    Client(Box<Client>),
    /// A store in memory, for this crate's own tests.
    #[cfg(test)]
    Model(Dial),
}

impl RedisStore {
    /// By address: `redis://`, `unix://`, or `rediss://` with the feature `redis-tls`.
    ///
    /// A password belongs behind `rediss://`: an address that would send one to another machine in
    /// the clear is named in a warning, and `rediss://…#insecure`, which checks no certificate, is
    /// refused by [`build`](crate::EntraBuilder::build).
    ///
    /// `rediss://` uses the program's default cryptography of rustls. Where the program has installed
    /// none (`CryptoProvider::install_default`), [`build`](crate::EntraBuilder::build) installs that of
    /// aws-lc-rs, which this crate brings anyway: another crate may have switched on `ring` as well, and
    /// rustls panics where it has two and no choice.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, RedisStore, StoreFailurePolicy, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let build = |url: &str| {
    ///     let store = RedisStore::new(url, StoreFailurePolicy::default());
    ///     Entra::builder(tenant.clone(), client_id).redis(store).build()
    /// };
    /// assert!(build("redis://127.0.0.1/").is_ok());
    /// // A connection that any host could answer.
    /// assert!(build("rediss://redis.example.com/#insecure").is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn new(url: impl Into<String>, on_loss: StoreFailurePolicy) -> Self {
        Self::of(Source::Address(url.into()), on_loss)
    }

    /// By the application's own client, with its credentials and certificates.
    ///
    /// Two connections are made with it, however many requests there are: one that waits for news,
    /// one for commands. How safe they are is the client's affair.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, RedisStore, StoreFailurePolicy, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let client = redis::Client::open("redis://127.0.0.1/")?;
    /// let store = RedisStore::with_client(client, StoreFailurePolicy::Deny);
    /// let entra = Entra::builder(tenant, client_id).redis(store).build()?;
    /// assert_eq!(entra.store_status().failure_policy, Some(StoreFailurePolicy::Deny));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_client(client: Client, on_loss: StoreFailurePolicy) -> Self {
        Self::of(Source::Client(Box::new(client)), on_loss)
    }

    /// A store in memory, to which `dial` opens connections.
    #[cfg(test)]
    pub(crate) fn model(dial: Dial, on_loss: StoreFailurePolicy) -> Self {
        Self::of(Source::Model(dial), on_loss)
    }

    fn of(source: Source, on_loss: StoreFailurePolicy) -> Self {
        Self {
            source,
            prefix: "axum-entra".to_owned(),
            on_loss,
        }
    }

    /// What the names of its keys begin with, `axum-entra` by default: replicas of one API share
    /// it, APIs that should not revoke each other's tokens do not.
    ///
    /// ```
    /// use axum_entra::{RedisStore, StoreFailurePolicy};
    ///
    /// let of = |api: &str| {
    ///     RedisStore::new("redis://127.0.0.1/", StoreFailurePolicy::default()).key_prefix(api)
    /// };
    /// // Two APIs on one Redis, each with revocations of its own.
    /// assert_ne!(format!("{:?}", of("payments")), format!("{:?}", of("todos")));
    /// ```
    #[must_use]
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }
}

impl fmt::Debug for RedisStore {
    /// The address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .field("on_loss", &self.on_loss)
            .finish_non_exhaustive()
    }
}

/// Begins to follow; needs a tokio runtime, does not wait for a connection.
///
/// `skew` is how many seconds the clocks of replicas and of the store may be apart.
pub(super) fn follow(
    redis: RedisStore,
    local: Arc<Revocations>,
    clock: Clock,
    skew: u64,
) -> Result<RedisRevocations, ConfigError> {
    let wrong = |expected| ConfigError::value("Redis:Url", "(not shown)", expected);
    let client = match redis.source {
        Source::Client(client) => *client,
        #[cfg(test)]
        Source::Model(dial) => {
            let link = RedisClient::modelled(dial, &redis.prefix);
            return subscriber::spawn(link, local, clock, skew, redis.on_loss);
        }
        Source::Address(url) => {
            let client = Client::open(url).map_err(|_| {
                wrong("redis://HOST:PORT/, or rediss:// with the feature `redis-tls`")
            })?;
            if !checks_certificates(client.get_connection_info()) {
                return Err(wrong(
                    "rediss:// without #insecure, which checks no certificate",
                ));
            }
            if tells_password(client.get_connection_info()) {
                tracing::warn!(
                    setting = "Redis:Url",
                    "redis:// sends the password to another machine in the clear: use rediss://"
                );
            }
            client
        }
    };
    #[cfg(feature = "redis-tls")]
    if matches!(
        client.get_connection_info().addr(),
        ConnectionAddr::TcpTls { .. }
    ) {
        choose_cryptography();
    }
    let link = RedisClient::new(client, &redis.prefix);
    subscriber::spawn(link, local, clock, skew, redis.on_loss)
}

/// Installs a default for rustls where the program has none, as rustls does by itself while it has only
/// one to choose from.
#[cfg(feature = "redis-tls")]
fn choose_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread that was faster chose as well as this one.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

fn checks_certificates(info: &ConnectionInfo) -> bool {
    !matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. })
}

/// Whether a password goes over the network as it is.
fn tells_password(info: &ConnectionInfo) -> bool {
    let ConnectionAddr::Tcp(host, _) = info.addr() else {
        return false;
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let here = host == "localhost"
        || address
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    !here && info.redis_settings().password().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_clear_is_noticed_on_its_way_to_another_machine_alone() {
        let table = [
            ("redis://:hush@cache.example:6379/", true),
            ("redis://user:hush@10.0.0.7/", true),
            ("redis://cache.example/", false),
            ("redis://:hush@localhost/", false),
            ("redis://:hush@127.0.0.1/", false),
            ("redis://:hush@[::1]:6379/", false),
            ("unix:///run/redis.sock?pass=hush", false),
        ];
        for (url, expected) in table {
            let client = Client::open(url).unwrap();
            assert_eq!(
                tells_password(client.get_connection_info()),
                expected,
                "{url}"
            );
        }
    }

    #[tokio::test]
    async fn an_address_that_checks_no_certificate_is_refused() {
        let follows = |url: &str| {
            let redis = RedisStore::new(url, StoreFailurePolicy::Deny);
            follow(redis, Arc::default(), Clock::system(), 300).map(drop)
        };
        let refused = follows("rediss://:hush@cache.example:6380/#insecure").unwrap_err();
        let text = refused.to_string();
        assert!(
            text.contains("Redis:Url") && !text.contains("hush"),
            "{text}"
        );
        // Without the feature the library that speaks to Redis knows no TLS.
        let has_tls = cfg!(feature = "redis-tls");
        assert_eq!(follows("rediss://:hush@127.0.0.1:1/").is_ok(), has_tls);
        // Without it redis panics where another crate has switched on `ring` as well.
        #[cfg(feature = "redis-tls")]
        assert!(rustls::crypto::CryptoProvider::get_default().is_some());
    }
}
