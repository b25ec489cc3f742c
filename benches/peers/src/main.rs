//! Costs of a protected route: this crate's, other crates', and the two ends of the scale.
//!
//! `peers all` prints every table; `README.md` beside `peers/` says what is in them.

mod contender;
mod counting;
mod http;
mod instructions;
mod load;
mod once;
#[cfg(feature = "peers")]
mod peer;
mod round;
mod serve;
mod table;
mod tokens;
mod verify;
mod worker;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["all"] => {
            alone(table::run(&[]));
            instructions::run(&[]);
            http::run(&[]);
        }
        ["table", names @ ..] => alone(table::run(names)),
        ["instructions", names @ ..] => instructions::run(names),
        ["http", names @ ..] => http::run(names),
        // What the three above start.
        ["once", name, times, kinds @ ..] => alone(once::run(name, number(times), kinds)),
        ["worker", name] => alone(worker::run(name)),
        ["serve", name, file] => serve::run(name, file),
        _ => {
            eprintln!("peers all | table [NAME …] | instructions [NAME …] | http [NAME …]");
            std::process::exit(2);
        }
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn alone(work: impl Future<Output = ()>) {
    // The authority answers on threads of its own; what is measured runs on this one alone.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work);
}
