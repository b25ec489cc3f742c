//! Any history of keys, clocks, cut-offs and sign-outs: what the cache says yes to, the whole
//! judgement says yes to, and so does a model that knows nothing of either.

pub(super) mod world;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::authority::Document;
use crate::authority::issuer::IssuerPattern;
use crate::claims::AccountId;
use crate::jwks::KeySet;
use crate::jwks::snapshot::{KeyPublisher, Snapshot, key_store};
use crate::revocation::RevocationState;
use crate::token::cache::TokenCache;
use crate::token::cache::hash::TokenHash;
use crate::token::{AuthorityState, ValidationFailure, Validator, Verdict};
use entra_emulator::CONTOSO;
use world::{KEYS, Minted, NOW, SESSION, SKEW, TOKENS, WORLD, World, part_of};

const ELSEWHERE: &str = "https://elsewhere.example/v2.0";

/// What may happen between two requests.
#[derive(Debug, Clone)]
enum Event {
    /// These tokens arrive.
    Ask(Vec<usize>),
    /// One comes in so often that it gets copies of its own.
    AskOften(usize),
    /// So many others arrive that some are evicted.
    Crowd(Range<usize>),
    Wait(u64),
    /// The clock is set, forwards or backwards.
    SetClock(u64),
    /// Keys under ids, not always their own; and whether by the right issuer.
    Publish(Vec<(usize, usize)>, bool),
    NoKeys,
    Revoke(usize, u64),
    /// The account is known by its subject as well.
    RevokeSubject(usize, u64),
    EndSession(u64),
    SignOut(usize),
}

fn events() -> impl Strategy<Value = Event> {
    let tokens = 0..TOKENS;
    let account = 0..2_usize;
    let at = prop_oneof![NOW - 100..NOW + 100, NOW..NOW + 8_000];
    let clock = prop_oneof![
        8 => NOW - 1_000..NOW + 9_000,
        2 => prop::sample::select(vec![
            0, 1, NOW - SKEW - 1, NOW - SKEW, NOW + 3_599 + SKEW, NOW + 3_600 + SKEW,
            u64::MAX / 2, u64::MAX - 1, u64::MAX,
        ]),
    ];
    let own = prop::sample::subsequence(vec![(0, 0), (1, 1), (2, 2)], 0..=KEYS);
    let others = prop::collection::vec((0..KEYS, 0..KEYS), 1..4);
    prop_oneof![
        12 => prop::collection::vec(tokens.clone(), 1..12).prop_map(Event::Ask),
        1 => tokens.prop_map(Event::AskOften),
        3 => (0..20_usize, 1..10_usize).prop_map(|(from, many)| Event::Crowd(from..from + many)),
        4 => (0..1_500_u64).prop_map(Event::Wait),
        2 => clock.prop_map(Event::SetClock),
        4 => (own, prop::bool::weighted(0.9)).prop_map(|(keys, ours)| Event::Publish(keys, ours)),
        2 => others.prop_map(|keys| Event::Publish(keys, true)),
        1 => Just(Event::NoKeys),
        2 => (account.clone(), at.clone()).prop_map(|(who, at)| Event::Revoke(who, at)),
        1 => (account.clone(), at.clone()).prop_map(|(who, at)| Event::RevokeSubject(who, at)),
        1 => at.prop_map(Event::EndSession),
        2 => account.prop_map(Event::SignOut),
    ]
}

/// Two validators of one state, and the state as the model knows it.
struct State<'w> {
    world: &'w World,
    cached: Arc<Validator>,
    plain: Validator,
    accounts: Arc<RevocationState>,
    publishers: Vec<(Document, KeyPublisher)>,
    now: u64,
    /// `None` for no keys at all.
    published: Option<Vec<(usize, usize)>>,
    by_the_right_issuer: bool,
    cut_offs: BTreeMap<usize, u64>,
    session_ended: bool,
}

