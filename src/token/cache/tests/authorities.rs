//! Any history of several authorities, their documents, and what discovery says about their tenants: what
//! the cache says yes to, the whole judgement says yes to, and so does a model of the contract.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::model::world::part_of;
use crate::authority::issuer::IssuerPattern;
use crate::authority::{Authority, Document};
use crate::jwks::KeySet;
use crate::jwks::discovery::DiscoveredTenant;
use crate::jwks::snapshot::{KeyPublisher, Snapshot, key_store};
use crate::token::cache::TokenCache;
use crate::token::{AuthorityState, Validator, Verdict};
use crate::{AllowedTenants, Tenant, TokenVersion};
use entra_emulator::{API_ID, CONSUMERS, CONTOSO, Emulator, FABRIKAM};

const NOW: u64 = 1_800_000_000;
const TENANTS: [&str; 3] = [CONTOSO, FABRIKAM, CONSUMERS];
/// What each authority accepts: two domains, many tenants, and one tenant by its id.
const AUDIENCES: [&str; 4] = ["api://one", "api://two", "api://many", "api://fabrikam"];
const MANY: usize = 2;
const BY_ID: usize = 3;
const KEYS: usize = 2;

struct Minted {
    text: String,
    tenant: &'static str,
    version: usize,
    audience: &'static str,
    key: usize,
}

/// Tokens of each tenant, version, audience and key; made once, since keys are slow to make.
struct World {
    address: String,
    keys: Vec<Value>,
    tokens: Vec<Minted>,
    _runtime: Runtime,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

impl World {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let emulator = runtime.block_on(Emulator::start()).unwrap();
        let mut tokens = Vec::new();
        for key in 0..KEYS {
            if key > 0 {
                emulator.rotate_keys();
            }
            for tenant in TENANTS {
                for (version, audience) in [0, 1].into_iter().flat_map(|version| {
                    AUDIENCES
                        .into_iter()
                        .map(move |audience| (version, audience))
                }) {
                    let token = emulator.token().tenant(tenant).scope("access_as_user");
                    let token = if tenant == CONSUMERS {
                        // Theirs are another key's else.
                        token.user("pat").key(emulator.signing_key_id())
                    } else {
                        token
                    };
                    let token = if version == 0 { token.v1() } else { token };
                    let token = token.issued_at(NOW).not_before(NOW).expires_at(NOW + 3_600);
                    tokens.push(Minted {
                        text: token.audience(audience).mint(),
                        tenant,
                        version,
                        audience,
                        key,
                    });
                }
            }
        }
        let document = emulator.keys_document();
        let published = document["keys"].as_array().unwrap();
        let keys = (0..KEYS).map(|key| {
            let signed = tokens.iter().find(|token| token.key == key).unwrap();
            let kid = part_of(&signed.text, 0)["kid"].clone();
            let own = published.iter().find(|own| own["kid"] == kid);
            let mut own = own.unwrap().clone();
            own.as_object_mut().unwrap().remove("issuer");
            own
        });
        Self {
            address: emulator.url().to_owned(),
            keys: keys.collect(),
            tokens,
            _runtime: runtime,
        }
    }

    fn authority(&self, number: usize) -> Authority {
        let tenant = [
            "contoso.onmicrosoft.com",
            "fabrikam.onmicrosoft.com",
            "common",
            FABRIKAM,
        ][number];
        let authority = Authority::entra(Tenant::new(tenant), API_ID)
            .instance(&self.address)
            .sts_instance(&self.address)
            .audience(AUDIENCES[number]);
        match number {
            MANY => authority
                .allowed_tenants(AllowedTenants::Any)
                .allow_personal_accounts(),
            _ => authority,
        }
    }
}

#[derive(Debug, Clone)]
enum Event {
    Ask(Vec<usize>),
    /// An authority's document has these keys; those of v2.0 are bound to a tenant, or to none.
    Publish(usize, usize, Vec<(usize, Option<usize>)>),
    NoKeys(usize, usize),
    /// It turns out whose tenant a domain is.
    Learn(usize, usize),
}

