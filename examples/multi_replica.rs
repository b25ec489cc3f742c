//! Two replicas and one Redis: `cargo run --example multi_replica`
//!
//! Starts the emulator and two processes of itself that share revocations through Redis, revokes an
//! account at one, and shows when the other refuses its tokens. Needs a Redis: `REDIS_URL`,
//! `redis://127.0.0.1:6379/` by default.
//!
//! **With a real tenant.** Give each replica the same settings and `AzureAd__Redis__Url`; nothing
//! else changes. `docs/revocation.md` says what happens while the store is away.
#![allow(clippy::print_stdout, reason = "a demonstration")]

mod startup;

use std::error::Error;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum_entra::{Claims, Entra, HttpClient, Rejection};
use entra_emulator::{API_ID, CONTOSO, Emulator};
use startup::Sample;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Set for the processes that serve.
const REPLICA: &str = "MULTI_REPLICA";

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::var_os(REPLICA).is_some() {
        return startup::run(routes).await;
    }
    match demonstrate().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn routes(sample: &Sample) -> Router {
    Router::new()
        .route(
            "/me",
            get(|claims: Claims| async move { claims.issuer().to_owned() }),
        )
        .route("/revoke-me", post(revoke))
        .route_layer(sample.entra.layer())
        .with_state(sample.entra.clone())
}

async fn revoke(State(entra): State<Entra>, claims: Claims) -> Result<StatusCode, Rejection> {
    if let Some(account) = claims.account_id() {
        entra.revoke_tokens(&account).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn demonstrate() -> Result<(), Box<dyn Error>> {
    let redis = std::env::var("REDIS_URL").unwrap_or("redis://127.0.0.1:6379/".to_owned());
    let address = redis.split('/').nth(2).unwrap_or_default();
    let address = address.rsplit('@').next().unwrap_or_default();
    if tokio::net::TcpStream::connect(address).await.is_err() {
        return Err(format!("no Redis at {address}: start one, or set REDIS_URL").into());
    }
    let emulator = Emulator::start().await?;
    let (one, first) = replica(&emulator, &redis).await?;
    let (two, second) = replica(&emulator, &redis).await?;
    println!(
        "replicas: {first} (process {:?}), {second} (process {:?})",
        one.id(),
        two.id()
    );

    let client = HttpClient::new();
    let get = async |base: &str, token: &str| -> Result<u16, Box<dyn Error>> {
        let answer = client
            .get(format!("{base}/me"))
            .bearer_auth(token)
            .send()
            .await?;
        Ok(answer.status().as_u16())
    };
    let token = emulator.token().user("alice").scope("access_as_user");
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
    // Issued a minute ago: Entra writes `iat` and `nbf` five minutes earlier.
    let issued_at = now - 60 - 300;
    let alice = token
        .clone()
        .issued_at(issued_at)
        .not_before(issued_at)
        .mint();
    let bob = token
        .user("bob")
        .issued_at(issued_at)
        .not_before(issued_at)
        .mint();
    for base in [&first, &second] {
        let (her, his) = (get(base, &alice).await?, get(base, &bob).await?);
        println!("before: {base} answers alice {her}, bob {his}");
    }

    let url = format!("{first}/revoke-me");
    let revoked = client.post(url).bearer_auth(&alice).send().await?;
    let since = Instant::now();
    println!("alice is revoked at {first}: {}", revoked.status().as_u16());
    while get(&second, &alice).await? != 401 {
        if since.elapsed() > Duration::from_secs(5) {
            return Err("the other replica did not follow within five seconds".into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!(
        "{second} refuses her {} ms later",
        since.elapsed().as_millis()
    );
    println!(
        "after: bob is answered {} and {}",
        get(&first, &bob).await?,
        get(&second, &bob).await?
    );
    Ok(())
}

/// Starts a process of this program that serves; it ends with its handle.
async fn replica(emulator: &Emulator, redis: &str) -> Result<(Child, String), Box<dyn Error>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--listen", "127.0.0.1:0"])
        .env(REPLICA, "1")
        .env("AzureAd__Instance", emulator.url())
        // Tokens of version 1.0 have an issuer of their own; its document is the emulator's too.
        .env("AzureAd__StsInstance", emulator.url())
        .env("AzureAd__TenantId", CONTOSO)
        .env("AzureAd__ClientId", API_ID)
        .env("AzureAd__Redis__Url", redis)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.stdout.take().ok_or("no output to read")?;
    let line = BufReader::new(output)
        .lines()
        .next_line()
        .await?
        .unwrap_or_default();
    let base = line
        .strip_prefix("listening on ")
        .ok_or("the replica did not start")?;
    Ok((child, base.to_owned()))
}
