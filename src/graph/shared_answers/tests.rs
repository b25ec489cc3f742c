use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::*;
use crate::clock::UnixTime;
use crate::graph::request_error::GraphRequestError;
use crate::revocation::Answer;
use crate::revocation::StoreUnavailable;

/// A store in memory, to which a test can write as well.
#[derive(Debug, Default)]
struct Model {
    entries: Mutex<HashMap<(AccountId, String), Vec<u8>>>,
    forgotten: Mutex<HashMap<AccountId, ForgottenAt>>,
    lost: AtomicBool,
    fails: AtomicBool,
    hangs: AtomicBool,
    reads: AtomicUsize,
}

impl Model {
    fn all(&self) -> Vec<((AccountId, String), Vec<u8>)> {
        self.entries.lock().unwrap().clone().into_iter().collect()
    }

    fn put(&self, key: (AccountId, String), entry: Vec<u8>) {
        self.entries.lock().unwrap().insert(key, entry);
    }

    fn forget(&self, account: Account, times: [u64; 3]) {
        let mut forgotten = self.forgotten.lock().unwrap();
        forgotten.insert(account.id(), ForgottenAt(times));
    }

    fn answers<T: Send + 'static>(&self, answer: T) -> Answer<T> {
        if self.hangs.load(Ordering::SeqCst) {
            return Answer::Later(Box::pin(std::future::pending()));
        }
        match self.fails.load(Ordering::SeqCst) {
            true => Answer::Now(Err(StoreUnavailable)),
            false => Answer::Now(Ok(answer)),
        }
    }
}

impl AnswerStore for Model {
    fn begin(&self) {}

    fn forgotten_at(&self, account: &AccountId) -> Option<ForgottenAt> {
        let times = self.forgotten.lock().unwrap().get(account).copied();
        (!self.lost.load(Ordering::SeqCst)).then(|| times.unwrap_or_default())
    }

    fn read(&self, account: &AccountId, names: Vec<String>) -> Answer<Vec<Option<Vec<u8>>>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let entries = self.entries.lock().unwrap();
        let find = |name| entries.get(&(account.clone(), name)).cloned();
        self.answers(names.into_iter().map(find).collect())
    }

    fn write(&self, account: &AccountId, new: Vec<(String, Vec<u8>)>, _: u64) -> Answer<()> {
        for (name, entry) in new {
            self.put((account.clone(), name), entry);
        }
        self.answers(())
    }

    fn remove(&self, account: &AccountId) {
        let mut entries = self.entries.lock().unwrap();
        entries.retain(|(own, _), _| own != account);
    }
}

const KEEP: Duration = Duration::from_secs(300);
const START: u64 = 1_800_000_000;
const GROUP: Uuid = Uuid::from_u128(7);

/// One replica, with a clock of its own.
struct Replica {
    shared: Arc<SharedAnswers>,
    now: Arc<AtomicU64>,
    /// Questions that Graph was asked.
    asked: Arc<AtomicUsize>,
}

impl Replica {
    fn new(store: &Arc<Model>) -> Self {
        Self::of(store, &[&[1; 32]], "https://a.example/", "client")
    }

    fn of(store: &Arc<Model>, keys: &[&[u8]], authority: &str, client: &str) -> Self {
        let now = Arc::new(AtomicU64::new(START));
        let read = Arc::clone(&now);
        let clock = Clock::from_fn(move || UnixTime::from_secs(read.load(Ordering::SeqCst)));
        let keys: Vec<_> = keys.iter().map(|key| AnswerKey::new(key)).collect();
        let store: Arc<dyn AnswerStore> = Arc::clone(store) as _;
        let of = [authority, client];
        let shared = SharedAnswers::new(&keys, Some(store), of, KEEP, (&clock, 300));
        Self {
            shared: Arc::new(shared.unwrap().unwrap()),
            now,
            asked: Arc::default(),
        }
    }

