//! Answers about memberships that replicas share, so that a fleet asks Graph once and not once for
//! each replica.
//!
//! The store is not trusted: every answer is authenticated together with the API and the account it
//! is for, its question, its time, and when the account was forgotten. A writer of the store
//! can withhold answers, and bring back one that is still good.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::cache::Fresh;
use super::error::GraphError;
use super::principal::Account;
use crate::claims::AccountId;
use crate::clock::Clock;
use crate::config_error::ConfigError;
use crate::guid::parse_guid;
use crate::jwks::HashKey;
use crate::metrics::Timer;
use crate::revocation::{AnswerStore, ForgottenAt, MOST_APART};

/// A question about an account whose answers are shared.
pub(super) trait Question: Copy + Eq {
    type Answer;

    /// What no other question is called.
    fn name(&self) -> String;

    /// `None` for an answer that is not shared.
    fn encode(answer: &Self::Answer) -> Option<Vec<u8>>;

    fn decode(bytes: &[u8]) -> Option<Self::Answer>;
}

/// Whether an account is in a group.
impl Question for Uuid {
    type Answer = bool;

    fn name(&self) -> String {
        format!("group {self}")
    }

    fn encode(answer: &bool) -> Option<Vec<u8>> {
        Some(vec![u8::from(*answer)])
    }

    fn decode(bytes: &[u8]) -> Option<bool> {
        match bytes {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

/// All that an account is a member of.
impl Question for () {
    type Answer = Arc<[String]>;

    fn name(&self) -> String {
        "objects".to_owned()
    }

    fn encode(answer: &Arc<[String]>) -> Option<Vec<u8>> {
        if answer.len() > MOST_OBJECTS {
            return None;
        }
        let same = |id: &Uuid, text: &str| id.to_string() == text;
        let bytes = |text: &String| {
            let id = parse_guid(text).filter(|id| same(id, text));
            id.map(Uuid::into_bytes)
        };
        let ids: Option<Vec<_>> = answer.iter().map(bytes).collect();
        ids.map(|ids| ids.concat())
    }

    fn decode(bytes: &[u8]) -> Option<Arc<[String]>> {
        let (ids, rest) = bytes.as_chunks::<16>();
        let ids = ids.iter().map(|id| Uuid::from_bytes(*id).to_string());
        rest.is_empty().then(|| ids.collect())
    }
}

/// What one authority's connection shares with those of other replicas.
pub(super) struct SharedAnswers {
    store: Arc<dyn AnswerStore>,
    /// The first one authenticates what is written, each of them what is read.
    keys: Vec<HashKey>,
    authority: String,
    client_id: String,
    /// How old an answer may get.
    keep: Duration,
    /// How far ahead the clock of the replica that asked may be, in seconds.
    ahead: u64,
    clock: Clock,
    invalidated: Mutex<Invalidated>,
}

/// Until when no answers of others are taken, since older ones may be among them.
#[derive(Default)]
struct Invalidated {
    accounts: HashMap<(Uuid, Uuid), Instant>,
    all: Option<Instant>,
}

/// Questions about one account that are being answered.
pub(super) struct Asking {
    shared: Arc<SharedAnswers>,
    account: Account,
    forgotten: ForgottenAt,
    /// The second in which it began, and so before Graph was asked.
    began: u64,
    reads: bool,
}

/// Why an entry is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unusable {
    /// There is none, or it is too old.
    Miss,
    /// It is there, and no replica wrote it for this question, as far as this one can tell.
    Refused,
}

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Every question was answered.
    Ok,
    Miss,
    Refused,
    TimedOut,
    Failed,
}

impl Reading {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Miss => "miss",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Failed => "failed",
        }
    }
}

/// What other replicas know, and what `ask` brings for the questions that are open then.
pub(super) async fn ask_with<Q, F>(
    shared: Option<&Arc<SharedAnswers>>,
    account: Account,
    mut questions: Vec<Q>,
    ask: impl FnOnce(Vec<Q>) -> F,
) -> Result<Vec<Fresh<Q, Q::Answer>>, GraphError>
where
    Q: Question,
    F: Future<Output = Result<Vec<Fresh<Q, Q::Answer>>, GraphError>>,
{
    let Some(asking) = shared.and_then(|shared| shared.begin(account)) else {
        return ask(questions).await;
    };
    let mut answers = asking.read(&questions).await;
    let read = Instant::now();
    questions.retain(|question| answers.iter().all(|(known, ..)| known != question));
    if questions.is_empty() {
        return Ok(answers);
    }
    let fresh = ask(questions).await?;
    asking.write(&fresh);
    // Their time ran on while Graph was asked for the others.
    let passed = read.elapsed();
    for (.., left) in &mut answers {
        *left = left.saturating_sub(passed);
    }
    answers.extend(fresh);
    Ok(answers)
}

