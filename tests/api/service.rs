//! A protected service, and its answers as a client sees them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Method, Request, StatusCode, Version};
use axum::routing::{MethodRouter, any, get};
use axum_entra::{Authority, Entra, Rejection, Tenant};
use entra_emulator::{API_ID, CONTOSO, Emulator};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// Counts how often a handler ran.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs(Arc<AtomicUsize>);

impl Runs {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn note(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// A handler of `GET` that answers 200 and is counted.
    pub(crate) fn handler(&self) -> MethodRouter {
        let runs = self.clone();
        get(move || {
            runs.note();
            async { "in" }
        })
    }

    /// The same for every method.
    pub(crate) fn any_handler(&self) -> MethodRouter {
        let runs = self.clone();
        any(move || {
            runs.note();
            async { "in" }
        })
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) rejection: Option<Rejection>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("headers of answers are ASCII"))
    }

    pub(crate) fn challenge(&self) -> Option<&str> {
        assert!(self.headers.get_all(WWW_AUTHENTICATE).iter().count() <= 1);
        self.header("www-authenticate")
    }

    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn member(&self, name: &str) -> String {
        self.body()[name].as_str().unwrap_or_default().to_owned()
    }

    /// Status and `reason`, which is `in` for a handler's answer.
    pub(crate) fn brief(&self) -> (u16, String) {
        let reason = match self.status {
            StatusCode::OK => "in".to_owned(),
            _ => self.member("reason"),
        };
        (self.status.as_u16(), reason)
    }
}

/// Sends a request through a router, as a server would.
pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router
        .clone()
        .oneshot(request)
        .await
        .expect("routers do not fail");
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.expect("a whole body").to_bytes();
    Answer {
        status: head.status,
        headers: head.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
        rejection: head.extensions.get::<Rejection>().cloned(),
    }
}

/// A request with one `Authorization` header, or none where the token is empty.
pub(crate) fn request(method: Method, path: &str, token: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(Body::empty()).expect("a good request")
}

/// `GET` with a token.
pub(crate) async fn fetch(router: &Router, path: &str, token: &str) -> Answer {
    send(router, request(Method::GET, path, token)).await
}

/// The same as gRPC would send it.
pub(crate) async fn fetch_grpc(router: &Router, path: &str, kind: &str, token: &str) -> Answer {
    let mut request = request(Method::POST, path, token);
    *request.version_mut() = Version::HTTP_2;
    request
        .headers_mut()
        .insert(CONTENT_TYPE, kind.parse().expect("a content type"));
    send(router, request).await
}

/// The emulator's tenant contoso, for the sample API.
pub(crate) fn contoso(emulator: &Emulator) -> Authority {
    Authority::entra(Tenant::new(CONTOSO), API_ID)
        .instance(emulator.url())
        .sts_instance(emulator.url())
}

/// An [`Entra`] that accepts the emulator's tokens for the sample API.
pub(crate) fn entra_for(emulator: &Emulator) -> Entra {
    Entra::builder_for(contoso(emulator))
        .build()
        .expect("a good description")
}

/// One route, `/`, behind the layer.
pub(crate) fn protected(entra: &Entra, runs: &Runs) -> Router {
    Router::new()
        .route("/", runs.handler())
        .route_layer(entra.layer())
}
