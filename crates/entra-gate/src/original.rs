//! The request that a proxy asks about.

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::identity::IDENTITY_PREFIX;
use crate::path::{decode, path_of};
use crate::problem::Problem;
use crate::rules::normalize_host;

/// Method, host and path of the original request, and its headers as far as the proxy sent them.
#[derive(Debug)]
pub(crate) struct Original {
    method: Method,
    /// In the form that rules compare.
    host: String,
    /// Decoded, in the form that rules compare.
    path: String,
    /// What the library's layers see: method, target and headers as the client sent them.
    request: Request<()>,
}

impl Original {
    /// From a door's values and the headers that came with them.
    ///
    /// # Errors
    /// 400 `door` for a method or host that is none, or a header that could be taken for one of
    /// the identity; 400 `path` for a path that two programs could read differently.
    pub(crate) fn new(
        method: &[u8],
        host: &[u8],
        target: &[u8],
        headers: HeaderMap,
    ) -> Result<Self, Problem> {
        refuse_disguised(headers.keys().map(HeaderName::as_str))?;
        let has_lower = method.iter().any(u8::is_ascii_lowercase);
        // Some frameworks take `post` for `POST`, others do not: no rule would be about both.
        let method = Method::from_bytes(method).ok().filter(|_| !has_lower);
        let method = method.ok_or(Problem::door(
            "The original method is not one method in capitals.",
        ))?;
        let normalized = std::str::from_utf8(host).ok().and_then(normalize_host);
        let normalized = normalized.ok_or(Problem::door("The original host is not one host."))?;
        let path = decode(path_of(target)).map_err(|error| Problem::path(error.detail()))?;
        let path = path.into_owned();
        let uri = uri_of(target, &path);
        let mut request = Request::new(());
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        if let Ok(host) = HeaderValue::from_bytes(host) {
            request.headers_mut().insert(HOST, host);
        }
        Ok(Self {
            method,
            host: normalized,
            path,
            request,
        })
    }

    pub(crate) const fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The request for the library's layers: of HTTP/1.1, so that no answer takes gRPC's form.
    pub(crate) fn into_request(self) -> Request<()> {
        self.request
    }
}

/// Refuses header names that become those of the identity where `_` and `-` are one letter, as in
/// CGI and WSGI (GHSA-f59h-q822-g45g).
pub(crate) fn refuse_disguised<'n>(
    names: impl IntoIterator<Item = &'n str>,
) -> Result<(), Problem> {
    let is_disguised = |name: &str| {
        name.contains('_')
            && name.len() >= IDENTITY_PREFIX.len()
            && name
                .bytes()
                .zip(IDENTITY_PREFIX.bytes())
                .all(|(letter, own)| {
                    letter.eq_ignore_ascii_case(&own) || (letter == b'_' && own == b'-')
                })
    };
    match names.into_iter().any(is_disguised) {
        true => Err(Problem::door(
            "The request has a header that begins like those of the identity and has an underscore.",
        )),
        false => Ok(()),
    }
}

/// The one value of a header.
pub(crate) fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// The target as the client sent it; where it is no URI, the path alone, encoded again.
fn uri_of(target: &[u8], path: &str) -> Uri {
    let as_sent = PathAndQuery::try_from(target).ok();
    as_sent.map(Uri::from).unwrap_or_else(|| {
        let encoded: String = path.bytes().map(encoded).collect();
        Uri::try_from(encoded).unwrap_or_default()
    })
}

fn encoded(byte: u8) -> String {
    match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    }
}
