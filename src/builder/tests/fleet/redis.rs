//! A model of Redis: the commands and scripts that the library sends, over connections in memory,
//! with a standby that lags behind, and faults.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::revocation::Dial;

/// Names and values of a hash.
type Fields = HashMap<Vec<u8>, Vec<u8>>;

/// A command: its name and arguments.
type Command = Vec<Vec<u8>>;

/// What one replica's way to the store is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Open,
    /// Nothing arrives, and no connection is closed.
    Silent,
    /// Connections are refused, and those that are open are closed.
    Refused,
}

/// Faults of the model itself, each of which breaks a promise that the properties check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seeded {
    None,
    /// A mark is acknowledged and not kept.
    LosesWrites,
    /// A mark is kept, and no follower is informed.
    TellsNobody,
    /// Every other replica reads from a copy that is not written to any more.
    StaleReads,
    /// A replica that was cut off once is refused for ever.
    RefusesForEver,
}

#[derive(Clone)]
pub(super) struct Redis(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Moves with every write and every change of the ways.
    changed: watch::Sender<u64>,
}

struct State {
    nodes: Vec<Node>,
    links: Vec<Link>,
    chance: fastrand::Rng,
    seeded: Seeded,
    raise: String,
    begin: String,
    prune: String,
    keep: String,
    /// Commands that were answered.
    commands: u64,
}

struct Node {
    data: Data,
    /// What the standby has, and what was written since.
    standby: Data,
    log: VecDeque<(Instant, u64, Command)>,
    /// A copy that is not written to.
    frozen: Option<Data>,
    /// Its clock less the true one, in milliseconds.
    clock: i64,
    scripts: HashSet<String>,
    up: bool,
}

struct Link {
    way: Way,
    /// The longest that a packet takes to the store, and back.
    there: Duration,
    back: Duration,
    node: usize,
    cut: watch::Sender<u64>,
}

/// The keys. Every write is a function of the command and the time, so that a standby can repeat it.
#[derive(Debug, Clone, Default)]
struct Data {
    marks: BTreeMap<(u64, String), String>,
    place: HashMap<String, String>,
    events: VecDeque<Event>,
    last: (u64, u64),
    used: HashMap<String, (String, u64)>,
    /// Answers by account, with their end; the standby has none.
    answers: HashMap<Vec<u8>, (Fields, u64)>,
}

