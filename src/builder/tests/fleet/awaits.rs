//! Faults wherever something waits: a request that is given up, or panics, at each of its polls; a
//! task that panics at each of its polls; a clock, a hook and a network that panic at each call. What
//! must hold holds afterwards, without a restart.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::Request;
use axum::{Router, routing::get};
use entra_emulator::{ALICE, API_ID, BOB, CONTOSO, Emulator, GROUP_ID, TokenBuilder};
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_stream::StreamExt as _;
use tower::ServiceExt as _;

use super::authority::KeyEndpoint;
use super::redis::{Redis, Seeded};
use super::world::LAG;
use super::{run, true_seconds};
use crate::graph::{ClientCredential, GraphConfig};
use crate::guard::RequireGroup;
use crate::tasks::injected;
use crate::transport::http_client::in_memory;
use crate::{
    AccountId, Authority, Clock, Entra, RedisStore, Rejection, SecurityEventTransmitter,
    StoreFailurePolicy, Tenant, UnixTime,
};

const EVENTS: &str = "https://api.example/events";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Calls of something of the application's, one of which panics.
#[derive(Clone, Default)]
struct Calls(Arc<(AtomicU64, AtomicU64)>);

impl Calls {
    fn panic_at(&self, call: u64) {
        self.0.0.store(0, Ordering::SeqCst);
        self.0.1.store(call, Ordering::SeqCst);
    }

    fn count(&self) -> u64 {
        self.0.0.load(Ordering::SeqCst)
    }

    fn call(&self) {
        let call = self.0.0.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(call != self.0.1.load(Ordering::SeqCst), "injected");
    }
}

#[derive(Clone, Default)]
struct Hooks {
    clock: Calls,
    sign_out: Calls,
    network: Calls,
}

/// Two replicas, their store, and their authority.
#[derive(Clone)]
struct Rig {
    endpoint: KeyEndpoint,
    emulator: Emulator,
    pair: [Entra; 2],
}

impl Rig {
    /// Both have their keys and follow, unless a panic keeps them from it.
    async fn start(endpoint: &KeyEndpoint, hooks: &Hooks) -> Self {
        super::begin();
        let emulator = endpoint.emulator();
        let (network, calls) = (endpoint.network(), hooks.network.clone());
        in_memory::install(Some(Arc::new(move |request| {
            let (network, calls) = (Arc::clone(&network), calls.clone());
            Box::pin(async move {
                calls.call();
                network(request).await
            })
        })));
        let redis = Redis::new(2, 1, Seeded::None);
        let pair = [0, 1].map(|number| replica(&emulator, &redis, number, hooks));
        sleep(Duration::from_secs(1)).await;
        Self {
            endpoint: endpoint.clone(),
            emulator,
            pair,
        }
    }

    fn app(&self, replica: usize) -> Router {
        let entra = &self.pair[replica];
        let ok = || async { "in" };
        Router::new()
            .route("/me", get(ok))
            .route("/group", get(ok).route_layer(RequireGroup(GROUP_ID)))
            .route("/once", get(ok).route_layer(entra.replay_protection()))
            .route_service("/signout", entra.sign_out_service())
            .route_layer(entra.layer())
            .route_service("/events", entra.security_event_receiver())
            .route_service("/back", entra.back_channel_logout())
            .route_service("/front", entra.front_channel_logout())
    }

    fn token(&self, who: &str) -> TokenBuilder {
        let issued = true_seconds() - 100;
        let token = self.emulator.token().user(who).issued_at(issued);
        token.not_before(issued).expires_at(issued + 3_600)
    }

    async fn send(&self, replica: usize, request: Request<Body>) -> (u16, String) {
        let response = self.app(replica).oneshot(request).await;
        let response = response.unwrap_or_else(|never| match never {});
        let rejection = response.extensions().get::<Rejection>();
        let reason = rejection.map_or("in", Rejection::reason).to_owned();
        (response.status().as_u16(), reason)
    }

    async fn reason(&self, replica: usize, path: &str, token: TokenBuilder) -> String {
        self.send(replica, bearer(path, &token.mint())).await.1
    }

    async fn is_revoked(&self, replica: usize, who: &str) -> bool {
        self.reason(replica, "/me", self.token(who)).await == "revoked"
    }

