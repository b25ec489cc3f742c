//! Other places than the `Authorization` header where a token may be, each off until asked for.

use std::fmt;
use std::sync::Arc;

use axum_core::response::Response;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};

/// A place where a request may have its token when it has no `Authorization` header; for
/// [`EntraLayer::token_source`](crate::EntraLayer::token_source).
///
/// The header wins: if it is present, even with another scheme, no other source is read.
/// Two tokens in other places are 400, as two headers are.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use axum_entra::TokenSource;
/// use entra_emulator::Emulator;
/// use tower::ServiceExt;
///
/// let emulator = Emulator::start().await?;
/// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
/// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
/// let forwarded = http::HeaderName::from_static("x-forwarded-access-token");
/// let layer = entra
///     .layer()
///     .token_source(TokenSource::header(forwarded))
///     .token_source(TokenSource::cookie("__Host-token"));
/// let app: Router = Router::new().route("/", get(|| async { "milk" })).route_layer(layer);
///
/// let token = emulator.token().user("alice").scope("Todo.Read").mint();
/// let cookie = || Request::get("/").header("cookie", format!("__Host-token={token}"));
/// assert_eq!(app.clone().oneshot(cookie().body(Body::empty())?).await?.status(), 200);
/// // In both places: which of them is meant?
/// let both = cookie().header("x-forwarded-access-token", &token).body(Body::empty())?;
/// assert_eq!(app.oneshot(both).await?.status(), 400);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct TokenSource(Kind);

#[derive(Clone)]
enum Kind {
    WebSocket,
    Header(HeaderName),
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
    /// with the token, because browsers drop a connection that chooses none. Check `Origin` too: a
    /// handshake is not subject to CORS.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::TokenSource;
    /// use entra_emulator::Emulator;
    /// use tower::ServiceExt;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let app: Router = Router::new()
    ///     .route("/talk", get(|| async { "hello" }))
    ///     .route_layer(entra.layer().token_source(TokenSource::websocket_protocol()));
    ///
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let handshake = |protocols: String| {
    ///     let request = Request::get("/talk").header("upgrade", "websocket").header("connection", "upgrade");
    ///     request.header("sec-websocket-protocol", protocols).body(Body::empty()).unwrap()
    /// };
    /// let accepted = app.clone().oneshot(handshake(format!("bearer, {token}"))).await?;
    /// assert_eq!(accepted.status(), 200);
    /// let refused = app.oneshot(handshake("chat".to_owned())).await?;
    /// assert_eq!(refused.status(), 401);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub const fn websocket_protocol() -> Self {
        Self(Kind::WebSocket)
    }

