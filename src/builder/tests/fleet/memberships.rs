//! How often a fleet asks Microsoft Graph about memberships, with and without answers that are shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::{Router, routing::get};
use entra_emulator::{API_ID, CONTOSO, Emulator, GROUP_ID};
use tokio::time::sleep;
use tower::ServiceExt as _;
use uuid::Uuid;

use super::authority::KeyEndpoint;
use super::redis::{Redis, Seeded, Way};
use super::{run, true_seconds};
use crate::graph::{ClientCredential, GraphConfig};
use crate::guard::RequireGroup;
use crate::transport::http_client::in_memory;
use crate::{Authority, Clock, Entra, RedisStore, StoreFailurePolicy, Tenant, UnixTime};

/// Accounts whose tokens list no groups, and how often each calls, at a replica by chance.
const ACCOUNTS: u64 = 20;
const EVERY: Duration = Duration::from_secs(10);

/// `Graph:CacheSeconds`, by default.
const KEPT: f64 = 300.0;

struct Fleet {
    apps: Vec<Router>,
    redis: Redis,
    /// Questions to Graph.
    asked: Arc<AtomicU64>,
    tokens: Vec<String>,
    chance: fastrand::Rng,
}

impl Fleet {
    async fn start(replicas: usize, shares: bool) -> Self {
        Self::start_with(replicas, shares, &[]).await
    }

    /// The same with replicas whose clocks are so many seconds ahead.
    async fn start_with(replicas: usize, shares: bool, ahead: &[u64]) -> Self {
        fastrand::seed(1);
        super::begin();
        let endpoint = KeyEndpoint::start(1);
        let asked = Arc::new(AtomicU64::new(0));
        let (network, count) = (endpoint.network(), Arc::clone(&asked));
        in_memory::install(Some(Arc::new(move |request| {
            if request.url().path().ends_with("/checkMemberGroups") {
                count.fetch_add(1, Ordering::SeqCst);
            }
            network(request)
        })));
        let emulator = endpoint.emulator();
        let redis = Redis::new(replicas, 1, Seeded::None);
        let app = |number| {
            let ahead = ahead.get(number).copied().unwrap_or_default();
            let entra = replica(&emulator, &redis, number, shares, ahead);
            let ok = get(|| async {}).route_layer(RequireGroup(GROUP_ID));
            Router::new().route("/", ok).route_layer(entra.layer())
        };
        let apps = (0..replicas).map(app).collect();
        let issued = true_seconds() - 100;
        let token = |number: u64| {
            let object = Uuid::from_u64_pair(0xacc0_0000_0000_4000, 0x8000_0000_0000_0000 | number);
            let token = emulator.token().scope("a").groups_overage();
            let token = token.claim("oid", object.to_string()).issued_at(issued);
            token.not_before(issued).expires_at(issued + 80_000).mint()
        };
        let tokens = (0..ACCOUNTS).map(token).collect();
        sleep(Duration::from_secs(2)).await;
        Self {
            apps,
            redis,
            asked,
            tokens,
            chance: fastrand::Rng::with_seed(2),
        }
    }

    /// Every account calls once.
    async fn round(&mut self) {
        let pause = EVERY / u32::try_from(self.tokens.len()).expect("few");
        for token in &self.tokens {
            let app = self.apps[self.chance.usize(..self.apps.len())].clone();
            let request = Request::get("/").header("authorization", format!("Bearer {token}"));
            let request = request.body(Body::empty()).expect("a request");
            let answer = app.oneshot(request).await.expect("an answer");
            assert_eq!(answer.status(), 200);
            sleep(pause).await;
        }
    }

