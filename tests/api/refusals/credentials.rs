//! The `Authorization` header.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};
use axum::routing::get;

use super::{authority, built, good, mint};
use crate::service::{Runs, fetch, protected, request, send};

const NONE: (u16, &str) = (401, "missing_token");
const MALFORMED: (u16, &str) = (400, "malformed_header");
const IN: (u16, &str) = (200, "in");

/// A request with these `Authorization` headers, byte for byte.
fn with_headers(values: &[Vec<u8>]) -> Request<Body> {
    let mut request = request(Method::GET, "/", "");
    for value in values {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append("authorization", value);
    }
    request
}

#[tokio::test]
async fn one_bearer_token_in_one_header_is_the_only_credential() {
    let entra = built(authority());
    let token = mint(&good());
    let table: Vec<(&str, Vec<String>, (u16, &str))> = vec![
        ("a token", vec![format!("Bearer {token}")], IN),
        ("lower case", vec![format!("bearer {token}")], IN),
        ("upper case", vec![format!("BEARER {token}")], IN),
        ("no header", vec![], NONE),
        ("an empty header", vec![String::new()], NONE),
        ("Basic", vec!["Basic QTpC".into()], NONE),
        ("Negotiate", vec!["Negotiate".into()], NONE),
        ("DPoP", vec![format!("DPoP {token}")], NONE),
        ("a longer scheme", vec![format!("Bearers {token}")], NONE),
        ("the token alone", vec![token.clone()], NONE),
        ("the scheme alone", vec!["Bearer".into()], MALFORMED),
        (
            "nothing behind the space",
            vec!["Bearer ".into()],
            MALFORMED,
        ),
        ("two spaces", vec![format!("Bearer  {token}")], MALFORMED),
        ("a tab", vec![format!("Bearer\t{token}")], MALFORMED),
        (
            "space and tab",
            vec![format!("Bearer \t{token}")],
            MALFORMED,
        ),
        (
            "a space inside",
            vec![format!("Bearer {token} x")],
            MALFORMED,
        ),
        (
            "a tab inside",
            vec![format!("Bearer {token}\tx")],
            MALFORMED,
        ),
        (
            "a space at the end",
            vec![format!("Bearer {token} ")],
            MALFORMED,
        ),
        (
            "= in the middle",
            vec![format!("Bearer a=b{token}")],
            MALFORMED,
        ),
        ("= alone", vec!["Bearer =".into()], MALFORMED),
        ("a comma", vec![format!("Bearer {token},x")], MALFORMED),
        ("quotes", vec![format!("Bearer \"{token}\"")], MALFORMED),
        (
            "another alphabet",
            vec![format!("Bearer {token}é")],
            MALFORMED,
        ),
        (
            "two tokens in one",
            vec![format!("Bearer {token}, Bearer {token}")],
            MALFORMED,
        ),
        (
            "twice the same",
            vec![format!("Bearer {token}"); 2],
            MALFORMED,
        ),
        (
            "Basic beside it",
            vec!["Basic QTpC".into(), format!("Bearer {token}")],
            MALFORMED,
        ),
        (
            "Basic behind it",
            vec![format!("Bearer {token}"), "Basic QTpC".into()],
            MALFORMED,
        ),
        (
            "= at the end is in the alphabet",
            vec![format!("Bearer {token}=")],
            (401, "malformed"),
        ),
    ];
    for (name, values, (status, reason)) in table {
        let runs = Runs::default();
        let values: Vec<Vec<u8>> = values.into_iter().map(String::into_bytes).collect();
        let answer = send(&protected(&entra, &runs), with_headers(&values)).await;
        assert_eq!(answer.brief(), (status, reason.to_owned()), "{name}");
        assert_eq!(runs.count(), usize::from(status == 200), "{name}");
        let (challenge, error) = match status {
            200 => (None, ""),
            400 => (Some("Bearer error=\"invalid_request\""), "invalid_request"),
            _ if reason == "missing_token" => (Some("Bearer"), "missing_token"),
            _ => (Some("Bearer error=\"invalid_token\""), "invalid_token"),
        };
        assert_eq!(answer.challenge(), challenge, "{name}");
        assert_eq!(answer.member("error"), error, "{name}");
    }
}

#[tokio::test]
async fn a_token_anywhere_else_is_not_looked_for() {
    let (entra, runs) = (built(authority()), Runs::default());
    let token = mint(&good());
    let router = Router::new()
        .route("/", get(|| async { "in" }).post(|| async { "in" }))
        .route_layer(entra.layer());
    let in_query = fetch(&router, &format!("/?access_token={token}"), "").await;
    assert_eq!(in_query.brief(), (401, "missing_token".into()));
    let in_body = Request::post("/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("access_token={token}")))
        .unwrap();
    assert_eq!(
        send(&router, in_body).await.brief(),
        (401, "missing_token".into())
    );
    for name in [
        "x-authorization",
        "proxy-authorization",
        "cookie",
        "x-forwarded-authorization",
    ] {
        let mut request = request(Method::GET, "/", "");
        let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        request.headers_mut().insert(name, value);
        assert_eq!(
            send(&router, request).await.brief(),
            (401, "missing_token".into()),
            "{name}"
        );
    }
    assert_eq!(fetch(&router, "/", &token).await.status, 200);
    assert_eq!(runs.count(), 0);
}
