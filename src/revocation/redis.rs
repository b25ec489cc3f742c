//! The only file that imports redis-rs: what is asked of the shared store, command by command.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::streams::StreamReadReply;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, FromRedisValue, RedisError,
    Script, ScriptInvocation, Value, cmd,
};

use crate::causes::WithCauses;
use crate::clock::Clock;
use crate::config_error::ConfigError;

use super::cutoffs::Revocations;
use super::place::{Beginning, Entry, StreamPosition};
use super::shared::RedisRevocations;
use super::store::StoreFailurePolicy;
use super::subscriber;

/// A Redis (6.2 or newer, or Valkey) that replicas share, and what happens while it is away.
///
/// Every replica follows a stream of revocations and sign-outs, so that a request needs no call;
/// only [replay protection](crate::Entra::replay_protection) asks Redis. A connection that is dead
/// without having been closed is noticed within four seconds, and the policy holds from then on.
/// What was revoked here stays revoked, and is published again to a Redis that lost it. Give it a
/// `maxmemory-policy` of `noeviction`: what it evicts, a replica that starts later never learns.
///
/// ```
/// use std::time::Duration;
/// use axum_entra::{StoreFailurePolicy, RedisStore};
/// let younger = StoreFailurePolicy::AllowIssuedWithin(Duration::from_secs(600));
/// let redis = RedisStore::new("redis://127.0.0.1/", younger).prefix("payments");
/// # let _ = redis;
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
}

impl RedisStore {
    /// By address: `redis://`, `unix://`, or `rediss://` with the feature `redis-tls`.
    ///
    /// A password belongs behind `rediss://`: an address that would send one to another machine in
    /// the clear is named in a warning, and `rediss://…#insecure`, which checks no certificate, is
    /// refused by [`build`](crate::EntraBuilder::build).
    ///
    /// `rediss://` uses rustls' default cryptography: a program in whose tree rustls has more than
    /// one must have installed its choice (`CryptoProvider::install_default`).
    #[must_use]
    pub fn new(url: impl Into<String>, on_loss: StoreFailurePolicy) -> Self {
        Self::of(Source::Address(url.into()), on_loss)
    }

