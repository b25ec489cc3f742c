//! Other places than the `Authorization` header where a token may stand, each off until asked for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum_core::response::Response;
use http::header::{AUTHORIZATION, COOKIE, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::auth_layer::{EntraLayer, EntraService};

/// A place where a token may stand when there is no `Authorization` header.
///
/// The header wins: if it is present, even with another scheme, no other source is read.
/// Two tokens in other places are 400, as two headers are.
#[derive(Clone)]
pub struct TokenSource(Kind);

#[derive(Clone)]
enum Kind {
    WebSocket,
    Cookie(Box<str>),
    Custom(Finder),
}

type Finder = Arc<dyn Fn(&HeaderMap, &Uri) -> Option<String> + Send + Sync>;

/// The subprotocol behind which the token follows as the next one.
const BEARER: &str = "bearer";
/// What a subprotocol that holds the token begins with.
const PREFIX: &str = "access_token.";

impl TokenSource {
    /// `Sec-WebSocket-Protocol` of a WebSocket handshake, since browsers can set no other header:
    /// `new WebSocket(url, ["bearer", token])` or `["access_token." + token, "chat"]`.
    ///
    /// The token is taken out of the header before anything behind the layer sees it. Where the
    /// handler chooses no subprotocol, the answer names `bearer`, or the first that is offered
    /// beside the token, for browsers drop a connection that chooses none. Check `AuthorityContext` too:
    /// a handshake is not subject to CORS.
    #[must_use]
    pub const fn websocket_protocol() -> Self {
        Self(Kind::WebSocket)
    }

    /// A cookie. Browsers send it along with requests that other sites make: use `SameSite` and
    /// protect what changes something against that (CSRF).
    #[must_use]
    pub fn cookie(name: impl Into<Box<str>>) -> Self {
        Self(Kind::Cookie(name.into()))
    }

    /// Wherever `find` looks. Not in the query if it can be helped: addresses end up in logs
    /// (RFC 6750 section 5.3).
    #[must_use]
    pub fn from_fn(
        find: impl Fn(&HeaderMap, &Uri) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self(Kind::Custom(Arc::new(find)))
    }

    fn find(&self, headers: &HeaderMap, uri: &Uri, found: &mut Vec<String>) {
        match &self.0 {
            Kind::WebSocket => {}
            Kind::Cookie(name) => found.extend(cookies(headers, name)),
            Kind::Custom(find) => found.extend(find(headers, uri)),
        }
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::WebSocket => f.write_str("TokenSource::web_socket"),
            Kind::Cookie(name) => write!(f, "TokenSource::cookie({name:?})"),
            Kind::Custom(_) => f.write_str("TokenSource::custom"),
        }
    }
}

impl EntraLayer {
    /// Looks for the token in other places as well, where there is no `Authorization` header.
    ///
    /// ```
    /// # fn doors(entra: &axum_entra::Entra) -> impl Clone {
    /// use axum_entra::TokenSource;
    /// entra.layer().token_sources([TokenSource::websocket_protocol()])
    /// # }
    /// ```
    #[must_use]
    pub fn token_sources(self, sources: impl IntoIterator<Item = TokenSource>) -> SourcedLayer {
        SourcedLayer {
            layer: self,
            sources: sources.into_iter().collect(),
        }
    }
}

/// An [`EntraLayer`] that finds tokens in more places; from [`EntraLayer::token_sources`].
#[derive(Debug, Clone)]
pub struct SourcedLayer {
    layer: EntraLayer,
    sources: Arc<[TokenSource]>,
}

impl<S> Layer<S> for SourcedLayer {
    type Service = SourcedService<EntraService<S>>;

    fn layer(&self, inner: S) -> Self::Service {
        SourcedService {
            inner: self.layer.layer(inner),
            sources: Arc::clone(&self.sources),
        }
    }
}

/// The service that [`SourcedLayer`] makes: it puts what it finds where the gate looks.
#[derive(Debug, Clone)]
pub struct SourcedService<S> {
    inner: S,
    sources: Arc<[TokenSource]>,
}

impl<S, B> Service<Request<B>> for SourcedService<S>
where
    S: Service<Request<B>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = SourcedFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut found = Vec::new();
        let mut echo = None;
        for source in self.sources.iter() {
            match &source.0 {
                Kind::WebSocket if is_handshake(&request) => {
                    echo = take_from_protocols(request.headers_mut(), &mut found);
                }
                _ => source.find(request.headers(), request.uri(), &mut found),
            }
        }
        let headers = request.headers_mut();
        let has_header = headers
            .get_all(AUTHORIZATION)
            .iter()
            .any(|value| !value.is_empty());
        if !has_header {
            headers.remove(AUTHORIZATION);
            for token in found {
                // What cannot stand in a header is no token; the gate refuses the word alone.
                let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                    .unwrap_or(HeaderValue::from_static("Bearer"));
                value.set_sensitive(true);
                headers.append(AUTHORIZATION, value);
            }
        }
        SourcedFuture {
            inner: self.inner.call(request),
            echo,
        }
    }
}