impl<'w> State<'w> {
    fn new(world: &'w World, cache: Option<TokenCache>) -> Self {
        let accounts = Arc::new(RevocationState::in_memory());
        let mut publishers = Vec::new();
        let [cached, plain] = [cache, None].map(|cache| {
            let trust = world.trust();
            let (publisher, reader) = key_store(std::time::Duration::from_secs(300));
            publishers.push((trust.documents[0].clone(), publisher));
            let installed = AuthorityState {
                trust,
                readers: vec![reader],
                binding: None,
                tenant_from_discovery: false,
                discovered_tenant: Arc::default(),
                context: None,
            };
            Validator::new(vec![installed], 65_536, Arc::clone(&accounts), 0)
                .unwrap()
                .with_cache(cache)
        });
        let cached = Arc::new(cached);
        let weak = Arc::downgrade(&cached);
        accounts.on_forget_own(move |forgotten| {
            if let Some(validator) = weak.upgrade() {
                validator.forget(forgotten);
            }
        });
        let mut state = Self {
            world,
            cached,
            plain,
            accounts,
            publishers,
            now: NOW,
            published: None,
            by_the_right_issuer: true,
            cut_offs: BTreeMap::new(),
            session_ended: false,
        };
        state.publish((0..KEYS).map(|key| (key, key)).collect(), true);
        state
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Ask(tokens) => tokens.iter().for_each(|token| self.ask(*token)),
            Event::AskOften(token) => {
                self.ask(*token);
                for _ in 0..2_200 {
                    self.cached
                        .lookup_cached(self.world.tokens[*token].text.as_bytes(), self.now);
                }
                self.ask(*token);
            }
            Event::Crowd(some) => {
                for token in &self.world.crowd[some.clone()] {
                    assert_eq!(self.say(token), self.says(&self.plain, token));
                }
            }
            Event::Wait(seconds) => self.now = self.now.saturating_add(*seconds),
            Event::SetClock(now) => self.now = *now,
            Event::Publish(keys, ours) => self.publish(keys.clone(), *ours),
            Event::NoKeys => {
                for (_, publisher) in &self.publishers {
                    publisher.publish(Snapshot::default());
                    publisher.answer(None, false);
                }
                self.published = None;
            }
            Event::Revoke(who, at) => self.revoke(*who, &self.world.accounts[*who].clone(), *at),
            Event::RevokeSubject(who, at) => {
                let token = self.world.tokens.iter().find(|token| token.account == *who);
                let subject = self.subject_of(&token.unwrap().text);
                self.revoke(*who, &subject, *at);
            }
            Event::EndSession(at) => {
                let ended =
                    self.accounts
                        .revoke_session(CONTOSO.parse().unwrap(), SESSION, *at, NOW);
                self.world.runtime.block_on(ended).unwrap();
                self.session_ended = true;
            }
            Event::SignOut(who) => {
                let account = &self.world.accounts[*who];
                self.world
                    .runtime
                    .block_on(self.accounts.sign_out(account, NOW));
                for token in self
                    .world
                    .tokens
                    .iter()
                    .filter(|token| token.account == *who)
                {
                    assert!(!self.cached.is_kept(&token.text), "kept after the sign-out");
                }
            }
        }
    }

    fn publish(&mut self, keys: Vec<(usize, usize)>, ours: bool) {
        if keys.is_empty() {
            // A document without keys is no document; the refresher keeps the ones before.
            return;
        }
        let listed: Vec<Value> = keys
            .iter()
            .map(|(id, material)| {
                let mut key = self.world.keys[*material].clone();
                key["kid"] = self.world.keys[*id]["kid"].clone();
                key
            })
            .collect();
        let document = json!({ "keys": listed }).to_string();
        let issuer = if ours { &self.world.issuer } else { ELSEWHERE };
        for (place, publisher) in &self.publishers {
            let keys = KeySet::read(document.as_bytes(), IssuerPattern::new(issuer), place);
            publisher.publish(Snapshot {
                keys: Some(Arc::new(keys.unwrap())),
                confirmed: Some(Instant::now()),
                last_error: None,
            });
        }
        (self.published, self.by_the_right_issuer) = (Some(keys), ours);
    }

    fn revoke(&mut self, who: usize, account: &AccountId, at: u64) {
        let told = self.accounts.revoke(account, at, NOW);
        self.world.runtime.block_on(told).unwrap();
        let held = self.cut_offs.entry(who).or_default();
        *held = at.max(*held);
    }

    fn subject_of(&self, token: &str) -> AccountId {
        let payload = part_of(token, 1);
        AccountId::Subject {
            issuer: self.world.issuer.as_str().into(),
            subject: payload["sub"].as_str().unwrap().into(),
        }
    }

    /// A token comes in, and all three have to agree on it.
    fn ask(&self, index: usize) {
        let token = &self.world.tokens[index];
        let (cached, plain) = (self.say(&token.text), self.says(&self.plain, &token.text));
        assert_eq!(cached, plain, "token {index} at {}", self.now);
        assert_eq!(
            cached == "valid",
            self.is_good(token),
            "token {index}: {cached}"
        );
        if cached != "valid" {
            let known = self.cached.lookup_cached(token.text.as_bytes(), self.now);
            assert!(
                !matches!(known, Some(Verdict::Valid(_))),
                "token {index} is recognised"
            );
        }
    }

    fn say(&self, token: &str) -> String {
        self.says(&self.cached, token)
    }

    fn says(&self, validator: &Validator, token: &str) -> String {
        match validator.validate(token, self.now) {
            // Whose token it is has to be right as well.
            Verdict::Valid(claims) => {
                let subject = claims.subject_key().map(|key| format!("{key:?}"));
                assert_eq!(subject, Some(format!("{:?}", self.subject_of(token))));
                "valid".to_owned()
            }
            Verdict::Wait(_) => "wait".to_owned(),
            Verdict::Refused(ValidationFailure::Invalid(invalid)) => invalid.to_string(),
            Verdict::Refused(ValidationFailure::Denied { refused, .. }) => {
                refused.reason.to_string()
            }
            Verdict::Refused(ValidationFailure::Revoked { cut_off, .. }) => {
                format!("revoked {cut_off}")
            }
            Verdict::Refused(refusal) => format!("{refusal:?}"),
        }
    }

    /// What the contract says, by the history only.
    fn is_good(&self, token: &Minted) -> bool {
        let published = self.published.iter().flatten();
        let signed = token.key.is_some_and(|key| {
            let mut published = published;
            published.any(|own| *own == (key, key)) && self.by_the_right_issuer
        });
        let cut_off = self.cut_offs.get(&token.account).copied();
        // Of a session that ended nothing is good any more, whenever it was issued.
        let ended = token.in_session && self.session_ended;
        let revoked = ended
            || cut_off
                .is_some_and(|cut_off| token.issued_at.is_none_or(|issued_at| issued_at < cut_off));
        signed && token.lives.contains(&self.now) && !revoked
    }
}

fn caches() -> impl Strategy<Value = (usize, bool)> {
    // Room for two or three tokens, for some of them, for all.
    let bytes = prop::sample::select(vec![9_000_usize, 20_000, 60_000, 1 << 20]);
    (bytes, prop::bool::weighted(0.2))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn the_cache_never_says_yes_where_the_whole_judgement_says_no(
        (bytes, one_hash) in caches(), history in prop::collection::vec(events(), 1..60)
    ) {
        let hash = if one_hash { TokenHash::constant() } else { TokenHash::random() };
        let cache = TokenCache::hashing(bytes, hash);
        prop_assert!(cache.is_some());
        let mut state = State::new(&WORLD, cache);
        for event in &history {
            state.happen(event);
        }
        for token in 0..TOKENS {
            state.ask(token);
        }
    }
}
