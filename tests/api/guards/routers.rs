//! Nested, merged and doubly guarded routers.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use axum::routing::options;
use axum_entra::guard::{RequireRole, RequireScope};
use serde_json::json;
use tower_http::cors::CorsLayer;

use crate::service::{Runs, fetch, request, send};
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

fn preflight(headers: &[(&'static str, &str)]) -> Request<Body> {
    let mut request = request(Method::OPTIONS, "/", "");
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn a_cors_preflight_passes_and_any_other_options_needs_a_token() {
    let (entra, runs) = (built(authority()), Runs::default());
    let counted = {
        let runs = runs.clone();
        options(move || {
            runs.note();
            async { "options" }
        })
    };
    let app = Router::new()
        .route("/", counted)
        .route_layer(RequireScope("access_as_user"))
        .route_layer(entra.layer());
    let origin = ("origin", "https://app.example");
    let method = ("access-control-request-method", "GET");
    let headers = ("access-control-request-headers", "authorization");
    let bearer = |token: &str| format!("Bearer {token}");
    let good_token = bearer(&mint(&good()));
    let expired_token = bearer(&mint(&with(json!({ "exp": T0 - 1 }))));
    let forged_token = format!("{good_token}A");
    let authorization = |value| ("authorization", value);
    let good_token = authorization(good_token.as_str());
    let expired = authorization(expired_token.as_str());
    let forged = authorization(forged_token.as_str());
    let junk = authorization("Bearer junk");
    let malformed = authorization("Bearer  ");
    let table: [(&[(&'static str, &str)], u16); 17] = [
        (&[origin, method], 200),
        (&[origin, method, headers], 200),
        // Nothing that a preflight carries is judged; browsers send no credentials with it.
        (&[origin, method, junk], 200),
        (&[origin, method, malformed], 200),
        (&[origin, method, forged], 200),
        (&[origin, method, expired], 200),
        (&[origin, method, good_token, good_token], 200),
        (&[origin, method, junk, expired], 200),
        // Each of them is judged where it is no preflight.
        (&[origin, junk], 401),
        (&[method, forged], 401),
        (&[expired], 401),
        (&[origin, malformed], 400),
        (&[origin, good_token, good_token], 400),
        (&[], 401),
        (&[origin], 401),
        (&[method], 401),
        (&[origin, headers], 401),
    ];
    for (sent, status) in table {
        let before = runs.count();
        let answer = send(&app, preflight(sent)).await;
        assert_eq!(answer.status.as_u16(), status, "{sent:?}");
        assert_eq!(
            runs.count() - before,
            usize::from(status == 200),
            "{sent:?}"
        );
    }
    let mut get = request(Method::GET, "/", "");
    get.headers_mut()
        .insert("origin", origin.1.parse().unwrap());
    get.headers_mut()
        .insert("access-control-request-method", "GET".parse().unwrap());
    assert_eq!(
        send(&app, get).await.status.as_u16(),
        401,
        "a preflight is an OPTIONS"
    );
    let with_token = request(Method::OPTIONS, "/", &mint(&good()));
    assert_eq!(send(&app, with_token).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_cors_layer_answers_preflights_inside_and_outside() {
    let (entra, runs) = (built(authority()), Runs::default());
    let preflight = || {
        preflight(&[
            ("origin", "https://app.example"),
            ("access-control-request-method", "GET"),
        ])
    };
    let route = || Router::new().route("/", runs.handler());
    let inside = route().layer(CorsLayer::permissive()).layer(entra.layer());
    let outside = route().layer(entra.layer()).layer(CorsLayer::permissive());
    for app in [inside, outside] {
        let answer = send(&app, preflight()).await;
        assert_eq!(answer.status.as_u16(), 200);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    assert_eq!(runs.count(), 0);
}