    /// Graph answers with `graph`, if it is asked.
    async fn is_member(&self, who: Account, group: Uuid, graph: bool) -> Fresh<Uuid, bool> {
        let asked = Arc::clone(&self.asked);
        let ask = |open: Vec<Uuid>| async move {
            asked.fetch_add(open.len(), Ordering::SeqCst);
            Ok(open.into_iter().map(|group| (group, graph, KEEP)).collect())
        };
        let answers = ask_with(Some(&self.shared), who, vec![group], ask).await;
        // What is shared is written by a task.
        tokio::task::yield_now().await;
        let [answer] = answers.unwrap()[..] else {
            panic!("one answer")
        };
        answer
    }

    /// Whether the yes of another replica was taken; Graph would say no.
    async fn takes(&self, who: Account, group: Uuid) -> bool {
        let before = self.asked.load(Ordering::SeqCst);
        let (_, answer, _) = self.is_member(who, group, false).await;
        let taken = self.asked.load(Ordering::SeqCst) == before;
        assert_eq!(answer, taken, "neither said so");
        taken
    }

    fn later(&self, seconds: i64) {
        let now = START.checked_add_signed(seconds).unwrap();
        self.now.store(now, Ordering::SeqCst);
    }
}

const fn account(number: u128) -> Account {
    Account {
        tenant: Uuid::from_u128(1),
        object: Uuid::from_u128(number),
        is_app: false,
    }
}

/// A store with an answer of yes, and that entry's place in it.
async fn shared() -> (Arc<Model>, (AccountId, String), Vec<u8>) {
    let store = Arc::new(Model::default());
    let writer = Replica::new(&store);
    let (_, answer, _) = writer.is_member(account(2), GROUP, true).await;
    assert!(answer);
    let [(place, entry)] = store.all().try_into().unwrap();
    (store, place, entry)
}

#[tokio::test]
async fn a_fleet_asks_once_for_an_account_and_a_group() {
    let store = Arc::new(Model::default());
    let fleet: Vec<_> = (0..100).map(|_| Replica::new(&store)).collect();
    for replica in &fleet {
        let (_, answer, _) = replica.is_member(account(2), GROUP, true).await;
        assert!(answer);
    }
    let asked = |fleet: &[Replica]| -> usize {
        let each = fleet.iter().map(|own| own.asked.load(Ordering::SeqCst));
        each.sum()
    };
    assert_eq!(asked(&fleet), 1);
    let [(_, entry)] = store.all().try_into().unwrap();
    assert_eq!(entry.len(), 41);
    // Another group, account or kind of account is another question.
    let other = Uuid::from_u128(8);
    let app = Account {
        is_app: true,
        ..account(2)
    };
    for (who, group) in [(account(2), other), (account(3), GROUP), (app, GROUP)] {
        assert!(!fleet[1].takes(who, group).await);
    }
    assert_eq!(asked(&fleet), 4);
}

#[tokio::test]
async fn an_answer_is_kept_for_what_is_left_of_its_time() {
    let (store, ..) = shared().await;
    let reader = Replica::new(&store);
    for (later, left) in [(0, 299), (100, 199), (299, 0)] {
        reader.later(later);
        let (_, answer, keep) = reader.is_member(account(2), GROUP, false).await;
        assert!(answer);
        assert_eq!(keep, Duration::from_secs(left), "{later}");
    }
}

/// The question about another group takes a while, in which the answer that was there grows old.
#[tokio::test(start_paused = true)]
async fn an_answer_grows_old_while_graph_is_asked_for_another() {
    let (store, ..) = shared().await;
    let reader = Replica::new(&store);
    let slow = |open: Vec<Uuid>| async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        Ok(open.into_iter().map(|group| (group, false, KEEP)).collect())
    };
    let groups = vec![GROUP, Uuid::from_u128(8)];
    let answers = ask_with(Some(&reader.shared), account(2), groups, slow).await;
    let left: Vec<u64> = answers
        .unwrap()
        .iter()
        .map(|(.., left)| left.as_secs())
        .collect();
    assert_eq!(left, [289, 300]);
}