    /// What must hold whatever happened, after a while.
    async fn holds(&self, what: &str) {
        sleep(LAG + Duration::from_secs(3)).await;
        for (replica, entra) in self.pair.iter().enumerate() {
            let status = entra.store_status();
            assert!(status.connected, "{what}: {:?}", status.last_error);
            let carol = self.token("carol").mint();
            let answer = self.send(replica, bearer("/me", &carol)).await;
            assert_eq!(answer, (200, "in".to_owned()), "{what}: replica {replica}");
        }
        for who in ["alice", "bob"] {
            let [one, other] = [0, 1].map(|replica| self.is_revoked(replica, who));
            assert_eq!(
                one.await,
                other.await,
                "{what}: {who} is revoked at one of two"
            );
        }
    }
}

fn replica(emulator: &Emulator, redis: &Redis, number: usize, hooks: &Hooks) -> Entra {
    let base = emulator.url();
    let document = |version: &str| {
        format!("{base}/{CONTOSO}{version}/.well-known/openid-configuration?replica={number}")
    };
    let clock = hooks.clock.clone();
    let now = move || {
        clock.call();
        UnixTime::from_secs(true_seconds())
    };
    let access = GraphConfig::new(ClientCredential::secret("s"))
        .graph_url(format!("{base}/graph/v1.0"))
        .check_sessions(true)
        // So that the memberships of `Act::Groups` are looked up in the store, and kept there.
        .shared_answers_key([7; 32]);
    let authority = Authority::entra(Tenant::new(CONTOSO), API_ID)
        .instance(base)
        .sts_instance(base)
        .metadata_address(document("/v2.0"))
        .metadata_address_v1(document(""))
        .issued_at_backdate(Duration::ZERO);
    let signals = SecurityEventTransmitter::new(emulator.issuer(CONTOSO), EVENTS)
        .metadata_address(document("/v2.0"));
    let sign_out = hooks.sign_out.clone();
    Entra::builder_for(authority)
        .graph(access)
        .clock(Clock::from_fn(now))
        .redis(RedisStore::model(
            redis.dial(number),
            StoreFailurePolicy::Deny,
        ))
        .security_event_transmitter(signals)
        .on_sign_out(move |_| sign_out.call())
        .build()
        .expect("a replica")
}

fn bearer(path: &str, token: &str) -> Request<Body> {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    request.body(Body::empty()).expect("a request")
}

/// A body that arrives in pieces, each after a pause.
fn in_pieces(path: &str, media_type: &str, text: &str) -> Request<Body> {
    let pieces: Vec<String> = text
        .as_bytes()
        .chunks(text.len() / 3 + 1)
        .map(|piece| String::from_utf8_lossy(piece).into_owned())
        .collect();
    let pieces = tokio_stream::iter(pieces).then(async |piece| {
        sleep(Duration::from_millis(3)).await;
        Ok::<_, std::io::Error>(piece)
    });
    let request = Request::post(path).header("content-type", media_type);
    let body = Body::from_stream(pieces);
    request.body(body).expect("a request")
}

fn account(object: &str) -> AccountId {
    AccountId::Entra {
        tenant_id: CONTOSO.parse().expect("a GUID"),
        object_id: object.parse().expect("a GUID"),
    }
}

/// What is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// One message about two accounts.
    Event,
    BackChannel,
    FrontChannel,
    SignOut,
    /// A token of a key that is not known yet.
    NewKey,
    /// A guard that needs Microsoft Graph.
    Groups,
    /// Replay protection.
    Once,
    /// The application revokes.
    Revoke,
}

impl Act {
    const ALL: [Self; 8] = [
        Self::Event,
        Self::BackChannel,
        Self::FrontChannel,
        Self::SignOut,
        Self::NewKey,
        Self::Groups,
        Self::Once,
        Self::Revoke,
    ];

    const fn status(self) -> u16 {
        match self {
            Self::Event => 202,
            Self::SignOut => 204,
            _ => 200,
        }
    }

