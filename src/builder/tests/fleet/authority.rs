//! A model of the authority's network: its documents as each edge of it has them, and its faults. The
//! documents and tokens are the emulator's, which runs on a thread of its own and is never waited for.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use entra_emulator::{CONTOSO, Emulator};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::true_seconds;
use crate::transport::http_client::in_memory::{Network, Request, Response, no_answer};

/// What becomes of requests for documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Up,
    /// This status.
    Status(u16),
    /// No answer at all.
    Hangs,
    /// So many of a hundred answers are 503.
    Flaky(u8),
    /// Each answer is of this document or of the one before: keys vanish and come back.
    Flaps,
}

/// The kind of document, by the end of its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    DiscoveryV1,
    DiscoveryV2,
    KeysV1,
    KeysV2,
}

#[derive(Clone)]
pub(super) struct KeyEndpoint(Arc<Mutex<State>>);

struct State {
    emulator: Emulator,
    chance: fastrand::Rng,
    mode: Mode,
    latency: Duration,
    /// Each state of the documents, the last one being in force.
    published: Vec<Documents>,
    /// Requests of each kind, answered or not.
    gets: BTreeMap<Kind, u64>,
    /// Requests for v2.0 keys in each second of the run.
    by_second: BTreeMap<u64, u64>,
    /// When a replica had a document with that key for the first time.
    delivered: HashMap<(usize, Kind, String), Instant>,
    _ends: oneshot::Sender<()>,
}

/// The text of each document, its `ETag`, and the ids of its keys.
type Documents = BTreeMap<Kind, (String, String, Vec<String>)>;

impl KeyEndpoint {
    pub(super) fn start(seed: u64) -> Self {
        let (send, receive) = std::sync::mpsc::channel();
        let (ends, ended) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let emulator = Emulator::start().await.expect("an emulator");
                let _ = send.send(emulator);
                let _ = ended.await;
            });
        });
        let state = State {
            emulator: receive.recv().expect("an emulator"),
            chance: fastrand::Rng::with_seed(seed),
            mode: Mode::Up,
            latency: Duration::from_millis(40),
            published: Vec::new(),
            gets: BTreeMap::new(),
            by_second: BTreeMap::new(),
            delivered: HashMap::new(),
            _ends: ends,
        };
        let endpoint = Self(Arc::new(Mutex::new(state)));
        endpoint.publish();
        endpoint
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn emulator(&self) -> Emulator {
        self.state().emulator.clone()
    }

    pub(super) fn set(&self, mode: Mode) {
        self.state().mode = mode;
    }

    /// The emulator's documents are those in force from now on.
    fn publish(&self) {
        let mut state = self.state();
        let base = format!("/{CONTOSO}");
        let paths = [
            (
                Kind::DiscoveryV1,
                format!("{base}/.well-known/openid-configuration"),
            ),
            (
                Kind::DiscoveryV2,
                format!("{base}/v2.0/.well-known/openid-configuration"),
            ),
            (Kind::KeysV1, format!("{base}/discovery/keys")),
            (Kind::KeysV2, format!("{base}/discovery/v2.0/keys")),
        ];
        let address = state.emulator.address().to_string();
        let documents = paths.map(|(kind, path)| {
            let text = read(&address, &path);
            let json: Value = serde_json::from_str(&text).expect("a document");
            let keys = json["keys"].as_array().cloned().unwrap_or_default();
            let kids = keys.iter().filter_map(|key| key["kid"].as_str());
            let kids: Vec<String> = kids.map(str::to_owned).collect();
            (kind, (text, format!("\"{}\"", kids.join(" ")), kids))
        });
        state.published.push(BTreeMap::from(documents));
    }

    /// An emergency: the signing key is gone at once, and a new one signs at once.
    pub(super) fn roll_over(&self) -> String {
        let emulator = self.emulator();
        let kid = emulator.rotate_keys();
        emulator.retire_old_keys();
        self.publish();
        kid
    }

    pub(super) fn gets(&self) -> BTreeMap<Kind, u64> {
        self.state().gets.clone()
    }

    /// The most requests for v2.0 keys within one second, of those that came at or after a second.
    pub(super) fn peak_since(&self, second: u64) -> u64 {
        let state = self.state();
        let since = state.by_second.range(second..);
        since.map(|(_, count)| *count).max().unwrap_or_default()
    }

    /// Whether a replica has had a document with that key for a second.
    pub(super) fn has_had(&self, replica: usize, kind: Kind, kid: &str) -> bool {
        let state = self.state();
        let at = state.delivered.get(&(replica, kind, kid.to_owned()));
        at.is_some_and(|at| at.elapsed() > Duration::from_secs(1))
    }

    pub(super) fn network(&self) -> Network {
        let endpoint = self.clone();
        Arc::new(move |request| {
            let endpoint = endpoint.clone();
            Box::pin(async move { endpoint.answer(request).await.ok_or_else(no_answer) })
        })
    }

    async fn answer(&self, request: Request) -> Option<Response> {
        let url = request.url().clone();
        if let Some(answer) = super::awaits::graph_answer(url.path()) {
            sleep(Duration::from_millis(20)).await;
            return Some(http::Response::new(answer.to_string()).into());
        }
        let replica = url.query_pairs().find(|(name, _)| name == "replica");
        let replica: usize = replica.expect("who asks").1.parse().expect("a number");
        let kind = match url.path() {
            path if path.ends_with("/v2.0/keys") => Kind::KeysV2,
            path if path.ends_with("/keys") => Kind::KeysV1,
            path if path.contains("/v2.0/") => Kind::DiscoveryV2,
            _ => Kind::DiscoveryV1,
        };
        let (latency, mode) = {
            let mut state = self.state();
            *state.gets.entry(kind).or_default() += 1;
            if kind == Kind::KeysV2 {
                *state
                    .by_second
                    .entry(super::elapsed().as_secs())
                    .or_default() += 1;
            }
            let share = 0.5 + state.chance.f64();
            let drawn = state.chance.u8(..100);
            let mode = match state.mode {
                Mode::Flaky(percent) if drawn < percent => Mode::Status(503),
                mode => mode,
            };
            (state.latency.mul_f64(share), mode)
        };
        sleep(latency).await;
        match mode {
            Mode::Hangs => std::future::pending().await,
            Mode::Status(status) => {
                let answer = http::Response::builder().status(status).body("");
                return Some(answer.ok()?.into());
            }
            Mode::Up | Mode::Flaps | Mode::Flaky(_) => {}
        }
        let mut state = self.state();
        let mut which = state.published.len() - 1;
        if mode == Mode::Flaps && state.chance.bool() {
            which = which.saturating_sub(1);
        }
        let (text, etag, kids) = state.published[which][&kind].clone();
        for kid in kids {
            let at = state.delivered.entry((replica, kind, kid));
            at.or_insert_with(Instant::now);
        }
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(true_seconds());
        let builder = http::Response::builder()
            .header("date", httpdate::fmt_http_date(date))
            .header("cache-control", "max-age=86400, private")
            .header("etag", &etag);
        let known = request.headers().get("if-none-match");
        if known.is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
            return Some(builder.status(304).body("").ok()?.into());
        }
        let text = text.replace("/keys\"", &format!("/keys?replica={replica}\""));
        Some(builder.body(text).ok()?.into())
    }
}

/// One GET over a connection of its own. It is waited for without the runtime, whose time stands
/// still.
fn read(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the emulator");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    body.to_owned()
}
