//! Replicas of one API, what happens to them, and what must hold whatever happens.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use axum::{Router, routing::get};
use entra_emulator::{API_ID, CONTOSO, Emulator};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::authority::{KeyEndpoint, Kind};
use super::redis::{Redis, Seeded};
use super::{BASE, elapsed, true_seconds};
use crate::transport::http_client::in_memory;
use crate::{
    AccountId, Authority, Clock, Entra, JwksRefresh, RedisStore, Rejection, StoreFailurePolicy,
    Tenant, UnixTime,
};

/// How long what was acknowledged may take to be in force at a replica that says it follows.
pub(super) const LAG: Duration = Duration::from_secs(4);

/// How long after a loss of data, when every way is open again, the replicas that know more take to
/// tell the others.
pub(super) const REPUBLISHED: Duration = Duration::from_secs(10);

/// A clock this far away still agrees with tokens (`ClockSkewSeconds`), in seconds.
const SKEW: i64 = 300;

/// Accounts that call often, and all of them.
const FREQUENT: u32 = 64;
const ACCOUNTS: u32 = 1_000_000;

/// Replicas that are asked for each revocation.
const PROBED: usize = 24;

/// How many seconds a token lives.
const LIFETIME: u64 = 3_900;

pub(super) struct Settings {
    pub(super) seed: u64,
    pub(super) replicas: usize,
    pub(super) seeded: Seeded,
    pub(super) shared: bool,
    pub(super) refresh: JwksRefresh,
    /// What each clock adds to the true time, in seconds; the replicas take turns.
    pub(super) clocks: &'static [i64],
}

pub(super) struct World {
    pub(super) endpoint: KeyEndpoint,
    pub(super) redis: Redis,
    pub(super) replicas: Vec<Arc<Replica>>,
    pub(super) chance: fastrand::Rng,
    pub(super) ledger: Ledger,
    emulator: Emulator,
    tokens: HashMap<(u32, bool, u64, String), Arc<Sample>>,
    tasks: JoinSet<()>,
    new_accounts: u32,
}

pub(super) struct Replica {
    pub(super) number: usize,
    pub(super) entra: Entra,
    app: Router,
    offset: i64,
}

/// A token and what is true of it.
pub(super) struct Sample {
    account: u32,
    is_v1: bool,
    issued_at: u64,
    kid: String,
    text: String,
}

/// What happened, and what was promised.
#[derive(Clone)]
pub(super) struct Ledger(Arc<Mutex<Book>>);

#[derive(Default)]
pub(super) struct Book {
    marks: HashMap<u32, Vec<Mark>>,
    losses: Vec<Loss>,
    /// Replicas that reach the second master.
    second: Vec<bool>,
    /// When each key that is gone was taken out of the documents.
    gone: HashMap<String, Instant>,
    pub(super) violations: Vec<String>,
    pub(super) requests: u64,
    pub(super) accepted: u64,
    pub(super) refused: u64,
    pub(super) unavailable: u64,
    pub(super) revocations: u64,
    pub(super) events: u64,
    digest: DefaultHasher,
}

/// A revocation.
#[derive(Clone)]
struct Mark {
    at: u64,
    by: usize,
    second: bool,
    made: Instant,
    /// When the store acknowledged it.
    told: Option<Instant>,
}

/// The store lost data, or was two.
struct Loss {
    is_split: bool,
    until: Option<Instant>,
}

impl Ledger {
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn digest(&self) -> u64 {
        self.book().digest.finish()
    }
}

impl Book {
    pub(super) fn loss(&mut self, is_split: bool) {
        self.losses.push(Loss {
            is_split,
            until: None,
        });
    }

    /// Every way is open.
    pub(super) fn healed(&mut self) {
        let now = Instant::now();
        for loss in &mut self.losses {
            loss.until.get_or_insert(now);
        }
        self.second.fill(false);
    }

    pub(super) fn split(&mut self, second: impl Fn(usize) -> bool) {
        for (number, own) in self.second.iter_mut().enumerate() {
            *own = second(number);
        }
        self.loss(true);
    }

    pub(super) fn key_is_gone(&mut self, kid: String) {
        self.gone.insert(kid, Instant::now());
    }

