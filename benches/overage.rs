//! What a group guard costs under overage: `cargo bench --bench overage`
//!
//! A listed group against one that Graph has to be asked for: answered from memory, asked with a
//! token for Graph cached, asked with nothing cached. All with a token that was verified before.
//! The emulator runs in the same thread, so its work counts too; a real Graph is far away instead.
//! The least of many interleaved rounds, since the machine may be shared.
#![allow(clippy::print_stdout, reason = "a table")]

use std::error::Error;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use axum::{Router, routing::get};
use axum_entra::guard::RequireGroup;
use axum_entra::settings::Settings;
use axum_entra::{Entra, EntraBuilder};
use entra_emulator::{ALICE, CONTOSO, DAVE, Emulator};
use tower::ServiceExt;

/// Alice's, who is in few groups.
const LISTED: &str = "aaaaaaaa-0000-4000-8000-000000000001";
/// Dave's, who is in 250.
const ASKED: &str = "dddddddd-0000-4000-8000-000000000250";

fn entra(emulator: &Emulator, cache_seconds: u64) -> Result<Entra, Box<dyn Error>> {
    let mut settings = emulator.settings_with_graph();
    if let Some(graph) = settings.pointer_mut("/AzureAd/Graph") {
        *graph = serde_json::json!({
            "BaseUrl": graph.get("BaseUrl"),
            "CacheSeconds": cache_seconds,
        });
    }
    let settings = Settings::from_parts(Some(("the bench", &settings.to_string())), [])?;
    Ok(EntraBuilder::from_settings(&settings)?.build()?)
}

fn app(entra: &Entra, group: &'static str) -> Router {
    Router::new()
        .route("/", get(|| async {}))
        .route_layer(RequireGroup(group))
        .route_layer(entra.layer())
}

async fn ask(app: &Router, token: &str) -> Result<(), Box<dyn Error>> {
    let request = Request::get("/").header(AUTHORIZATION, format!("Bearer {token}"));
    let response = app.clone().oneshot(request.body(Body::empty())?).await?;
    match response.status().as_u16() {
        200 => Ok(()),
        other => Err(format!("{other} instead of 200").into()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::start().await?;
    let (keeps, asks) = (entra(&emulator, 300)?, entra(&emulator, 0)?);
    let minted = |user| emulator.token().user(user).scope("access_as_user").mint();
    let (alice, dave) = (minted(ALICE), minted(DAVE));
    let (tenant, object) = (CONTOSO.parse()?, DAVE.parse()?);
    let listed = app(&keeps, LISTED);
    let (warm, each) = (app(&keeps, ASKED), app(&asks, ASKED));
    for (app, token) in [(&listed, &alice), (&warm, &dave), (&each, &dave)] {
        ask(app, token).await?;
    }
    // Requests in a round, and the least time of one.
    let mut least = [Duration::MAX; 4];
    for _ in 0..60 {
        let kinds = [
            (&listed, &alice, 200),
            (&warm, &dave, 200),
            (&each, &dave, 10),
            (&warm, &dave, 5),
        ];
        for (kind, ((app, token, count), least)) in kinds.into_iter().zip(&mut least).enumerate() {
            let mut spent = Duration::ZERO;
            for _ in 0..count {
                if kind == 3 {
                    keeps.graph().invalidate_account(tenant, object);
                }
                let start = Instant::now();
                ask(app, token).await?;
                spent += start.elapsed();
            }
            *least = (*least).min(spent / count);
        }
    }
    let [plain, ..] = least;
    let names = [
        "the group is in the token",
        "overage, remembered",
        "overage, Graph is asked",
        "overage, a token for Graph is got first",
    ];
    for (name, time) in names.into_iter().zip(least) {
        let ratio = time.as_secs_f64() / plain.as_secs_f64();
        println!("{name:<42} {time:>12?} {ratio:>8.1}");
    }
    Ok(())
}
