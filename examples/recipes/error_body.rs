//! The company's own error body, with the same status and the same challenge.
#![allow(dead_code, reason = "the program has one router for all recipes")]

// ANCHOR: map
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_entra::Rejection;
use serde_json::json;

/// Given to `EntraBuilder::map_rejection`; status and `WWW-Authenticate` stay, since clients act on them.
pub(crate) fn in_company_form(rejection: &Rejection, usual: Response) -> Response {
    // A gRPC caller's refusal has no body to replace.
    let is_problem = usual.headers().get(header::CONTENT_TYPE)
        == Some(&HeaderValue::from_static("application/problem+json"));
    match is_problem {
        true => with_body(usual, rejection.reason(), &rejection.detail()),
        false => usual,
    }
}

fn with_body(response: Response, code: &str, message: &str) -> Response {
    let (mut head, _) = response.into_parts();
    let body =
        json!({ "code": code, "message": message, "help": "https://help.example/api/refusals" });
    let json = HeaderValue::from_static("application/json");
    head.headers.insert(header::CONTENT_TYPE, json);
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, body.to_string().into())
}
// ANCHOR_END: map

// ANCHOR: rest
/// The application's own refusals: a handler's 404, an unknown API key.
pub(crate) fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    with_body(status.into_response(), code, message)
}

/// For the outermost layer, `.layer(middleware::map_response(the_rest))`: the answers of this crate that no
/// `EntraLayer` made (500 `not_configured`).
pub(crate) async fn the_rest(response: Response) -> Response {
    match response.extensions().get::<Rejection>().cloned() {
        Some(rejection) => in_company_form(&rejection, response),
        None => response,
    }
}
// ANCHOR_END: rest

// ANCHOR: whole
use axum::middleware::map_response;
use axum::{Router, routing::get};
use axum_entra::Entra;

/// axum's own 404 and 405 have no body. Their fallbacks come before the layer, so that they are protected too: a
/// caller without a token gets 401, whatever the path.
pub(crate) fn in_one_form(entra: &Entra, protected: Router) -> Router {
    let not_found = || async { refuse(StatusCode::NOT_FOUND, "not_found", "Nothing is here.") };
    let no_method =
        || async { refuse(StatusCode::METHOD_NOT_ALLOWED, "method", "Not this method.") };
    let protected = protected
        .fallback(not_found)
        .method_not_allowed_fallback(no_method)
        .layer(entra.layer());
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .merge(protected)
        .layer(map_response(the_rest)) // last: outermost
}
// ANCHOR_END: whole

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test stops at the first surprise"
    )]

    use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
    use axum::middleware;
    use axum_entra::guard::RequireScope;
    use entra_emulator::Emulator;

    use super::*;
    use crate::asked::{json, request, send, trusting};
    use crate::per_method;

    #[tokio::test]
    async fn the_body_is_the_companys_and_the_challenge_stays() {
        let emulator = Emulator::start().await.unwrap();
        let builder = trusting(&emulator, &[]);
        let usual = per_method::app(&builder.build().unwrap());
        let builder = trusting(&emulator, &[]).map_rejection(in_company_form);
        let own = per_method::app(&builder.build().unwrap());
        let poor = emulator.token().scope("Other");
        let late = emulator.token().expired();
        for (token, code) in [
            (None, "missing_token"),
            (Some(&late), "expired"),
            (Some(&poor), "scope"),
        ] {
            let ask = || request("GET /todos", token);
            let (before, after) = (send(&usual, ask()).await, send(&own, ask()).await);
            assert_eq!(before.status(), after.status());
            let challenge = &after.headers()[WWW_AUTHENTICATE];
            assert_eq!(challenge, before.headers()[WWW_AUTHENTICATE]);
            assert_eq!(after.headers()[CONTENT_TYPE], "application/json");
            assert_eq!(json(after).await["code"], code);
        }
    }

    #[tokio::test]
    async fn own_refusals_and_those_without_a_layer_have_the_same_body() {
        let unlayered = get(|| async { "all" }).layer(RequireScope("Todo.Read"));
        let missing =
            || async { refuse(StatusCode::NOT_FOUND, "not_found", "There is no such note.") };
        let app = Router::new()
            .route("/unlayered", unlayered)
            .route("/missing", get(missing))
            .route("/open", get(|| async { "all" }))
            .layer(middleware::map_response(the_rest));
        for (line, status, code) in [
            ("GET /unlayered", 500, "not_configured"),
            ("GET /missing", 404, "not_found"),
        ] {
            let answer = send(&app, request(line, None)).await;
            assert_eq!(answer.status(), status);
            assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
            let body = json(answer).await;
            assert_eq!(body["code"], code);
            assert!(body["help"].is_string());
        }
        assert_eq!(send(&app, request("GET /open", None)).await.status(), 200);
    }
    #[tokio::test]
    async fn not_found_and_no_method_are_in_one_form_and_protected() {
        let emulator = Emulator::start().await.unwrap();
        let builder = trusting(&emulator, &[]).map_rejection(in_company_form);
        let entra = builder.build().unwrap();
        let todos = Router::new().route("/todos", get(|| async { "milk" }));
        let app = in_one_form(&entra, todos);
        let token = emulator.token();
        for (line, with, code) in [
            ("GET /nothing", 404, "not_found"),
            ("DELETE /todos", 405, "method"),
        ] {
            let answer = send(&app, request(line, Some(&token))).await;
            assert_eq!(answer.status(), with, "{line}");
            assert_eq!(json(answer).await["code"], code);
            let refused = send(&app, request(line, None)).await;
            assert_eq!(refused.status(), 401, "{line}");
            assert_eq!(json(refused).await["code"], "missing_token");
        }
        axum_entra::testing::assert_protected(app, ["GET /health"]).await;
    }
}
