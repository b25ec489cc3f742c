//! What is asked of the shared store, command by command.

mod answers;

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

#[cfg(not(test))]
use redis::aio::ConnectionManager as Commands;
use redis::aio::{ConnectionManagerConfig, MultiplexedConnection};
use redis::streams::{StreamRangeReply, StreamReadReply};
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError, Script, ScriptInvocation,
    Value, cmd, pipe,
};

use crate::causes::WithCauses;
use crate::revocation::place::{Beginning, Entry, StreamPosition};

#[cfg(test)]
use dialled::Commands;

/// Why a command has no answer: text for operators, with no secret in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in crate::revocation) struct StoreConnectionError(String);

impl StoreConnectionError {
    /// It answers, and too slowly to be followed.
    pub(in crate::revocation) fn late() -> Self {
        Self("the store answers too slowly to be followed".to_owned())
    }
}

impl From<RedisError> for StoreConnectionError {
    fn from(error: RedisError) -> Self {
        Self(WithCauses(&error).to_string())
    }
}

/// The connection to the store, and the names of its keys.
pub(in crate::revocation) struct RedisClient {
    client: Client,
    /// A hash: mark → its time, only ever raised, and when it was written.
    marks: String,
    /// A stream: what was raised, one entry after the other.
    events: String,
    /// A hash: `epoch`, new whenever the store forgot everything, `sequence`, the last event, and
    /// `pruned`, when a replica last began to remove old marks.
    place: String,
    used: String,
    /// Hashes, one for each account: the name of a question → its answer.
    answers: String,
    raise: Script,
    begin: Script,
    prune: Script,
    keep: Script,
    /// One connection for all commands, which is made anew when it breaks.
    commands: Mutex<Option<Commands>>,
    #[cfg(test)]
    dial: Option<dialled::Dial>,
}

/// A mark as the store has it; its text is looked at only where it matters.
#[derive(Debug)]
pub(in crate::revocation) struct Stored {
    mark: Vec<u8>,
    pub(in crate::revocation) at: u64,
    /// The later of its time and of when it was written, by the store's clock.
    pub(in crate::revocation) latest: u64,
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

    pub(in crate::revocation) fn mark(&self) -> &str {
        str::from_utf8(&self.mark).unwrap_or_default()
    }
}

/// How long a connection may take to come about, and a command to be answered.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);

/// How long to wait for news before asking whether there were any.
const PAUSE: Duration = Duration::from_secs(1);

/// The most events of one answer.
pub(in crate::revocation) const BATCH: usize = 1_000;

/// Marks that are read in one step: a few milliseconds of the store's time.
const PAGE: usize = 2_500;

/// Marks that are looked at for their age in one step, and removed if all of them are old: about
/// as much.
const PRUNED_AT_ONCE: usize = 400;

/// Marks that are written in one step.
const RAISED_AT_ONCE: usize = 250;

/// Events that are kept for those who were away for a moment; for longer, there is the hash.
const KEPT_EVENTS: usize = 10_000;

const RAISE: &str = include_str!("../scripts/raise.lua");
const BEGIN: &str = include_str!("../scripts/begin.lua");
const PRUNE: &str = include_str!("../scripts/prune.lua");
const KEEP: &str = include_str!("../scripts/keep.lua");

impl RedisClient {
    pub(super) fn new(client: Client, prefix: &str) -> Self {
        // In braces, so that a cluster keeps all of them on one node.
        let key = |name| format!("{{{prefix}}}:{name}");
        Self {
            client,
            marks: key("marks"),
            events: key("events"),
            place: key("place"),
            used: key("used:"),
            answers: key("answers:"),
            raise: Script::new(RAISE),
            begin: Script::new(BEGIN),
            prune: Script::new(PRUNE),
            keep: Script::new(KEEP),
            commands: Mutex::new(None),
            #[cfg(test)]
            dial: None,
        }
    }

    /// For a store in memory.
    #[cfg(test)]
    pub(super) fn modelled(dial: dialled::Dial, prefix: &str) -> Self {
        let client = Client::open("redis://127.0.0.1/").expect("an address");
        Self {
            dial: Some(dial),
            ..Self::new(client, prefix)
        }
    }

