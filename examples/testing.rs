//! How to test an application that is protected by this crate: `cargo test --example testing`
//!
//! Two ways, and what each is for. `axum_entra::testing::claims()` (feature `test-util`) puts claims
//! into a request: no token, no key, no network; for handlers and for which guard stands where. The
//! emulator (crate `entra-emulator`) makes real tokens that go all the way; for the layer's set-up. In
//! an application both belong under `[dev-dependencies]`. This program itself serves the
//! application below on 127.0.0.1:3000, as `quickstart` does.

// ANCHOR: app
use axum::{Json, Router, routing::get};
use axum_entra::guard::{RequireAppOnly, RequireRole, RequireScope};
use axum_entra::{Claims, Entra, Tenant, guards};

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
    routes().layer(entra.layer())
}

async fn todos(claims: Claims) -> Json<Vec<String>> {
    Json(vec![format!("greet {:?}", claims.principal())])
}
// ANCHOR_END: app

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

    // ANCHOR: claims
    use axum::body::Body;
    use axum::http::{Request, header::AUTHORIZATION};
    use axum_entra::testing::claims;
    use tower::ServiceExt; // `oneshot`

    use super::{app, routes};

    fn request() -> Request<Body> {
        Request::builder()
            .uri("/todos")
            .body(Body::empty())
            .unwrap()
    }

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
    use axum_entra::settings::Settings;
    use axum_entra::{Entra, EntraBuilder};
    use entra_emulator::Emulator;

    /// An API that trusts an emulator, with credentials for Graph.
    fn trusting(emulator: &Emulator) -> Entra {
        let text = emulator.settings_with_graph().to_string();
        let settings = Settings::from_parts(Some(("the emulator", &text)), []).unwrap();
        EntraBuilder::from_settings(&settings)
            .unwrap()
            .build()
            .unwrap()
    }

    async fn status(app: axum::Router, token: &str) -> u16 {
        let mut request = request();
        let bearer = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert(AUTHORIZATION, bearer);
        app.oneshot(request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn a_real_token_goes_all_the_way() {
        let emulator = Emulator::start().await.unwrap();
        let app = app(&trusting(&emulator));
        let reader = emulator.token().user("alice").scope("Todo.Read");
        // `mint` takes the builder, and signs with the key of that moment.
        let good = reader.clone().mint();
        let other = emulator.token().user("alice").scope("Other").mint();
        let expired = reader.clone().expired().mint();
        assert_eq!(status(app.clone(), &good).await, 200);
        assert_eq!(status(app.clone(), &other).await, 403);
        assert_eq!(status(app.clone(), &expired).await, 401);
        // A rollover: a token of the new key is accepted, and that of the old one still is.
        emulator.rotate_keys();
        let new = reader.mint();
        assert_eq!(status(app.clone(), &new).await, 200);
        assert_eq!(status(app, &good).await, 200);
    }
    // ANCHOR_END: emulator

    // ANCHOR: outage
    use entra_emulator::Fault;

    /// The authority is down when the program starts: 503, never 200 and never 401.
    #[tokio::test]
    async fn without_keys_nothing_is_decided() {
        let emulator = Emulator::start().await.unwrap();
        emulator.inject_fault(Fault::Status(503)); // also Throttle(seconds), CloseConnection, NotJson, …
        let app = app(&trusting(&emulator));
        let good = emulator.token().user("alice").scope("Todo.Read").mint();
        assert_eq!(status(app, &good).await, 503);
        emulator.clear_faults();
    }
    // ANCHOR_END: outage

    // ANCHOR: overage
    use axum::routing::get;
    use axum_entra::guard::{RequireGroup, RequireScope};

    const READERS: &str = "aaaaaaaa-0000-4000-8000-000000000001";

    /// A token that cannot list all groups: Graph is asked about the one that the guard names.
    #[tokio::test]
    async fn a_user_with_too_many_groups_is_looked_up() {
        let emulator = Emulator::start().await.unwrap();
        emulator.set_memberships("alice", [READERS]); // by the user's name: what Graph answers from now on
        emulator.set_memberships("bob", [""; 0]);
        let app = axum::Router::new()
            .route(
                "/todos",
                get(|| async { "all" }).layer(RequireGroup(READERS)),
            )
            .route_layer(RequireScope("Todo.Read"))
            .route_layer(trusting(&emulator).layer());
        for (user, expected) in [("alice", 200), ("bob", 403)] {
            let token = emulator.token().user(user).scope("Todo.Read");
            assert_eq!(
                status(app.clone(), &token.groups_overage().mint()).await,
                expected
            );
        }
    }
    // ANCHOR_END: overage

    // ANCHOR: open
    use axum_entra::Tenant;
    use axum_entra::testing::assert_protected;

    /// The list is of the open routes, and empty here. A new route that answers without a token fails the test.
    #[tokio::test]
    async fn no_route_is_open() {
        let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
        let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
            .build()
            .unwrap();
        assert_protected(app(&entra), []).await;
    }
    // ANCHOR_END: open
}
