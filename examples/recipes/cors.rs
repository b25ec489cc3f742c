//! Pages of another origin: the CORS layer is outermost, so that a page can read a refusal.

// ANCHOR: app
use axum::Router;
use axum::http::{HeaderValue, Method, header};
use axum::routing::get;
use axum_entra::Entra;
use axum_entra::guard::RequireScope;
use tower_http::cors::CorsLayer;

pub(crate) fn app(entra: &Entra) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(HeaderValue::from_static("https://spa.example"))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        // Without it a page sees the status of a refusal, but not what to do about it.
        .expose_headers([header::WWW_AUTHENTICATE]);
    Router::new()
        .route(
            "/todos",
            get(|| async { "all" }).layer(RequireScope("Todo.Read")),
        )
        .route_layer(entra.layer())
        .layer(cors) // added last, so it is asked first
}
// ANCHOR_END: app

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test stops at the first surprise"
    )]

    use axum::http::header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    };
    use entra_emulator::Emulator;

    use super::app;
    use crate::asked::{request, send, trusting};

    #[tokio::test]
    async fn a_page_reads_a_refusal_and_its_preflight_passes() {
        let emulator = Emulator::start().await.unwrap();
        let app = app(&trusting(&emulator, &[]).build().unwrap());
        let from = |origin: &str, line: &str| {
            let mut request = request(line, None);
            request
                .headers_mut()
                .insert(ORIGIN, origin.parse().unwrap());
            request
        };
        let refused = send(&app, from("https://spa.example", "GET /todos")).await;
        assert_eq!(refused.status(), 401);
        let headers = refused.headers();
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://spa.example");
        assert_eq!(headers[ACCESS_CONTROL_EXPOSE_HEADERS], "www-authenticate");

        let mut preflight = from("https://spa.example", "OPTIONS /todos");
        let wanted = [
            (ACCESS_CONTROL_REQUEST_METHOD, "GET"),
            (ACCESS_CONTROL_REQUEST_HEADERS, "authorization"),
        ];
        for (name, value) in wanted {
            preflight.headers_mut().insert(name, value.parse().unwrap());
        }
        let answer = send(&app, preflight).await;
        assert_eq!(answer.status(), 200);
        let allowed = answer.headers()[ACCESS_CONTROL_ALLOW_HEADERS]
            .to_str()
            .unwrap();
        assert!(allowed.contains("authorization"));

        let other = send(&app, from("https://other.example", "GET /todos")).await;
        let allowed = other.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN);
        assert!(allowed.is_none_or(|origin| origin != "https://other.example"));
    }
}