    /// Whether a replica that follows had to know of a revocation when a request came.
    fn is_due(&self, mark: &Mark, replica: usize, came: Instant) -> bool {
        if mark.by == replica {
            return came > mark.made;
        }
        let Some(told) = mark.told else { return false };
        let excused = self.losses.iter().any(|loss| match loss.until {
            None if loss.is_split => mark.second != self.second[replica],
            None => true,
            Some(until) => told <= until && came < until + REPUBLISHED,
        });
        came > told + LAG && !excused
    }

    fn judge(&mut self, answer: &Answer<'_>, world: &KeyEndpoint, grace: Duration) {
        let Answer {
            replica,
            sample,
            came,
            follows,
            status,
            reason,
        } = answer;
        self.requests += 1;
        let at = elapsed().as_millis();
        (at, replica.number, sample.account, status, reason).hash(&mut self.digest);
        match status {
            200 => self.accepted += 1,
            503 => self.unavailable += 1,
            _ => self.refused += 1,
        }
        let marks = self.marks.get(&sample.account).cloned().unwrap_or_default();
        let of = format!(
            "at {at} ms replica {} (clock {:+} s) answered {status} {reason} to account {}",
            replica.number, replica.offset, sample.account
        );
        let revoked = marks.iter().filter(|mark| sample.issued_at < mark.at);
        if *status == 200 {
            for mark in revoked.clone() {
                let own = mark.by == replica.number;
                if (own || *follows) && self.is_due(mark, replica.number, *came) {
                    let told = mark.told.map(|told| told.elapsed().as_millis());
                    self.violations.push(format!(
                        "accepted a revoked token: {of}; revoked by replica {}, acknowledged {told:?} ms ago",
                        mark.by
                    ));
                }
            }
            return;
        }
        if revoked.count() > 0 || replica.offset.abs() > SKEW {
            return;
        }
        if self
            .gone
            .get(&sample.kid)
            .is_some_and(|gone| gone.elapsed() > grace)
        {
            return;
        }
        if *reason == "store_unavailable" && !follows {
            return;
        }
        let knows = |kind| world.has_had(replica.number, kind, &sample.kid);
        let knows = knows(Kind::KeysV2) && (!sample.is_v1 || knows(Kind::KeysV1));
        let no_key = matches!(*reason, "unknown_key" | "keys_unavailable");
        if knows || !no_key {
            self.violations.push(format!("refused a good token: {of}"));
        }
    }
}

struct Answer<'a> {
    replica: &'a Replica,
    sample: &'a Sample,
    came: Instant,
    follows: bool,
    status: u16,
    reason: &'a str,
}

impl World {
    pub(super) async fn start(settings: &Settings) -> Self {
        let Settings { seed, .. } = *settings;
        // What the library draws, it draws on this thread.
        fastrand::seed(seed);
        super::begin();
        let endpoint = KeyEndpoint::start(seed);
        in_memory::install(Some(endpoint.network()));
        let redis = Redis::new(settings.replicas, seed, settings.seeded);
        let emulator = endpoint.emulator();
        let ledger = Ledger(Arc::default());
        ledger.book().second = vec![false; settings.replicas];
        let mut world = Self {
            endpoint,
            redis,
            replicas: Vec::new(),
            chance: fastrand::Rng::with_seed(!seed),
            ledger,
            emulator,
            tokens: HashMap::new(),
            tasks: JoinSet::new(),
            new_accounts: 0,
        };
        for number in 0..settings.replicas {
            let offset = settings.clocks[number % settings.clocks.len()];
            let replica = world.replica(settings, number, offset);
            world.replicas.push(Arc::new(replica));
            if number.is_multiple_of(64) {
                sleep(Duration::from_millis(50)).await;
            }
        }
        world
    }

    fn replica(&self, settings: &Settings, number: usize, offset: i64) -> Replica {
        let base = self.emulator.url();
        let document = |version: &str| {
            format!("{base}/{CONTOSO}{version}/.well-known/openid-configuration?replica={number}")
        };
        let authority = Authority::entra(Tenant::new(CONTOSO), API_ID)
            .instance(base)
            .sts_instance(base)
            .metadata_address(document("/v2.0"))
            .metadata_address_v1(document(""))
            .jwks_refresh(settings.refresh)
            .issued_at_backdate(Duration::ZERO);
        let clock = move || UnixTime::from_secs(true_seconds().saturating_add_signed(offset));
        let mut builder = Entra::builder_for(authority).clock(Clock::from_fn(clock));
        if settings.shared {
            let store = RedisStore::model(self.redis.dial(number), StoreFailurePolicy::Deny);
            builder = builder.redis(store);
        }
        let entra = builder.build().expect("a replica");
        let app = Router::new()
            .route("/me", get(|| async {}))
            .route_layer(entra.layer());
        Replica {
            number,
            entra,
            app,
            offset,
        }
    }

