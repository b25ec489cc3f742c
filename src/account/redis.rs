//! The one door to redis-rs: what is asked of the shared store, command by command.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::streams::StreamReadReply;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError, cmd};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::config_error::ConfigError;

use super::follower::{self, Shared};
use super::revocations::Revocations;
use super::store::OnLoss;

/// A Redis (6.2 or newer, or Valkey) that replicas share, and what happens while it is away.
///
/// Every replica follows a stream of revocations and sign-outs, so that a request asks nobody;
/// [`OncePerToken`](crate::guard::OncePerToken) alone asks Redis. A connection that is dead
/// without having been closed is noticed within four seconds, and the policy holds from then on.
/// What was revoked here stays revoked, and is published again to a Redis that lost it. Give it a
/// `maxmemory-policy` of `noeviction`: what it evicts, a replica that starts later never learns.
///
/// ```
/// use std::time::Duration;
/// use axum_entra::{OnLoss, Redis};
/// let younger = OnLoss::AllowYoungerThan(Duration::from_secs(600));
/// let redis = Redis::at("redis://127.0.0.1/", younger).prefix("payments");
/// # let _ = redis;
/// ```
#[derive(Clone)]
pub struct Redis {
    source: Source,
    prefix: String,
    on_loss: OnLoss,
}

#[derive(Clone)]
enum Source {
    Address(String),
    Client(Box<Client>),
}

impl Redis {
    /// By address: `redis://`, `unix://`, or `rediss://` with the feature `redis-tls`.
    ///
    /// `rediss://` uses rustls' default cryptography: a program in whose tree rustls has more than
    /// one must have installed its choice (`CryptoProvider::install_default`).
    #[must_use]
    pub fn at(url: impl Into<String>, on_loss: OnLoss) -> Self {
        Self::of(Source::Address(url.into()), on_loss)
    }

    /// By the application's own client, with its credentials and certificates.
    ///
    /// Two connections are made with it: one that waits for news, one for commands.
    #[must_use]
    pub fn client(client: Client, on_loss: OnLoss) -> Self {
        Self::of(Source::Client(Box::new(client)), on_loss)
    }

    fn of(source: Source, on_loss: OnLoss) -> Self {
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

impl fmt::Debug for Redis {
    /// The address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("prefix", &self.prefix)
            .field("on_loss", &self.on_loss)
            .finish_non_exhaustive()
    }
}

/// Begins to follow; needs a tokio runtime, does not wait for a connection.
pub(super) fn follow(
    redis: Redis,
    local: Arc<Revocations>,
    clock: Clock,
) -> Result<Shared, ConfigError> {
    let client = match redis.source {
        Source::Client(client) => *client,
        Source::Address(url) => Client::open(url).map_err(|_| {
            ConfigError::value(
                "Redis:Url",
                "(not shown)",
                "redis://HOST:PORT/, or rediss:// with the feature `redis-tls`",
            )
        })?,
    };
    let link = Link {
        client,
        // In braces, so that a cluster keeps all of them on one node.
        marks: format!("{{{}}}:marks", redis.prefix),
        events: format!("{{{}}}:events", redis.prefix),
        place: format!("{{{}}}:place", redis.prefix),
        used: format!("{{{}}}:used:", redis.prefix),
        commands: Mutex::new(None),
    };
    follower::spawn(link, local, clock, redis.on_loss)
}

/// Why a command has no answer: text for operators, with no secret in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Lost(String);

impl From<RedisError> for Lost {
    fn from(error: RedisError) -> Self {
        Self(error.to_string())
    }
}

/// The way to the store, and the names of what lies there.
pub(super) struct Link {
    client: Client,
    /// A hash: mark → time, only ever raised.
    marks: String,
    /// A stream: what was raised, one entry after the other.
    events: String,
    /// A hash: `epoch`, new whenever the store forgot everything, and `sequence`, the last event.
    place: String,
    used: String,
    commands: Mutex<Option<MultiplexedConnection>>,
}

/// How far the stream has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) epoch: String,
    pub(super) sequence: u64,
}

/// One event of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) place: Place,
    pub(super) mark: String,
    pub(super) at: u64,
}

/// The whole store at one moment.
#[derive(Debug)]
pub(super) struct Overview {
    pub(super) place: Place,
    /// The id of the last event.
    pub(super) last: String,
    pub(super) marks: Vec<(String, u64)>,
}