    fn asked(&self) -> u64 {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

fn replica(emulator: &Emulator, redis: &Redis, number: usize, shares: bool, ahead: u64) -> Entra {
    let base = emulator.url();
    let document = |version: &str| {
        format!("{base}/{CONTOSO}{version}/.well-known/openid-configuration?replica={number}")
    };
    let mut access =
        GraphConfig::new(ClientCredential::secret("s")).graph_url(format!("{base}/graph/v1.0"));
    if shares {
        access = access.shared_answers_key([7; 32]);
    }
    let authority = Authority::entra(Tenant::new(CONTOSO), API_ID)
        .instance(base)
        .sts_instance(base)
        .metadata_address(document("/v2.0"))
        .metadata_address_v1(document(""))
        .issued_at_backdate(Duration::ZERO);
    let store = RedisStore::model(redis.dial(number), StoreFailurePolicy::DangerAllow);
    Entra::builder_for(authority)
        .graph(access)
        .clock(Clock::from_fn(move || {
            UnixTime::from_secs(true_seconds() + ahead)
        }))
        .redis(store)
        .build()
        .expect("a replica")
}

/// Questions to Graph in an hour, and what `docs/annex/fleet.md` expects: of an account that calls
/// every `EVERY` at one of `N` replicas `3,600 / (KEPT + N × EVERY)` for each replica; `N` is 1 where
/// answers are shared.
fn hour(replicas: usize, shares: bool) -> (u64, f64) {
    let asked = run(async move {
        let mut fleet = Fleet::start(replicas, shares).await;
        // Until nothing remembers the beginning.
        for _ in 0..60 {
            fleet.round().await;
        }
        fleet.asked();
        for _ in 0..360 {
            fleet.round().await;
        }
        fleet.asked()
    });
    let who_asks = if shares { 1.0 } else { replicas as f64 };
    let each = 3_600.0 / (KEPT + who_asks * EVERY.as_secs_f64());
    let expected = ACCOUNTS as f64 * who_asks * each;
    println!("{replicas} replicas, shared: {shares}: {asked} questions, {expected:.0} expected");
    (asked, expected)
}

fn agrees(replicas: usize) {
    for shares in [false, true] {
        let (asked, expected) = hour(replicas, shares);
        let difference = (asked as f64 / expected - 1.0).abs();
        assert!(difference < 0.1, "{:.1} %", difference * 100.0);
    }
}

#[test]
fn a_small_fleet_that_shares_asks_graph_as_one_replica_does() {
    agrees(10);
}

/// `cargo test -p axum-entra --lib --all-features -- --ignored --nocapture fleet`
#[test]
#[ignore = "minutes: 100 replicas for an hour, twice"]
fn a_hundred_replicas_that_share_ask_graph_as_one_does() {
    agrees(100);
}

#[test]
fn a_fleet_that_loses_its_store_asks_graph_for_itself_and_shares_again_later() {
    run(async {
        let mut fleet = Fleet::start(10, true).await;
        fleet.round().await;
        assert_eq!(fleet.asked(), ACCOUNTS);
        for replica in 0..10 {
            fleet.redis.set_way(replica, Way::Silent);
        }
        // Every request is answered meanwhile.
        for _ in 0..60 {
            fleet.round().await;
        }
        let alone = fleet.asked();
        assert!(alone > ACCOUNTS * 10, "{alone}");
        for replica in 0..10 {
            fleet.redis.set_way(replica, Way::Open);
        }
        for _ in 0..60 {
            fleet.round().await;
        }
        fleet.asked();
        for _ in 0..60 {
            fleet.round().await;
        }
        let together = fleet.asked();
        assert!(together < ACCOUNTS * 3, "{together}");
    });
}

/// Its answers would be taken for younger than they are, and it would take older ones.
#[test]
fn a_replica_whose_clock_is_not_the_stores_shares_nothing() {
    for (ahead, order, expected) in [
        (20, [1, 0], ACCOUNTS),
        (20, [0, 1], ACCOUNTS),
        (31, [1, 0], ACCOUNTS * 2),
        (31, [0, 1], ACCOUNTS * 2),
    ] {
        let asked = run(async move {
            let fleet = Fleet::start_with(2, true, &[0, ahead]).await;
            for app in order {
                for token in &fleet.tokens {
                    let request =
                        Request::get("/").header("authorization", format!("Bearer {token}"));
                    let request = request.body(Body::empty()).expect("a request");
                    let answer = fleet.apps[app].clone().oneshot(request).await;
                    assert_eq!(answer.expect("an answer").status(), 200);
                    sleep(Duration::from_millis(100)).await;
                }
            }
            fleet.asked()
        });
        assert_eq!(asked, expected, "{ahead} s ahead, {order:?}");
    }
}
