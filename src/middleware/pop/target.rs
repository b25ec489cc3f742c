//! Which request a signed HTTP request is compared with: its host, scheme, and whole address.

use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Uri};

use super::config::BoundTokens;
use crate::middleware::head::Head;

/// A request's own address, as its client wrote it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// The port that goes without saying; `None` where the scheme is not known.
    pub(super) default_port: Option<u16>,
    pub(super) uri: Uri,
}

impl Target {
    /// `None` where it is not certain which host the request is for.
    pub(super) fn of(head: Head<'_>, bound: &BoundTokens) -> Option<Self> {
        let found = bound.original_uri.as_ref();
        let uri = found
            .and_then(|find| find(head.extensions))
            .unwrap_or_else(|| head.uri().clone());
        let forwarded = bound
            .proxies
            .as_ref()
            .filter(|proxies| proxies.tells_host(head.extensions))
            .map(|_| head.headers);
        let host = match forwarded.map(|headers| single(headers, "x-forwarded-host")) {
            None | Some(Ok(None)) => own_host(head.uri(), head.headers)?,
            Some(Ok(Some(host))) => host.to_owned(),
            Some(Err(Several)) => return None,
        };
        let scheme = match forwarded.map(|headers| single(headers, "x-forwarded-proto")) {
            None | Some(Ok(None)) => head.uri().scheme().cloned(),
            Some(Ok(Some(name))) => Some(name.parse().ok()?),
            Some(Err(Several)) => return None,
        };
        let (host, port) = host_and_port(&host)?;
        let default_port = match scheme {
            Some(scheme) if scheme == Scheme::HTTPS => Some(443),
            Some(scheme) if scheme == Scheme::HTTP => Some(80),
            Some(_) => return None,
            None => None,
        };
        Some(Self {
            host,
            port,
            default_port,
            uri,
        })
    }

    /// Whether a text is this host, with or without its port.
    pub(super) fn is_host(&self, text: &str) -> bool {
        let Some((host, port)) = host_and_port(text) else {
            return false;
        };
        let is_default = |port| match self.default_port {
            Some(default) => port == default,
            // Without a scheme: what both schemes leave out.
            None => port == 443 || port == 80,
        };
        host == self.host
            && match (port, self.port) {
                (None, _) => true,
                (Some(port), Some(own)) => port == own,
                (Some(port), None) => is_default(port),
            }
    }
}

/// Several values where one belongs, or one that cannot be read.
struct Several;

/// The one value of a header, without a list in it.
fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Several> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) if !text.contains(',') => Ok(Some(text.trim())),
            _ => Err(Several),
        },
        (Some(_), Some(_)) => Err(Several),
    }
}

/// `:authority` or that of an absolute target, else `Host`; both must agree where both are there
/// (RFC 9113 section 8.3.1).
fn own_host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let header = single(headers, HOST.as_str()).ok()?;
    match (uri.authority(), header) {
        (Some(authority), Some(header)) if !authority.as_str().eq_ignore_ascii_case(header) => None,
        (Some(authority), _) => Some(authority.as_str().to_owned()),
        (None, header) => header.map(str::to_owned),
    }
}

/// A host in lower case, and its port; `None` for anything with more in it.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let authority: Authority = text.parse().ok()?;
    let host = authority.host();
    if host.is_empty() || text.contains('@') {
        return None;
    }
    let port = match text.get(host.len()..)?.strip_prefix(':') {
        None => None,
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        Some(_) => return None,
    };
    Some((host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Request};

    use super::*;

    fn target(uri: &str, hosts: &[&str]) -> Option<Target> {
        let mut request = Request::builder().uri(uri).body(()).unwrap();
        for host in hosts {
            let value = HeaderValue::from_str(host).unwrap();
            request.headers_mut().append(HOST, value);
        }
        Target::of(Head::of(&request), &BoundTokens::default())
    }

    fn is(uri: &str, host: &str, signed: &str) -> bool {
        let hosts: &[&str] = if host.is_empty() { &[] } else { &[host] };
        target(uri, hosts).is_some_and(|target| target.is_host(signed))
    }

    #[test]
    fn a_host_is_signed_with_its_port_or_without() {
        for (uri, host, signed) in [
            ("/", "api.example:8443", "api.example:8443"),
            ("/", "api.example:8443", "api.example"),
            ("/", "API.example", "api.EXAMPLE"),
            ("/", "api.example", "api.example:443"),
            ("/", "api.example", "api.example:80"),
            ("/", "api.example:443", "api.example"),
            ("/", "[::1]:3000", "[::1]:3000"),
            ("/", "[::1]:3000", "[::1]"),
            ("https://api.example/x", "", "api.example:443"),
            (
                "http://api.example:8080/",
                "api.example:8080",
                "api.example:8080",
            ),
        ] {
            assert!(is(uri, host, signed), "{uri} {host} {signed}");
        }
        for (uri, host, signed) in [
            ("/", "api.example:8443", "api.example:8444"),
            ("/", "api.example:8443", "api.example:443"),
            ("/", "api.example", "api.example:8443"),
            ("/", "api.example", "other.example"),
            ("/", "api.example", "api.example."),
            ("/", "api.example", "https://api.example"),
            ("/", "api.example", "api.example/"),
            ("/", "api.example", "a@api.example"),
            ("/", "api.example", "api.example:"),
            ("/", "api.example", ""),
            ("/", "", "api.example"),
            ("https://api.example/", "", "api.example:80"),
            ("https://api.example/", "other.example", "api.example"),
            ("https://api.example/", "other.example", "other.example"),
        ] {
            assert!(!is(uri, host, signed), "{uri} {host} {signed}");
        }
        assert!(target("/", &["a.example", "a.example"]).is_none());
        assert!(target("/", &["a.example, b.example"]).is_none());
    }
}
