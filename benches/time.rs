//! What a request costs, by criterion: `cargo bench --bench time [NAME]`
//!
//! From the request's head to the answer, in process. Everything is checked by the layer and the
//! guards; the handler does nothing. Times are this machine's at that moment.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a bench stops at the first surprise"
)]

mod setup;

use std::cell::LazyCell;
use std::hint::black_box;

use axum::Router;
use axum_entra::guard::{Guard, RequireGroup, RequireScope};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use http::HeaderValue;

use setup::{CACHE, Issuer, NoOp, app, behind, forged, groups, header, route, send};

fn measure(
    criterion: &mut Criterion,
    name: &str,
    mut app: Router,
    token: Option<&str>,
    status: u16,
) {
    // As `axum::serve` has it.
    app = app.with_state(());
    let token = token.map(header);
    assert_eq!(send(&mut app, token.as_ref()), status, "{name}");
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| send(&mut app, black_box(token.as_ref())));
    });
}

fn unprotected(criterion: &mut Criterion) {
    let token = Issuer::start().token(0);
    measure(criterion, "unprotected", route(), Some(&token), 200);
    measure(criterion, "no-op layer", behind(NoOp), Some(&token), 200);
}

fn known(criterion: &mut Criterion) {
    let issuer = Issuer::start();
    for count in [1, 1_000, 100_000] {
        // A hundred thousand signatures take a minute: only for those who measure them.
        let tokens: LazyCell<Vec<HeaderValue>, _> = LazyCell::new(|| issuer.tokens(count));
        let mut app = app(&issuer.entra(CACHE));
        criterion.bench_function(&format!("known/{count}"), |bencher| {
            let mut next = tokens.iter().cycle();
            for token in tokens.iter() {
                assert_eq!(send(&mut app, Some(token)), 200);
            }
            bencher.iter(|| send(&mut app, next.next()));
        });
    }
}

fn new(criterion: &mut Criterion) {
    let issuer = Issuer::start();
    let tokens: Vec<HeaderValue> = issuer.tokens(4_000);
    let entra = || app(&issuer.entra(CACHE));
    criterion.bench_function("never seen, kept", |bencher| {
        // Before the tokens come round again the cache is another one.
        let (mut app, mut next) = (entra(), 0);
        bencher.iter_batched_ref(
            || {
                if next == tokens.len() {
                    (app, next) = (entra(), 0);
                }
                next += 1;
                (app.clone(), tokens[next - 1].clone())
            },
            |(app, token)| send(app, Some(token)),
            BatchSize::PerIteration,
        );
    });
    let uncached = app(&issuer.entra(0));
    measure(
        criterion,
        "cache off",
        uncached,
        Some(&issuer.token(0)),
        200,
    );
}

fn refused(criterion: &mut Criterion) {
    let issuer = Issuer::start();
    let app = || app(&issuer.entra(CACHE));
    let unknown = issuer.with(0, |token| {
        token.header("kid", "nobody-has-seen-this-key-id")
    });
    let forged = forged(&issuer.token(0));
    measure(criterion, "refused/no token", app(), None, 401);
    measure(
        criterion,
        "refused/garbage",
        app(),
        Some(&"x".repeat(2_032)),
        401,
    );
    measure(criterion, "refused/unknown key", app(), Some(&unknown), 401);
    measure(
        criterion,
        "refused/wrong signature",
        app(),
        Some(&forged),
        401,
    );
}

fn many(criterion: &mut Criterion) {
    let issuer = Issuer::start();
    for count in [1, 10, 1_000] {
        let (entra, token) = issuer.authorities(count);
        let name = format!("authorities, cache off/{count}");
        measure(criterion, &name, app(&entra), Some(&token), 200);
    }
    let token = issuer.token(0);
    for count in [2, 20, 200] {
        let tenant = axum_entra::Tenant::new(entra_emulator::CONTOSO);
        let entra = axum_entra::Entra::builder_for(issuer.tenant(tenant, count));
        let entra = entra.token_cache_capacity(0).build().unwrap();
        let name = format!("keys, cache off/{count}");
        measure(criterion, &name, app(&entra), Some(&token), 200);
    }
}

fn guards(criterion: &mut Criterion) {
    let issuer = Issuer::start();
    let entra = issuer.entra(CACHE);
    let token = issuer.token(0);
    let one = RequireScope("access_as_user");
    let five = one.and(one).and(one).and(one).and(one);
    let behind = |route: Router| route.route_layer(entra.layer());
    let app = behind(route().route_layer(one));
    measure(criterion, "guards/1", app, Some(&token), 200);
    let twenty = five.and(five).and(five).and(five);
    let app = behind(route().route_layer(twenty));
    measure(criterion, "guards/20", app, Some(&token), 200);

    for count in [0, 200] {
        let token = issuer.with(0, |token| token.groups(groups(count)));
        let name = format!("groups, cache off/{count}");
        let uncached = route().route_layer(one);
        let uncached = uncached.route_layer(issuer.entra(0).layer());
        measure(criterion, &name, uncached, Some(&token), 200);
    }
    let last: &'static str = Box::leak(groups(200).pop().unwrap().into_boxed_str());
    let app = behind(route().route_layer(RequireGroup(last)));
    let token = issuer.with(0, |token| token.groups(groups(200)));
    measure(
        criterion,
        "groups, known, the last of/200",
        app,
        Some(&token),
        200,
    );
}

criterion_group!(benches, unprotected, known, new, refused, many, guards);
criterion_main!(benches);