#[derive(Debug, Clone)]
struct Event {
    id: (u64, u64),
    fields: [(&'static str, String); 4],
}

impl Redis {
    pub(super) fn new(replicas: usize, seed: u64, seeded: Seeded) -> Self {
        let hash = |text| redis::Script::new(text).get_hash().to_owned();
        let link = || Link {
            way: Way::Open,
            there: Duration::from_millis(2),
            back: Duration::from_millis(2),
            node: 0,
            cut: watch::Sender::new(0),
        };
        let state = State {
            nodes: vec![Node::new(Data::default(), 0)],
            links: std::iter::repeat_with(link).take(replicas).collect(),
            chance: fastrand::Rng::with_seed(seed),
            seeded,
            raise: hash(include_str!("../../../revocation/scripts/raise.lua")),
            begin: hash(include_str!("../../../revocation/scripts/begin.lua")),
            prune: hash(include_str!("../../../revocation/scripts/prune.lua")),
            keep: hash(include_str!("../../../revocation/scripts/keep.lua")),
            commands: 0,
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.state());
        self.0.changed.send_modify(|number| *number += 1);
        result
    }

    /// How a replica reaches the store.
    pub(super) fn dial(&self, replica: usize) -> Dial {
        let redis = self.clone();
        Arc::new(move || {
            let redis = redis.clone();
            Box::pin(async move { redis.connect(replica).await })
        })
    }

    pub(super) fn commands(&self) -> u64 {
        self.state().commands
    }

    /// Marks that are kept.
    pub(super) fn marks(&self) -> u64 {
        self.state().nodes[0].data.marks.len() as u64
    }

    pub(super) fn set_way(&self, replica: usize, way: Way) {
        self.change(|state| {
            let seeded = state.seeded;
            let link = &mut state.links[replica];
            if seeded == Seeded::RefusesForEver && link.way == Way::Refused {
                return;
            }
            link.way = way;
            if way == Way::Refused {
                link.cut.send_modify(|number| *number += 1);
            }
        });
    }

    /// The longest that a packet takes to the store, and back.
    pub(super) fn set_latency(&self, replica: usize, there: Duration, back: Duration) {
        self.change(|state| {
            let link = &mut state.links[replica];
            (link.there, link.back) = (there, back);
        });
    }

    /// The standby takes over: what was written within `lag` is lost. Connections are closed unless
    /// something in between keeps them open. `clock`: the new one's, in milliseconds.
    pub(super) fn fail_over(&self, lag: Duration, keeps_connections: bool, clock: i64) {
        self.change(|state| {
            let node = &mut state.nodes[0];
            let behind = Instant::now().checked_sub(lag);
            node.catch_up(behind, &state.raise, &state.begin, &state.prune);
            *node = Node::new(node.standby.clone(), clock);
            if !keeps_connections {
                state.cut_all();
            }
        });
    }

    /// The store is stopped, and comes back with nothing when it is started.
    pub(super) fn stop(&self) {
        self.change(|state| {
            state.nodes[0].up = false;
            state.cut_all();
        });
    }

    pub(super) fn start(&self) {
        self.change(|state| {
            let clock = state.nodes[0].clock;
            state.nodes[0] = Node::new(Data::default(), clock);
        });
    }

    /// Everything is deleted, and connections stay open.
    pub(super) fn flush(&self) {
        self.change(|state| {
            let clock = state.nodes[0].clock;
            state.nodes[0] = Node::new(Data::default(), clock);
        });
    }

    /// Two masters: these replicas reach the second one.
    pub(super) fn split(&self, second: impl Iterator<Item = usize>) {
        self.change(|state| {
            let own = state.nodes[0].data.clone();
            let clock = state.nodes[0].clock;
            state.nodes.push(Node::new(own, clock));
            for replica in second {
                state.links[replica].node = 1;
                state.links[replica].cut.send_modify(|number| *number += 1);
            }
        });
    }

    /// The second master becomes a copy of the first: what only it had is lost.
    pub(super) fn heal_split(&self) {
        self.change(|state| {
            state.nodes.truncate(1);
            for link in &mut state.links {
                if link.node == 1 {
                    link.node = 0;
                    link.cut.send_modify(|number| *number += 1);
                }
            }
        });
    }

    async fn connect(&self, replica: usize) -> io::Result<DuplexStream> {
        self.transit(replica, |link| link.there).await;
        let (own, theirs) = tokio::io::duplex(1 << 16);
        {
            let state = self.state();
            let link = &state.links[replica];
            if link.way == Way::Refused || !state.nodes[link.node].up {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
        }
        tokio::spawn(self.clone().serve(replica, theirs));
        Ok(own)
    }

    /// As long as a packet takes; what is lost on a silent way arrives when it is open again.
    async fn transit(&self, replica: usize, way: impl FnOnce(&Link) -> Duration) {
        let latency = {
            let mut state = self.state();
            let share = 0.9 + state.chance.f64() / 10.0;
            way(&state.links[replica]).mul_f64(share)
        };
        sleep(latency).await;
        let mut changed = self.0.changed.subscribe();
        while self.state().links[replica].way == Way::Silent {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    async fn serve(self, replica: usize, mut stream: DuplexStream) {
        let mut cut = self.state().links[replica].cut.subscribe();
        let mut read = Vec::new();
        loop {
            let step = async {
                // What was sent in one go arrives in one go.
                let mut commands = vec![next_command(&mut stream, &mut read).await?];
                while let Some((command, used)) = parse(&read) {
                    read.drain(..used);
                    commands.push(command);
                }
                self.transit(replica, |link| link.there).await;
                let mut reply = Vec::new();
                for command in &commands {
                    reply.extend(self.answer(replica, command).await);
                }
                self.transit(replica, |link| link.back).await;
                stream.write_all(&reply).await
            };
            tokio::select! {
                biased;
                _ = cut.changed() => return,
                done = step => if done.is_err() { return },
            }
        }
    }

    async fn answer(&self, replica: usize, command: &Command) -> Vec<u8> {
        if command[0] != b"XREAD" {
            let mut state = self.state();
            let reply = state.run(replica, command);
            let writes = command[0] == b"EVALSHA" && text(&command[1]) == state.raise;
            drop(state);
            if writes {
                self.0.changed.send_modify(|number| *number += 1);
            }
            return reply;
        }
        let number = |at: usize| text(&command[at]).parse::<u64>().expect("a number");
        let (count, block) = (number(2), number(4));
        let after = id(text(&command[7]));
        let until = Instant::now() + Duration::from_millis(block);
        let mut changed = self.0.changed.subscribe();
        loop {
            {
                let mut state = self.state();
                state.commands += 1;
                let events = &state.read_by(replica).events;
                let from = events.partition_point(|event| event.id <= after);
                let found: Vec<&Event> = events.range(from..).take(count as usize).collect();
                if !found.is_empty() {
                    return reply_to_read(text(&command[6]), &found);
                }
                state.commands -= 1;
            }
            tokio::select! {
                biased;
                _ = changed.changed() => {}
                () = sleep_until(until) => {
                    self.state().commands += 1;
                    return b"*-1\r\n".to_vec();
                }
            }
        }
    }
}

impl State {
    /// What a replica reads from.
    fn read_by(&mut self, replica: usize) -> &Data {
        let node = &mut self.nodes[self.links[replica].node];
        match self.seeded {
            Seeded::StaleReads if !replica.is_multiple_of(2) => {
                node.frozen.get_or_insert_with(|| node.data.clone())
            }
            _ => &node.data,
        }
    }

    fn cut_all(&mut self) {
        for link in &self.links {
            link.cut.send_modify(|number| *number += 1);
        }
    }

    fn run(&mut self, replica: usize, command: &Command) -> Vec<u8> {
        self.commands += 1;
        let node = self.links[replica].node;
        let node = &mut self.nodes[node];
        let now = node.now();
        match command[0].as_slice() {
            b"CLIENT" => return b"+OK\r\n".to_vec(),
            b"SCRIPT" => {
                let hash = redis::Script::new(text(&command[2])).get_hash().to_owned();
                node.scripts.insert(hash.clone());
                return bulk(&hash);
            }
            b"EVALSHA" if !node.scripts.contains(text(&command[1])) => {
                return b"-NOSCRIPT No matching script.\r\n".to_vec();
            }
            b"EVALSHA" if text(&command[1]) == self.raise => match self.seeded {
                Seeded::LosesWrites => return b":0\r\n".to_vec(),
                Seeded::TellsNobody => {
                    let (events, place) = (node.data.events.clone(), node.data.place.clone());
                    let reply = node.data.raise(command, now);
                    (node.data.events, node.data.place) = (events, place);
                    return reply;
                }
                _ => {}
            },
            b"EVALSHA" if text(&command[1]) == self.keep => {
                node.data.keep(command, now);
                return b":0\r\n".to_vec();
            }
            b"UNLINK" => {
                node.data.answers.remove(&command[1]);
                return b":1\r\n".to_vec();
            }
            b"HMGET" if text(&command[1]).contains(":answers:") => {
                return node.data.find(command, now);
            }
            _ => {}
        }
        if matches!(command[0].as_slice(), b"HMGET" | b"XREVRANGE") {
            return self.read_by(replica).read(command);
        }
        let node = &mut self.nodes[self.links[replica].node];
        let reply = node
            .data
            .run(command, now, &self.raise, &self.begin, &self.prune);
        if matches!(command[0].as_slice(), b"EVALSHA" | b"SET") {
            node.log.push_back((Instant::now(), now, command.clone()));
            let old = Instant::now().checked_sub(Duration::from_secs(5));
            node.catch_up(old, &self.raise, &self.begin, &self.prune);
        }
        reply
    }
}

impl Node {
    fn new(data: Data, clock: i64) -> Self {
        Self {
            standby: data.clone(),
            data,
            log: VecDeque::new(),
            frozen: None,
            clock,
            scripts: HashSet::new(),
            up: true,
        }
    }

    /// Milliseconds since 1970 by its own clock.
    fn now(&self) -> u64 {
        super::true_millis().saturating_add_signed(self.clock)
    }

    /// The standby repeats what was written up to a moment.
    fn catch_up(&mut self, until: Option<Instant>, raise: &str, begin: &str, prune: &str) {
        while let Some((at, now, command)) = self.log.front() {
            if until.is_none_or(|until| *at > until) {
                break;
            }
            let _ = self.standby.run(command, *now, raise, begin, prune);
            self.log.pop_front();
        }
    }
}

impl Data {
    /// What a follower asks again and again.
    fn read(&self, command: &Command) -> Vec<u8> {
        if command[0] == b"XREVRANGE" {
            let last: Vec<&Event> = self.events.back().into_iter().collect();
            return entries(&last);
        }
        let fields = &command[2..];
        let mut reply = format!("*{}\r\n", fields.len()).into_bytes();
        for field in fields {
            match self.place.get(text(field)) {
                Some(value) => reply.extend(bulk(value)),
                None => reply.extend(b"$-1\r\n"),
            }
        }
        reply
    }

    fn run(
        &mut self,
        command: &Command,
        now: u64,
        raise: &str,
        begin: &str,
        prune: &str,
    ) -> Vec<u8> {
        let seconds = now / 1_000;
        match command[0].as_slice() {
            b"EVALSHA" if text(&command[1]) == raise => self.raise(command, now),
            b"EVALSHA" if text(&command[1]) == begin => {
                let epoch = text(&command[6]).to_owned();
                self.place.entry("epoch".to_owned()).or_insert(epoch);
                let sequence = self.place.get("sequence").map_or("0", String::as_str);
                let last = self.events.back().map_or((0, 0), |event| event.id);
                format!(
                    "*4\r\n{}:{sequence}\r\n{}:{seconds}\r\n",
                    String::from_utf8_lossy(&bulk(&self.place["epoch"])),
                    String::from_utf8_lossy(&bulk(&format!("{}-{}", last.0, last.1))),
                )
                .into_bytes()
            }
            b"EVALSHA" if text(&command[1]) == prune => self.prune(command, seconds),
            b"TIME" => format!(
                "*2\r\n{}{}",
                String::from_utf8_lossy(&bulk(&seconds.to_string())),
                String::from_utf8_lossy(&bulk(&(now % 1_000 * 1_000).to_string())),
            )
            .into_bytes(),
            b"HSCAN" => {
                let cursor = text(&command[2]).parse().expect("a cursor");
                let (next, page) = self.page(cursor, text(&command[4]).parse().expect("a count"));
                let mut reply = b"*2\r\n".to_vec();
                reply.extend(bulk(&next.to_string()));
                reply.extend(format!("*{}\r\n", page.len() * 2).bytes());
                for (mark, value) in page {
                    reply.extend(bulk(&mark));
                    reply.extend(bulk(&value));
                }
                reply
            }
            b"SET" => {
                let (key, value) = (text(&command[1]).to_owned(), text(&command[2]).to_owned());
                let until = seconds + text(&command[5]).parse::<u64>().expect("seconds");
                if self
                    .used
                    .get(&key)
                    .is_some_and(|(_, until)| *until > seconds)
                {
                    return b"$-1\r\n".to_vec();
                }
                self.used.insert(key, (value, until));
                b"+OK\r\n".to_vec()
            }
            b"GET" => match self.used.get(text(&command[1])) {
                Some((value, until)) if *until > seconds => bulk(value),
                _ => b"$-1\r\n".to_vec(),
            },
            other => panic!("the model does not know {:?}", text(other)),
        }
    }

    /// `raise.lua`.
    fn raise(&mut self, command: &Command, now: u64) -> Vec<u8> {
        let arguments: Vec<&str> = command[6..].iter().map(|part| text(part)).collect();
        let epoch = arguments[0].to_owned();
        let epoch = self
            .place
            .entry("epoch".to_owned())
            .or_insert(epoch)
            .clone();
        let (kept, tell) = (
            arguments[1].parse::<usize>().expect("a number"),
            arguments[2] == "1",
        );
        for pair in arguments[3..].chunks(2) {
            let (mark, at) = (pair[0], pair[1].parse::<u64>().expect("a time"));
            let key = (hashed(mark), mark.to_owned());
            let held = self.marks.get(&key).map_or(0, |value| leading(value).0);
            if held >= at && !tell {
                continue;
            }
            let at = held.max(at);
            self.marks.insert(key, format!("{at} {}", now / 1_000));
            let sequence = self.place.get("sequence").map_or(0, |text| leading(text).0) + 1;
            self.place
                .insert("sequence".to_owned(), sequence.to_string());
            self.last = match now > self.last.0 {
                true => (now, 0),
                false => (self.last.0, self.last.1 + 1),
            };
            let (mark, at) = (mark.to_owned(), at.to_string());
            let fields = [
                ("epoch", epoch.clone()),
                ("sequence", sequence.to_string()),
                ("mark", mark),
                ("at", at),
            ];
            self.events.push_back(Event {
                id: self.last,
                fields,
            });
            while self.events.len() > kept {
                self.events.pop_front();
            }
        }
        b":0\r\n".to_vec()
    }

    /// `keep.lua`.
    fn keep(&mut self, command: &Command, now: u64) {
        let seconds: u64 = text(&command[5]).parse().expect("a number");
        let (held, until) = self.answers.entry(command[3].clone()).or_default();
        if *until <= now {
            held.clear();
        }
        *until = now + seconds * 1_000;
        for pair in command[6..].chunks(2) {
            held.insert(pair[0].clone(), pair[1].clone());
        }
    }

    fn find(&self, command: &Command, now: u64) -> Vec<u8> {
        let held = self.answers.get(&command[1]);
        let held = held.filter(|(_, until)| *until > now);
        let mut reply = format!("*{}\r\n", command.len() - 2).into_bytes();
        for name in &command[2..] {
            match held.and_then(|(held, _)| held.get(name)) {
                Some(entry) => {
                    reply.extend(format!("${}\r\n", entry.len()).bytes());
                    reply.extend(entry);
                    reply.extend(b"\r\n");
                }
                None => reply.extend(b"$-1\r\n"),
            }
        }
        reply
    }

    /// `prune.lua`.
    fn prune(&mut self, command: &Command, now: u64) -> Vec<u8> {
        let argument = |at: usize| text(&command[6 + at]).parse::<u64>().expect("a number");
        let (cursor, count, kept, pause) = (argument(0), argument(1), argument(2), argument(3));
        if cursor == 0 {
            let last = self.place.get("pruned").map_or(0, |text| leading(text).0);
            if last <= now && now < last + pause {
                return bulk("0");
            }
            self.place.insert("pruned".to_owned(), now.to_string());
        }
        let (next, page) = self.page(cursor, count as usize);
        for (mark, value) in page {
            let (at, written) = leading(&value);
            if at.max(written) + kept < now {
                self.marks.remove(&(hashed(&mark), mark));
            }
        }
        bulk(&next.to_string())
    }

    /// `HSCAN`: by hash, so that what is there all the time is found.
    fn page(&self, cursor: u64, count: usize) -> (u64, Vec<(String, String)>) {
        let mut rest = self.marks.range((cursor, String::new())..);
        let page = rest.by_ref().take(count);
        let page = page.map(|((_, mark), value)| (mark.clone(), value.clone()));
        let page = page.collect();
        (rest.next().map_or(0, |((hash, _), _)| *hash), page)
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

fn bulk(text: &str) -> Vec<u8> {
    format!("${}\r\n{text}\r\n", text.len()).into_bytes()
}

/// The numbers of `AT WRITTEN`.
fn leading(value: &str) -> (u64, u64) {
    let (at, written) = value.split_once(' ').unwrap_or((value, "0"));
    (
        at.parse().expect("a number"),
        written.parse().expect("a number"),
    )
}

fn id(text: &str) -> (u64, u64) {
    let (millis, number) = text.split_once('-').expect("an id");
    (
        millis.parse().expect("a number"),
        number.parse().expect("a number"),
    )
}

fn hashed(mark: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    mark.hash(&mut hasher);
    hasher.finish().max(1)
}

fn reply_to_read(key: &str, events: &[&Event]) -> Vec<u8> {
    let mut reply = b"*1\r\n*2\r\n".to_vec();
    reply.extend(bulk(key));
    reply.extend(entries(events));
    reply
}

fn entries(events: &[&Event]) -> Vec<u8> {
    let mut reply = format!("*{}\r\n", events.len()).into_bytes();
    for event in events {
        reply.extend(b"*2\r\n");
        reply.extend(bulk(&format!("{}-{}", event.id.0, event.id.1)));
        reply.extend(format!("*{}\r\n", event.fields.len() * 2).bytes());
        for (name, value) in &event.fields {
            reply.extend(bulk(name));
            reply.extend(bulk(value));
        }
    }
    reply
}

/// Reads one command as clients send them: an array of bulk strings.
async fn next_command(stream: &mut DuplexStream, read: &mut Vec<u8>) -> io::Result<Command> {
    loop {
        if let Some((command, used)) = parse(read) {
            read.drain(..used);
            return Ok(command);
        }
        let mut some = [0; 4_096];
        let count = stream.read(&mut some).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read.extend(&some[..count]);
    }
}

fn parse(bytes: &[u8]) -> Option<(Command, usize)> {
    // A length, and where what follows it begins.
    let length = |at: usize| -> Option<(usize, usize)> {
        let rest = bytes.get(at..)?;
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        Some((text(&rest[1..end]).parse().expect("a length"), at + end + 2))
    };
    let (count, mut at) = length(0)?;
    let mut command = Vec::with_capacity(count);
    for _ in 0..count {
        let (size, from) = length(at)?;
        command.push(bytes.get(from..from + size)?.to_vec());
        at = from + size + 2;
    }
    (at <= bytes.len()).then_some((command, at))
}
