//! What Graph answered about memberships, shared over Redis: how often Graph is asked, and what is
//! believed of what is there.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use axum::{Router, routing::get};
use axum_entra::graph::{ClientCredential, GraphConfig};
use axum_entra::guard::RequireGroup;
use axum_entra::{AccountId, RedisStore, StoreFailurePolicy};
use entra_emulator::{ALICE, API_SECRET, BOB, CONTOSO, Emulator, GROUP_ID};
use metrics_exporter_prometheus::PrometheusBuilder;
use tower::ServiceExt as _;

use crate::replica::{Replica, eventually};
use crate::server::{Server, server};

const OTHER: &str = "aaaaaaaa-0000-4000-8000-000000000002";
const KEY: &[u8] = b"a key of more than 32 random bytes";

/// A replica that shares with those who have one of the keys; without a key it shares nothing.
async fn replica(emulator: &Emulator, server: &Server, keys: &[&[u8]]) -> Replica {
    let mut access =
        GraphConfig::new(ClientCredential::secret(API_SECRET)).graph_url(emulator.graph_url());
    for key in keys {
        access = access.shared_answers_key(key);
    }
    let redis = RedisStore::new(server.url(), StoreFailurePolicy::DangerAllow);
    let replica = Replica::built(emulator, redis, |builder| builder.graph(access));
    replica.follows().await;
    replica
}

async fn sharing<const N: usize>(emulator: &Emulator, server: &Server) -> [Replica; N] {
    let mut replicas = Vec::new();
    for _ in 0..N {
        replicas.push(replica(emulator, server, &[KEY]).await);
    }
    replicas.try_into().ok().unwrap()
}

fn token(emulator: &Emulator, user: &str) -> String {
    let token = emulator.token().user(user).scope("Todo.Read");
    token.groups_overage().mint()
}

/// The status of a request of a user whose token cannot list all groups.
async fn status(replica: &Replica, emulator: &Emulator, user: &str, group: &'static str) -> u16 {
    let app: Router = Router::new()
        .route("/", get(|| async {}).route_layer(RequireGroup(group)))
        .route_layer(replica.entra.layer());
    let bearer = format!("Bearer {}", token(emulator, user));
    let request = Request::get("/").header("authorization", bearer);
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await;
    response.unwrap().status().as_u16()
}

/// How often Graph was asked since the last time.
fn asked(emulator: &Emulator) -> usize {
    let calls = emulator.graph_calls().len();
    emulator.reset_request_counts();
    calls
}

fn hash(object: &str) -> String {
    format!("{{axum-entra}}:answers:{CONTOSO}.{object}")
}

/// Names and entries of an account.
fn entries(server: &Server, object: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let flat: Vec<Vec<u8>> =
        redis::from_redis_value(server.run(&["HGETALL", &hash(object)])).unwrap();
    flat.chunks(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .collect()
}

/// As another program that can write to this Redis does.
fn put(server: &Server, object: &str, name: &[u8], entry: &[u8]) {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut set = redis::cmd("HSET");
    let set = set.arg(hash(object)).arg(name).arg(entry);
    let () = set.query(&mut connection).unwrap();
}

async fn is_shared(server: &Server, object: &str) {
    eventually("shared", async || !entries(server, object).is_empty()).await;
}

#[tokio::test]
async fn a_fleet_asks_graph_once_and_without_sharing_once_for_each_replica() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    emulator.set_memberships("alice", [GROUP_ID]);
    for (keys, expected) in [(&[][..], [10, 10]), (&[KEY][..], [1, 1])] {
        let mut calls = [0, 0];
        let mut replicas = Vec::new();
        for number in 0..10 {
            let replica = replica(&emulator, &server, keys).await;
            assert_eq!(status(&replica, &emulator, "alice", GROUP_ID).await, 200);
            calls[0] += asked(&emulator);
            if number == 0 && !keys.is_empty() {
                is_shared(&server, ALICE).await;
            }
            replicas.push(replica);
        }
        for (number, replica) in replicas.iter().enumerate() {
            let caller = replica
                .entra
                .validate_caller(&token(&emulator, "alice"))
                .await;
            let groups = replica.entra.graph().member_groups(&caller.unwrap()).await;
            assert_eq!(*groups.unwrap(), [GROUP_ID]);
            calls[1] += asked(&emulator);
            if number == 0 && !keys.is_empty() {
                let both = async || entries(&server, ALICE).len() == 2;
                eventually("the list is shared", both).await;
            }
        }
        assert_eq!(calls, expected);
    }
    // A yes or no takes 41 bytes, a list 40 and 16 for each id.
    let mut sizes: Vec<_> = entries(&server, ALICE)
        .iter()
        .map(|(_, entry)| entry.len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [41, 56]);
    let redis::Value::Int(left) = server.run(&["TTL", &hash(ALICE)]) else {
        panic!("no number")
    };
    assert!((290..=331).contains(&left), "{left}");
}