#[tokio::test]
async fn an_answer_too_old_or_from_the_future_is_not_taken() {
    for (later, taken) in [
        (299, true),
        (300, false),
        (86_400, false),
        // The clock of the replica that asked is ahead.
        (-30, true),
        (-31, false),
        (-86_400, false),
    ] {
        let (store, ..) = shared().await;
        let reader = Replica::new(&store);
        reader.later(later);
        assert_eq!(reader.takes(account(2), GROUP).await, taken, "{later}");
    }
}

#[tokio::test]
async fn an_answer_is_as_old_as_its_question() {
    let store = Arc::new(Model::default());
    let writer = Replica::new(&store);
    let now = Arc::clone(&writer.now);
    let slow = |open: Vec<Uuid>| async move {
        now.store(START + 10, Ordering::SeqCst);
        Ok(open.into_iter().map(|group| (group, true, KEEP)).collect())
    };
    let shared = Some(&writer.shared);
    ask_with(shared, account(2), vec![GROUP], slow)
        .await
        .unwrap();
    tokio::task::yield_now().await;
    let reader = Replica::new(&store);
    reader.later(10);
    let (_, _, keep) = reader.is_member(account(2), GROUP, false).await;
    assert_eq!(keep, Duration::from_secs(289));
}

#[tokio::test]
async fn an_entry_with_any_byte_changed_or_missing_is_not_taken() {
    let (store, place, entry) = shared().await;
    assert!(Replica::new(&store).takes(account(2), GROUP).await);
    for at in 0..entry.len() {
        let mut forged = entry.clone();
        forged[at] ^= 1;
        for forged in [forged, entry[..at].to_vec()] {
            store.put(place.clone(), forged);
            assert!(!Replica::new(&store).takes(account(2), GROUP).await, "{at}");
        }
    }
    for more in [&b"\0"[..], b"\x01"] {
        store.put(place.clone(), [&entry, more].concat());
        assert!(!Replica::new(&store).takes(account(2), GROUP).await);
    }
    store.put(place, entry);
    assert!(Replica::new(&store).takes(account(2), GROUP).await);
}

#[tokio::test]
async fn an_answer_is_for_its_account_group_and_api_only() {
    let (store, (own, name), entry) = shared().await;
    let group = Uuid::from_u128(8);
    let other = Account {
        tenant: Uuid::from_u128(9),
        ..account(2)
    };
    let app = Account {
        is_app: true,
        ..account(2)
    };
    let group_of = |name: &str| name.replace(&GROUP.to_string(), &group.to_string());
    // Another writer puts there what a replica wrote elsewhere.
    for (who, group, place) in [
        (account(3), GROUP, name.clone()),
        (other, GROUP, name.clone()),
        (app, GROUP, name.replace("user", "app")),
        (account(2), group, group_of(&name)),
    ] {
        store.put((who.id(), place), entry.clone());
        assert!(!Replica::new(&store).takes(who, group).await);
    }
    let key = [1; 32];
    for (authority, client) in [
        ("https://b.example/", "client"),
        ("https://a.example/", "other"),
    ] {
        store.put((own.clone(), name.replace("client", client)), entry.clone());
        let reader = Replica::of(&store, &[&key], authority, client);
        assert!(
            !reader.takes(account(2), GROUP).await,
            "{authority} {client}"
        );
    }
    store.put((own, name), entry);
    assert!(Replica::new(&store).takes(account(2), GROUP).await);
}

