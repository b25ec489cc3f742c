//! Cut-offs of accounts, subjects and sessions.

use std::collections::HashMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::authority::Backdate;
use crate::claims::raw::RawClaims;
use crate::revocation::marks::FEW;

const TENANT: Uuid = Uuid::from_u128(1);

/// `iat` is the issue time.
static NONE: Backdate = Backdate::of_seconds(0);

fn account(number: u128) -> AccountId {
    AccountId::Entra {
        tenant_id: TENANT,
        object_id: Uuid::from_u128(number),
    }
}

fn claims(members: &str) -> Claims {
    let oid = Uuid::from_u128(7);
    let text =
        format!("{{\"iss\":\"i\",\"sub\":\"s\",\"oid\":\"{oid}\",\"exp\":9000000{members}}}");
    RawClaims::parse(text.as_bytes())
        .unwrap()
        .interpret()
        .ok()
        .unwrap()
        .into_claims(Some(TENANT), None, None)
}

fn raised(mark: RevocationKey, at: u64) -> Revocations {
    let revocations = Revocations::default();
    assert!(revocations.advance(&mark, at, at));
    revocations
}

#[test]
fn a_token_issued_before_the_cut_off_is_revoked_and_one_issued_at_it_is_not() {
    let revocations = raised(RevocationKey::Account(account(7)), 1_000);
    let cut_off = |members: &str| revocations.cut_off_of(&claims(members), &NONE);
    assert_eq!(cut_off(",\"iat\":999"), Some(1_000));
    assert_eq!(cut_off(",\"iat\":999.9"), Some(1_000));
    assert_eq!(cut_off(",\"iat\":1000"), None);
    assert_eq!(cut_off(",\"iat\":1001"), None);
    assert_eq!(cut_off(""), Some(1_000), "no iat");
}

#[test]
fn another_account_is_not_touched() {
    let revocations = raised(RevocationKey::Account(account(8)), 1_000);
    assert_eq!(revocations.cut_off_of(&claims(",\"iat\":1"), &NONE), None);
    assert_eq!(revocations.cut_off_of(&claims(""), &NONE), None);
    let elsewhere = AccountId::Entra {
        tenant_id: Uuid::from_u128(2),
        object_id: Uuid::from_u128(7),
    };
    let revocations = raised(RevocationKey::Account(elsewhere), 1_000);
    assert_eq!(revocations.cut_off_of(&claims(",\"iat\":1"), &NONE), None);
}

#[test]
fn a_token_is_known_by_its_subject_and_its_session_too() {
    let subject = AccountId::Subject {
        issuer: "i".into(),
        subject: "s".into(),
    };
    let revocations = raised(RevocationKey::Account(subject), 1_000);
    assert!(
        revocations
            .cut_off_of(&claims(",\"iat\":1"), &NONE)
            .is_some()
    );
    let session = RevocationKey::Session {
        tenant: TENANT,
        session: "x".into(),
    };
    let revocations = raised(session, 1_000);
    let cut_off = |members: &str| revocations.cut_off_of(&claims(members), &NONE);
    assert_eq!(cut_off(",\"iat\":1,\"sid\":\"x\""), Some(1_000));
    assert_eq!(cut_off(",\"iat\":1,\"sid\":\"y\""), None);
    assert_eq!(cut_off(",\"iat\":1"), None);
}

#[test]
fn a_sign_out_revokes_nothing() {
    let revocations = raised(RevocationKey::SignedOut(account(7)), 1_000);
    assert_eq!(revocations.cut_off_of(&claims(",\"iat\":1"), &NONE), None);
    assert_eq!(revocations.cut_off_of(&claims(""), &NONE), None);
}