#[tokio::test]
async fn what_another_writer_puts_there_is_not_believed() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    emulator.set_memberships("alice", [GROUP_ID]);
    let [writer, reader] = sharing(&emulator, &server).await;
    assert_eq!(status(&writer, &emulator, "alice", GROUP_ID).await, 200);
    is_shared(&server, ALICE).await;
    let (name, entry) = entries(&server, ALICE)[0].clone();
    let other_group = String::from_utf8(name.clone()).unwrap();
    let other_group = other_group.replace(GROUP_ID, OTHER).into_bytes();
    asked(&emulator);
    // Alice's yes, for another account and for another group.
    put(&server, BOB, &name, &entry);
    assert_eq!(status(&reader, &emulator, "bob", GROUP_ID).await, 403);
    put(&server, ALICE, &other_group, &entry);
    assert_eq!(status(&reader, &emulator, "alice", OTHER).await, 403);
    assert_eq!(asked(&emulator), 2);
    // Graph would say no by now: each of these has it asked.
    emulator.set_memberships("alice", [] as [&str; 0]);
    let mut flipped = entry.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let later: Vec<u8> = (u64::MAX - 1)
        .to_be_bytes()
        .into_iter()
        .chain(entry[8..].to_vec())
        .collect();
    for forged in [&flipped, &later, &entry[..40].to_vec(), &Vec::new()] {
        put(&server, ALICE, &name, forged);
        let fresh = replica(&emulator, &server, &[KEY]).await;
        assert_eq!(status(&fresh, &emulator, "alice", GROUP_ID).await, 403);
        assert_eq!(asked(&emulator), 1);
        // It has put its own answer there.
        let replaced = async || entries(&server, ALICE).iter().all(|(_, now)| now != forged);
        eventually("shared", replaced).await;
    }
    let other_key = replica(&emulator, &server, &[b"another key of 32 random bytes .."]).await;
    put(&server, ALICE, &name, &entry);
    assert_eq!(status(&other_key, &emulator, "alice", GROUP_ID).await, 403);
    let no_hash = replica(&emulator, &server, &[KEY]).await;
    server.run(&["SET", &hash(ALICE), "no hash"]);
    assert_eq!(status(&no_hash, &emulator, "alice", GROUP_ID).await, 403);
    assert_eq!(asked(&emulator), 2);
    // What a replica wrote is taken, within its time: that much a writer can bring back.
    server.run(&["DEL", &hash(ALICE)]);
    put(&server, ALICE, &name, &entry);
    assert_eq!(status(&reader, &emulator, "alice", GROUP_ID).await, 200);
    assert_eq!(asked(&emulator), 0);
}

#[tokio::test]
async fn what_is_forgotten_at_one_replica_is_not_taken_by_another() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let alice = AccountId::Entra {
        tenant_id: CONTOSO.parse().unwrap(),
        object_id: ALICE.parse().unwrap(),
    };
    for forgets in ["nothing", "sign-out", "revocation"] {
        emulator.set_memberships("alice", [GROUP_ID]);
        let [one, two, three] = sharing(&emulator, &server).await;
        assert_eq!(status(&one, &emulator, "alice", GROUP_ID).await, 200);
        assert_eq!(status(&two, &emulator, "alice", GROUP_ID).await, 200);
        is_shared(&server, ALICE).await;
        let (name, entry) = entries(&server, ALICE)[0].clone();
        emulator.set_memberships("alice", [] as [&str; 0]);
        if forgets == "nothing" {
            assert_eq!(status(&three, &emulator, "alice", GROUP_ID).await, 200);
            server.run(&["DEL", &hash(ALICE)]);
            continue;
        }
        match forgets {
            "sign-out" => {
                let bearer = format!("Bearer {}", token(&emulator, "alice"));
                let request = Request::post("/").header("authorization", bearer);
                let app = one.entra.layer();
                let app: Router = Router::new()
                    .route_service("/", one.entra.sign_out_service())
                    .route_layer(app);
                let answer = app.oneshot(request.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.unwrap().status(), 204);
            }
            // No token here is that old.
            _ => {
                let at = std::time::SystemTime::now() - Duration::from_secs(3_600);
                one.entra
                    .revoke_tokens_issued_before(&alice, at)
                    .await
                    .unwrap();
            }
        }
        eventually("removed", async || entries(&server, ALICE).is_empty()).await;
        // Another writer puts it back.
        put(&server, ALICE, &name, &entry);
        assert_eq!(
            status(&one, &emulator, "alice", GROUP_ID).await,
            403,
            "{forgets}"
        );
        put(&server, ALICE, &name, &entry);
        let holds = async || status(&two, &emulator, "alice", GROUP_ID).await == 403;
        eventually("it holds at the other replica", holds).await;
        put(&server, ALICE, &name, &entry);
        let late = replica(&emulator, &server, &[KEY]).await;
        assert_eq!(
            status(&late, &emulator, "alice", GROUP_ID).await,
            403,
            "{forgets}"
        );
        // Answers of after it are shared again.
        emulator.set_memberships("alice", [GROUP_ID]);
        eventually("shared", async || {
            let found = entries(&server, ALICE);
            found.iter().any(|(_, now)| *now != entry)
        })
        .await;
        asked(&emulator);
        assert_eq!(status(&three, &emulator, "alice", GROUP_ID).await, 403);
        assert_eq!(asked(&emulator), 0);
        server.run(&["DEL", &hash(ALICE)]);
    }
}

