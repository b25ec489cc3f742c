//! One guard for each method of a path: reading and writing, for users and for daemons.

// ANCHOR: guards
use axum::Router;
use axum::handler::Handler; // `.layer` on a handler function
use axum::http::StatusCode;
use axum::routing::get;
use axum_entra::guard::{RequireAppOnly, RequireRole, RequireScope};
use axum_entra::{Claims, Entra, guards};

guards! {
    /// A user through a client that may read, or a daemon with the role.
    pub CanRead = RequireScope::any(["Todo.Read", "Todo.ReadWrite"])
        .or(RequireAppOnly.and(RequireRole::any(["Todo.Read.All", "Todo.ReadWrite.All"])));
    /// A user through a client that may write, or a daemon with the role.
    pub CanWrite = RequireScope("Todo.ReadWrite")
        .or(RequireAppOnly.and(RequireRole("Todo.ReadWrite.All")));
}
// ANCHOR_END: guards

// ANCHOR: app
pub(crate) fn app(entra: &Entra) -> Router {
    Router::new()
        // `Handler::layer`: the guard is around one handler, and so around one method.
        .route(
            "/todos",
            get(list.layer(CanRead)).post(create.layer(CanWrite)),
        )
        .route_layer(entra.layer())
}

async fn list(claims: Claims) -> String {
    format!("for {}", claims.principal().as_str())
}

async fn create() -> StatusCode {
    StatusCode::CREATED
}
// ANCHOR_END: app

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use entra_emulator::Emulator;

    use super::app;
    use crate::asked::{status, trusting};

    #[tokio::test]
    async fn each_method_has_its_own_guard_for_users_and_daemons() {
        let emulator = Emulator::start().await.unwrap();
        let app = app(&trusting(&emulator, &[]).build().unwrap());
        let user = |scope: &str| emulator.token().user("alice").scope(scope);
        let daemon = |role: &str| emulator.token().app("daemon").roles([role]);
        // A user who has the daemon's role, through a client that may do something else.
        let user_with_role = user("Other").roles(["Todo.ReadWrite.All"]);
        for (token, read, write) in [
            (user("Todo.Read"), 200, 403),
            (user("Todo.ReadWrite"), 200, 201),
            (user("Other"), 403, 403),
            (daemon("Todo.Read.All"), 200, 403),
            (daemon("Todo.ReadWrite.All"), 200, 201),
            (daemon("Tasks.Run"), 403, 403),
            (user_with_role, 403, 403),
        ] {
            assert_eq!(status(&app, "GET /todos", Some(&token)).await, read);
            assert_eq!(status(&app, "POST /todos", Some(&token)).await, write);
        }
        assert_eq!(status(&app, "POST /todos", None).await, 401);
    }
}
