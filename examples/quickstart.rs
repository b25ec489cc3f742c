//! The whole of it: a layer, a guard, settings from the environment.
//!
//! `AzureAd__TenantId=… AzureAd__ClientId=… cargo run --example quickstart`; without a tenant start
//! `cargo run -p entra-emulator` in another shell and paste the `export` lines that it prints.

// ANCHOR: whole
use axum::{Router, routing::get};
use axum_entra::guard::RequireScope;
use axum_entra::settings::Settings;
use axum_entra::{Claims, EntraBuilder};

async fn hello(claims: Claims) -> String {
    let name = claims.profile().display_name().unwrap_or("you");
    format!("Hello, {name}!\n")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Warnings about settings and guards are `tracing` events.
    tracing_subscriber::fmt().init();
    // AzureAd__TenantId and AzureAd__ClientId of the environment.
    let entra = EntraBuilder::from_settings(&Settings::load(None)?)?.build()?;

    let protected = Router::new()
        .route("/hello", get(hello))
        .route_layer(RequireScope("access_as_user"))
        .route_layer(entra.layer());
    let app = Router::new()
        .route("/health", get(|| async { "ok" }))
        .merge(protected);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
// ANCHOR_END: whole