    /// Raises marks for every replica; `tell` publishes them also where they are not new.
    pub(in crate::revocation) async fn advance(
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
    pub(in crate::revocation) async fn prune(
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
    pub(in crate::revocation) async fn time(&self) -> Result<u64, StoreConnectionError> {
        let (seconds, _): (u64, u64) = self.run(&cmd("TIME")).await?;
        Ok(seconds)
    }

    /// Whether this was not used before; marks it as used for so many seconds.
    ///
    /// No point in time: Redis' clock may be another one.
    pub(in crate::revocation) async fn first_use(
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
    pub(in crate::revocation) async fn news(
        &self,
    ) -> Result<EventStream<'_>, StoreConnectionError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(COMMAND_TIMEOUT))
            .set_response_timeout(Some(COMMAND_TIMEOUT.saturating_add(PAUSE)));
        #[cfg(test)]
        if let Some(dial) = &self.dial {
            let connection = dialled::connect(dial, config).await?;
            let link = self;
            return Ok(EventStream { link, connection });
        }
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
    pub(in crate::revocation) fn disconnect(&self) {
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

    fn commands(&self) -> Result<Commands, StoreConnectionError> {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(manager) = &*commands {
            return Ok(manager.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(COMMAND_TIMEOUT))
            .set_response_timeout(Some(COMMAND_TIMEOUT));
        #[cfg(test)]
        let manager = match &self.dial {
            Some(dial) => Commands::dialled(dial.clone()),
            None => Commands::new_lazy_with_config(self.client.clone(), config)?,
        };
        #[cfg(not(test))]
        let manager = Commands::new_lazy_with_config(self.client.clone(), config)?;
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
pub(in crate::revocation) struct EventStream<'l> {
    link: &'l RedisClient,
    connection: MultiplexedConnection,
}

impl EventStream<'_> {
    /// Where the stream is. What is raised from here on is behind that; what was raised before,
    /// [`marks`](Self::marks) has.
    pub(in crate::revocation) async fn begin(&mut self) -> Result<Beginning, StoreConnectionError> {
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
    pub(in crate::revocation) async fn marks(
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

    /// How far the stream has come, and the id of its last event; an empty epoch where the store
    /// forgot everything.
    ///
    /// The number of events by itself does not distinguish a history from the one that replaced it: behind a
    /// proxy a standby can take over unseen, without the last events, and as many come anew.
    pub(in crate::revocation) async fn place(
        &mut self,
    ) -> Result<(StreamPosition, String), StoreConnectionError> {
        let mut both = pipe();
        both.cmd("HMGET")
            .arg(&self.link.place)
            .arg("epoch")
            .arg("sequence");
        both.cmd("XREVRANGE").arg(&self.link.events);
        both.arg("+").arg("-").arg("COUNT").arg(1);
        let ((epoch, sequence), last): ((Option<String>, Option<u64>), StreamRangeReply) =
            both.query_async(&mut self.connection).await?;
        let place = StreamPosition {
            epoch: epoch.unwrap_or_default(),
            sequence: sequence.unwrap_or_default(),
        };
        let last = last.ids.into_iter().next();
        Ok((place, last.map_or_else(|| "0-0".to_owned(), |last| last.id)))
    }

    /// The events behind an id, or none for a while.
    pub(in crate::revocation) async fn after(
        &mut self,
        id: &str,
    ) -> Result<Vec<Entry>, StoreConnectionError> {
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

/// Connections to a store in memory, for this crate's own tests: the client's protocol and time-outs
/// over another stream.
#[cfg(test)]
pub(in crate::revocation) mod dialled {
    use std::future::Future;
    use std::io;
    use std::pin::Pin;
    use std::sync::{Arc, LazyLock};

    use redis::aio::{ConnectionLike, ConnectionManager, MultiplexedConnection};
    use redis::{
        AsyncConnectionConfig, Client, Cmd, Pipeline, RedisConnectionInfo, RedisFuture,
        RedisResult, Value,
    };
    use tokio::io::DuplexStream;
    use tokio::sync::Mutex;

    use super::{COMMAND_TIMEOUT, ConnectionManagerConfig};

    /// Opens a connection.
    pub(crate) type Dial = Arc<dyn Fn() -> Dialling + Send + Sync>;
    type Dialling = Pin<Box<dyn Future<Output = io::Result<DuplexStream>> + Send>>;

    pub(super) async fn connect(
        dial: &Dial,
        config: AsyncConnectionConfig,
    ) -> RedisResult<MultiplexedConnection> {
        let opening = async {
            let stream = dial().await?;
            MultiplexedConnection::new_with_config(&INFO, stream, config).await
        };
        let opened = tokio::time::timeout(COMMAND_TIMEOUT, opening).await;
        let (connection, driver) = opened.map_err(io::Error::from)??;
        tokio::spawn(driver);
        Ok(connection)
    }

    static INFO: LazyLock<RedisConnectionInfo> = LazyLock::new(RedisConnectionInfo::default);

    /// A connection manager, or what does the same over a dialled stream.
    #[derive(Clone)]
    pub(super) enum Commands {
        Managed(ConnectionManager),
        Dialled(Dial, Arc<Mutex<Option<MultiplexedConnection>>>),
    }

    impl Commands {
        pub(super) fn dialled(dial: Dial) -> Self {
            Self::Dialled(dial, Arc::default())
        }

        pub(super) fn new_lazy_with_config(
            client: Client,
            config: ConnectionManagerConfig,
        ) -> RedisResult<Self> {
            ConnectionManager::new_lazy_with_config(client, config).map(Self::Managed)
        }
    }

    impl ConnectionLike for Commands {
        fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
            match self {
                Self::Managed(manager) => manager.req_packed_command(cmd),
                Self::Dialled(dial, own) => Box::pin(async move {
                    let mut connected = own.lock().await;
                    let mut connection = match &*connected {
                        Some(connection) => connection.clone(),
                        None => {
                            let config = AsyncConnectionConfig::new()
                                .set_response_timeout(Some(COMMAND_TIMEOUT));
                            connected.insert(connect(dial, config).await?).clone()
                        }
                    };
                    drop(connected);
                    let answer = connection.req_packed_command(cmd).await;
                    // A manager renews a connection that was closed, not one that is silent.
                    if answer
                        .as_ref()
                        .is_err_and(redis::RedisError::is_unrecoverable_error)
                    {
                        *own.lock().await = None;
                    }
                    answer
                }),
            }
        }

        fn req_packed_commands<'a>(
            &'a mut self,
            pipeline: &'a Pipeline,
            offset: usize,
            count: usize,
        ) -> RedisFuture<'a, Vec<Value>> {
            match self {
                Self::Managed(manager) => manager.req_packed_commands(pipeline, offset, count),
                Self::Dialled(..) => unreachable!("no pipeline is sent"),
            }
        }

        fn get_db(&self) -> i64 {
            0
        }
    }
}