    /// Another header, whose value is the token, with or without `Bearer` in front of it: for
    /// gateways that keep `Authorization` for themselves (`X-Forwarded-Access-Token`).
    ///
    /// Two such headers are 400. A client can send the header too: its token is validated like
    /// every other. The header stays in the request.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::TokenSource;
    /// use entra_emulator::Emulator;
    /// use tower::ServiceExt;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let forwarded = http::HeaderName::from_static("x-forwarded-access-token");
    /// let app: Router = Router::new()
    ///     .route("/", get(|| async { "milk" }))
    ///     .route_layer(entra.layer().token_source(TokenSource::header(forwarded)));
    ///
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let once = || Request::get("/").header("x-forwarded-access-token", &token);
    /// assert_eq!(app.clone().oneshot(once().body(Body::empty())?).await?.status(), 200);
    /// // Twice; and beside an `Authorization` header, which wins.
    /// let twice = once().header("x-forwarded-access-token", &token).body(Body::empty())?;
    /// assert_eq!(app.clone().oneshot(twice).await?.status(), 400);
    /// let beside = once().header("authorization", "Bearer a.b.c").body(Body::empty())?;
    /// assert_eq!(app.oneshot(beside).await?.status(), 401);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub const fn header(name: HeaderName) -> Self {
        Self(Kind::Header(name))
    }

    /// A cookie. Browsers send it along with requests that other sites make: use `SameSite` and
    /// protect what changes something against that (CSRF).
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::TokenSource;
    /// use entra_emulator::Emulator;
    /// use tower::ServiceExt;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let app: Router = Router::new()
    ///     .route("/", get(|| async { "milk" }))
    ///     .route_layer(entra.layer().token_source(TokenSource::cookie("__Host-token")));
    ///
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let with = |cookies: String| Request::get("/").header("cookie", cookies).body(Body::empty());
    /// let own = with(format!("theme=dark; __Host-token={token}"))?;
    /// assert_eq!(app.clone().oneshot(own).await?.status(), 200);
    /// // Another cookie, though it holds a token.
    /// assert_eq!(app.oneshot(with(format!("token={token}"))?).await?.status(), 401);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn cookie(name: impl Into<Box<str>>) -> Self {
        Self(Kind::Cookie(name.into()))
    }

    /// Wherever `find` looks. Not in the query if it can be helped: addresses end up in logs
    /// (RFC 6750 section 5.3).
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::TokenSource;
    /// use entra_emulator::Emulator;
    /// use tower::ServiceExt;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// // A gateway that writes `X-Identity: user=alice;token=…`.
    /// let in_identity = TokenSource::from_fn(|headers, _uri| {
    ///     let identity = headers.get("x-identity")?.to_str().ok()?;
    ///     identity.split(';').find_map(|part| part.strip_prefix("token=")).map(str::to_owned)
    /// });
    /// let app: Router = Router::new()
    ///     .route("/", get(|| async { "milk" }))
    ///     .route_layer(entra.layer().token_source(in_identity));
    ///
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let with = |identity: String| Request::get("/").header("x-identity", identity).body(Body::empty());
    /// let own = with(format!("user=alice;token={token}"))?;
    /// assert_eq!(app.clone().oneshot(own).await?.status(), 200);
    /// // `None` is a request without a token, whatever else the header says.
    /// assert_eq!(app.oneshot(with("user=alice".to_owned())?).await?.status(), 401);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn from_fn(
        find: impl Fn(&HeaderMap, &Uri) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self(Kind::Custom(Arc::new(find)))
    }

    fn find(&self, headers: &HeaderMap, uri: &Uri, found: &mut Vec<String>) {
        match &self.0 {
            Kind::WebSocket => {}
            Kind::Header(name) => found.extend(header_tokens(headers, name)),
            Kind::Cookie(name) => found.extend(cookies(headers, name)),
            Kind::Custom(find) => found.extend(find(headers, uri)),
        }
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::WebSocket => f.write_str("TokenSource::websocket_protocol"),
            Kind::Header(name) => write!(f, "TokenSource::header({name})"),
            Kind::Cookie(name) => write!(f, "TokenSource::cookie({name:?})"),
            Kind::Custom(_) => f.write_str("TokenSource::from_fn"),
        }
    }
}

/// Moves the tokens that the sources find into the `Authorization` header, if the request has none.
#[cold]
pub(super) fn move_to_header<B>(sources: &[TokenSource], request: &mut Request<B>) {
    let mut found = Vec::new();
    for source in sources {
        match &source.0 {
            Kind::WebSocket if is_handshake(request) => {
                if let Some(chosen) = take_from_protocols(request.headers_mut(), &mut found) {
                    request.extensions_mut().insert(Subprotocol(chosen));
                }
            }
            _ => source.find(request.headers(), request.uri(), &mut found),
        }
    }
    let headers = request.headers_mut();
    let mut given = headers.get_all(AUTHORIZATION).iter();
    if given.any(|value| !value.is_empty()) {
        return;
    }
    headers.remove(AUTHORIZATION);
    for token in found {
        // A text that no header can hold is not a token: the scheme without one is malformed.
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .unwrap_or(HeaderValue::from_static("Bearer"));
        value.set_sensitive(true);
        headers.append(AUTHORIZATION, value);
    }
}

/// The subprotocol that the answer to a handshake names where the handler chooses none.
#[derive(Debug, Clone)]
pub(super) struct Subprotocol(HeaderValue);

impl Subprotocol {
    #[cold]
    pub(super) fn name_in(self, response: &mut Response) {
        let accepted = matches!(
            response.status(),
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::OK
        );
        if accepted {
            let named = response.headers_mut().entry(SEC_WEBSOCKET_PROTOCOL);
            named.or_insert(self.0);
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

/// The tokens of all lines of a header; one that is not text is a token that no token is like.
fn header_tokens(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter();
    lines
        .filter(|value| !value.is_empty())
        .map(|value| match value.to_str() {
            Ok(text) => match text.split_at_checked("Bearer ".len()) {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer ") => token,
                _ => text,
            },
            Err(_) => "",
        })
        .map(str::to_owned)
        .collect()
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