#[tokio::test(start_paused = true)]
async fn cut_offs_are_forgotten_only_when_no_older_token_can_be_alive() {
    let revocations = Revocations::default();
    let total = u128::try_from(FEW).unwrap() + 7;
    for number in 0..total {
        revocations.advance(&RevocationKey::Account(account(number)), 1_000, 1_000);
    }
    let last = RevocationKey::Account(account(9_999));
    // A clock that jumps ahead removes no mark early.
    revocations.advance(&last, 2_000 + KEPT, 2_000 + KEPT);
    assert_eq!(revocations.len(), FEW + 8);
    tokio::time::advance(std::time::Duration::from_secs(KEPT)).await;
    revocations.marks.write().unwrap().sweep_at = 0;
    revocations.advance(&last, 1_000 + KEPT, 1_000 + KEPT);
    assert!(
        revocations
            .cut_off_of(&claims(",\"iat\":999"), &NONE)
            .is_some()
    );
    // What cannot matter any more makes room.
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    revocations.marks.write().unwrap().sweep_at = 0;
    revocations.advance(&last, 1_001 + KEPT, 1_001 + KEPT);
    assert_eq!(revocations.len(), 1);
}

fn let_go(revocations: &Revocations) {
    let uptime = revocations.uptime.seconds();
    revocations.marks.write().unwrap().let_go(uptime);
}

fn session() -> RevocationKey {
    RevocationKey::Session {
        tenant: TENANT,
        session: "x".into(),
    }
}

#[test]
fn a_session_that_ended_refuses_its_tokens_whenever_they_were_issued() {
    let revocations = raised(session(), 1_000);
    let cut_off = |members: &str| revocations.cut_off_of(&claims(members), &NONE);
    assert_eq!(cut_off(",\"iat\":999,\"sid\":\"x\""), Some(1_000));
    // A token of another session, which a client may get, would pass.
    assert_eq!(cut_off(",\"iat\":5000,\"sid\":\"x\""), Some(5_001));
    assert_eq!(cut_off(",\"iat\":999,\"sid\":\"y\""), None);
    assert_eq!(cut_off(",\"iat\":5000,\"sid\":\"y\""), None);
    // The account's own later cut-off is the one that is named.
    revocations.advance(&RevocationKey::Account(account(7)), 6_000, 6_000);
    assert_eq!(cut_off(",\"iat\":5000,\"sid\":\"x\""), Some(6_000));
}

