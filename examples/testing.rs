//! How to test an application that is protected by this crate: `cargo test --example testing`
//!
//! Two ways, and what each is for. `axum_entra::testing::claims()` (feature `test-util`) puts claims
//! into a request: no token, no key, no network; for handlers and for which guard stands where. The
//! emulator (crate `entra-emulator`) makes real tokens that go all the way; for the layer's set-up. In
//! an application both belong under `[dev-dependencies]`. This program itself serves the
//! application below on 127.0.0.1:3000, as `quickstart` does.

use axum::{Json, Router, routing::get};
use axum_entra::guard::{RequireAppOnly, RequireRole, RequireScope};
use axum_entra::{Claims, Entra, Tenant, guards};

// ANCHOR: app
guards! {
    /// A user's scope, or an application's role.
    CanReadTodos = RequireScope("Todo.Read").or(RequireAppOnly.and(RequireRole("Todo.Read.All")));
}

/// The routes and their guards, without the layer: what most tests need.
fn routes() -> Router {
    Router::new().route("/todos", get(todos).layer(CanReadTodos))
}

/// The whole application.
fn app(entra: &Entra) -> Router {
    routes().route_layer(entra.layer())
}
// ANCHOR_END: app

async fn todos(claims: Claims) -> Json<Vec<String>> {
    Json(vec![format!("greet {:?}", claims.principal())])
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app(&entra)).await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use axum::body::Body;
    use axum::http::{Request, header::AUTHORIZATION};
    use axum_entra::EntraBuilder;
    use axum_entra::settings::Settings;
    use axum_entra::testing::claims;
    use entra_emulator::Emulator;
    use tower::ServiceExt;

    use super::{app, routes};

    fn request() -> Request<Body> {
        Request::builder()
            .uri("/todos")
            .body(Body::empty())
            .unwrap()
    }

    // ANCHOR: claims
    /// Without cryptography: which claims open which route.
    #[tokio::test]
    async fn a_user_needs_the_scope_and_an_application_the_role() {
        for (claims, status) in [
            (claims().scope("Todo.Read"), 200),
            (claims().scope("Other"), 403),
            (claims().app().roles(["Todo.Read.All"]), 200),
            // A user with the application's role is still no application.
            (claims().roles(["Todo.Read.All"]), 403),
        ] {
            let response = routes()
                .oneshot(claims.insert_into(request()))
                .await
                .unwrap();
            assert_eq!(response.status(), status);
        }
    }
    // ANCHOR_END: claims

    // ANCHOR: emulator
    /// The emulator in three lines: the whole way, with real tokens.
    #[tokio::test]
    async fn a_real_token_goes_all_the_way() {
        let emulator = Emulator::start().await.unwrap();
        let text = emulator.settings().to_string();
        let settings = Settings::from_parts(Some(("the emulator", &text)), []).unwrap();
        let entra = EntraBuilder::from_settings(&settings)
            .unwrap()
            .build()
            .unwrap();
        let good = emulator.token().user("alice").scope("Todo.Read");
        for (token, status) in [(good.clone(), 200), (good.expired(), 401)] {
            let mut request = request();
            let bearer = format!("Bearer {}", token.mint()).parse().unwrap();
            request.headers_mut().insert(AUTHORIZATION, bearer);
            let response = app(&entra).oneshot(request).await.unwrap();
            assert_eq!(response.status(), status);
        }
    }
    // ANCHOR_END: emulator
}