    fn any_account(&mut self) -> u32 {
        match self.chance.u8(..16) {
            0 => self.chance.u32(..ACCOUNTS),
            _ => self.chance.u32(..FREQUENT),
        }
    }

    /// A token of an account that its client has: issued in the last ten minutes, or just now.
    fn sample(&mut self, account: u32) -> Arc<Sample> {
        let now = true_seconds();
        let issued_at = match self.chance.u8(..4) {
            // Just renewed.
            0 => now - now % 20,
            _ => now - now % 600 - 1,
        };
        let is_v1 = account.is_multiple_of(5);
        self.token(account, is_v1, issued_at)
    }

    fn token(&mut self, account: u32, is_v1: bool, issued_at: u64) -> Arc<Sample> {
        let kid = self.emulator.signing_key_id();
        let emulator = &self.emulator;
        let mint = || {
            let token = emulator
                .token()
                .claim("oid", object(account).to_string())
                .claim("sub", format!("subject-{account}"))
                .issued_at(issued_at)
                .not_before(issued_at)
                .expires_at(issued_at + LIFETIME);
            let token = if is_v1 { token.v1() } else { token };
            Arc::new(Sample {
                account,
                is_v1,
                issued_at,
                kid: kid.clone(),
                text: token.mint(),
            })
        };
        let key = (account, is_v1, issued_at, kid.clone());
        Arc::clone(self.tokens.entry(key).or_insert_with(mint))
    }

    /// Tokens that were handed out so far and are alive, among them of keys that are gone.
    pub(super) fn living(&self) -> Vec<Arc<Sample>> {
        let now = true_seconds();
        let alive = |sample: &&Arc<Sample>| sample.issued_at + LIFETIME > now + 60;
        let mut living: Vec<_> = self.tokens.values().filter(alive).cloned().collect();
        living.sort_by_key(|sample| (sample.account, sample.issued_at, sample.kid.clone()));
        living
    }

    /// Requests that begin now, at replicas and of accounts that chance chooses.
    pub(super) fn load(&mut self, requests: usize) {
        for _ in 0..requests {
            let replica = self.chance.usize(..self.replicas.len());
            let account = self.any_account();
            let sample = self.sample(account);
            self.ask(replica, sample);
        }
        while self.tasks.try_join_next().is_some() {}
    }

    pub(super) fn ask(&mut self, replica: usize, sample: Arc<Sample>) {
        let replica = Arc::clone(&self.replicas[replica]);
        let (ledger, endpoint) = (self.ledger.clone(), self.endpoint.clone());
        self.tasks
            .spawn(async move { replica.tries(&sample, &ledger, &endpoint).await });
    }

    /// Each replica gets a token of each version, issued just now.
    pub(super) fn ask_everyone(&mut self) {
        for replica in 0..self.replicas.len() {
            for is_v1 in [false, true] {
                let account = u32::from(is_v1);
                let sample = self.token(account, is_v1, true_seconds());
                self.ask(replica, sample);
            }
        }
    }

    /// A replica revokes what an account has at the moment: one of those that call often, or one of
    /// which nothing was revoked before.
    pub(super) fn revoke(&mut self, is_new: bool) {
        let by = self.chance.usize(..self.replicas.len());
        let account = if is_new {
            self.new_accounts += 1;
            ACCOUNTS + self.new_accounts
        } else {
            self.chance.u32(..FREQUENT)
        };
        let replica = Arc::clone(&self.replicas[by]);
        let at = true_seconds();
        let (ledger, endpoint) = (self.ledger.clone(), self.endpoint.clone());
        let sample = self.token(account, account.is_multiple_of(5), at - at % 600 - 1);
        let mut others = self.replicas.clone();
        self.chance.shuffle(&mut others);
        others.truncate(PROBED);
        self.tasks.spawn(async move {
            let place = {
                let mut book = ledger.book();
                book.revocations += 1;
                let second = book.second[by];
                let marks = book.marks.entry(account).or_default();
                marks.push(Mark {
                    at,
                    by,
                    second,
                    made: Instant::now(),
                    told: None,
                });
                marks.len() - 1
            };
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
            let told = replica
                .entra
                .revoke_tokens_issued_before(&id(account), time)
                .await;
            if told.is_ok()
                && let Some(mark) = ledger
                    .book()
                    .marks
                    .get_mut(&account)
                    .and_then(|marks| marks.get_mut(place))
            {
                mark.told = Some(Instant::now());
            }
            // At the earliest moment at which it has to be in force, and a little later.
            for pause in [LAG + Duration::from_millis(1), Duration::from_millis(700)] {
                sleep(pause).await;
                for replica in &others {
                    replica.tries(&sample, &ledger, &endpoint).await;
                }
            }
        });
    }