fn events() -> impl Strategy<Value = Event> {
    let tokens = 0..KEYS * TENANTS.len() * 2 * AUDIENCES.len();
    let document = (0..AUDIENCES.len(), 0..2_usize);
    let bound = prop_oneof![3 => Just(None), 1 => (0..TENANTS.len()).prop_map(Some)];
    let keys = prop::sample::subsequence(vec![0, 1], 1..=KEYS).prop_flat_map(move |keys| {
        let bound = prop::collection::vec(bound.clone(), keys.len());
        bound.prop_map(move |bound| keys.iter().copied().zip(bound).collect())
    });
    prop_oneof![
        10 => prop::collection::vec(tokens, 4..24).prop_map(Event::Ask),
        6 => (document.clone(), keys).prop_map(|((one, which), keys)| Event::Publish(one, which, keys)),
        1 => document.prop_map(|(one, which)| Event::NoKeys(one, which)),
        3 => (0..2_usize, 0..TENANTS.len()).prop_map(|(one, tenant)| Event::Learn(one, tenant)),
    ]
}

/// Keys in use, and the tenant that each is bound to.
type Bound = BTreeMap<usize, Option<&'static str>>;

/// One document as the model knows it.
#[derive(Default)]
struct Modelled {
    in_use: Option<Bound>,
    known: Bound,
}

/// Two validators of one state, and the state as the model knows it.
struct State {
    cached: Arc<Validator>,
    plain: Validator,
    discovered_tenant: Vec<Arc<DiscoveredTenant>>,
    /// By authority and document; one for each validator.
    publishers: Vec<Vec<Vec<(Document, KeyPublisher)>>>,
    documents: Vec<[Modelled; 2]>,
    tenants: [Option<&'static str>; 2],
}

impl State {
    fn new() -> Self {
        let discovered_tenant: Vec<Arc<DiscoveredTenant>> =
            AUDIENCES.iter().map(|_| Arc::default()).collect();
        let mut publishers: Vec<_> = (0..AUDIENCES.len())
            .map(|_| vec![Vec::new(), Vec::new()])
            .collect();
        let [cached, plain] = [TokenCache::new(1 << 20), None].map(|cache| {
            let installed = (0..AUDIENCES.len()).map(|number| {
                let trust = WORLD.authority(number).resolve().unwrap();
                let mut readers = Vec::new();
                for (which, document) in trust.documents.iter().enumerate() {
                    let (publisher, reader) = key_store(std::time::Duration::from_secs(300));
                    publishers[number][which].push((document.clone(), publisher));
                    readers.push(reader);
                }
                let (first, second) = readers.split_at_mut(1);
                first[0].bind_to(&second[0], trust.v1_keys_need_binding);
                AuthorityState {
                    tenant_from_discovery: trust.tenant_from_discovery,
                    trust,
                    readers,
                    binding: None,
                    discovered_tenant: Arc::clone(&discovered_tenant[number]),
                    context: None,
                }
            });
            Validator::new(installed.collect(), 65_536, Arc::default(), 0)
                .unwrap()
                .with_cache(cache)
        });
        let cached = Arc::new(cached);
        cached.forget_when_tenants_are_resolved();
        let mut state = Self {
            cached,
            plain,
            discovered_tenant,
            publishers,
            documents: AUDIENCES.iter().map(|_| Default::default()).collect(),
            tenants: [None; 2],
        };
        for (number, which) in (0..AUDIENCES.len()).flat_map(|one| [(one, 0), (one, 1)]) {
            state.publish(number, which, &[(0, None), (1, None)]);
        }
        state
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Ask(tokens) => tokens.iter().for_each(|token| self.ask(*token)),
            Event::Publish(number, which, keys) => self.publish(*number, *which, keys),
            Event::NoKeys(number, which) => {
                for (_, publisher) in &self.publishers[*number][*which] {
                    publisher.publish(Snapshot::default());
                    publisher.answer(None, false);
                }
                self.documents[*number][*which].in_use = None;
            }
            Event::Learn(number, tenant) => {
                let tenant = TENANTS[*tenant];
                self.discovered_tenant[*number].learn(tenant.parse().unwrap());
                self.tenants[*number].get_or_insert(tenant);
            }
        }
    }