    /// By the application's own client, with its credentials and certificates.
    ///
    /// Two connections are made with it, however many requests there are: one that waits for news,
    /// one for commands. How safe they are is the client's affair.
    #[must_use]
    pub fn with_client(client: Client, on_loss: StoreFailurePolicy) -> Self {
        Self::of(Source::Client(Box::new(client)), on_loss)
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
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
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
    let key = |name| format!("{{{}}}:{name}", redis.prefix);
    let link = RedisClient {
        client,
        // In braces, so that a cluster keeps all of them on one node.
        marks: key("marks"),
        events: key("events"),
        place: key("place"),
        used: key("used:"),
        raise: Script::new(RAISE),
        begin: Script::new(BEGIN),
        prune: Script::new(PRUNE),
        commands: Mutex::new(None),
    };
    subscriber::spawn(link, local, clock, skew, redis.on_loss)
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

/// Why a command has no answer: text for operators, with no secret in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct StoreConnectionError(String);

impl From<RedisError> for StoreConnectionError {
    fn from(error: RedisError) -> Self {
        Self(WithCauses(&error).to_string())
    }
}

/// The connection to the store, and the names of its keys.
pub(super) struct RedisClient {
    client: Client,
    /// A hash: mark → its time, only ever raised, and when it was written.
    marks: String,
    /// A stream: what was raised, one entry after the other.
    events: String,
    /// A hash: `epoch`, new whenever the store forgot everything, `sequence`, the last event, and
    /// `pruned`, when a replica last began to remove old marks.
    place: String,
    used: String,
    raise: Script,
    begin: Script,
    prune: Script,
    /// One connection for all commands, which is made anew when it breaks.
    commands: Mutex<Option<ConnectionManager>>,
}

/// A mark as the store has it; its text is looked at only where it matters.
#[derive(Debug)]
pub(super) struct Stored {
    mark: Vec<u8>,
    pub(super) at: u64,
    /// The later of its time and of when it was written, by the store's clock.
    pub(super) latest: u64,
}

impl Stored {
    fn read(mark: Value, value: &Value) -> Option<Self> {
        let (Value::BulkString(mark), Value::BulkString(value)) = (mark, value) else {
            return None;
        };
        let value = str::from_utf8(value).ok()?;
        let (at, written) = value.split_once(' ').unwrap_or((value, "0"));
        let at: u64 = at.parse().ok()?;
        let latest = at.max(written.parse().ok()?);
        Some(Self { mark, at, latest })
    }

    pub(super) fn mark(&self) -> &str {
        str::from_utf8(&self.mark).unwrap_or_default()
    }
}

/// How long a connection may take to come about, and a command to be answered.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);

/// How long to wait for news before asking whether there were any.
const PAUSE: Duration = Duration::from_secs(1);

/// The most events of one answer.
pub(super) const BATCH: usize = 1_000;

/// Marks that are read in one step: a few milliseconds of the store's time.
const PAGE: usize = 2_500;

/// Marks that are looked at for their age in one step, and removed if all of them are old: about
/// as much.
const PRUNED_AT_ONCE: usize = 400;

/// Marks that are written in one step.
const RAISED_AT_ONCE: usize = 250;

/// Events that are kept for those who were away for a moment; for longer, there is the hash.
const KEPT_EVENTS: usize = 10_000;

const RAISE: &str = include_str!("scripts/raise.lua");
const BEGIN: &str = include_str!("scripts/begin.lua");
const PRUNE: &str = include_str!("scripts/prune.lua");

impl RedisClient {
    /// Raises marks for every replica; `tell` publishes them also where they are not new.
    pub(super) async fn advance(
        &self,
        marks: &[(String, u64)],
        tell: bool,
    ) -> Result<(), StoreConnectionError> {
        for some in marks.chunks(RAISED_AT_ONCE) {
            let mut raise = self.keys(&self.raise);
            raise
                .arg(unique())
                .arg(KEPT_EVENTS)
                .arg(if tell { "1" } else { "0" });
            for (mark, at) in some {
                raise.arg(mark).arg(*at);
            }
            let () = self.invoke(&raise).await?;
        }
        Ok(())
    }

    /// Removes marks that are older than `kept` seconds by the store's clock, among some of them,
    /// unless a replica did so less than `pause` seconds ago. Returns where to go on.
    pub(super) async fn prune(
        &self,
        cursor: &str,
        kept: u64,
        pause: u64,
    ) -> Result<Option<String>, StoreConnectionError> {
        let mut prune = self.keys(&self.prune);
        prune.arg(cursor).arg(PRUNED_AT_ONCE).arg(kept).arg(pause);
        let next: String = self.invoke(&prune).await?;
        Ok((next != "0").then_some(next))
    }

    /// The store's time: whole seconds since 1970-01-01 UTC.
    pub(super) async fn time(&self) -> Result<u64, StoreConnectionError> {
        let (seconds, _): (u64, u64) = self.run(&cmd("TIME")).await?;
        Ok(seconds)
    }

    /// Whether this was not used before; marks it as used for so many seconds.
    ///
    /// No point in time: Redis' clock may be another one.
    pub(super) async fn first_use(
        &self,
        id: &str,
        seconds: u64,
    ) -> Result<bool, StoreConnectionError> {
        let (key, mine) = (format!("{}{id}", self.used), unique());
        let mut set = cmd("SET");
        set.arg(&key)
            .arg(&mine)
            .arg("NX")
            .arg("EX")
            .arg(seconds.max(1));
        if self.run::<Option<String>>(&set).await?.is_some() {
            return Ok(true);
        }
        // Unless it was this very use, written by a first attempt whose answer was lost.
        let mut get = cmd("GET");
        get.arg(&key);
        let found: Option<String> = self.run(&get).await?;
        Ok(found.is_some_and(|found| found == mine))
    }

    /// A connection of its own, since waiting for news holds up everything behind it.
    pub(super) async fn news(&self) -> Result<EventStream<'_>, StoreConnectionError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(COMMAND_TIMEOUT))
            .set_response_timeout(Some(COMMAND_TIMEOUT.saturating_add(PAUSE)));
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(EventStream {
            link: self,
            connection,
        })
    }

    /// Makes the next command open a new connection. A manager renews one that was closed, not one
    /// that is merely silent.
    pub(super) fn disconnect(&self) {
        *self.commands.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn keys<'s>(&self, script: &'s Script) -> ScriptInvocation<'s> {
        let mut invocation = script.prepare_invoke();
        invocation
            .key(&self.marks)
            .key(&self.events)
            .key(&self.place);
        invocation
    }

