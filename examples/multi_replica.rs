//! Two processes, one Redis: what is revoked on one is refused on the other.
//!
//! `cargo run --example multi_replica`. Uses the Redis of `REDIS_URL`, else starts a
//! `redis-server` of its own. The authority is the embedded emulator, in this process.
#![allow(clippy::print_stdout, reason = "it tells what it does")]

use std::error::Error;
use std::net::TcpListener as Probe;
use std::process::Stdio;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum_entra::emulator::{API_ID, CONTOSO, Emulator};
use axum_entra::{Authority, Claims, Entra, HttpClient, OnLoss, Redis, Rejection, Tenant};
use clap::Parser;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::sleep;

#[derive(Debug, Parser)]
struct Arguments {
    /// Be a replica that trusts the emulator at this address; without it, show two.
    #[arg(long, value_name = "URL", requires = "redis")]
    replica_of: Option<String>,
    /// The Redis that the replicas share.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    match (arguments.replica_of, arguments.redis) {
        (Some(authority), Some(redis)) => replica(&authority, &redis).await,
        (_, redis) => show(redis.or_else(|| std::env::var("REDIS_URL").ok())).await,
    }
}

/// One replica: `GET /me` for whoever is let in, `POST /revoke` for who wants to be let in no more.
async fn replica(authority: &str, redis: &str) -> Result<(), Box<dyn Error>> {
    let authority = Authority::entra(Tenant::id(CONTOSO), API_ID)
        .instance(authority)
        .sts_instance(authority);
    let younger = OnLoss::AllowYoungerThan(Duration::from_secs(600));
    let entra = Entra::trusting(authority)
        .redis(Redis::at(redis, younger))
        .build()?;
    let store = entra.clone();
    let revoking = entra.clone();
    let revoke = async move |claims: Claims| -> Result<StatusCode, Rejection> {
        if let Some(account) = claims.user_key() {
            // A second ahead, so that the token just used is older for certain.
            let now = claims.issued_at().unwrap_or_default().saturating_add(1);
            revoking.revoke(&account, now).await?;
        }
        Ok(StatusCode::NO_CONTENT)
    };
    let ready = async move || match store.is_ready() && store.store_status().following {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let app = Router::new()
        .route("/me", get(|_: Claims| async { "welcome\n" }))
        .route("/revoke", post(revoke))
        .route_layer(entra.layer())
        .route("/ready", get(ready));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

/// Starts everything, revokes on the first replica, and waits for the second to refuse.
async fn show(redis: Option<String>) -> Result<(), Box<dyn Error>> {
    let (redis, _server) = match redis {
        Some(url) => (url, None),
        None => {
            let port = Probe::bind("127.0.0.1:0")?.local_addr()?.port();
            let server = Command::new("redis-server")
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
                .args(["--save", "", "--appendonly", "no"])
                .stdout(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .map_err(|error| format!("redis-server: {error}; name a Redis in REDIS_URL"))?;
            (format!("redis://127.0.0.1:{port}/"), Some(server))
        }
    };
    let emulator = Emulator::start().await?;
    let (one, _first) = start(emulator.url(), &redis).await?;
    let (other, _second) = start(emulator.url(), &redis).await?;
    let client = HttpClient::new();
    for replica in [&one, &other] {
        while client
            .get(format!("{replica}/ready"))
            .send()
            .await?
            .status()
            != StatusCode::OK
        {
            sleep(Duration::from_millis(20)).await;
        }
    }
    let token = emulator.token().user("alice").mint();
    let me = async |replica: &str| {
        let request = client.get(format!("{replica}/me")).bearer_auth(&token);
        request.send().await.map(|answer| answer.status())
    };
    println!("{one}/me answers {}", me(&one).await?);
    println!("{other}/me answers {}", me(&other).await?);
    let revoke = client.post(format!("{one}/revoke")).bearer_auth(&token);
    println!("{one}/revoke answers {}", revoke.send().await?.status());
    let start = Instant::now();
    while me(&other).await? != StatusCode::UNAUTHORIZED {
        if start.elapsed() > Duration::from_secs(5) {
            return Err("the other replica was never told".into());
        }
    }
    println!("{one}/me answers {}", me(&one).await?);
    println!(
        "{other}/me answers 401 Unauthorized, {} ms later",
        start.elapsed().as_millis()
    );
    Ok(())
}

/// Starts a replica as a process of its own and waits for its address.
async fn start(authority: &str, redis: &str) -> Result<(String, Child), Box<dyn Error>> {
    let mut process = Command::new(std::env::current_exe()?)
        .args(["--replica-of", authority, "--redis", redis])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = process.stdout.take().ok_or("no output")?;
    let line = BufReader::new(output).lines().next_line().await?;
    let address = line
        .as_deref()
        .and_then(|line| line.strip_prefix("listening on "))
        .ok_or("the replica did not start")?
        .to_owned();
    Ok((address, process))
}