/// How long a connection may take to come about, and a command to be answered.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long to wait for news before asking whether there were any.
const PAUSE: Duration = Duration::from_secs(1);

/// The most events of one answer.
pub(super) const BATCH: usize = 1_000;

/// Events that are kept for those who were away for a moment; for longer, there is the hash.
const KEPT_EVENTS: usize = 10_000;

/// Raises a mark, and tells those who follow if that was news (or in any case).
const RAISE: &str = include_str!("scripts/raise.lua");

/// Everything at one moment, so that no event falls between the hash and the stream.
const OVERVIEW: &str = include_str!("scripts/overview.lua");

/// Removes a mark, unless it was raised in the meantime.
const REMOVE: &str = include_str!("scripts/remove.lua");

impl Link {
    /// Raises a mark for everybody.
    pub(super) async fn raise(&self, mark: &str, at: u64, tell: bool) -> Result<(), Lost> {
        let mut command = self.script(RAISE);
        command
            .arg(mark)
            .arg(at)
            .arg(unique())
            .arg(KEPT_EVENTS)
            .arg(if tell { "1" } else { "0" });
        self.run(&command).await
    }

    /// Removes a mark that no living token can be older than.
    pub(super) async fn remove(&self, mark: &str, at: u64) -> Result<(), Lost> {
        let mut command = self.script(REMOVE);
        command.arg(mark).arg(at);
        self.run(&command).await
    }

    /// Whether nobody used this before; from now on somebody did, for so many seconds.
    ///
    /// No point in time: Redis' clock may be another one.
    pub(super) async fn first_use(&self, id: &str, seconds: u64) -> Result<bool, Lost> {
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
    pub(super) async fn news(&self) -> Result<News<'_>, Lost> {
        let connection = self.connect(PATIENCE.saturating_add(PAUSE)).await?;
        Ok(News {
            link: self,
            connection,
        })
    }

    /// Makes the next command open a new connection.
    pub(super) async fn disconnect(&self) {
        *self.commands.lock().await = None;
    }

    fn script(&self, text: &str) -> Cmd {
        let mut command = cmd("EVAL");
        command
            .arg(text)
            .arg(3)
            .arg(&self.marks)
            .arg(&self.events)
            .arg(&self.place);
        command
    }

    async fn connect(&self, patience: Duration) -> Result<MultiplexedConnection, Lost> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(patience));
        Ok(self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?)
    }

    /// Runs a command that may be run twice: a connection that was closed in the meantime is
    /// noticed by using it.
    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Lost> {
        let open = self.commands.lock().await.clone();
        if let Some(mut open) = open {
            match command.query_async(&mut open).await {
                Ok(answer) => return Ok(answer),
                Err(_) => self.disconnect().await,
            }
        }
        let mut fresh = self.connect(PATIENCE).await?;
        let answer = command.query_async(&mut fresh).await?;
        *self.commands.lock().await = Some(fresh);
        Ok(answer)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("marks", &self.marks)
            .finish_non_exhaustive()
    }
}

/// The connection that waits for news.
pub(super) struct News<'l> {
    link: &'l Link,
    connection: MultiplexedConnection,
}

impl News<'_> {
    pub(super) async fn overview(&mut self) -> Result<Overview, Lost> {
        let mut command = self.link.script(OVERVIEW);
        command.arg(unique());
        let (epoch, sequence, last, marks) = command.query_async(&mut self.connection).await?;
        Ok(Overview {
            place: Place { epoch, sequence },
            last,
            marks,
        })
    }

    /// How far the stream has come; an empty epoch where the store forgot everything.
    pub(super) async fn place(&mut self) -> Result<Place, Lost> {
        let mut command = cmd("HMGET");
        command.arg(&self.link.place).arg("epoch").arg("sequence");
        let (epoch, sequence): (Option<String>, Option<u64>) =
            command.query_async(&mut self.connection).await?;
        Ok(Place {
            epoch: epoch.unwrap_or_default(),
            sequence: sequence.unwrap_or_default(),
        })
    }

    /// The events behind an id, or none for a while.
    pub(super) async fn after(&mut self, id: &str) -> Result<Vec<Entry>, Lost> {
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
                place: Place {
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

/// A text that nobody else makes; not a secret.
fn unique() -> String {
    format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}
