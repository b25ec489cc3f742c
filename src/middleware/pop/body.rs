//! The body of a request whose hash is signed: read under a limit, and handed on as it was.

use std::any::Any;
use std::time::Duration;

use axum_core::body::Body;
use http::Request;
use http_body_util::{BodyExt as _, Full, Limited};

use crate::jwks::sha256;

/// How long the client may take for a body that is read before the handler runs.
const LONGEST: Duration = Duration::from_secs(30);

/// Takes axum's body out of a request; `None` where the body is of another type, which cannot be
/// made anew.
pub(super) fn take<B: 'static>(request: &mut Request<B>) -> Option<Body> {
    let body: &mut dyn Any = request.body_mut();
    body.downcast_mut::<Body>().map(std::mem::take)
}

pub(super) fn put<B: 'static>(request: &mut Request<B>, body: Body) {
    let place: &mut dyn Any = request.body_mut();
    if let Some(place) = place.downcast_mut::<Body>() {
        *place = body;
    }
}

/// The whole body with its trailers, if it has that SHA-256, is no longer than allowed and comes
/// in time.
pub(super) async fn with_hash(body: Option<Body>, hash: &[u8; 32], most: usize) -> Option<Body> {
    let Some(body) = body else {
        tracing::error!("a signed body cannot be verified: the request's body is not axum's Body");
        return None;
    };
    let reading = Limited::new(body, most).collect();
    let read = tokio::time::timeout(LONGEST, reading).await.ok()?.ok()?;
    let trailers = read.trailers().cloned();
    let bytes = read.to_bytes();
    if sha256(&bytes) != *hash {
        return None;
    }
    Some(match trailers {
        None => Body::from(bytes),
        Some(trailers) => {
            let trailers = std::future::ready(Some(Ok(trailers)));
            Body::new(Full::new(bytes).with_trailers(trailers))
        }
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[tokio::test]
    async fn a_body_is_handed_on_with_its_trailers_if_its_hash_fits() {
        let body = || {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", "0".parse().unwrap());
            let trailers = std::future::ready(Some(Ok(trailers)));
            Some(Body::new(Full::from("text").with_trailers(trailers)))
        };
        let hash = sha256(b"text");
        let read = with_hash(body(), &hash, 4).await.unwrap();
        let read = read.collect().await.unwrap();
        assert_eq!(read.trailers().unwrap()["grpc-status"], "0");
        assert_eq!(read.to_bytes(), "text");
        assert!(with_hash(body(), &hash, 3).await.is_none());
        assert!(with_hash(body(), &sha256(b"test"), 4).await.is_none());
        assert!(with_hash(None, &hash, 4).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for_without_end() {
        let endless = tokio_stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let endless = axum::body::Body::from_stream(endless);
        assert!(with_hash(Some(endless), &[0; 32], 4).await.is_none());
    }
}
