//! A web server on loopback with any document at any address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{Request, Response, StatusCode};
use axum_entra::{HttpClient, HttpClientBuilder};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// A client for all of them: making one is slow where it reads the system's certificates.
///
/// It keeps no connections, which would belong to the runtime of one test.
pub(crate) fn client() -> HttpClientBuilder {
    HttpClient::builder()
        .tls_certs_only([])
        .pool_max_idle_per_host(0)
}

/// A page: status, headers, body.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Page {
    pub(crate) fn json(document: &Value) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: document.to_string(),
        }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With an `ETag`, so that a client that has it is answered 304.
    pub(crate) fn tagged(self, etag: &str) -> Self {
        self.with(ETAG.as_str(), etag)
    }

    pub(crate) fn max_age(self, seconds: u64) -> Self {
        self.with(CACHE_CONTROL.as_str(), format!("max-age={seconds}"))
    }
}

#[derive(Debug, Default)]
struct Shelf {
    pages: HashMap<String, Page>,
    seen: Vec<String>,
    conditions: Vec<Option<String>>,
}

/// The server; it ends with this handle.
#[derive(Debug)]
pub(crate) struct Documents {
    base: String,
    shelf: Arc<Mutex<Shelf>>,
    task: JoinHandle<()>,
}

impl Documents {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shelf = Arc::<Mutex<Shelf>>::default();
        let app = axum::Router::new()
            .fallback(serve)
            .with_state(Arc::clone(&shelf));
        let task = tokio::spawn(async move {
            axum::serve(listener, app).await.unwrap();
        });
        Self { base, shelf, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) fn put(&self, path: &str, page: Page) {
        self.shelf
            .lock()
            .unwrap()
            .pages
            .insert(path.to_owned(), page);
    }

    /// A discovery document at `{at}/.well-known/openid-configuration`, and its keys at `{at}/keys`.
    pub(crate) fn put_authority(&self, at: &str, issuer: &str, keys: &Value) {
        let discovery = json!({
            "issuer": issuer,
            "jwks_uri": self.url(&format!("{at}/keys")),
            "token_endpoint": self.url(&format!("{at}/token")),
        });
        self.put(&discovery_path(at), Page::json(&discovery));
        self.put(&format!("{at}/keys"), Page::json(keys));
    }

    pub(crate) fn discovery(&self, at: &str) -> String {
        self.url(&discovery_path(at))
    }

    /// Paths and queries that were asked for, in their order.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.shelf.lock().unwrap().seen.clone()
    }

    /// How often an address was asked for, whatever the query.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.seen()
            .iter()
            .filter(|seen| seen.split('?').next() == Some(path))
            .count()
    }

    /// The `If-None-Match` of each request.
    pub(crate) fn conditions(&self) -> Vec<Option<String>> {
        self.shelf.lock().unwrap().conditions.clone()
    }
}

pub(crate) fn discovery_path(at: &str) -> String {
    format!("{at}/.well-known/openid-configuration")
}

impl Drop for Documents {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(State(shelf): State<Arc<Mutex<Shelf>>>, request: Request<Body>) -> Response<Body> {
    let mut shelf = shelf.lock().unwrap();
    let target = request.uri().path_and_query().unwrap().to_string();
    let condition = request
        .headers()
        .get(IF_NONE_MATCH)
        .map(|value| value.to_str().unwrap().to_owned());
    shelf.seen.push(target);
    shelf.conditions.push(condition.clone());
    let Some(page) = shelf.pages.get(request.uri().path()) else {
        return Response::builder()
            .status(StatusCode::NOT_FOUND)
            .body(Body::empty())
            .unwrap();
    };
    let known = condition.is_some()
        && page
            .headers
            .iter()
            .any(|(name, value)| *name == ETAG.as_str() && Some(value) == condition.as_ref());
    let mut response = Response::builder().status(if known { 304 } else { page.status });
    for (name, value) in &page.headers {
        response = response.header(*name, value);
    }
    let body = if known {
        String::new()
    } else {
        page.body.clone()
    };
    response.body(Body::from(body)).unwrap()
}
