//! What a layer covers and what it does not: each wrong form beside the right one.
#![allow(dead_code, reason = "the wrong forms are for the tests and the page")]

// ANCHOR: uses
use axum::Router;
use axum::handler::Handler;
use axum::routing::get;
use axum_entra::Entra;
use axum_entra::guard::RequireScope;
use tower::Layer as _;

async fn list() -> &'static str {
    "all"
}

async fn create() -> &'static str {
    "made"
}

async fn nothing() -> &'static str {
    "nothing here"
}
// ANCHOR_END: uses

// ANCHOR: late_wrong
fn late_route_wrong(entra: &Entra) -> Router {
    Router::new()
        .route("/todos", get(list))
        .route_layer(entra.layer())
        .route("/late", get(list)) // open: added after the layer
}
// ANCHOR_END: late_wrong

// ANCHOR: late_right
fn late_route_right(entra: &Entra) -> Router {
    let protected = Router::new()
        .route("/todos", get(list))
        .route("/late", get(list))
        .route_layer(entra.layer());
    Router::new()
        .route("/health", get(nothing))
        .merge(protected)
}
// ANCHOR_END: late_right

// ANCHOR: fallback_wrong
fn fallback_wrong(entra: &Entra) -> Router {
    Router::new()
        .route("/todos", get(list))
        .fallback(nothing) // open: `route_layer` is for routes, and a fallback is none
        .route_layer(entra.layer())
}
// ANCHOR_END: fallback_wrong

// ANCHOR: fallback_right
fn fallback_right(entra: &Entra) -> Router {
    Router::new()
        .route("/todos", get(list))
        .fallback(nothing)
        .layer(entra.layer()) // `layer`, after the fallback: for both
}
// ANCHOR_END: fallback_right

// ANCHOR: nested_wrong
fn nested_fallback_wrong(entra: &Entra) -> Router {
    let inner = Router::new().route("/todos", get(list)).fallback(nothing);
    Router::new().nest("/api", inner).route_layer(entra.layer()) // open: /api/anything
}
// ANCHOR_END: nested_wrong

// ANCHOR: nested_right
fn nested_fallback_right(entra: &Entra) -> Router {
    let inner = Router::new()
        .route("/todos", get(list))
        .fallback(nothing)
        .layer(entra.layer());
    Router::new().nest("/api", inner)
}
// ANCHOR_END: nested_right

// ANCHOR: method_wrong
fn method_wrong(entra: &Entra) -> Router {
    let may_read = RequireScope("Todo.Read");
    Router::new()
        .route("/todos", get(list).layer(may_read).post(create)) // POST: any valid token
        .route_layer(entra.layer())
}
// ANCHOR_END: method_wrong

// ANCHOR: method_wrong_too
fn method_wrong_too(entra: &Entra) -> Router {
    let may_read = RequireScope("Todo.Read");
    Router::new()
        .route("/todos", get(list).post(create).layer(may_read)) // POST: a token that may read
        .route_layer(entra.layer())
}
// ANCHOR_END: method_wrong_too

// ANCHOR: method_right
fn method_right(entra: &Entra) -> Router {
    let list = list.layer(RequireScope("Todo.Read"));
    let create = create.layer(RequireScope("Todo.ReadWrite"));
    Router::new()
        .route("/todos", get(list).post(create))
        .route_layer(entra.layer())
}
// ANCHOR_END: method_right

// ANCHOR: closed
/// What `open` does not name goes to `rest`, which is behind the layer as a whole.
fn closed_by_construction(entra: &Entra, open: Router, rest: Router) -> Router {
    open.fallback_service(entra.layer().layer(rest))
}
// ANCHOR_END: closed

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use entra_emulator::Emulator;

    use super::*;
    use crate::asked::{status, trusting};

    #[tokio::test]
    async fn the_wrong_forms_open_a_route_and_the_right_ones_do_not() {
        let emulator = Emulator::start().await.unwrap();
        let entra = trusting(&emulator, &[]).build().unwrap();
        for (line, wrong, right) in [
            (
                "GET /late",
                late_route_wrong(&entra),
                late_route_right(&entra),
            ),
            ("GET /other", fallback_wrong(&entra), fallback_right(&entra)),
            (
                "GET /api/other",
                nested_fallback_wrong(&entra),
                nested_fallback_right(&entra),
            ),
        ] {
            assert_eq!(status(&wrong, line, None).await, 200, "{line}: open");
            assert_eq!(status(&right, line, None).await, 401, "{line}: closed");
        }
    }

    #[tokio::test]
    async fn a_guard_in_a_chain_of_methods_is_for_those_before_it() {
        let emulator = Emulator::start().await.unwrap();
        let entra = trusting(&emulator, &[]).build().unwrap();
        let reader = emulator.token().scope("Todo.Read");
        let other = emulator.token().scope("Other");
        let post = "POST /todos";
        assert_eq!(status(&method_wrong(&entra), post, Some(&other)).await, 200);
        assert_eq!(
            status(&method_wrong_too(&entra), post, Some(&other)).await,
            403
        );
        assert_eq!(
            status(&method_wrong_too(&entra), post, Some(&reader)).await,
            200
        );
        for token in [&other, &reader] {
            assert_eq!(status(&method_right(&entra), post, Some(token)).await, 403);
        }
        let writer = emulator.token().scope("Todo.ReadWrite");
        assert_eq!(
            status(&method_right(&entra), post, Some(&writer)).await,
            200
        );
        assert_eq!(
            status(&method_right(&entra), "GET /todos", Some(&reader)).await,
            200
        );
    }

    #[tokio::test]
    async fn what_the_open_routes_do_not_name_needs_a_token() {
        let emulator = Emulator::start().await.unwrap();
        let entra = trusting(&emulator, &[]).build().unwrap();
        let open = Router::new().route("/health", get(nothing));
        let inner = Router::new().route("/x", get(list)).fallback(nothing);
        let rest = Router::new().nest("/inner", inner).fallback(nothing);
        let app = closed_by_construction(&entra, open, rest);
        let audit = axum_entra::testing::RouteAudit::of(&app).open("GET /health");
        assert_eq!(audit.path("/inner/x").run(app).await, Ok(()));
    }

    // ANCHOR: every_route
    use axum_entra::Tenant;
    use axum_entra::testing::assert_protected;

    /// Fails for every route that answers without a token and is not in the list, and for every
    /// entry of the list that does not. It asks without a token, so it needs no keys and no authority.
    #[tokio::test]
    async fn every_route_but_the_open_ones_is_401_without_a_token() {
        let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
        let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
            .build()
            .unwrap();
        assert_protected(late_route_right(&entra), ["GET /health"]).await;
    }
    // ANCHOR_END: every_route
}