    /// Who is revoked, or has a session that ended.
    const fn ends(self) -> &'static [&'static str] {
        match self {
            Self::Event => &["alice", "bob"],
            Self::Revoke => &["alice"],
            _ => &[],
        }
    }

    fn act(self, rig: &Rig, number: u64) -> Pin<Box<dyn Future<Output = u16> + Send>> {
        let own = rig.clone();
        let now = true_seconds();
        let token = own.token("alice");
        let told = |header: &str, audience: &str| {
            let token = own.token("alice").issued_at(now).header("typ", header);
            let token = token.audience(audience).claim("jti", format!("j-{number}"));
            token.without("oid").without("nonce")
        };
        let request = match self {
            Self::Event => {
                let of = |who: &str| {
                    let iss = own.emulator.issuer(CONTOSO);
                    json!({ "subject": { "format": "iss_sub", "iss": iss, "sub": who } })
                };
                let events = json!({
                    format!("{CAEP}session-revoked"): of(ALICE),
                    format!("{CAEP}credential-change"): of(BOB),
                });
                let message = told("secevent+jwt", EVENTS).claim("events", events);
                let message = message.without("exp").without("nbf").without("sub").mint();
                in_pieces("/events", "application/secevent+jwt", &message)
            }
            Self::BackChannel => {
                let token = told("logout+jwt", API_ID).claim("sid", "s-1");
                let token = token.claim("events", json!({ LOGOUT: {} })).mint();
                let form = format!("logout_token={token}&other=1");
                in_pieces("/back", "application/x-www-form-urlencoded", &form)
            }
            Self::FrontChannel => {
                let issuer = own.emulator.issuer(CONTOSO);
                let query: String = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("iss", &issuer)
                    .append_pair("sid", "s-1")
                    .finish();
                let request = Request::get(format!("/front?{query}"));
                request.body(Body::empty()).expect("a request")
            }
            Self::SignOut => bearer("/signout", &token.mint()),
            Self::NewKey => bearer("/me", &token.mint()),
            Self::Groups => bearer("/group", &token.groups_overage().mint()),
            Self::Once => bearer("/once", &token.claim("uti", format!("u-{number}")).mint()),
            Self::Revoke => {
                let at = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
                return Box::pin(async move {
                    let alice = account(ALICE);
                    let told = own.pair[0].revoke_tokens_issued_before(&alice, at);
                    if told.await.is_ok() { 200 } else { 503 }
                });
            }
        };
        Box::pin(async move { own.send(0, request).await.0 })
    }
}

/// How a future ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Where it waits after so many polls, as when a client hangs up.
    Dropped,
    /// At the next poll, with what it holds.
    Panicked,
}

/// What a future returns, unless it is ended after so many polls.
async fn interrupted<T>(
    mut future: Pin<Box<dyn Future<Output = T> + Send>>,
    polls: u64,
    end: End,
) -> Option<T> {
    let mut left = polls;
    let ended = poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Pending if left == 0 && end == End::Dropped => Poll::Ready(None),
            polled => polled.map(Some),
        }
    })
    .await;
    if ended.is_none() && end == End::Panicked {
        let unwound = catch_unwind(AssertUnwindSafe(move || {
            let _dropped_while_panicking = future;
            panic!("injected");
        }));
        assert!(unwound.is_err());
    }
    ended
}

/// Interrupts an act after so many polls; whether it came to its end before.
fn interrupts(endpoint: &KeyEndpoint, act: Act, polls: u64, end: End) -> bool {
    run(async {
        let rig = Rig::start(endpoint, &Hooks::default()).await;
        let what = format!("{act:?} {end:?} after {polls} polls");
        // A session is known once a token of it was seen.
        let session = || rig.token("alice").claim("sid", "s-1");
        assert_eq!(rig.reason(0, "/me", session()).await, "in", "{what}");
        if act == Act::NewKey {
            let _ = rig.endpoint.roll_over();
        }
        let answered = interrupted(act.act(&rig, 1), polls, end).await;
        if let Some(status) = answered {
            assert_eq!(status, act.status(), "{what}");
        }
        rig.holds(&what).await;
        let [one, two] = ["alice", "bob"].map(|who| rig.is_revoked(0, who));
        let (one, two) = (one.await, two.await);
        if act == Act::Event {
            assert_eq!(one, two, "{what}: all of a message, or nothing of it");
        }
        // The same again, and nothing is in its way.
        assert_eq!(act.act(&rig, 2).await, act.status(), "{what}, again");
        rig.holds(&what).await;
        for replica in [0, 1] {
            for who in ["alice", "bob"] {
                let expected = act.ends().contains(&who);
                assert_eq!(
                    rig.is_revoked(replica, who).await,
                    expected,
                    "{what}: {who}"
                );
            }
            let ended =
                matches!(act, Act::BackChannel | Act::FrontChannel) || !act.ends().is_empty();
            let found = rig.reason(replica, "/me", session()).await;
            assert_eq!(found, if ended { "revoked" } else { "in" }, "{what}");
        }
        in_memory::install(None);
        answered.is_some()
    })
}