impl SharedAnswers {
    /// Shares with those who have one of the keys; nothing where there is no key, and where no answer
    /// is kept for long enough.
    ///
    /// # Errors
    /// [`ConfigError`] for keys that cannot be used, or without a store.
    pub(super) fn new(
        keys: &[AnswerKey],
        store: Option<Arc<dyn AnswerStore>>,
        [authority, client_id]: [&str; 2],
        keep: Duration,
        (clock, skew): (&Clock, u64),
    ) -> Result<Option<Self>, ConfigError> {
        if keys.is_empty() {
            return Ok(None);
        }
        let wrong = |expected| ConfigError::value(SETTING, "(not shown)", expected);
        if keys.len() > MOST_KEYS || keys.iter().any(|key| key.bytes < LEAST_KEY_BYTES) {
            return Err(wrong("one or two keys of at least 32 bytes"));
        }
        let store =
            store.ok_or_else(|| wrong("Redis:Url beside it, the store that replicas share"))?;
        if keep < SHORTEST_KEPT {
            return Ok(None);
        }
        store.begin();
        Ok(Some(Self {
            store,
            keys: keys.iter().map(|key| key.hash.clone()).collect(),
            authority: authority.to_owned(),
            client_id: client_id.to_owned(),
            keep,
            ahead: skew.min(MOST_APART),
            clock: clock.clone(),
            invalidated: Mutex::default(),
        }))
    }

    /// Takes no answer about an account that Graph may have been asked for before this.
    pub(super) fn invalidate(&self, tenant: Uuid, object: Uuid) {
        let now = Instant::now();
        // The writer's clock is ahead of the store's, and this one behind it.
        let longest = self
            .keep
            .saturating_add(Duration::from_secs(2 * MOST_APART));
        let until = now.checked_add(longest).unwrap_or(now);
        let mut invalidated = self.invalidated();
        if invalidated.accounts.len() >= MOST_INVALIDATED {
            invalidated.accounts.retain(|_, until| *until > now);
        }
        if invalidated.accounts.len() >= MOST_INVALIDATED {
            invalidated.accounts.clear();
            invalidated.all = Some(until);
        }
        invalidated.accounts.insert((tenant, object), until);
        drop(invalidated);
        self.store.remove(&AccountId::Entra {
            tenant_id: tenant,
            object_id: object,
        });
    }

    /// `None` where nothing of the account is shared at the moment.
    fn begin(self: &Arc<Self>, account: Account) -> Option<Asking> {
        let now = Instant::now();
        let invalidated = self.invalidated();
        let own = invalidated.accounts.get(&(account.tenant, account.object));
        let until = own.copied().max(invalidated.all);
        drop(invalidated);
        Some(Asking {
            forgotten: self.store.forgotten_at(&account.id())?,
            shared: Arc::clone(self),
            account,
            began: self.clock.seconds(),
            reads: until.is_none_or(|until| until <= now),
        })
    }

