//! One contender, every kind so many times, and nothing else: for callgrind.
//!
//! Callgrind counts inside `measured` alone, so that keys and tokens are made for nothing, and
//! writes down what it has whenever `counted` returns.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::HeaderValue;

use crate::contender::{self, App};
use crate::load;
use crate::tokens::Authority;
use crate::verify;

pub const BARE: &str = "bare RS256 check, key prepared";

pub async fn run(name: &str, times: usize, kinds: &[&str]) {
    let authority = Authority::start().await;
    if name == BARE {
        let key = verify::Verify::new(&authority);
        let (signed, signature) = verify::split(&authority.token(0));
        for _ in 0..times {
            measured_check(&key, &signed, &signature);
        }
        counted();
        return;
    }
    let mut app = contender::build(name, &authority).await;
    for kind in kinds {
        let tokens = load::few(kind, &authority);
        if *kind != "never seen" {
            for time in 0..100 {
                app.call(tokens.get(time % tokens.len().max(1))).await;
            }
        }
        for time in 0..times {
            measured(&mut app, tokens.get(time % tokens.len().max(1)));
        }
        counted();
    }
}

#[inline(never)]
fn measured(app: &mut App, token: Option<&HeaderValue>) {
    let mut answer = pin!(async { app.call(token).await });
    while let Poll::Pending = answer
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        // Under valgrind one thread runs at a time, and somebody else has to make progress.
        std::thread::yield_now();
    }
}

#[inline(never)]
fn measured_check(key: &verify::Verify, signed: &str, signature: &[u8]) {
    assert!(key.verify(signed, signature));
}

#[inline(never)]
fn counted() {
    std::hint::black_box(());
}
