//! What a refusal has to know of the request that it answers.

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Uri, Version};

/// The head of a request, borrowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'r> {
    method: &'r Method,
    version: Version,
    uri: &'r Uri,
    pub(super) headers: &'r HeaderMap,
    pub(super) extensions: &'r Extensions,
}

/// The same for an answer that waits for something; the default is that of no request at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnedHead {
    method: Method,
    version: Version,
    uri: Uri,
    headers: HeaderMap,
    /// The resource of the route, if a layer has noted it, and whether the request is signed.
    extensions: Extensions,
}

/// Which of several resources a route is under: the place in the list of the `Entra` whose layer
/// noted it. A guard inside a nested router sees a shorter path than the layer outside it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RouteResource(pub(super) usize);

/// The request came with a signed HTTP request, and is answered as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IsSigned;

impl<'r> Head<'r> {
    pub(super) fn of<B>(request: &'r Request<B>) -> Self {
        Self {
            method: request.method(),
            version: request.version(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    pub(super) const fn of_parts(parts: &'r Parts) -> Self {
        Self {
            method: &parts.method,
            version: parts.version,
            uri: &parts.uri,
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }

    pub(super) fn to_owned(self) -> OwnedHead {
        self.owned_with(self.headers.clone())
    }

    /// The same for a signed HTTP request, which answers have to know.
    pub(super) fn to_owned_signed(self) -> OwnedHead {
        let mut head = self.to_owned();
        head.extensions.insert(IsSigned);
        head
    }

    /// What the form of an answer depends on, without the other headers, a token among them.
    pub(super) fn without_credentials(self) -> OwnedHead {
        let mut headers = HeaderMap::new();
        for value in self.headers.get_all(CONTENT_TYPE) {
            headers.append(CONTENT_TYPE, value.clone());
        }
        self.owned_with(headers)
    }

    fn owned_with(self, headers: HeaderMap) -> OwnedHead {
        let mut extensions = Extensions::new();
        if let Some(noted) = self.extensions.get::<RouteResource>() {
            extensions.insert(*noted);
        }
        if self.is_signed() {
            extensions.insert(IsSigned);
        }
        OwnedHead {
            method: self.method.clone(),
            version: self.version,
            uri: self.uri.clone(),
            headers,
            extensions,
        }
    }

    pub(super) fn is_signed(self) -> bool {
        self.extensions.get::<IsSigned>().is_some()
    }

    pub(super) const fn method(self) -> &'r Method {
        self.method
    }

    pub(super) const fn uri(self) -> &'r Uri {
        self.uri
    }

    pub(super) fn path(self) -> &'r str {
        self.uri.path()
    }

    /// Whether the client expects gRPC's form of an answer: a `POST` over HTTP/2 with gRPC's
    /// content type (gRPC over HTTP/2, "Requests"). To any other client its status 200 would look
    /// like an answer of the handler.
    pub(super) fn is_grpc(self) -> bool {
        self.method == Method::POST
            && self.version == Version::HTTP_2
            && is_grpc_content(self.headers)
    }
}

impl OwnedHead {
    /// The head with what the request's extensions hold.
    pub(super) const fn with_extensions<'r>(&'r self, extensions: &'r Extensions) -> Head<'r> {
        Head {
            method: &self.method,
            version: self.version,
            uri: &self.uri,
            headers: &self.headers,
            extensions,
        }
    }

    pub(crate) fn as_head(&self) -> Head<'_> {
        self.with_extensions(&self.extensions)
    }
}

const GRPC: &[u8] = b"application/grpc";

/// `application/grpc` or `application/grpc+…`, once, with or without parameters.
fn is_grpc_content(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    // Media types have no letter case (RFC 9110 section 8.3.1).
    match value.as_bytes().split_at_checked(GRPC.len()) {
        Some((kind, rest)) => {
            kind.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';'))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn grpc(method: Method, version: Version, content_types: &[&'static str]) -> bool {
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.version_mut() = version;
        for value in content_types {
            let value = HeaderValue::from_static(value);
            request.headers_mut().append(CONTENT_TYPE, value);
        }
        let head = Head::of(&request);
        let kept = head.to_owned();
        assert_eq!(head.is_grpc(), kept.as_head().is_grpc());
        assert_eq!(
            head.is_grpc(),
            head.without_credentials().as_head().is_grpc()
        );
        head.is_grpc()
    }

    #[test]
    fn grpc_is_a_post_over_http_2_with_its_content_type() {
        for accepted in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;x=1",
            "Application/GRPC",
        ] {
            let is_grpc = |method, version| grpc(method, version, &[accepted]);
            assert!(is_grpc(Method::POST, Version::HTTP_2), "{accepted}");
            for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT] {
                assert!(!is_grpc(method, Version::HTTP_2), "{accepted}");
            }
            for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_3] {
                assert!(!is_grpc(Method::POST, version), "{accepted}");
            }
        }
        for others in [
            &["application/grpc-web"][..],
            &["application/json"],
            &["application/grpcs"],
            &["application/grpc", "application/json"],
            &[],
        ] {
            assert!(!grpc(Method::POST, Version::HTTP_2, others), "{others:?}");
        }
    }

    #[test]
    fn a_kept_head_has_no_token_where_none_is_needed() {
        let mut request = Request::new(());
        let secret = HeaderValue::from_static("Bearer secret");
        request.headers_mut().insert("authorization", secret);
        let kept = Head::of(&request).without_credentials();
        assert!(kept.headers.is_empty());
    }
}
