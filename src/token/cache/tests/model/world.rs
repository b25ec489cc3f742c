//! What all histories are about: an authority's keys, and tokens of which it is known what they are.

use std::ops::Range;
use std::sync::LazyLock;

use serde_json::Value;
use tokio::runtime::Runtime;

use crate::authority::{Authority, ResolvedAuthority};
use crate::claims::AccountId;
use crate::{Tenant, TokenVersion};
use entra_emulator::{API_ID, CONTOSO, Emulator, TokenBuilder};

pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const SKEW: u64 = 300;
pub(super) const SESSION: &str = "a-session";
/// So many keys, each of which signs so many tokens.
pub(super) const KEYS: usize = 3;
pub(super) const TOKENS: usize = 9 * KEYS;

/// A token and its properties, as its issuer knows them.
pub(super) struct Minted {
    pub(super) text: String,
    /// Of no key, where it was never good.
    pub(super) key: Option<usize>,
    pub(super) account: usize,
    pub(super) in_session: bool,
    pub(super) issued_at: Option<u64>,
    pub(super) lives: Range<u64>,
}

/// What all histories are about; made once, since keys are slow to make.
pub(super) struct World {
    pub(super) runtime: Runtime,
    pub(super) issuer: String,
    address: String,
    /// Published keys as JSON, and their own ids.
    pub(super) keys: Vec<Value>,
    pub(super) tokens: Vec<Minted>,
    /// So many good tokens more that a small cache has no room for all.
    pub(super) crowd: Vec<String>,
    pub(super) accounts: [AccountId; 2],
}

pub(super) static WORLD: LazyLock<World> = LazyLock::new(World::new);

impl World {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let emulator = runtime.block_on(Emulator::start()).unwrap();
        let (mut tokens, mut crowd) = (Vec::new(), Vec::new());
        for key in 0..KEYS {
            if key > 0 {
                emulator.rotate_keys();
            }
            tokens.extend(of_key(&emulator, key));
            let one = |number: usize| {
                let user = ["alice", "bob"][number % 2];
                let token = emulator.token().user(user).scope("access_as_user");
                let token = token.issued_at(NOW).expires_at(NOW + 3_600);
                token.claim("uti", format!("{key}-{number}")).mint()
            };
            crowd.extend((0..10).map(one));
        }
        let document = emulator.keys_document();
        let keys = document["keys"].as_array().unwrap().clone();
        // Ids are looked up by the order in which the keys signed.
        let keys = (0..KEYS)
            .map(|key| {
                let signed = tokens.iter().find(|token| token.key == Some(key));
                let kid = part_of(&signed.unwrap().text, 0)["kid"].clone();
                keys.iter().find(|own| own["kid"] == kid).unwrap().clone()
            })
            .collect();
        let account = |number: usize| {
            let token = tokens.iter().find(|token| token.account == number);
            let payload = part_of(&token.unwrap().text, 1);
            AccountId::Entra {
                tenant_id: CONTOSO.parse().unwrap(),
                object_id: payload["oid"].as_str().unwrap().parse().unwrap(),
            }
        };
        Self {
            issuer: emulator.issuer(CONTOSO),
            address: emulator.url().to_owned(),
            accounts: [account(0), account(1)],
            keys,
            tokens,
            crowd,
            runtime,
        }
    }

    pub(super) fn trust(&self) -> ResolvedAuthority {
        Authority::entra(Tenant::new(CONTOSO), API_ID)
            .issued_at_backdate(std::time::Duration::ZERO)
            .instance(&self.address)
            .token_versions([TokenVersion::V2])
            .resolve()
            .unwrap()
    }
}

/// The tokens that one key signs: good ones of two accounts, short ones, and some of no use.
fn of_key(emulator: &Emulator, key: usize) -> Vec<Minted> {
    let token = |user: &str, issued: u64, expires: u64| {
        let token = emulator.token().user(user).scope("access_as_user");
        token
            .issued_at(issued)
            .not_before(issued)
            .expires_at(expires)
    };
    let minted = |account: usize, token: TokenBuilder, issued: u64, expires: u64| Minted {
        text: token.mint(),
        key: Some(key),
        account,
        in_session: false,
        issued_at: Some(issued),
        lives: issued.saturating_sub(SKEW)..expires + SKEW,
    };
    let good = |account: usize, issued: u64, expires: u64| {
        let user = ["alice", "bob"][account];
        minted(account, token(user, issued, expires), issued, expires)
    };
    let undated = token("alice", NOW, NOW + 7_200).without("iat");
    let of_session = token("bob", NOW, NOW + 3_600).claim("sid", SESSION);
    let bad = |text: String| Minted {
        text,
        key: None,
        ..good(0, NOW, NOW + 3_600)
    };
    let ordinary = good(0, NOW, NOW + 3_600);
    let short = good(1, NOW - 60, NOW + 60);
    let (signed, _) = ordinary.text.rsplit_once('.').unwrap();
    let (_, others_signature) = short.text.rsplit_once('.').unwrap();
    vec![
        bad(format!("{signed}.{others_signature}")),
        bad(token("alice", NOW, NOW + 3_600).unpublished_key().mint()),
        bad(token("alice", NOW, NOW + 3_600)
            .audience("api://other")
            .mint()),
        bad(token("bob", NOW, NOW + 3_600)
            .without("scp")
            .without("roles")
            .mint()),
        good(1, NOW + 600, NOW + 7_200),
        Minted {
            issued_at: None,
            ..minted(0, undated, NOW, NOW + 7_200)
        },
        Minted {
            in_session: true,
            ..minted(1, of_session, NOW, NOW + 3_600)
        },
        ordinary,
        short,
    ]
}

/// The header or the payload.
pub(in crate::token::cache::tests) fn part_of(token: &str, part: usize) -> Value {
    let part = token.split('.').nth(part).unwrap();
    let json = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).unwrap();
    serde_json::from_slice(&json).unwrap()
}
