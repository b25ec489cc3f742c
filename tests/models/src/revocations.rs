//! Cut-offs, sign-outs and replay records; what the follower and this replica raise at the same time.

use std::sync::Arc;

use super::cutoffs::{Due, Raise, Revocations};
use super::replay_cache::Replays;
use super::shared::State;
use super::*;
use crate::property::{Property, hold};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{block_on, thread};
use crate::token::models::cache::claims;

const NOW: u64 = 1_800_000_000;

pub(crate) fn properties() -> Vec<Property> {
    vec![
        Property {
            name: "after-a-session-ended-none-of-its-tokens-is-good",
            model: session,
            faults: &["session-filtered-late"],
        },
        Property {
            name: "an-open-stream-ends-with-its-token",
            model: stream,
            faults: &["streams-woken-early", "streams-listen-late"],
        },
        Property {
            name: "every-sign-out-is-followed-by-forgetting",
            model: sign_out,
            faults: &["second-sign-out-dropped"],
        },
        Property {
            name: "a-token-is-used-once",
            model: replay,
            faults: &["replay-looked-up-apart"],
        },
        Property {
            name: "follower-and-replica-raise-to-the-later-time",
            model: later_time,
            faults: &["marks-lowered"],
        },
        Property {
            name: "what-could-not-be-told-is-told-later",
            model: told_later,
            faults: &["untold-cleared-late"],
        },
    ]
}

fn account() -> AccountId {
    claims(1).account_id().unwrap()
}

fn revoked(local: &Revocations) -> bool {
    local
        .cut_off_of(&claims(1), &Backdate::of_seconds(0))
        .is_some()
}

/// Two messages of an authority end one session; its tokens are younger than the message says.
fn session() {
    let local = Arc::new(Revocations::default());
    let claims = claims(1);
    let mark = RevocationKey::Session {
        tenant: claims.tenant_id().unwrap(),
        session: claims.session_id().unwrap().into(),
    };
    let (other, own) = (Arc::clone(&local), mark.clone());
    let other = thread(1, move || {
        other.advance(&own, NOW - 100, NOW);
        hold!(
            revoked(&other),
            "a token of an ended session is good for the second"
        );
    });
    local.advance(&mark, NOW - 100, NOW);
    hold!(
        revoked(&local),
        "a token of an ended session is good for the first"
    );
    other.join().unwrap();
}

/// The account is revoked while a stream begins to listen.
fn stream() {
    let accounts = Arc::new(RevocationState::in_memory());
    let revoking = Arc::clone(&accounts);
    let revoking = thread(1, move || {
        block_on(revoking.revoke(&account(), NOW + 1, NOW + 1)).unwrap();
    });
    // Never ends where the news is missed.
    block_on(Arc::clone(&accounts).until_revoked(claims(1), Arc::new(Backdate::of_seconds(0))));
    revoking.join().unwrap();
    hold!(
        revoked(&accounts.local),
        "the stream ended, and its token is good"
    );
}

/// Two sign-outs of one second: what an application kept before either of them is forgotten.
fn sign_out() {
    let local = Arc::new(Revocations::default());
    let (clock, last) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicU64::new(0)));
    let (ticks, forgot) = (Arc::clone(&clock), Arc::clone(&last));
    local.on_forget(Box::new(move |_| {
        forgot.fetch_max(ticks.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
    }));
    // As `RevocationState::sign_out` does it, the end of the second included.
    let signing_out = |local: Arc<Revocations>, clock: Arc<AtomicU64>| {
        let began = clock.fetch_add(1, Ordering::SeqCst);
        match local.sign_out(&account(), NOW) {
            Due::Now => local.forget(&[account()]),
            Due::Then(second) => {
                if local.take_due(&account(), second) {
                    local.forget(&[account()]);
                }
            }
            Due::Nothing => {}
        }
        began
    };
    let (other, ticks) = (Arc::clone(&local), Arc::clone(&clock));
    let other = thread(1, move || signing_out(other, ticks));
    let began = signing_out(local, clock);
    let began = began.max(other.join().unwrap());
    hold!(
        last.load(Ordering::SeqCst) > began,
        "nothing is forgotten after the last sign-out"
    );
}

/// Three requests with one token.
fn replay() {
    let replays = Arc::new(Replays::default());
    let uses = [1, 2].map(|number| {
        let replays = Arc::clone(&replays);
        thread(number, move || replays.first_use("id", NOW + 100, NOW))
    });
    let mut first = vec![replays.first_use("id", NOW + 100, NOW)];
    first.extend(uses.map(|used| used.join().unwrap()));
    let times = first.iter().filter(|first| **first == Ok(true)).count();
    hold!(times == 1, "the token is good {times} times");
}

/// The store's news and a call of the application, in either order.
fn later_time() {
    let local = Arc::new(Revocations::default());
    let mark = RevocationKey::Account(account());
    let (follower, news) = (Arc::clone(&local), mark.clone());
    let follower = thread(1, move || {
        follower.raise(
            &[Raise {
                mark: news,
                at: NOW - 50,
                age: 10,
            }],
            NOW,
        );
    });
    local.advance(&mark, NOW + 50, NOW);
    hold!(
        revoked(&local),
        "a token from before the later cut-off is good"
    );
    follower.join().unwrap();
    hold!(
        local.in_force(&account()) == Some(NOW + 50),
        "the cut-off was lowered"
    );
    hold!(
        revoked(&local),
        "a token from before the later cut-off is good in the end"
    );
}

/// The store is lost while the replica raises a mark, and begins to be followed again.
fn told_later() {
    let (local, state) = (Arc::new(Revocations::default()), Arc::new(State::new()));
    let mark = RevocationKey::Account(account());
    let (raising, telling, own) = (Arc::clone(&local), Arc::clone(&state), mark.clone());
    let raising = thread(1, move || {
        raising.advance(&own, NOW, NOW);
        // Publishing failed.
        telling.is_untold();
    });
    let lacking = state.to_tell(&local);
    raising.join().unwrap();
    let again = state.has_unpublished.load(Ordering::Acquire);
    hold!(
        lacking.contains_key(&mark) || again,
        "no replica will hear of a revocation"
    );
}
