//! The whole of it: a tenant, a layer, a guard. `cargo run --example quickstart`

use axum::{Router, routing::get};
use axum_entra::guard::RequireScope;
use axum_entra::{Claims, Entra, Tenant};

async fn hello(claims: Claims) -> String {
    format!(
        "Hello, {}!",
        claims.profile().display_name().unwrap_or("whoever you are")
    )
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;

    let app = Router::new()
        .route("/hello", get(hello))
        .route_layer(RequireScope("access_as_user"))
        .route_layer(entra.layer())
        .route("/health", get(|| async { "ok" }));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
