//! Doors that get the original request in headers: nginx and HAProxy, Caddy and Traefik.

use http::HeaderMap;

use crate::original::{Original, only};
use crate::problem::Problem;

/// The names under which a proxy says about the original request.
pub(super) struct HeaderNames {
    method: &'static str,
    target: &'static str,
    host: &'static str,
}

/// What the shipped configurations of nginx and HAProxy set.
pub(super) const ORIGINAL: HeaderNames = HeaderNames {
    method: "x-original-method",
    target: "x-original-uri",
    host: "x-original-host",
};

/// What Caddy and Traefik set.
pub(super) const FORWARDED: HeaderNames = HeaderNames {
    method: "x-forwarded-method",
    target: "x-forwarded-uri",
    host: "x-forwarded-host",
};

impl HeaderNames {
    /// Each header has to be there once: of two, a client may have sent one.
    pub(super) fn original(&self, headers: HeaderMap) -> Result<Original, Problem> {
        let value = |name| {
            let missing = Problem::door("A header of this door is missing or there twice.");
            only(&headers, name).cloned().ok_or(missing)
        };
        let (method, target) = (value(self.method)?, value(self.target)?);
        let host = value(self.host)?;
        Original::new(
            method.as_bytes(),
            host.as_bytes(),
            target.as_bytes(),
            headers,
        )
    }
}
