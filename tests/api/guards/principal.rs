//! The extractors, and the layer that lets anonymous requests pass.

use axum::Router;
use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderValue, Method, Request};
use axum::middleware::map_request;
use axum::routing::get;
use axum_entra::guard::RequireScope;
use axum_entra::{Claims, Entra, Permit, Rejection, guards};

use crate::service::{Runs, fetch, request, send};
use crate::token::{authority, built, good, mint};

guards! { Reader = RequireScope("access_as_user"); }

/// One route for each way to ask who is there.
fn routes(runs: &Runs) -> Router {
    let guarded = Router::new()
        .route("/guarded", runs.handler())
        .route_layer(RequireScope("access_as_user"));
    Router::new()
        .route("/nothing", runs.handler())
        .route("/claims", get(|_: Claims| async { "in" }))
        .route("/permit", get(|_: Permit<Reader>| async { "in" }))
        .route(
            "/option",
            get(|claims: Option<Claims>| async move {
                if claims.is_some() {
                    "a caller"
                } else {
                    "no caller"
                }
            }),
        )
        .route(
            "/result",
            get(|claims: Result<Claims, Rejection>| async move {
                match claims {
                    Ok(_) => "a caller".to_owned(),
                    Err(rejection) => rejection.reason().to_owned(),
                }
            }),
        )
        .merge(guarded)
}

fn required(entra: &Entra) -> Router {
    routes(&Runs::default()).route_layer(entra.layer())
}

fn optional(entra: &Entra) -> Router {
    routes(&Runs::default()).route_layer(entra.layer().optional())
}

/// Status, and the handler's word or the reason.
async fn said(router: &Router, path: &str, token: &str) -> (u16, String) {
    let answer = fetch(router, path, token).await;
    match answer.status.as_u16() {
        200 => (200, answer.text),
        _ => answer.brief(),
    }
}

#[tokio::test]
async fn every_extractor_finds_the_claims_behind_the_layer() {
    let entra = built(authority());
    let token = mint(&good());
    for app in [required(&entra), optional(&entra)] {
        for path in ["/nothing", "/claims", "/permit", "/guarded"] {
            assert_eq!(said(&app, path, &token).await, (200, "in".into()), "{path}");
        }
        for path in ["/option", "/result"] {
            assert_eq!(
                said(&app, path, &token).await,
                (200, "a caller".into()),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn an_anonymous_caller_stays_anonymous_where_another_layer_found_one() {
    let entra = built(authority());
    // Code that removes the header between the two does so on purpose.
    let app = optional(&entra)
        .layer(map_request(|mut request: Request<Body>| async move {
            request.headers_mut().remove(AUTHORIZATION);
            request
        }))
        .layer(entra.layer());
    let token = mint(&good());
    assert_eq!(
        said(&app, "/option", &token).await,
        (200, "no caller".into())
    );
    for path in ["/claims", "/permit", "/guarded"] {
        let (status, reason) = said(&app, path, &token).await;
        assert_eq!((status, &*reason), (401, "missing_token"), "{path}");
    }
}

#[tokio::test]
async fn the_optional_layer_lets_anonymous_callers_pass() {
    let app = optional(&built(authority()));
    assert_eq!(said(&app, "/nothing", "").await, (200, "in".into()));
    assert_eq!(said(&app, "/option", "").await, (200, "no caller".into()));
    assert_eq!(
        said(&app, "/result", "").await,
        (200, "missing_token".into())
    );
    for path in ["/claims", "/permit", "/guarded"] {
        let answer = fetch(&app, path, "").await;
        assert_eq!(answer.brief(), (401, "missing_token".into()), "{path}");
        assert_eq!(answer.challenge(), Some("Bearer"), "{path}");
    }
}

#[tokio::test]
async fn the_optional_layer_refuses_a_bad_token() {
    let app = optional(&built(authority()));
    let paths = [
        "/nothing", "/claims", "/permit", "/option", "/result", "/guarded",
    ];
    for path in paths {
        assert_eq!(
            said(&app, path, "junk").await,
            (401, "malformed".into()),
            "{path}"
        );
        let table = [
            ("Basic QTpC", None),
            ("", None),
            ("Bearer", Some((400, "malformed_header"))),
            ("Bearer a b", Some((400, "malformed_header"))),
        ];
        for (value, refused) in table {
            let mut request = request(Method::GET, path, "");
            let value_header = HeaderValue::from_static(value);
            request.headers_mut().insert("authorization", value_header);
            let answer = send(&app, request).await;
            let anonymous = fetch(&app, path, "").await;
            match refused {
                Some((status, reason)) => {
                    assert_eq!(
                        answer.brief(),
                        (status, reason.to_owned()),
                        "{path} {value}"
                    );
                }
                None => assert_eq!(answer.text, anonymous.text, "{path} {value}"),
            }
        }
    }
}

#[tokio::test]
async fn without_the_layer_anonymous_differs_from_unchecked() {
    let app = routes(&Runs::default());
    let token = mint(&good());
    for token in ["", &token] {
        for (path, named) in [
            ("/claims", "Claims"),
            ("/option", "Option<Claims>"),
            ("/permit", "Reader"),
            ("/guarded", "RequireScope"),
        ] {
            let answer = fetch(&app, path, token).await;
            assert_eq!(answer.brief(), (500, "not_configured".into()), "{path}");
            assert!(answer.member("detail").contains(named), "{path}");
            assert_eq!(answer.challenge(), None, "{path}");
        }
        assert_eq!(
            said(&app, "/result", token).await,
            (200, "not_configured".into())
        );
    }
}

#[tokio::test]
async fn a_handler_can_decide_on_the_rejection_itself() {
    let app = Router::<()>::new().route(
        "/",
        get(|claims: Result<Claims, Rejection>| async move {
            claims
                .map_or_else(|rejection| rejection.status().as_u16(), |_| 200)
                .to_string()
        }),
    );
    let plain = axum::http::Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(send(&app, plain).await.text, "500");
}
