//! A middleware of the application's own, with `Entra::validate`: the token is somewhere else, or more
//! has to be decided than a layer can.

// ANCHOR: middleware
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_entra::guard::RequireScope;
use axum_entra::{Entra, Rejection};

/// Validates a token and puts its claims where guards, `Claims` and `Permit` look for them.
async fn authenticate(State(entra): State<Entra>, mut request: Request, next: Next) -> Response {
    let Some(token) = bearer(request.headers()) else {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, challenge).into_response();
    };
    match entra.validate(token).await {
        Ok(claims) => {
            request.extensions_mut().insert(claims);
            next.run(request).await
        }
        // Status, challenge and problem body, through `map_rejection`.
        Err(error) => Rejection::from(error).into_response(),
    }
}

/// Exactly one header, exactly one token.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(one), None) = (all.next(), all.next()) else {
        return None;
    };
    let (scheme, token) = one.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
// ANCHOR_END: middleware

// ANCHOR: app
pub(crate) fn app(entra: &Entra) -> Router {
    Router::new()
        .route(
            "/todos",
            get(|| async { "all" }).layer(RequireScope("Todo.Read")),
        )
        .route_layer(from_fn_with_state(entra.clone(), authenticate))
}
// ANCHOR_END: app

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use axum::http::header::AUTHORIZATION;
    use entra_emulator::Emulator;

    use super::app;
    use crate::asked::{request, send, status, trusting};

    #[tokio::test]
    async fn guards_work_behind_it_and_bad_tokens_do_not_get_there() {
        let emulator = Emulator::start().await.unwrap();
        let app = app(&trusting(&emulator, &[]).build().unwrap());
        let reader = emulator.token().scope("Todo.Read");
        let poor = emulator.token().scope("Other");
        let late = emulator.token().scope("Todo.Read").expired();
        for (token, expected) in [
            (Some(&reader), 200),
            (Some(&poor), 403),
            (Some(&late), 401),
            (None, 401),
        ] {
            assert_eq!(status(&app, "GET /todos", token).await, expected);
        }
        let mut twice = request("GET /todos", Some(&reader));
        twice
            .headers_mut()
            .append(AUTHORIZATION, "Bearer x".parse().unwrap());
        assert_eq!(send(&app, twice).await.status(), 401);
    }
}