    fn invalidated(&self) -> std::sync::MutexGuard<'_, Invalidated> {
        let invalidated = self.invalidated.lock();
        invalidated.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asking {
    /// The answers of other replicas that are good, each for what is left of its time.
    async fn read<Q: Question>(&self, questions: &[Q]) -> Vec<Fresh<Q, Q::Answer>> {
        const CALL: &str = "shared memberships";
        if !self.reads {
            return Vec::new();
        }
        let timer = Timer::start();
        let names = questions.iter().map(|question| self.name(question));
        let reading = self.shared.store.read(&self.account.id(), names.collect());
        let (mut answers, mut result) = (Vec::new(), Reading::Ok);
        match timeout(LONGEST_READ, reading.wait()).await {
            Ok(Ok(entries)) => {
                let now = self.shared.clock.seconds();
                for (question, entry) in questions.iter().zip(entries) {
                    match self.open(question, entry.as_deref(), now) {
                        Ok((answer, left)) => answers.push((*question, answer, left)),
                        Err(Unusable::Refused) => result = Reading::Refused,
                        Err(Unusable::Miss) => {}
                    }
                }
                if result == Reading::Ok && answers.len() < questions.len() {
                    result = Reading::Miss;
                }
            }
            Ok(Err(_)) => result = Reading::Failed,
            Err(_) => result = Reading::TimedOut,
        }
        timer.directory_called(CALL, result.name());
        answers
    }

    /// Shares answers of Graph; no request waits for it.
    fn write<Q: Question>(self, answers: &[Fresh<Q, Q::Answer>]) {
        const CALL: &str = "share memberships";
        let seal = |(question, answer, _): &Fresh<Q, Q::Answer>| {
            let name = self.name(question);
            let sealed = self.seal(&name, &Q::encode(answer)?)?;
            Some((name, sealed))
        };
        let entries: Vec<_> = answers.iter().filter_map(seal).collect();
        if entries.is_empty() {
            return;
        }
        tokio::spawn(async move {
            let timer = Timer::start();
            let keep = self.shared.keep.as_secs();
            // Not all at one moment.
            let seconds = keep
                .saturating_add(1)
                .saturating_add(fastrand::u64(..=keep / 10));
            let store = &self.shared.store;
            let written = store.write(&self.account.id(), entries, seconds);
            let result = match written.wait().await {
                Ok(()) => Reading::Ok,
                Err(_) => Reading::Failed,
            };
            timer.directory_called(CALL, result.name());
        });
    }

    /// Time, authentication, answer.
    fn seal(&self, name: &str, answer: &[u8]) -> Option<Vec<u8>> {
        let time = self.began.to_be_bytes();
        let key = self.shared.keys.first()?;
        let mac = self.authenticated(name, time, answer, |parts| key.hash(parts));
        Some([&time, mac.as_ref(), answer].concat())
    }

    /// An answer and how long it is good for.
    fn open<Q: Question>(
        &self,
        question: &Q,
        entry: Option<&[u8]>,
        now: u64,
    ) -> Result<(Q::Answer, Duration), Unusable> {
        let entry = entry.ok_or(Unusable::Miss)?;
        let (time, rest) = entry.split_first_chunk().ok_or(Unusable::Refused)?;
        let (mac, answer) = rest.split_at_checked(MAC_BYTES).ok_or(Unusable::Refused)?;
        if answer.len() > MOST_OBJECTS.saturating_mul(16) {
            return Err(Unusable::Refused);
        }
        let name = self.name(question);
        let is_ours = self.authenticated(&name, *time, answer, |parts| {
            let mut keys = self.shared.keys.iter();
            keys.any(|key| key.verifies(parts, mac))
        });
        let asked = u64::from_be_bytes(*time);
        if !is_ours || asked > now.saturating_add(self.shared.ahead) {
            return Err(Unusable::Refused);
        }
        // Seconds are whole on both sides: rounded up.
        let age = now.saturating_sub(asked).saturating_add(1);
        let left = self.shared.keep.checked_sub(Duration::from_secs(age));
        let left = left.ok_or(Unusable::Miss)?;
        let answer = Q::decode(answer).ok_or(Unusable::Refused)?;
        Ok((answer, left))
    }

    /// The name of a question about the account, among those of other APIs.
    fn name<Q: Question>(&self, question: &Q) -> String {
        let kind = if self.account.is_app { "app" } else { "user" };
        format!("{} {kind} {}", self.shared.client_id, question.name())
    }

    /// Everything that an answer is good for.
    fn authenticated<R>(
        &self,
        name: &str,
        time: [u8; 8],
        answer: &[u8],
        act: impl FnOnce(&[&[u8]]) -> R,
    ) -> R {
        act(&[
            b"axum-entra shared answer 1",
            self.shared.authority.as_bytes(),
            name.as_bytes(),
            self.account.tenant.as_bytes(),
            self.account.object.as_bytes(),
            &self.forgotten.to_bytes(),
            &time,
            answer,
        ])
    }
}

/// A key that replicas authenticate shared answers with.
#[derive(Clone)]
pub(crate) struct AnswerKey {
    hash: HashKey,
    bytes: usize,
}

impl AnswerKey {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self {
            hash: HashKey::new(key),
            bytes: key.len(),
        }
    }
}

impl fmt::Debug for AnswerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerKey(…)")
    }
}

const SETTING: &str = "Graph:SharedAnswersKey";

/// The one in use and the one before or after it.
const MOST_KEYS: usize = 2;

/// As long as the hash (RFC 2104, section 3).
const LEAST_KEY_BYTES: usize = 32;

/// HMAC-SHA-256, whole.
const MAC_BYTES: usize = 32;

/// Seconds are whole, so what is kept for less is always too old.
const SHORTEST_KEPT: Duration = Duration::from_secs(2);

/// How long a store may take before Graph is asked.
const LONGEST_READ: Duration = Duration::from_millis(100);

/// Longer lists, of 64 KiB and more, are not worth a round trip.
const MOST_OBJECTS: usize = 4_096;

/// Accounts that are invalidated one by one; beyond, nothing of other replicas is taken for a while.
const MOST_INVALIDATED: usize = 32_768;

#[cfg(test)]
mod tests;
