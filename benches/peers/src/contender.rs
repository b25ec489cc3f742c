//! Everybody who takes part: the same route, the same answer, another layer around it.

use axum::Router;
use axum::routing::get;
use entra_emulator::{API_ID, CONTOSO};
use axum_entra::guard::RequireScope;
use axum_entra::{Authority as EntraAuthority, Entra, Tenant};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use tower::Service;

use crate::tokens::Authority;

/// A router of either version of axum.
#[derive(Clone)]
pub enum App {
    Axum08(Router),
    #[cfg(feature = "peers")]
    Axum07(axum07::Router),
}

impl App {
    /// As `axum::serve` does for each connection: a router without it makes its layers anew for each
    /// request.
    fn served(self) -> Self {
        match self {
            Self::Axum08(router) => Self::Axum08(router.with_state(())),
            #[cfg(feature = "peers")]
            Self::Axum07(router) => Self::Axum07(router.with_state(())),
        }
    }

    /// One request from head to answer; gives the status.
    pub async fn call(&mut self, token: Option<&HeaderValue>) -> u16 {
        macro_rules! call {
            ($router:expr, $body:path) => {{
                let mut request = Request::new($body());
                if let Some(token) = token {
                    request.headers_mut().insert(AUTHORIZATION, token.clone());
                }
                let Ok(answer) = $router.call(request).await;
                answer.status().as_u16()
            }};
        }
        match self {
            Self::Axum08(router) => call!(router, axum::body::Body::empty),
            #[cfg(feature = "peers")]
            Self::Axum07(router) => call!(router, axum07::body::Body::empty),
        }
    }
}

/// Names, in the order of the table.
pub const OURS: [&str; 8] = [
    "unprotected",
    "no-op layer",
    "no-op layer twice",
    "axum-entra",
    "axum-entra, guard in one layer",
    "axum-entra, guard as second layer",
    "axum-entra, around the router",
    "axum-entra, no cache",
];

#[cfg(feature = "peers")]
pub const PEERS: [&str; 8] = [
    "unprotected, axum 0.7",
    "jwt-authorizer",
    "tower-oauth2-resource-server, aws-lc",
    "tower-oauth2-resource-server, RustCrypto",
    "aliri_tower",
    "axum-jwt-auth",
    "axum-keycloak-auth",
    "oauth-resource-server",
];
#[cfg(not(feature = "peers"))]
pub const PEERS: [&str; 0] = [];

async fn hello() -> &'static str {
    "hello"
}

fn route() -> Router {
    Router::new().route("/", get(hello))
}

/// Our layer, with as much cache as asked for.
pub fn entra(authority: &Authority, cache_bytes: usize) -> Entra {
    let trusted =
        EntraAuthority::entra(Tenant::new(CONTOSO), API_ID).instance(authority.emulator.url());
    Entra::builder_for(trusted)
        .token_cache_capacity(cache_bytes)
        .build()
        .expect("settings that can be used")
}

/// A layer that hands everything on.
#[derive(Clone)]
pub struct NoOp;

#[derive(Clone)]
pub struct NoOpService<S>(S);

impl<S> tower::Layer<S> for NoOp {
    type Service = NoOpService<S>;
    fn layer(&self, inner: S) -> Self::Service {
        NoOpService(inner)
    }
}

impl<R, S: Service<R>> Service<R> for NoOpService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;
    fn poll_ready(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }
    fn call(&mut self, request: R) -> Self::Future {
        self.0.call(request)
    }
}

pub const CACHE: usize = 1 << 29;

/// Builds one of them and makes sure that it lets good tokens through and bad ones not.
pub async fn build(name: &str, authority: &Authority) -> App {
    let scope = RequireScope("access_as_user");
    let app = match name {
        "unprotected" => App::Axum08(route()),
        "no-op layer" => App::Axum08(route().route_layer(NoOp)),
        "no-op layer twice" => App::Axum08(route().route_layer(NoOp).route_layer(NoOp)),
        "axum-entra" => App::Axum08(route().route_layer(entra(authority, CACHE).layer())),
        "axum-entra, guard in one layer" => {
            App::Axum08(route().route_layer((entra(authority, CACHE).layer(), scope)))
        }
        "axum-entra, guard as second layer" => App::Axum08(
            route()
                .route_layer(scope)
                .route_layer(entra(authority, CACHE).layer()),
        ),
        "axum-entra, around the router" => {
            App::Axum08(route().layer(entra(authority, CACHE).layer()))
        }
        "axum-entra, no cache" => App::Axum08(route().route_layer(entra(authority, 0).layer())),
        other => peer(other, authority).await,
    };
    let mut app = app.served();
    let good = crate::tokens::headers([authority.token(0)]);
    for _ in 0..100 {
        if app.call(Some(&good[0])).await == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(app.call(Some(&good[0])).await, 200, "{name}, a good token");
    if is_protected(name) {
        let forged = crate::tokens::headers([crate::load::forged(&authority.token(0))]);
        for bad in [Some(&forged[0]), None] {
            let status = app.call(bad).await;
            assert!(
                (400..500).contains(&status),
                "{name}, forged or none: {status}"
            );
        }
    }
    app
}

#[cfg(not(feature = "peers"))]
pub fn is_apart(_: &str) -> bool {
    false
}

#[cfg(not(feature = "peers"))]
async fn peer(name: &str, _: &Authority) -> App {
    panic!("no contender `{name}`")
}

#[cfg(feature = "peers")]
pub use crate::peer::is_apart;
#[cfg(feature = "peers")]
use crate::peer::peer;

/// Whether somebody looks at the token.
pub fn is_protected(name: &str) -> bool {
    !name.starts_with("unprotected") && !name.starts_with("no-op")
}

/// Everybody, or those named.
pub fn names<'a>(only: &[&'a str]) -> Vec<&'a str> {
    let all = OURS.into_iter().chain(PEERS);
    all.filter(|name| only.is_empty() || only.contains(name))
        .collect()
}