#[tokio::test]
async fn a_list_is_for_no_group_and_comes_as_it_went() {
    let store = Arc::new(Model::default());
    let list: Arc<[String]> = (0..3)
        .map(|id| Uuid::from_u128(id << 100 | 5).to_string())
        .collect();
    let answers = async |replica: &Replica, graph: &Arc<[String]>| {
        let graph = Arc::clone(graph);
        let ask = |_| async move { Ok(vec![((), graph, KEEP)]) };
        let answers = ask_with(Some(&replica.shared), account(2), vec![()], ask).await;
        tokio::task::yield_now().await;
        let [(_, list, _)] = <[_; 1]>::try_from(answers.unwrap()).unwrap();
        list
    };
    let none = Arc::from([]);
    let (one, two) = (Replica::new(&store), Replica::new(&store));
    answers(&one, &list).await;
    assert_eq!(answers(&two, &none).await, list);
    let [((own, name), entry)] = store.all().try_into().unwrap();
    let place = name.replace("objects", &GROUP.name());
    store.put((own.clone(), place), entry);
    assert!(!two.takes(account(2), GROUP).await);
    // An empty list is an answer too; one with something else than ids, or too long, is not shared.
    let odd: Arc<[String]> = Arc::from(["{11111111-1111-4111-8111-111111111111}".to_owned()]);
    let upper: Arc<[String]> = Arc::from([list[0].replace('0', "A")]);
    let long = std::iter::repeat_n(list[0].clone(), MOST_OBJECTS + 1).collect();
    for (graph, is_shared) in [(none, true), (odd, false), (upper, false), (long, false)] {
        store.remove(&own);
        answers(&one, &graph).await;
        assert_eq!(
            store
                .entries
                .lock()
                .unwrap()
                .contains_key(&(own.clone(), name.clone())),
            is_shared
        );
    }
}

#[tokio::test]
async fn keys_are_rolled_over_by_naming_both() {
    let (old, new) = ([1; 32], [2; 48]);
    let replica = |store: &Arc<Model>, keys: &[&[u8]]| {
        Replica::of(store, keys, "https://a.example/", "client")
    };
    let steps: [&[&[u8]]; 4] = [&[&old], &[&old, &new], &[&new, &old], &[&new]];
    for (at, writes) in steps.iter().enumerate() {
        for (other, reads) in steps.iter().enumerate() {
            let store = Arc::new(Model::default());
            replica(&store, writes)
                .is_member(account(2), GROUP, true)
                .await;
            let taken = replica(&store, reads).takes(account(2), GROUP).await;
            // One step after the other each replica understands those that are not as far.
            assert!(taken || at.abs_diff(other) > 1, "{at} {other}");
            assert!(
                !taken || at + other != 3 || at.abs_diff(other) == 1,
                "{at} {other}"
            );
        }
    }
}

#[tokio::test]
async fn what_was_asked_before_the_account_was_forgotten_is_not_taken() {
    let (store, place, entry) = shared().await;
    for times in [[5, 0, 0], [5, 6, 0], [5, 6, 7]] {
        assert!(Replica::new(&store).takes(account(2), GROUP).await);
        store.forget(account(2), times);
        // Also where it is brought back, or a replica wrote it late.
        store.put(place.clone(), store.all()[0].1.clone());
        assert!(!Replica::new(&store).takes(account(2), GROUP).await);
        Replica::new(&store)
            .is_member(account(2), GROUP, true)
            .await;
        store.remove(&account(2).id());
        Replica::new(&store)
            .is_member(account(2), GROUP, true)
            .await;
    }
    store.put(place, entry);
    assert!(!Replica::new(&store).takes(account(2), GROUP).await);
}

#[tokio::test]
async fn an_account_forgotten_while_graph_is_asked_has_its_answer_refused() {
    let store = Arc::new(Model::default());
    let writer = Replica::new(&store);
    let forgets = Arc::clone(&store);
    let slow = |open: Vec<Uuid>| async move {
        forgets.forget(account(2), [0, 9, 0]);
        Ok(open.into_iter().map(|group| (group, true, KEEP)).collect())
    };
    let shared = Some(&writer.shared);
    ask_with(shared, account(2), vec![GROUP], slow)
        .await
        .unwrap();
    tokio::task::yield_now().await;
    assert_eq!(store.all().len(), 1);
    assert!(!writer.takes(account(2), GROUP).await);
}