    /// A replica revokes an account of its own.
    pub(super) async fn revoke_number(&mut self, by: usize, account: u32) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(true_seconds());
        let entra = &self.replicas[by].entra;
        let account = id(account + ACCOUNTS);
        let told = entra.revoke_tokens_issued_before(&account, time);
        told.await.expect("the store answers");
    }

    /// A token that was issued before such an account was revoked, as old as tokens get.
    pub(super) async fn is_refused_everywhere(&mut self, account: u32) -> usize {
        let now = true_seconds();
        let issued_at = now - 28 * 3_600 + 120;
        let token = self.emulator.token();
        let token = token
            .claim("oid", object(account + ACCOUNTS).to_string())
            .issued_at(issued_at)
            .not_before(issued_at)
            .expires_at(now + 120)
            .mint();
        for replica in &self.replicas {
            let refused = replica.entra.validate(&token).await.map(drop);
            let reason = refused.map_err(|error| error.reason());
            if reason != Err("revoked") {
                let text = format!("accepted a revoked token: account {account}: {reason:?}");
                self.ledger.book().violations.push(text);
            }
        }
        self.replicas.len()
    }

    /// Waits until every request is answered.
    pub(super) async fn settle(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                self.ledger
                    .book()
                    .violations
                    .push(format!("a request panicked: {error}"));
            }
        }
    }

    /// Every way is open for a while: without a restart everything is as it should be.
    pub(super) async fn has_recovered(&mut self) {
        {
            // What was revoked is known everywhere, also where publishing failed at the time.
            let mut book = self.ledger.book();
            let now = Instant::now();
            let told = now.checked_sub(LAG * 2).unwrap_or(now);
            for mark in book.marks.values_mut().flatten() {
                mark.told.get_or_insert(told);
            }
        }
        for replica in &self.replicas {
            if !replica.follows() {
                let status = replica.entra.store_status();
                self.ledger.book().violations.push(format!(
                    "has not recovered: replica {} does not follow: {:?}",
                    replica.number, status.last_error
                ));
            }
        }
        let living = self.living();
        let most = (4_000 / self.replicas.len()).clamp(2, 24);
        for replica in 0..self.replicas.len() {
            for _ in 0..most {
                let sample = Arc::clone(&living[self.chance.usize(..living.len())]);
                self.ask(replica, sample);
            }
        }
        self.settle().await;
    }
}

impl Replica {
    /// One request, and whether its answer is right.
    async fn tries(&self, sample: &Sample, ledger: &Ledger, endpoint: &KeyEndpoint) {
        let came = Instant::now();
        let before = self.follows();
        let request = Request::get("/me")
            .header(AUTHORIZATION, format!("Bearer {}", sample.text))
            .body(Body::empty())
            .expect("a request");
        let response = self.app.clone().oneshot(request).await;
        let response = response.unwrap_or_else(|never| match never {});
        let rejection = response.extensions().get::<Rejection>();
        let answer = Answer {
            replica: self,
            sample,
            came,
            follows: before && self.follows(),
            status: response.status().as_u16(),
            reason: rejection.map_or("in", Rejection::reason),
        };
        ledger.book().judge(&answer, endpoint, super::GRACE);
    }

    fn follows(&self) -> bool {
        self.entra.store_status().connected
    }
}

impl Drop for World {
    fn drop(&mut self) {
        in_memory::install(None);
    }
}

fn object(account: u32) -> Uuid {
    Uuid::from_u128(0xacc0_0000_0000_4000_8000_0000_0000_0000 + u128::from(account))
}

fn id(account: u32) -> AccountId {
    AccountId::Entra {
        tenant_id: CONTOSO.parse().expect("a GUID"),
        object_id: object(account),
    }
}

const _: () = assert!(BASE > LIFETIME);
