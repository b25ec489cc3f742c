//! More valid tokens than fit, each sent once: the bound holds, and those in use are still there.

use axum_entra::Entra;

use crate::many::looked_up;
use crate::memory::{mebibytes, resident};
use crate::setup::{Issuer, app, header, send};

const BOUND: usize = 16 << 20;

pub(crate) fn run(count: usize) {
    let issuer = Issuer::start();
    let entra: Entra = issuer.entra(BOUND);
    let mut app = app(&entra);
    let in_use = issuer.tokens(100);
    for token in &in_use {
        send(&mut app, Some(token));
    }
    println!(
        "A cache of {}, {count} tokens that come once, 100 in use\n",
        mebibytes(BOUND)
    );
    println!("| tokens sent | memory above the start | of those in use, found |");
    println!("|---|---|---|");
    let before = resident();
    for number in 1..=count {
        // Made and dropped: what stays is the cache's.
        let token = header(&issuer.token(1_000 + number));
        assert_eq!(send(&mut app, Some(&token)), 200);
        if number % (count / 8).max(1) == 0 {
            let (hits, misses) = looked_up(&mut app, &in_use);
            let grown = resident().saturating_sub(before);
            println!(
                "| {number} | {} | {hits} of {} |",
                mebibytes(grown),
                hits + misses
            );
        }
    }
}