#[tokio::test(start_paused = true)]
async fn after_an_invalidation_a_replica_asks_itself_until_all_is_newer() {
    let (store, place, entry) = shared().await;
    let replica = Replica::new(&store);
    let Account { tenant, object, .. } = account(2);
    assert!(replica.takes(account(2), GROUP).await);
    replica.shared.invalidate(tenant, object);
    assert!(store.all().is_empty());
    store.put(place.clone(), entry.clone());
    assert!(!replica.takes(account(2), GROUP).await);
    tokio::time::advance(Duration::from_secs(359)).await;
    store.put(place.clone(), entry.clone());
    assert!(!replica.takes(account(2), GROUP).await);
    tokio::time::advance(Duration::from_secs(1)).await;
    store.put(place.clone(), entry.clone());
    assert!(replica.takes(account(2), GROUP).await);
    // More accounts than are kept one by one: nothing is taken of any of them for as long.
    for object in 0..=MOST_INVALIDATED as u128 {
        let object = Uuid::from_u128(object << 64);
        replica.shared.invalidate(tenant, object);
    }
    assert!(replica.shared.invalidated().accounts.len() <= MOST_INVALIDATED);
    assert!(!replica.takes(account(2), GROUP).await);
    store.put(place, entry);
    assert!(Replica::new(&store).takes(account(2), GROUP).await);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_lost_fails_or_hangs_leaves_the_question_to_graph() {
    let (store, ..) = shared().await;
    let replica = Replica::new(&store);
    let before = store.reads.load(Ordering::SeqCst);
    store.lost.store(true, Ordering::SeqCst);
    assert!(!replica.takes(account(2), GROUP).await);
    assert_eq!(store.reads.load(Ordering::SeqCst), before, "not even asked");
    store.lost.store(false, Ordering::SeqCst);
    store.fails.store(true, Ordering::SeqCst);
    assert!(!replica.takes(account(3), GROUP).await);
    store.fails.store(false, Ordering::SeqCst);
    store.hangs.store(true, Ordering::SeqCst);
    let began = Instant::now();
    assert!(!replica.takes(account(4), GROUP).await);
    assert_eq!(began.elapsed(), Duration::from_millis(100));
}

#[tokio::test]
async fn a_failure_of_graph_is_not_shared() {
    let store = Arc::new(Model::default());
    let replica = Replica::new(&store);
    let ask = |_| async { Err(GraphRequestError::Cancelled.into()) };
    let failed = ask_with(Some(&replica.shared), account(2), vec![GROUP], ask).await;
    assert!(failed.is_err());
    tokio::task::yield_now().await;
    assert!(store.all().is_empty());
}

#[test]
fn keys_that_cannot_be_used_are_refused_without_being_shown() {
    let store = || Some(Arc::new(Model::default()) as Arc<dyn AnswerStore>);
    let made = |keys: &[&[u8]], store| {
        let keys: Vec<_> = keys.iter().map(|key| AnswerKey::new(key)).collect();
        assert!(!format!("{keys:?}").contains("hush"));
        let clock = Clock::system();
        let made = SharedAnswers::new(&keys, store, ["a", "c"], KEEP, (&clock, 300));
        made.map(|shared| shared.is_some())
            .map_err(|error| error.to_string())
    };
    let (key, short) = (&b"hush hush hush hush hush hush hush"[..], &b"hush"[..]);
    assert_eq!(made(&[], None), Ok(false));
    assert_eq!(made(&[key], store()), Ok(true));
    assert_eq!(made(&[key, key], store()), Ok(true));
    for (keys, store) in [
        (&[short][..], store()),
        (&[&key[..31]], store()),
        (&[key, short], store()),
        (&[key, key, key], store()),
        (&[key], None),
    ] {
        let refused = made(keys, store).unwrap_err();
        assert!(refused.starts_with("Graph:SharedAnswersKey"), "{refused}");
        assert!(!refused.contains("hush"), "{refused}");
    }
}
