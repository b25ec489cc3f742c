//! The page to try the sample with: it is there, and it needs nothing from outside.

use crate::{Api, docs_page};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

async fn page() -> (Api, Router) {
    let api = Api::start().await;
    let scopes = vec!["api://api/access_as_user".to_owned()];
    let router = docs_page::routes(&api.typed, Some("the-client"), scopes);
    (api, router)
}

async fn get(router: &Router, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn the_document_is_served_as_it_is() {
    let (api, router) = page().await;
    let (status, text) = get(&router, "/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), api.document);
}

#[tokio::test]
async fn the_page_and_everything_it_loads_is_inside() {
    let (_, router) = page().await;
    let (status, text) = get(&router, "/docs").await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("<base href=\"/docs/\">"));
    let links = text.split(['"']).filter_map(|part| part.strip_prefix("./"));
    let mut count = 0;
    for file in links.chain(["oauth2-redirect.html"]) {
        count += 1;
        let (status, _) = get(&router, &format!("/docs/{file}")).await;
        assert_eq!(status, StatusCode::OK, "{file}");
    }
    assert!(count >= 6, "only {count} files");
    assert!(
        !text.contains("http:") && !text.contains("https:"),
        "something is outside"
    );
    assert_eq!(get(&router, "/docs/nothing").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_page_signs_in_with_pkce_as_the_client_it_was_given() {
    let (_, router) = page().await;
    let (_, text) = get(&router, "/docs/swagger-initializer.js").await;
    for part in [
        "the-client",
        "api://api/access_as_user",
        "\"usePkceWithAuthorizationCodeGrant\": true",
    ] {
        assert!(text.contains(part), "{part}");
    }
}
