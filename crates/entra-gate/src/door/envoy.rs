//! Envoy's `ext_authz` over HTTP: method, path and `Host` of the question are the original's.

use http::header::HOST;
use http::request::Parts;

use crate::original::{Original, only};
use crate::problem::Problem;

pub(super) fn original(behind: &str, parts: Parts) -> Result<Original, Problem> {
    let host = host(&parts)?;
    let target = match parts.uri.query() {
        Some(query) => format!("{behind}?{query}"),
        None => behind.to_owned(),
    };
    let method = parts.method;
    Original::new(
        method.as_str().as_bytes(),
        &host,
        target.as_bytes(),
        parts.headers,
    )
}

/// `Host` of HTTP/1.1, `:authority` of HTTP/2; where both are there they have to agree.
pub(super) fn host(parts: &Parts) -> Result<Vec<u8>, Problem> {
    let missing = Problem::door("The question has no host, or more than one.");
    let authority = parts.uri.authority().map(|own| own.as_str().as_bytes());
    let header = match parts.headers.contains_key(HOST) {
        true => Some(
            only(&parts.headers, HOST.as_str())
                .ok_or(missing)?
                .as_bytes(),
        ),
        false => None,
    };
    match (authority, header) {
        (Some(authority), Some(header)) if !authority.eq_ignore_ascii_case(header) => Err(missing),
        (Some(host), _) | (None, Some(host)) => Ok(host.to_vec()),
        (None, None) => Err(missing),
    }
}
