//! Nested, merged and doubly guarded routers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{Method, Request};
use axum::routing::any;
use axum_entra::guard::{Guard, RequireMaxAge, RequireRole, RequireScope};
use axum_entra::{Claims, Clock, Entra, UnixTime};
use serde_json::json;
use tower_http::cors::CorsLayer;

use crate::service::{Answer, Runs, fetch, request, send};
use crate::token::{T0, authority, built, good, mint, with};

#[tokio::test]
async fn a_path_that_does_not_exist_stays_404_under_route_layer() {
    let (entra, runs) = (built(authority()), Runs::default());
    let todos = Router::new()
        .route("/todos", runs.handler())
        .route_layer(RequireScope("access_as_user"));
    let nested = Router::new()
        .route("/inner", runs.handler())
        .route_layer(RequireScope("access_as_user"))
        .route_layer(entra.layer());
    let app = Router::new()
        .route("/health", runs.handler())
        .merge(todos.route_layer(entra.layer()))
        .nest("/nested", nested);
    let token = mint(&good());
    for path in ["/nothing", "/todos/1", "/nested", "/nested/nothing"] {
        for token in ["", "junk", &token] {
            let answer = fetch(&app, path, token).await;
            assert_eq!(answer.status.as_u16(), 404, "{path} {token}");
        }
    }
    assert_eq!(runs.count(), 0);
    assert_eq!(fetch(&app, "/health", "").await.status, 200);
    assert_eq!(fetch(&app, "/health", "junk").await.status, 200);
    for path in ["/todos", "/nested/inner"] {
        assert_eq!(fetch(&app, path, "").await.status.as_u16(), 401, "{path}");
        assert_eq!(
            fetch(&app, path, &token).await.status.as_u16(),
            200,
            "{path}"
        );
    }
    assert_eq!(runs.count(), 4);
}

#[tokio::test]
async fn layer_protects_what_does_not_exist_too() {
    let (entra, runs) = (built(authority()), Runs::default());
    let app = Router::new()
        .route("/", runs.handler())
        .layer(entra.layer());
    assert_eq!(fetch(&app, "/nothing", "").await.status.as_u16(), 401);
    assert_eq!(
        fetch(&app, "/nothing", &mint(&good()))
            .await
            .status
            .as_u16(),
        404
    );
    assert_eq!(fetch(&app, "/", &mint(&good())).await.status.as_u16(), 200);
}

/// Contract §4, `/nested/inner`.
#[tokio::test]
async fn guards_of_parent_and_inner_router_both_apply() {
    let (entra, runs) = (built(authority()), Runs::default());
    let inner = Router::new()
        .route("/inner", runs.handler())
        .route_layer(RequireRole("Task Admin"));
    let app = Router::new()
        .nest("/nested", inner)
        .route("/outer", runs.handler())
        .route_layer(RequireScope("access_as_user"))
        .route_layer(entra.layer());
    let token = |scp: &str, role: &str| mint(&with(json!({ "scp": scp, "roles": [role] })));
    let table = [
        ("/nested/inner", "access_as_user", "Task Admin", (200, "in")),
        ("/nested/inner", "access_as_user", "Task", (403, "role")),
        ("/nested/inner", "other", "Task Admin", (403, "scope")),
        ("/nested/inner", "other", "Task", (403, "scope")),
        ("/outer", "access_as_user", "Task", (200, "in")),
        ("/outer", "other", "Task Admin", (403, "scope")),
    ];
    for (path, scp, role, (status, reason)) in table {
        let answer = fetch(&app, path, &token(scp, role)).await;
        assert_eq!(
            answer.brief(),
            (status, reason.to_owned()),
            "{path} {scp} {role}"
        );
    }
    assert_eq!(runs.count(), 2);
}