/// A handshake of HTTP/1.1 (RFC 6455 section 4.1) or over an HTTP/2 stream (RFC 8441).
fn is_handshake<B>(request: &Request<B>) -> bool {
    let upgrade = request.headers().get(UPGRADE);
    request.method() == Method::CONNECT
        || upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Takes tokens out of the offered subprotocols; says which of the rest to name in the answer.
fn take_from_protocols(headers: &mut HeaderMap, found: &mut Vec<String>) -> Option<HeaderValue> {
    let before = found.len();
    let mut rest: Vec<String> = Vec::new();
    let mut is_next = false;
    for value in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
        // A header that cannot be read as text offers nothing that could be chosen.
        for offered in value.to_str().unwrap_or_default().split(',').map(str::trim) {
            if std::mem::take(&mut is_next) {
                found.push(offered.to_owned());
            } else if let Some(token) = offered.strip_prefix(PREFIX) {
                found.push(token.to_owned());
            } else if !offered.is_empty() {
                is_next = offered.eq_ignore_ascii_case(BEARER);
                rest.push(offered.to_owned());
            }
        }
    }
    if found.len() == before {
        return None;
    }
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    if let Ok(value) = HeaderValue::try_from(rest.join(", "))
        && !rest.is_empty()
    {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
    let named = rest
        .iter()
        .find(|offered| offered.eq_ignore_ascii_case(BEARER));
    let named = named.or_else(|| rest.first())?;
    HeaderValue::try_from(named).ok()
}

/// The values of all cookies of a name (RFC 6265 section 4.2).
fn cookies(headers: &HeaderMap, name: &str) -> Vec<String> {
    let pairs = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter(|(own, value)| *own == name && !value.is_empty())
        .map(|(_, value)| value.trim_matches('"').to_owned())
        .collect()
}

pin_project! {
    /// The answer to come, with the chosen subprotocol in it.
    pub struct SourcedFuture<F> {
        #[pin]
        inner: F,
        echo: Option<HeaderValue>,
    }
}

impl<F, E> Future for SourcedFuture<F>
where
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let own = self.project();
        let mut response = ready!(own.inner.poll(context))?;
        let accepted = matches!(
            response.status(),
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::OK
        );
        if let (true, Some(echo)) = (accepted, own.echo.take()) {
            let headers = response.headers_mut();
            if !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
                headers.insert(SEC_WEBSOCKET_PROTOCOL, echo);
            }
        }
        Poll::Ready(Ok(response))
    }
}

impl<F> fmt::Debug for SourcedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SourcedFuture")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(lines: &[&str]) -> (Vec<String>, Option<String>, Option<String>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(line).unwrap());
        }
        let mut found = Vec::new();
        let echo = take_from_protocols(&mut headers, &mut found);
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let rest = headers.get(SEC_WEBSOCKET_PROTOCOL).map(text);
        (found, rest, echo.as_ref().map(text))
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn both_forms_are_read_and_the_token_goes_no_further() {
        let token = vec!["a.b.c".to_owned()];
        assert_eq!(
            offer(&["bearer, a.b.c"]),
            (token.clone(), some("bearer"), some("bearer"))
        );
        assert_eq!(
            offer(&["chat", "Bearer", "a.b.c, v2"]),
            (token.clone(), some("chat, Bearer, v2"), some("Bearer"))
        );
        assert_eq!(
            offer(&["access_token.a.b.c, chat"]),
            (token.clone(), some("chat"), some("chat"))
        );
        assert_eq!(offer(&["access_token.a.b.c"]), (token, None, None));
    }

    #[test]
    fn protocols_without_a_token_stay_as_they_are() {
        assert_eq!(
            offer(&["chat, bearer"]),
            (vec![], some("chat, bearer"), None)
        );
        assert_eq!(offer(&[]), (vec![], None, None));
    }

    #[test]
    fn two_tokens_are_two() {
        let (found, ..) = offer(&["bearer, a, access_token.b"]);
        assert_eq!(found, ["a", "b"]);
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(
            COOKIE,
            HeaderValue::from_static("xtoken=a; token=b; token2=c"),
        );
        assert_eq!(cookies(&headers, "token"), ["b"]);
        headers.append(COOKIE, HeaderValue::from_static("token=\"d\""));
        assert_eq!(cookies(&headers, "token"), ["b", "d"]);
        assert!(cookies(&headers, "toke").is_empty());
    }
}