#[test]
fn a_request_may_end_at_each_of_its_polls() {
    let endpoint = KeyEndpoint::start(1);
    let mut all = 0;
    for act in Act::ALL {
        for end in [End::Dropped, End::Panicked] {
            let mut polls = 0;
            while !interrupts(&endpoint, act, polls, end) {
                polls += 1;
                assert!(polls < 200, "{act:?} has no end");
            }
            println!("{act:?} {end:?}: {polls} places");
            assert!(polls > 0, "{act:?}");
            all += polls;
        }
    }
    println!("{all} interruptions of requests");
    assert!(all >= 40, "{all}");
}

/// A life of two replicas, in which everything that waits does.
async fn life(rig: &Rig) {
    let answers = async |act: Act, number: u64| {
        // A panic is the request's own affair.
        let _ = tokio::spawn(act.act(rig, number)).await;
    };
    answers(Act::Groups, 1).await;
    answers(Act::Revoke, 2).await;
    let _ = rig.endpoint.roll_over();
    answers(Act::NewKey, 3).await;
    answers(Act::SignOut, 4).await;
    answers(Act::Once, 5).await;
    sleep(Duration::from_secs(2)).await;
}

/// After a life with one panic in it everything is as it should be.
async fn is_whole(rig: &Rig, what: &str) {
    // As long as the cooldown after a fetch that failed, and as the pause of a task.
    sleep(Duration::from_secs(70)).await;
    rig.holds(what).await;
    for replica in [0, 1] {
        for (path, token) in [
            ("/me", rig.token("carol").v1()),
            ("/group", rig.token("carol").groups_overage()),
            (
                "/once",
                rig.token("carol").claim("uti", format!("w-{replica}")),
            ),
        ] {
            let found = rig.reason(replica, path, token).await;
            assert_eq!(found, "in", "{what}: {path} at replica {replica}");
        }
    }
    let _ = Act::Revoke.act(rig, 9).await;
    rig.holds(what).await;
    assert!(rig.is_revoked(1, "alice").await, "{what}");
}

#[test]
fn a_task_may_panic_at_each_of_its_polls() {
    let endpoint = KeyEndpoint::start(1);
    let mut all = 0;
    for task in ["refresh", "fetch", "follow", "publish"] {
        let mut poll = 1;
        loop {
            let panicked = run(async {
                injected::begin(Some((task, poll)));
                let rig = Rig::start(&endpoint, &Hooks::default()).await;
                life(&rig).await;
                let (_, panics) = injected::counted(task);
                injected::begin(None);
                is_whole(&rig, &format!("{task}, poll {poll}")).await;
                in_memory::install(None);
                panics > 0
            });
            if !panicked {
                break;
            }
            all += 1;
            // Those that only wait for news are all alike.
            poll += if poll < 16 { 1 } else { 7 };
        }
        println!("{task}: panics up to poll {poll}");
        assert!(poll > 2, "{task}");
    }
    println!("{all} panics in tasks");
    assert!(all >= 40, "{all}");
}

#[test]
fn what_the_application_hands_over_may_panic_at_each_call() {
    let endpoint = KeyEndpoint::start(1);
    let mut all = 0;
    type Which = fn(&Hooks) -> &Calls;
    let hooks: [(&str, Which); 3] = [
        ("the clock", |hooks| &hooks.clock),
        ("a hook", |hooks| &hooks.sign_out),
        ("the network", |hooks| &hooks.network),
    ];
    for (what, which) in hooks {
        let mut call = 1;
        loop {
            let calls = run(async {
                let hooks = Hooks::default();
                which(&hooks).panic_at(call);
                let rig = Rig::start(&endpoint, &hooks).await;
                life(&rig).await;
                let calls = which(&hooks).count();
                which(&hooks).panic_at(u64::MAX);
                is_whole(&rig, &format!("{what}, call {call}")).await;
                in_memory::install(None);
                calls
            });
            if calls < call {
                break;
            }
            all += 1;
            call += 1;
        }
        println!("{what}: {} calls that panicked", call - 1);
        assert!(call > 1, "{what}");
    }
    println!("{all} panics in what the application hands over");
    assert!(all >= 20, "{all}");
}

/// What a Microsoft Graph and a token endpoint answer to everything that is asked here.
pub(super) fn graph_answer(path: &str) -> Option<Value> {
    if path.ends_with("/token") {
        return Some(json!({ "access_token": "g", "token_type": "Bearer", "expires_in": 3_600 }));
    }
    if path.ends_with("/checkMemberGroups") {
        return Some(json!({ "value": [GROUP_ID] }));
    }
    let sessions = json!({ "signInSessionsValidFromDateTime": "2020-01-01T00:00:00Z" });
    path.contains("/graph/").then_some(sessions)
}