#[tokio::test]
async fn guards_of_merged_routers_stay_with_their_own_routes() {
    let (entra, runs) = (built(authority()), Runs::default());
    let on = |path: &str| Router::new().route(path, runs.handler());
    let app = Router::new()
        .merge(on("/scope").route_layer(RequireScope("access_as_user")))
        .merge(on("/role").route_layer(RequireRole("Task Admin")))
        .merge(on("/me"))
        .route_layer(entra.layer())
        .merge(on("/open"));
    let token = mint(&good());
    for (path, status) in [
        ("/scope", 200),
        ("/role", 403),
        ("/me", 200),
        ("/open", 200),
    ] {
        assert_eq!(
            fetch(&app, path, &token).await.status.as_u16(),
            status,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_guard_outside_the_layer_fails_closed() {
    let (entra, runs) = (built(authority()), Runs::default());
    let app = Router::new()
        .route("/", runs.handler())
        .route_layer(entra.layer())
        .route_layer(RequireScope("access_as_user"));
    let answer = fetch(&app, "/", &mint(&good())).await;
    assert_eq!(answer.brief(), (500, "not_configured".into()));
    assert_eq!(runs.count(), 0);
}

/// What browsers send ahead of a request, and what a caller may dress a request as.
const PREFLIGHT: [(&str, &str); 3] = [
    ("origin", "https://app.example"),
    ("access-control-request-method", "POST"),
    ("access-control-request-headers", "authorization"),
];

fn dressed(method: Method, path: &str, headers: &[(&'static str, &str)]) -> Request<Body> {
    let mut request = request(method, path, "");
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn no_method_no_path_and_no_header_opens_a_route() {
    let (entra, runs) = (built(authority()), Runs::default());
    // The router matches any method, as gRPC servers do, and the fallback any path.
    let app = Router::new()
        .route("/", runs.any_handler())
        .fallback_service(runs.any_handler())
        .layer(RequireScope("access_as_user"))
        .layer(entra.layer());
    let bearer = |token: &str| format!("Bearer {token}");
    let good_token = bearer(&mint(&good()));
    let expired = bearer(&mint(&with(json!({ "exp": T0 - 1_000 }))));
    let poor = bearer(&mint(&with(json!({ "scp": "other" }))));
    let forged = format!("{good_token}A");
    let credentials = [
        (vec![], 401),
        (vec!["Bearer junk"], 401),
        (vec!["Basic dTpw"], 401),
        (vec![&*expired], 401),
        (vec![&*forged], 401),
        (vec!["Bearer  "], 400),
        (vec![&*good_token, &*good_token], 400),
        (vec![&*poor], 403),
        (vec![&*good_token], 200),
    ];
    let dresses: [&[(&str, &str)]; 5] = [
        &[],
        &PREFLIGHT,
        &PREFLIGHT[..2],
        &[
            ("content-type", "application/grpc"),
            PREFLIGHT[0],
            PREFLIGHT[1],
        ],
        &[("connection", "upgrade"), ("upgrade", "websocket")],
    ];
    let methods = [
        "OPTIONS", "HEAD", "GET", "POST", "CONNECT", "TRACE", "PURGE",
    ];
    for method in methods.map(|name| name.parse::<Method>().unwrap()) {
        for path in ["/", "/nowhere", "/.well-known/x"] {
            for dress in dresses {
                for (values, status) in &credentials {
                    let mut headers = dress.to_vec();
                    headers.extend(values.iter().map(|value| ("authorization", *value)));
                    let before = runs.count();
                    let answer = send(&app, dressed(method.clone(), path, &headers)).await;
                    let said = format!("{method} {path} {dress:?} {values:?}");
                    assert_eq!(answer.status.as_u16(), *status, "{said}");
                    let ran = usize::from(*status == 200);
                    assert_eq!(runs.count() - before, ran, "{said}");
                }
            }
        }
    }
}

/// The layer is there, so that it is missing would be a false alarm that any client could cause.
#[tokio::test]
async fn a_preflight_to_a_handler_with_claims_is_no_fault_of_the_wiring() {
    let entra = built(authority());
    let claims = || any(|_: Claims| async { "in" });
    let optional = || any(|_: Option<Claims>| async { "in" });
    let strict = Router::new()
        .route("/", claims())
        .fallback_service(claims())
        .layer(entra.layer());
    let lenient = Router::new()
        .route("/", claims())
        .route("/optional", optional())
        .layer(entra.layer().optional());
    for (app, path, status) in [
        (&strict, "/", 401),
        (&strict, "/nowhere", 401),
        (&lenient, "/", 401),
        (&lenient, "/optional", 200),
    ] {
        let answer = send(app, dressed(Method::OPTIONS, path, &PREFLIGHT)).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
    }
    let with_token = request(Method::OPTIONS, "/", &mint(&good()));
    assert_eq!(send(&strict, with_token).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_cors_layer_outside_answers_preflights_and_lets_pages_read_refusals() {
    let (entra, runs) = (built(authority()), Runs::default());
    let cors = CorsLayer::permissive().expose_headers([WWW_AUTHENTICATE]);
    let route = || Router::new().route("/", runs.any_handler());
    let outside = route().layer(entra.layer()).layer(cors.clone());
    for preflight in [&PREFLIGHT[..], &PREFLIGHT[..1], &[]] {
        let answer = send(&outside, dressed(Method::OPTIONS, "/", preflight)).await;
        assert_eq!(answer.status.as_u16(), 200, "{preflight:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.text, "");
    }
    assert_eq!(runs.count(), 0);
    let cors_of = |answer: &Answer| {
        let mut headers: Vec<(String, String)> = answer
            .headers
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("access-control") || *name == "vary")
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        headers
    };
    let refused = send(&outside, request(Method::GET, "/", "")).await;
    let let_in = send(&outside, request(Method::GET, "/", &mint(&good()))).await;
    assert_eq!(
        (refused.status.as_u16(), let_in.status.as_u16()),
        (401, 200)
    );
    assert_eq!(cors_of(&refused), cors_of(&let_in));
    let exposed = refused.header("access-control-expose-headers");
    assert_eq!(exposed, Some("www-authenticate"));
    // Inside the layer it would be asked too late: the preflight is refused, as any request is.
    let inside = route().layer(cors).layer(entra.layer());
    let answer = send(&inside, dressed(Method::OPTIONS, "/", &PREFLIGHT)).await;
    assert_eq!(answer.brief(), (401, "missing_token".into()));
}

/// As `docs/design.md` says: once for all checks of a token, and once by each guard on the time of day.
#[tokio::test]
async fn a_request_reads_the_clock_once_and_each_guard_on_time_once_more() {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let clock = Clock::from_fn(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        UnixTime::from_secs(T0)
    });
    let entra = Entra::builder_for(authority())
        .clock(clock)
        .build()
        .unwrap();
    let runs = Runs::default();
    let recent = || RequireMaxAge(Duration::from_secs(600));
    let app = Router::new()
        .route(
            "/scope",
            runs.handler().layer(RequireScope("access_as_user")),
        )
        .route("/one", runs.handler().layer(recent()))
        .route("/two", runs.handler().layer(recent().and(recent())))
        .route_layer(entra.layer());
    let token = mint(&with(json!({ "auth_time": T0 })));
    for (path, expected) in [("/scope", 1), ("/scope", 1), ("/one", 2), ("/two", 3)] {
        let before = reads.load(Ordering::Relaxed);
        assert_eq!(fetch(&app, path, &token).await.status.as_u16(), 200);
        assert_eq!(reads.load(Ordering::Relaxed) - before, expected, "{path}");
    }
}
