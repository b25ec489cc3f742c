//! Serves one contender on loopback, for a load generator.

use std::io::Write;

use tokio::net::TcpListener;

use crate::contender::{self, App};
use crate::tokens::Authority;

/// Writes a thousand tokens to the file, prints the address, serves until it is ended.
pub fn run(name: &str, tokens: &str) {
    // The authority must not share the contender's thread.
    let aside = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let authority = aside.block_on(Authority::start());
    let mut file = std::fs::File::create(tokens).expect("a file");
    for number in 0..1_000 {
        writeln!(file, "{}", authority.token(number)).expect("room for it");
    }
    drop(file);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let app = contender::build(name, &authority).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("http://{}", listener.local_addr().expect("an address"));
        match app {
            App::Axum08(router) => axum::serve(listener, router).await.expect("to serve"),
            #[cfg(feature = "peers")]
            App::Axum07(router) => axum07::serve(listener, router).await.expect("to serve"),
        }
    });
}
