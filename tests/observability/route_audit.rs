//! The audit of a router's routes: what it finds open, and what it lets pass.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{any, get, post};
use axum_entra::testing::{RouteAudit, assert_protected};
use axum_entra::{Entra, Tenant};
use tower::ServiceBuilder;

fn entra() -> Entra {
    let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
        .build()
        .unwrap()
}

async fn ok() -> &'static str {
    "in"
}

fn protected(entra: &Entra) -> Router {
    Router::new()
        .route("/todos", get(ok).post(ok))
        .route("/todos/{id}", get(ok).delete(ok))
        .route("/files/{*path}", any(ok))
        .nest("/admin", Router::new().route("/users/{id}", get(ok)))
        .route_layer(entra.layer())
}

fn good(entra: &Entra) -> Router {
    Router::new()
        .route("/health", get(ok))
        .merge(protected(entra))
}

/// The lines that an audit of the router finds, with `/health` in the list.
async fn findings(router: Router) -> Vec<String> {
    let audit = RouteAudit::of(&router).open("GET /health");
    match audit.run(router).await {
        Ok(()) => Vec::new(),
        Err(error) => error.to_string().lines().map(str::to_owned).collect(),
    }
}

#[tokio::test]
async fn a_router_whose_open_routes_are_listed_passes() {
    let entra = entra();
    assert_protected(good(&entra), ["GET /health"]).await;
    // Everything behind the layer, the fallbacks too.
    let closed = protected(&entra).fallback(ok).layer(entra.layer());
    assert_protected(closed.clone(), []).await;
    let listed = Router::new().route("/health", get(ok)).merge(closed);
    assert_eq!(findings(listed).await, Vec::<String>::new());
}

#[tokio::test]
async fn each_way_to_leave_something_open_is_found() {
    let entra = entra();
    let cases: [(&str, Router, &str); 8] = [
        (
            "a route after the layer",
            good(&entra).route("/late", get(ok)),
            "GET /late answers 200 without a token",
        ),
        (
            "a method after the layer",
            good(&entra).route("/two", get(ok).layer(entra.layer()).post(ok)),
            "POST /two answers 200 without a token",
        ),
        (
            "a method fallback",
            good(&entra).route("/one", get(ok).layer(entra.layer()).fallback(ok)),
            "NOSUCHMETHOD /one answers 200 without a token",
        ),
        (
            "a fallback",
            good(&entra).fallback(ok),
            "GET /axum-entra-no-such-route, which is no route, answers 200",
        ),
        (
            "a fallback that says 404 in its own words",
            good(&entra).fallback(|| async { (StatusCode::NOT_FOUND, "secret hints") }),
            "GET /axum-entra-no-such-route, which is no route, answers 404",
        ),
        (
            "the fallback of a nested router",
            good(&entra).nest(
                "/inner",
                Router::new()
                    .route("/x", get(ok).layer(entra.layer()))
                    .fallback(ok),
            ),
            "GET /inner/axum-entra-no-such-route, which is no route, answers 200",
        ),
        (
            "a route that says 404 itself",
            good(&entra).route("/users/{id}", get(|| async { StatusCode::NOT_FOUND })),
            "GET /users/{id} answers 404 without a token",
        ),
        (
            "the optional layer without a check",
            good(&entra).route("/maybe", get(ok).layer(entra.layer().optional())),
            "GET /maybe answers 200 without a token",
        ),
    ];
    for (case, router, expected) in cases {
        let found = findings(router).await;
        assert!(
            found.iter().any(|line| line.contains(expected)),
            "{case}: {found:?}"
        );
    }
}

#[tokio::test]
async fn the_list_of_open_routes_stays_true() {
    let entra = entra();
    let stale = RouteAudit::of(&good(&entra))
        .open("GET /health")
        .open("/todos")
        .open("/gone");
    let error = stale.run(good(&entra)).await.unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(
        lines,
        [
            "/gone is listed as open and does not answer without a token",
            "/todos is listed as open and does not answer without a token",
        ]
    );
    // One method of a route does not open the others.
    let router = Router::new().route("/health", get(ok).post(ok));
    assert_eq!(
        findings(router.clone()).await,
        ["POST /health answers 200 without a token"]
    );
    assert_protected(router, ["/health"]).await;
    let hook = Router::new().route("/hooks/{name}", post(ok));
    assert_protected(hook, ["POST /hooks/{any}"]).await;
}

#[tokio::test]
async fn a_service_whose_routes_are_not_known_is_an_error_until_they_are_named() {
    let entra = entra();
    let service = ServiceBuilder::new().service(good(&entra));
    let error = RouteAudit::of(&"no router")
        .run(service.clone())
        .await
        .unwrap_err();
    assert!(
        error.to_string().starts_with("no route is known"),
        "{error}"
    );
    let named = RouteAudit::of_paths(["/todos", "/todos/{id}"]).path("/health");
    let found = named
        .clone()
        .run(service.clone())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        found.contains("GET /health answers 200 without a token"),
        "{found}"
    );
    assert_eq!(named.open("/health").run(service).await, Ok(()));
}

/// The form that is closed by construction: what is not named is behind the layer.
#[tokio::test]
async fn everything_behind_the_fallback_of_the_open_routes_is_protected() {
    use axum_entra::EntraLayer;
    use tower::Layer as _;

    fn deny_by_default(open: Router, rest: Router, layer: &EntraLayer) -> Router {
        open.fallback_service(layer.layer(rest))
    }
    let entra = entra();
    let rest = Router::new()
        .route("/todos", get(ok))
        .fallback(ok)
        .nest("/inner", Router::new().route("/x", get(ok)).fallback(ok));
    let open = Router::new().route("/health", get(ok));
    let router = deny_by_default(open, rest, &entra.layer());
    let audit = RouteAudit::of(&router).open("GET /health");
    let audit = audit.path("/todos").path("/inner/x").path("/anything/else");
    assert_eq!(audit.run(router).await, Ok(()));
}
