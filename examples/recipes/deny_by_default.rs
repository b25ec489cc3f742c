//! Deny by default: a route without a rule is refused, and open routes are a list.

// ANCHOR: default
use axum::Router;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::routing::get;
use axum_entra::guard::{Caller, Denied, Guard, RequireScope};
use axum_entra::{Entra, GuardLayer};

/// Refuses every caller: for a route whose rule is not written yet.
#[derive(Debug, Clone, Copy)]
struct DenyAll;

impl Guard for DenyAll {
    fn check(&self, _: &Caller<'_>) -> Result<(), Denied<'_>> {
        Err(Denied::custom("no_rule"))
    }
}

/// Routes of the company's APIs are made here, never with `Router::route`.
struct Secured(Router);

impl Secured {
    fn new() -> Self {
        Self(Router::new())
    }

    /// A route with its guard, for one method.
    fn get<H, T, G>(self, path: &str, handler: H, guard: G) -> Self
    where
        H: Handler<T, ()>,
        T: 'static,
        G: Guard + Clone + Send + Sync + 'static,
    {
        let handler = handler.layer(GuardLayer::new(guard));
        Self(self.0.route(path, get(handler)))
    }

    /// Routes, and what is no route, need a valid token; those of `open` need none.
    fn around(self, entra: &Entra, open: Router) -> Router {
        let protected = self.0.fallback(|| async { StatusCode::NOT_FOUND });
        protected.layer(entra.layer()).merge(open)
    }
}
// ANCHOR_END: default

// ANCHOR: app
pub(crate) fn app(entra: &Entra) -> Router {
    let open = Router::new().route("/health", get(|| async { "ok" }));
    Secured::new()
        .get("/todos", || async { "all" }, RequireScope("Todo.Read"))
        .get("/forgotten", || async { "all" }, DenyAll)
        .around(entra, open)
}
// ANCHOR_END: app

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use entra_emulator::Emulator;

    use super::app;
    use crate::asked::{status, trusting};

    #[tokio::test]
    async fn a_route_without_a_rule_and_an_unknown_path_are_refused() {
        let emulator = Emulator::start().await.unwrap();
        let app = app(&trusting(&emulator, &[]).build().unwrap());
        let reader = emulator.token().scope("Todo.Read");
        for (line, with, without) in [
            ("GET /todos", 200, 401),
            ("GET /forgotten", 403, 401),
            // Without a token a caller does not learn which paths exist.
            ("GET /nowhere", 404, 401),
            ("POST /todos", 405, 401),
            ("GET /health", 200, 200),
        ] {
            assert_eq!(status(&app, line, Some(&reader)).await, with, "{line}");
            assert_eq!(status(&app, line, None).await, without, "{line}");
        }
    }
}