#[tokio::test]
async fn an_invalidated_account_is_asked_for_anew_whatever_is_shared() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    emulator.set_memberships("alice", [GROUP_ID]);
    let [one, two] = sharing(&emulator, &server).await;
    assert_eq!(status(&one, &emulator, "alice", GROUP_ID).await, 200);
    is_shared(&server, ALICE).await;
    let (name, entry) = entries(&server, ALICE)[0].clone();
    emulator.set_memberships("alice", [] as [&str; 0]);
    let (tenant, object) = (CONTOSO.parse().unwrap(), ALICE.parse().unwrap());
    one.entra.graph().invalidate_account(tenant, object);
    put(&server, ALICE, &name, &entry);
    assert_eq!(status(&one, &emulator, "alice", GROUP_ID).await, 403);
    // This one has nothing kept, and was told nothing.
    put(&server, ALICE, &name, &entry);
    assert_eq!(status(&two, &emulator, "alice", GROUP_ID).await, 200);
}

#[tokio::test]
async fn keys_are_changed_without_a_replica_that_asks_for_itself() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    emulator.set_memberships("alice", [GROUP_ID]);
    let new = b"the next key, of 32 random bytes";
    let one = replica(&emulator, &server, &[KEY, new]).await;
    assert_eq!(status(&one, &emulator, "alice", GROUP_ID).await, 200);
    is_shared(&server, ALICE).await;
    assert_eq!(asked(&emulator), 1);
    for keys in [&[KEY][..], &[KEY, new], &[new, KEY]] {
        let other = replica(&emulator, &server, keys).await;
        assert_eq!(status(&other, &emulator, "alice", GROUP_ID).await, 200);
        assert_eq!(asked(&emulator), 0);
    }
    let without = replica(&emulator, &server, &[new]).await;
    assert_eq!(status(&without, &emulator, "alice", GROUP_ID).await, 200);
    assert_eq!(asked(&emulator), 1);
}

#[tokio::test]
async fn a_redis_that_hangs_or_is_gone_leaves_the_question_to_graph_in_time() {
    let Some(mut server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    emulator.set_memberships("alice", [GROUP_ID]);
    let [one, two] = sharing(&emulator, &server).await;
    assert_eq!(status(&one, &emulator, "alice", GROUP_ID).await, 200);
    is_shared(&server, ALICE).await;
    asked(&emulator);
    server.freeze();
    let began = Instant::now();
    assert_eq!(status(&two, &emulator, "alice", GROUP_ID).await, 200);
    let took = began.elapsed();
    server.thaw();
    // Redis' own time-out is two seconds.
    assert!(took < Duration::from_millis(1_500), "{took:?}");
    assert_eq!(asked(&emulator), 1);
    server.stop();
    eventually("it is noticed", async || !one.is_following()).await;
    assert_eq!(status(&one, &emulator, "bob", GROUP_ID).await, 403);
    assert_eq!(asked(&emulator), 1);
    server.start();
    one.follows().await;
    assert_eq!(status(&one, &emulator, "carol", GROUP_ID).await, 403);
    assert_eq!(asked(&emulator), 1);
}

#[test]
fn reading_and_sharing_are_counted() {
    let Some(server) = server() else { return };
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let emulator = Emulator::start().await.unwrap();
            emulator.set_memberships("alice", [GROUP_ID]);
            let [one, two, three] = sharing(&emulator, &server).await;
            status(&one, &emulator, "alice", GROUP_ID).await;
            is_shared(&server, ALICE).await;
            status(&two, &emulator, "alice", GROUP_ID).await;
            let (name, _) = entries(&server, ALICE)[0].clone();
            put(&server, ALICE, &name, b"forged");
            status(&three, &emulator, "alice", GROUP_ID).await;
            eventually("shared", async || entries(&server, ALICE)[0].1 != b"forged").await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        });
    });
    let page = handle.render();
    for (call, result, times) in [
        ("shared memberships", "miss", 1),
        ("shared memberships", "ok", 1),
        ("shared memberships", "refused", 1),
        ("share memberships", "ok", 2),
    ] {
        let line = format!(
            "axum_entra_directory_calls_total{{call=\"{call}\",result=\"{result}\"}} {times}\n"
        );
        assert!(page.contains(&line), "no {line} in\n{page}");
    }
    assert!(!page.contains(ALICE));
}