#[tokio::test(start_paused = true)]
async fn an_ended_session_is_kept_for_two_days_after_its_last_token() {
    let half = std::time::Duration::from_secs(KEPT / 2);
    let revocations = raised(session(), 1_000);
    let of = |name: &str| claims(&format!(",\"iat\":5000,\"sid\":\"{name}\""));
    let sweep = || let_go(&revocations);
    let mut told = 0;
    for _ in 0..10 {
        tokio::time::advance(half).await;
        sweep();
        let found = revocations.look_up(&of("x"), &NONE).unwrap();
        told += usize::from(found.seen == Some((session(), 1_000)));
        // Not with every token.
        assert_eq!(revocations.look_up(&of("x"), &NONE).unwrap().seen, None);
    }
    assert_eq!(told, 10);
    tokio::time::advance(half * 2).await;
    sweep();
    assert!(revocations.look_up(&of("x"), &NONE).is_some());
    tokio::time::advance(half * 2 + std::time::Duration::from_secs(1)).await;
    sweep();
    assert!(
        revocations.look_up(&of("x"), &NONE).is_none(),
        "no token was seen"
    );
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_others_have_had_for_a_while_is_kept_for_what_is_left() {
    let revocations = Revocations::default();
    let kept = |number: u128| {
        let_go(&revocations);
        let mark = RevocationKey::Account(account(number));
        revocations.all().iter().any(|(held, _)| *held == mark)
    };
    let raise = |number: u128, at: u64, age: u64| Raise {
        mark: RevocationKey::Account(account(number)),
        at,
        age,
    };
    // The third an hour ahead, of which no clock that is days ahead makes less.
    let raises = [
        raise(1, 1_000, KEPT - 100),
        raise(2, 1_000, 0),
        raise(3, 4_600, 0),
        raise(2, 1_000, 0),
        raise(4, 0, 0),
    ];
    let raised = revocations.raise(&raises, 1_000);
    assert_eq!(raised, [true, true, true, false, false]);
    tokio::time::advance(std::time::Duration::from_secs(101)).await;
    assert!(!kept(1) && kept(2) && kept(3));
    tokio::time::advance(std::time::Duration::from_secs(KEPT)).await;
    assert!(!kept(2) && kept(3));
    tokio::time::advance(std::time::Duration::from_secs(3_600)).await;
    assert!(!kept(3));
}

#[tokio::test]
async fn a_stream_that_looked_before_a_sign_out_had_its_number_is_woken_again() {
    let revocations = Revocations::default();
    let own = claims("");
    let AccountId::Entra { .. } = own.account_id().unwrap() else {
        panic!("no object id")
    };
    let mark = RevocationKey::SignedOut(own.account_id().unwrap());
    let mut ear = revocations.listen(&own);
    let raise = Raise {
        mark: mark.clone(),
        at: 1_000,
        age: 0,
    };
    assert_eq!(revocations.raise(&[raise], 1_000), [true]);
    ear.changed().await;
    let before = revocations.sign_out_of(&own);
    revocations.number_sign_outs(&[mark]);
    ear.changed().await;
    assert!(revocations.sign_out_of(&own) > before);
}

#[tokio::test]
async fn marks_that_are_raised_together_do_what_each_does_by_itself() {
    let ids = |number: u128| {
        let oid = Uuid::from_u128(number);
        let text = format!(
            "{{\"iss\":\"i\",\"sub\":\"{oid}\",\"oid\":\"{oid}\",\"iat\":500,\"exp\":9000000}}"
        );
        let claims = RawClaims::parse(text.as_bytes()).unwrap().interpret();
        claims.ok().unwrap().into_claims(Some(TENANT), None, None)
    };
    let marks = [
        RevocationKey::SignedOut(account(2)),
        RevocationKey::Account(account(3)),
        RevocationKey::Forgotten(account(4)),
        RevocationKey::Lifted(account(5)),
    ];
    let revocations = Revocations::default();
    let mut streams: Vec<_> = (2..=5).map(|n| revocations.listen(&ids(n))).collect();
    let raises = marks.map(|mark| Raise {
        mark,
        at: 1_000,
        age: 0,
    });
    assert_eq!(revocations.raise(&raises, 1_000), [true; 4]);
    let refused = |number| revocations.cut_off_of(&ids(number), &NONE).is_some();
    assert_eq!([2, 3, 4, 5].map(refused), [false, true, false, false]);
    for (stream, number) in streams.iter_mut().zip(2..=5) {
        let rings = tokio::time::timeout(std::time::Duration::ZERO, stream.changed()).await;
        // A channel may be another account's as well; those two are notified in any case.
        assert!(rings.is_ok() || number > 3, "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_an_account_was_forgotten_is_known_unless_a_sign_out_waits() {
    let revocations = Revocations::default();
    let forgotten = || revocations.forgotten_at(&account(1));
    assert_eq!(forgotten(), Some([0; 3]));
    let cut_off = RevocationKey::Account(account(1));
    revocations.advance(&cut_off, 1_000, 1_000);
    assert_eq!(forgotten(), Some([1_000, 0, 0]));
    // Earlier than another one, and a time that is seen all the same.
    let ended = RevocationKey::Forgotten(account(1));
    revocations.advance(&ended, 500, 1_000);
    assert_eq!(forgotten(), Some([1_000, 0, 500]));
    revocations.advance(&RevocationKey::Lifted(account(1)), 1_000, 1_000);
    assert_eq!(forgotten(), Some([1_000, 0, 500]));
    assert_eq!(revocations.sign_out(&account(1), 900), Due::Now);
    assert_eq!(forgotten(), Some([1_000, 900, 500]));
    // The next one has the account forgotten at once, and has no time of its own yet.
    assert_eq!(revocations.sign_out(&account(1), 900), Due::Then(901));
    assert_eq!(forgotten(), None);
    assert_eq!(revocations.forgotten_at(&account(2)), Some([0; 3]));
    assert!(revocations.take_due(&account(1), 901));
    assert_eq!(forgotten(), Some([1_000, 901, 500]));
    // Whether old marks were let go makes no difference.
    tokio::time::advance(std::time::Duration::from_secs(KEPT)).await;
    assert_eq!(forgotten(), Some([1_000, 901, 500]));
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(forgotten(), Some([0; 3]));
}

#[test]
fn a_lifted_revocation_refuses_no_token_and_a_later_one_holds() {
    let account_mark = || RevocationKey::Account(account(7));
    let revocations = raised(account_mark(), 1_000);
    let cut_off = |members: &str| revocations.cut_off_of(&claims(members), &NONE);
    assert_eq!(cut_off(",\"iat\":999"), Some(1_000));
    let at = revocations.in_force(&account(7)).unwrap();
    revocations.advance(&RevocationKey::Lifted(account(7)), at, 1_001);
    assert_eq!(cut_off(",\"iat\":999"), None);
    assert_eq!(cut_off(""), None);
    assert_eq!(revocations.in_force(&account(7)), None);
    // The lifted mark may be reported again by a replica that lost its connection.
    revocations.advance(&account_mark(), 1_000, 1_002);
    assert_eq!(cut_off(",\"iat\":999"), None);
    // A revocation that is made now has an effect, whatever its time.
    for asked in [500, 1_000, 1_001] {
        assert_eq!(revocations.effective(&account_mark(), asked), 1_001);
    }
    assert_eq!(revocations.effective(&account_mark(), 2_000), 2_000);
    let other = RevocationKey::Account(account(8));
    assert_eq!(revocations.effective(&other, 500), 500);
    revocations.advance(&account_mark(), 1_001, 1_003);
    assert_eq!(cut_off(",\"iat\":1000"), Some(1_001));
    assert_eq!(cut_off(",\"iat\":1001"), None);
}

#[test]
fn one_hook_that_panics_keeps_no_other_from_being_called() {
    let revocations = Revocations::default();
    let calls = std::sync::Arc::new(AtomicU64::new(0));
    let counted = std::sync::Arc::clone(&calls);
    revocations.on_forget(Box::new(|_| panic!("the application's own")));
    revocations.on_forget(Box::new(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    }));
    assert!(!revocations.has_panicked());
    revocations.forget(&[account(1)]);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert!(revocations.has_panicked());
}

#[tokio::test(start_paused = true)]
async fn sessions_that_end_without_proof_have_room_of_their_own_and_are_swept() {
    let revocations = Revocations::default();
    let session = |number: usize| RevocationKey::Session {
        tenant: TENANT,
        session: format!("s{number}").into(),
    };
    for number in 0..MOST_UNPROVEN {
        let ended = revocations.end_unproven(&session(number), 1_000, 1_000);
        assert_eq!(ended, Unproven::Ended);
    }
    let end = |number: usize| revocations.end_unproven(&session(number), 1_000, 1_000);
    assert_eq!(end(7), Unproven::AlreadyEnded, "twice");
    assert_eq!(end(MOST_UNPROVEN), Unproven::NoRoom);
    // What is proved needs no such room.
    assert!(revocations.advance(&session(MOST_UNPROVEN), 1_000, 1_000));
    assert_eq!(end(MOST_UNPROVEN), Unproven::AlreadyEnded);
    tokio::time::advance(std::time::Duration::from_secs(KEPT + 1)).await;
    assert_eq!(end(MOST_UNPROVEN + 1), Unproven::Ended);
    assert!(revocations.len() < 10, "{}", revocations.len());
}

proptest! {
    /// Whatever the order and however often: the greatest time stands.
    #[test]
    fn cut_offs_are_monotonic_in_any_order(
        events in proptest::collection::vec((0_u128..4, 1_u64..5_000), 1..60),
    ) {
        let revocations = Revocations::default();
        let mut greatest: HashMap<u128, u64> = HashMap::new();
        for (number, at) in &events {
            let before = greatest.get(number).copied().unwrap_or(0);
            let raised = revocations.advance(&RevocationKey::Account(account(*number + 5)), *at, 5_000);
            prop_assert_eq!(raised, *at > before);
            greatest.insert(*number, before.max(*at));
            // The account of the claims is number 2 of these.
            let held = greatest.get(&2).copied();
            prop_assert_eq!(revocations.cut_off_of(&claims(""), &NONE), held);
            for issued_at in [0, 1, 2_500, 4_999, 5_000] {
                let revoked = revocations
                    .cut_off_of(&claims(&format!(",\"iat\":{issued_at}")), &NONE)
                    .is_some();
                prop_assert_eq!(revoked, held.is_some_and(|held| issued_at < held));
            }
        }
        let all: HashMap<RevocationKey, u64> = revocations.all().into_iter().collect();
        for (number, at) in greatest {
            prop_assert_eq!(all.get(&RevocationKey::Account(account(number + 5))), Some(&at));
        }
    }
}