    fn commands(&self) -> Result<ConnectionManager, StoreConnectionError> {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(manager) = &*commands {
            return Ok(manager.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(COMMAND_TIMEOUT))
            .set_response_timeout(Some(COMMAND_TIMEOUT));
        let manager = ConnectionManager::new_lazy_with_config(self.client.clone(), config)?;
        *commands = Some(manager.clone());
        Ok(manager)
    }

    /// Runs a command that may be run twice: a connection that was closed in the meantime is
    /// noticed by using it.
    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreConnectionError> {
        let mut commands = self.commands()?;
        match command.query_async(&mut commands).await {
            Err(error) if error.is_connection_dropped() => {
                Ok(command.query_async(&mut commands).await?)
            }
            answer => Ok(answer?),
        }
    }

    /// The same for a script.
    async fn invoke<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, StoreConnectionError> {
        let mut commands = self.commands()?;
        match script.invoke_async(&mut commands).await {
            Err(error) if error.is_connection_dropped() => {
                Ok(script.invoke_async(&mut commands).await?)
            }
            answer => Ok(answer?),
        }
    }
}

impl fmt::Debug for RedisClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisClient")
            .field("marks", &self.marks)
            .finish_non_exhaustive()
    }
}

/// The connection that waits for news.
pub(super) struct EventStream<'l> {
    link: &'l RedisClient,
    connection: MultiplexedConnection,
}

impl EventStream<'_> {
    /// Where the stream is. What is raised from here on is behind that; what was raised before,
    /// [`marks`](Self::marks) has.
    pub(super) async fn begin(&mut self) -> Result<Beginning, StoreConnectionError> {
        let mut begin = self.link.keys(&self.link.begin);
        begin.arg(unique());
        let (epoch, sequence, last, time) = begin.invoke_async(&mut self.connection).await?;
        Ok(Beginning {
            place: StreamPosition { epoch, sequence },
            last,
            time,
        })
    }

    /// Some marks, and where to go on after them; from "0" on until there is nowhere.
    pub(super) async fn marks(
        &mut self,
        cursor: &str,
    ) -> Result<(Option<String>, Vec<Stored>), StoreConnectionError> {
        let mut scan = cmd("HSCAN");
        scan.arg(&self.link.marks)
            .arg(cursor)
            .arg("COUNT")
            .arg(PAGE);
        let (next, page): (String, Value) = scan.query_async(&mut self.connection).await?;
        let page = match page {
            Value::Array(page) => page,
            _ => Vec::new(),
        };
        let mut page = page.into_iter();
        let marks = std::iter::from_fn(|| Some((page.next()?, page.next()?)));
        let marks = marks.filter_map(|(mark, value)| Stored::read(mark, &value));
        Ok(((next != "0").then_some(next), marks.collect()))
    }

    /// How far the stream has come; an empty epoch where the store forgot everything.
    pub(super) async fn place(&mut self) -> Result<StreamPosition, StoreConnectionError> {
        let mut command = cmd("HMGET");
        command.arg(&self.link.place).arg("epoch").arg("sequence");
        let (epoch, sequence): (Option<String>, Option<u64>) =
            command.query_async(&mut self.connection).await?;
        Ok(StreamPosition {
            epoch: epoch.unwrap_or_default(),
            sequence: sequence.unwrap_or_default(),
        })
    }

    /// The events behind an id, or none for a while.
    pub(super) async fn after(&mut self, id: &str) -> Result<Vec<Entry>, StoreConnectionError> {
        let mut command = cmd("XREAD");
        command
            .arg("COUNT")
            .arg(BATCH)
            .arg("BLOCK")
            .arg(u64::try_from(PAUSE.as_millis()).unwrap_or(1_000))
            .arg("STREAMS")
            .arg(&self.link.events)
            .arg(id);
        let reply: Option<StreamReadReply> = command.query_async(&mut self.connection).await?;
        let entries = reply
            .into_iter()
            .flat_map(|reply| reply.keys)
            .flat_map(|key| key.ids)
            .map(|entry| Entry {
                place: StreamPosition {
                    epoch: entry.get("epoch").unwrap_or_default(),
                    sequence: entry.get("sequence").unwrap_or_default(),
                },
                mark: entry.get("mark").unwrap_or_default(),
                at: entry.get("at").unwrap_or_default(),
                id: entry.id,
            });
        Ok(entries.collect())
    }
}

/// A unique text; not a secret.
fn unique() -> String {
    format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
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
    }
}