    fn publish(&mut self, number: usize, which: usize, keys: &[(usize, Option<usize>)]) {
        let template =
            ["{tenantid}/", "{tenantid}/v2.0"].map(|end| format!("{}/{end}", WORLD.address));
        let listed = keys.iter().map(|(key, bound)| {
            let mut jwk = WORLD.keys[*key].clone();
            if which == 1 {
                let tenant = bound.map_or("{tenantid}", |tenant| TENANTS[tenant]);
                jwk["issuer"] = template[1].replace("{tenantid}", tenant).into();
            }
            jwk
        });
        let json = json!({ "keys": listed.collect::<Vec<_>>() }).to_string();
        for (document, publisher) in &self.publishers[number][which] {
            let stated = IssuerPattern::new(template[which].as_str());
            let keys = KeySet::read(json.as_bytes(), stated, document).unwrap();
            publisher.publish(Snapshot {
                keys: Some(Arc::new(keys)),
                confirmed: Some(Instant::now()),
                last_error: None,
            });
            publisher.answer(None, true);
        }
        let [first, second] = &mut self.documents[number];
        if which == 1 {
            let bound = |tenant: &Option<usize>| tenant.map(|tenant| TENANTS[tenant]);
            second.known = keys
                .iter()
                .map(|(key, tenant)| (*key, bound(tenant)))
                .collect();
            second.in_use = Some(second.known.clone());
        } else {
            first.in_use = Some(keys.iter().map(|(key, _)| (*key, None)).collect());
        }
        // What the v2.0 document said last of an id binds the v1.0 document's key.
        for (key, bound) in first.in_use.iter_mut().flatten() {
            if let Some(said) = second.known.get(key) {
                *bound = *said;
            }
        }
    }

    fn ask(&self, index: usize) {
        let token = &WORLD.tokens[index];
        let [cached, plain] =
            [&*self.cached, &self.plain].map(|own| super::said(&own.validate(&token.text, NOW)));
        assert_eq!(cached, plain, "token {index}");
        assert_eq!(
            cached == "valid",
            self.is_good(token),
            "token {index}: {cached}"
        );
        let known = self.cached.lookup_cached(token.text.as_bytes(), NOW);
        assert!(cached == "valid" || !matches!(known, Some(Verdict::Valid(_))));
    }

    /// Whose token it is, and whether that one takes it; by the contract only.
    fn is_good(&self, token: &Minted) -> bool {
        let discovered_tenant = self
            .tenants
            .iter()
            .position(|own| *own == Some(token.tenant));
        let authority = match discovered_tenant {
            _ if token.tenant == FABRIKAM => BY_ID,
            Some(domain) => domain,
            None if self.tenants.contains(&None) => return false,
            None => MANY,
        };
        let admitted = token.tenant != CONSUMERS || authority == MANY;
        let in_use = self.documents[authority][token.version].in_use.as_ref();
        let bound = in_use.and_then(|keys| keys.get(&token.key));
        let signed = bound.is_some_and(|bound| bound.is_none_or(|own| own == token.tenant));
        admitted && signed && token.audience == AUDIENCES[authority]
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn the_cache_of_several_authorities_says_yes_only_where_the_contract_does(
        history in prop::collection::vec(events(), 1..60)
    ) {
        let mut state = State::new();
        for event in &history {
            state.happen(event);
        }
        for token in 0..WORLD.tokens.len() {
            state.ask(token);
        }
    }
}

/// The shortest history in which learning matters: two domains of one tenant.
#[test]
fn what_another_authority_accepted_is_forgotten_once_a_tenant_is_resolved() {
    let mut state = State::new();
    let of = |audience: &str| {
        let found = WORLD.tokens.iter().position(|token| {
            token.tenant == CONTOSO && token.version == 1 && token.audience == audience
        });
        found.unwrap()
    };
    let text = |token: usize| WORLD.tokens[token].text.as_str();
    let says = |state: &State, token: usize| super::said(&state.cached.validate(text(token), NOW));
    assert_ne!(says(&state, of("api://two")), "valid", "no authority yet");
    state.happen(&Event::Learn(1, 0));
    assert_eq!(says(&state, of("api://two")), "valid");
    assert!(state.cached.is_kept(text(of("api://two"))));
    state.happen(&Event::Learn(0, 0));
    assert!(!state.cached.is_kept(text(of("api://two"))));
    assert_ne!(says(&state, of("api://two")), "valid");
    assert_eq!(says(&state, of("api://one")), "valid");
    let version = state.plain.authorities[0].trust.version(TokenVersion::V2);
    assert_eq!(
        version,
        Some(1),
        "documents are in the order of their versions"
    );
}
