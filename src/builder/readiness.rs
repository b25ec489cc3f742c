//! The answer of a readiness probe.

use axum_core::body::Body;
use axum_core::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::Entra;
use crate::token::AuthorityStatus;

impl Entra {
    /// The answer of a readiness probe: 200, or 503 while [`is_ready`](Self::is_ready) is false, with
    /// the state of each authority and of the store of revocations as JSON.
    ///
    /// Names the authorities and their documents, and each last error with its causes: for
    /// operators. It holds no tokens and no accounts. Fetches nothing.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::Entra;
    /// use entra_emulator::{Emulator, Fault};
    /// use tower::ServiceExt;
    ///
    /// fn probes(entra: &Entra) -> Router {
    ///     let entra = entra.clone();
    ///     Router::new().route("/ready", get(|| async move { entra.readiness() }))
    /// }
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let new = || axum_entra::Entra::builder_for(authority.clone().instance(emulator.url())).build();
    /// let ready = || Request::get("/ready").body(Body::empty());
    /// let entra = new()?;
    /// # let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// # entra.validate(&token).await?;
    /// assert_eq!(probes(&entra).oneshot(ready()?).await?.status(), 200);
    ///
    /// // A replica that starts while the authority is down.
    /// emulator.inject_fault(Fault::Status(503));
    /// assert_eq!(probes(&new()?).oneshot(ready()?).await?.status(), 503);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn readiness(&self) -> Response {
        let status = self.status();
        let documents = || status.iter().flat_map(|authority| &authority.jwks);
        let is_ready = status.iter().all(AuthorityStatus::is_ready);
        let age = documents().filter_map(|keys| keys.last_success_age).max();
        let mut errors = documents().filter_map(|keys| keys.last_error.as_ref());
        let store = self.store_status();
        let body = json!({
            "ready": is_ready,
            "keys": documents().map(|keys| keys.key_count).sum::<usize>(),
            "age_seconds": age.map(|age| age.as_secs()),
            "last_error": errors.next().map(|error| error.with_causes()),
            "authorities": status.iter().map(authority).collect::<Vec<_>>(),
            "store": {
                "shared": store.is_shared,
                "following": store.connected,
                "revocations": store.revocation_count,
                "clock_offset_seconds": store.clock_offset_seconds,
                "last_error": store.last_error,
            },
        });
        let mut response = Response::new(Body::from(body.to_string()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        if !is_ready {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    }
}

fn authority(authority: &AuthorityStatus) -> Value {
    let documents = authority.jwks.iter().map(|keys| {
        json!({
            "document": keys.name,
            "keys": keys.key_count,
            "withdrawn": keys.withdrawn_key_count,
            "age_seconds": keys.last_success_age.map(|age| age.as_secs()),
            "last_error": keys.last_error.as_ref().map(|error| error.with_causes()),
        })
    });
    json!({
        "name": authority.name,
        "clock_offset_seconds": authority.clock_offset_seconds,
        "documents": documents.collect::<Vec<_>>(),
        "graph_last_error": authority.graph_last_error,
    })
}
