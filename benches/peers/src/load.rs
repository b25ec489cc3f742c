//! What is sent.

use http::HeaderValue;

use crate::tokens::{Authority, headers};

/// Times each kind of request is measured.
pub const ROUNDS: usize = 40;

/// The round in which allocations are counted: it has tokens of its own.
pub const COUNTED: usize = ROUNDS;

/// Tokens of one round that nobody has seen; more would make a table of them wait for signatures.
pub const NEW: usize = 50;

/// The kinds of requests, in the order of the tables' columns.
pub const KINDS: [&str; 8] = [
    "one token",
    "1,000 tokens",
    "never seen",
    "no token",
    "garbage",
    "unknown key",
    "wrong signature",
    "expired",
];

/// The tokens of every kind; none for `no token`.
pub struct Load(Vec<Vec<HeaderValue>>);

impl Load {
    pub fn new(authority: &Authority) -> Self {
        Self(KINDS.map(|kind| made(kind, authority)).to_vec())
    }

    /// What one round sends; a token of `never seen` is sent in one round only.
    pub fn tokens(&self, kind: usize, round: usize) -> &[HeaderValue] {
        let tokens = &self.0[kind];
        if KINDS[kind] == "never seen" {
            &tokens[round * NEW..(round + 1) * NEW]
        } else {
            tokens
        }
    }
}

fn made(kind: &str, authority: &Authority) -> Vec<HeaderValue> {
    let new = 10_000..10_000 + (ROUNDS + 1) * NEW;
    match kind {
        "1,000 tokens" => headers((0..1_000).map(|number| authority.token(number))),
        "never seen" => headers(new.map(|number| authority.token(number))),
        _ => single(kind, authority),
    }
}

/// At most so many tokens of that kind, quickly made.
pub fn few(kind: &str, authority: &Authority) -> Vec<HeaderValue> {
    match kind {
        "never seen" => headers((1..=NEW).map(|number| authority.token(number))),
        _ => single(kind, authority),
    }
}

fn single(kind: &str, authority: &Authority) -> Vec<HeaderValue> {
    let token = match kind {
        "one token" => authority.token(0),
        "garbage" => "x".repeat(2_032),
        "unknown key" => authority.with(0, |token| {
            token.header("kid", "nobody-has-seen-this-key-id")
        }),
        "wrong signature" => forged(&authority.token(0)),
        "expired" => authority.with(0, |token| token.issued_at(1_000).claim("exp", 2_000)),
        _ => return Vec::new(),
    };
    headers([token])
}

/// A token with one character of its signature changed.
pub fn forged(token: &str) -> String {
    let mut forged = token.to_owned();
    let place = forged.len() - 100;
    let other = if forged.as_bytes()[place] == b'A' {
        "B"
    } else {
        "A"
    };
    forged.replace_range(place..=place, other);
    forged
}
