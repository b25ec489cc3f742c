//! The service of the demo: it answers what it was told of the caller, as a service in any
//! language would read it.

use axum_core::body::Body;
use axum_core::response::Response;
use http::Request;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Version};
use serde_json::{Map, Value, json};

use crate::identity::IDENTITY_PREFIX;

/// Method, path and the headers of the identity.
pub(super) fn answer<B>(request: &Request<B>) -> Response {
    let mut identity = Map::new();
    for (name, value) in request.headers() {
        if name.as_str().starts_with(IDENTITY_PREFIX) {
            let value = String::from_utf8_lossy(value.as_bytes());
            identity.insert(name.to_string(), json!(value));
        }
    }
    let told = json!({
        "method": request.method().as_str(),
        "path": request.uri().path(),
        "http": if request.version() == Version::HTTP_2 { "2" } else { "1.1" },
        "identity": Value::Object(identity),
    });
    let mut response = Response::new(Body::from(format!("{told}\n")));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
