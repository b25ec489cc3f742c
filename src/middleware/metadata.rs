//! What this API says about itself to clients that do not know it (RFC 9728).

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW,
    CACHE_CONTROL, CONTENT_TYPE,
};
use http::{HeaderValue, Method, Request, StatusCode};
use serde::Serialize;
use tower_service::Service;

use crate::token::Validator;

use super::resource::Resource;

/// Discovery documents change seldom, and a client that meets a 401 reads them again.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// This API's protected-resource metadata: where to get tokens for it, and with which scopes.
///
/// From [`Entra::resource_metadata`](crate::Entra::resource_metadata); as a response it is the
/// document itself, readable by any web page. Source: RFC 9728 section 2, and the Model Context
/// Protocol's authorization specification.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{Entra, Tenant};
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// let builder = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
/// let document = builder.resource("https://todo.example.com").build()?.resource_metadata().unwrap();
/// assert_eq!(document.bearer_methods_supported, ["header"]);
/// assert!(document.authorization_servers[0].ends_with("/v2.0"));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ResourceMetadata {
    /// This API's address, as it was given.
    pub resource: String,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// The issuers of the authorities, as their discovery documents state them.
    pub authorization_servers: Vec<String>,
    /// Full names, as a client asks for them: `{App ID URI}/scope`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// `header`: a token in the query or in the body is not looked for.
    pub bearer_methods_supported: [&'static str; 1],
}

impl IntoResponse for ResourceMetadata {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = cors_response(StatusCode::OK, Body::from(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, CACHE);
        response
    }
}

/// Serves the protected-resource metadata; from [`Entra::metadata_routes`](crate::Entra::metadata_routes).
///
/// It answers `GET` and `HEAD` to every client, from any web page, and the preflight of such a page;
/// any other method is 405. It ignores the path, which the router has matched.
#[derive(Debug, Clone)]
pub struct MetadataService {
    resource: Arc<Resource>,
    validator: Arc<Validator>,
}

impl MetadataService {
    pub(crate) fn new(resource: Arc<Resource>, validator: Arc<Validator>) -> Self {
        Self {
            resource,
            validator,
        }
    }
}

impl<B> Service<Request<B>> for MetadataService {
    type Response = Response;
    type Error = Infallible;
    type Future = Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let response = match *request.method() {
            Method::GET => self.resource.document(&self.validator).into_response(),
            Method::HEAD => {
                let mut head = self.resource.document(&self.validator).into_response();
                *head.body_mut() = Body::empty();
                head
            }
            // Clients send headers of their own, which makes browsers ask first.
            Method::OPTIONS => {
                let mut preflight = cors_response(StatusCode::NO_CONTENT, Body::empty());
                let headers = preflight.headers_mut();
                headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
                preflight
            }
            _ => {
                let mut refused = cors_response(StatusCode::METHOD_NOT_ALLOWED, Body::empty());
                refused.headers_mut().insert(ALLOW, METHODS);
                refused
            }
        };
        ready(Ok(response))
    }
}

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

fn cors_response(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
