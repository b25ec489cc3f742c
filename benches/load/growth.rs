//! What a request costs with more tokens, authorities, keys, groups and guards.
//!
//! Every size has its turn in each round; the least counts, since the machine may be shared.

use std::hint::black_box;
use std::time::Instant;

use axum::Router;
use axum_entra::guard::{Guard, RequireGroup, RequireScope};
use axum_entra::{Entra, Tenant};
use entra_emulator::CONTOSO;
use http::HeaderValue;

use crate::plot::{Line, write};
use crate::setup::{CACHE, Issuer, app, forged, groups, header, route, send};

const ROUNDS: usize = 60;

/// One size: how many there are, the route, and what is sent in turn.
struct Size {
    count: usize,
    app: Router,
    tokens: Vec<HeaderValue>,
}

impl Size {
    fn new(count: usize, app: Router, token: &str) -> Self {
        Self {
            count,
            // As `axum::serve` has it.
            app: app.with_state(()),
            tokens: vec![header(token)],
        }
    }
}

pub(crate) fn run() {
    let issuer = Issuer::start();
    println!("µs of one request, least of {ROUNDS} rounds");
    tokens(&issuer);
    authorities(&issuer);
    keys(&issuer);
    in_token(&issuer);
    guards(&issuer);
}

fn tokens(issuer: &Issuer) {
    let all = issuer.tokens(10_000);
    let cached = app(&issuer.entra(CACHE));
    let sizes = [1, 10, 100, 1_000, 10_000].map(|count| Size {
        count,
        app: cached.clone(),
        tokens: all[..count].to_vec(),
    });
    let known = least("known", Vec::from(sizes));
    write(
        "tokens",
        "A request with a known token",
        "tokens in use",
        &[known],
    );
}

fn authorities(issuer: &Issuer) {
    let made = [1, 10, 100, 1_000].map(|count| (count as usize, issuer.authorities(count)));
    let sizes = |change: fn(&str) -> String| {
        let size = |(count, (entra, token)): &(usize, (Entra, String))| {
            Size::new(*count, app(entra), &change(token))
        };
        made.iter().map(size).collect()
    };
    let good = least("accepted, no cache", sizes(str::to_owned));
    let bad = least("wrong signature", sizes(forged));
    write(
        "authorities",
        "A token of the last authority",
        "authorities",
        &[good, bad],
    );
}

fn keys(issuer: &Issuer) {
    let made = [2, 6, 20, 200].map(|count| {
        let entra = Entra::builder_for(issuer.tenant(Tenant::new(CONTOSO), count));
        (count, entra.token_cache_capacity(0).build().unwrap())
    });
    let sizes = |token: &str| {
        let size = |(count, entra): &(usize, Entra)| Size::new(*count, app(entra), token);
        made.iter().map(size).collect()
    };
    let unknown = issuer.with(0, |token| {
        token.header("kid", "nobody-has-seen-this-key-id")
    });
    let good = least("accepted, no cache", sizes(&issuer.token(0)));
    let bad = least("unknown key", sizes(&unknown));
    write(
        "keys",
        "A token of the last key",
        "keys in the document",
        &[good, bad],
    );
}

fn in_token(issuer: &Issuer) {
    let counts = [0, 10, 50, 200];
    let token = |count| issuer.with(0, |token| token.groups(groups(count)));
    let sizes = |cache: usize| {
        let size = |count: u128| {
            let last: &'static str =
                Box::leak(groups(count.max(1)).pop().unwrap().into_boxed_str());
            let route = match count {
                0 => route().route_layer(RequireScope("access_as_user")),
                _ => route().route_layer(RequireGroup(last)),
            };
            let app = route.route_layer(issuer.entra(cache).layer());
            Size::new(count as usize, app, &token(count))
        };
        counts.map(size).into()
    };
    let known = least("known, the last is asked for", sizes(CACHE));
    let new = least("the same, no cache", sizes(0));
    write(
        "groups",
        "A token with groups",
        "groups in the token",
        &[known, new],
    );
}

fn guards(issuer: &Issuer) {
    let entra = issuer.entra(CACHE);
    let token = issuer.token(0);
    let one = RequireScope("access_as_user");
    let five = one.and(one).and(one).and(one).and(one);
    let ten = five.and(five);
    let behind = |count, route: Router| Size::new(count, route.route_layer(entra.layer()), &token);
    let sizes = vec![
        behind(0, route()),
        behind(1, route().route_layer(one)),
        behind(5, route().route_layer(five)),
        behind(10, route().route_layer(ten)),
        behind(20, route().route_layer(ten.and(ten))),
    ];
    let known = least("known token", sizes);
    write("guards", "Guards in one expression", "guards", &[known]);
}

/// Prints a row and gives the line.
fn least(name: &'static str, mut sizes: Vec<Size>) -> Line {
    let mut least = vec![f64::INFINITY; sizes.len()];
    for _ in 0..ROUNDS {
        for (size, least) in sizes.iter_mut().zip(&mut least) {
            let times = size.tokens.len().max(200);
            let start = Instant::now();
            for token in size.tokens.iter().cycle().take(times) {
                black_box(send(&mut size.app, Some(token)));
            }
            *least = least.min(start.elapsed().as_nanos() as f64 / 1e3 / times as f64);
        }
    }
    let points: Vec<(f64, f64)> = sizes
        .iter()
        .map(|size| size.count as f64)
        .zip(least)
        .collect();
    let cells: Vec<String> = points
        .iter()
        .map(|(count, spent)| format!("{count}: {spent:.2}"))
        .collect();
    println!("{name}: {}", cells.join(", "));
    Line { name, points }
}
