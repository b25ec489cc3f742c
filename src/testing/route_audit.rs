//! Which routes of a router answer without a token.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;

use axum_core::body::Body;
use axum_core::response::Response;
use http::header::{ALLOW, WWW_AUTHENTICATE};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use tower_service::Service;

/// Stops a test unless every route of an `axum::Router` refuses requests without a token, except
/// those in the list: deny by default, proved.
///
/// A route in the list is `"/health"`, or `"GET /health"` for one method. The test fails as well
/// where a route in the list refuses such requests or does not exist, so that the list stays true.
/// See [`RouteAudit`] for what is asked.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum::{Router, routing::get};
/// use axum_entra::{Entra, Tenant, testing::assert_protected};
///
/// fn app(entra: &Entra) -> Router {
///     let protected = Router::new()
///         .route("/todos", get(|| async { "milk" }))
///         .route_layer(entra.layer());
///     Router::new().route("/health", get(|| async { "ok" })).merge(protected)
/// }
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
/// assert_protected(app(&entra), ["GET /health"]).await;
/// # Ok(()) }
/// ```
///
/// # Panics
/// With one line for each route that is not as the list says.
#[expect(clippy::panic, reason = "a test that finds an open route should stop")]
pub async fn assert_protected<R>(router: R, open: impl IntoIterator<Item = &str>)
where
    R: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + fmt::Debug,
{
    let audit = open
        .into_iter()
        .fold(RouteAudit::of(&router), RouteAudit::open);
    if let Err(findings) = audit.run(router).await {
        panic!("{findings}");
    }
}

/// Asks the routes of a service without a token, and says which of them answer.
///
/// Each path is asked with nine methods and one that does not exist, which finds the method
/// fallbacks. Paths that are no route are asked too, at the root and below each path, which finds the
/// fallbacks of nested routers. A refusal is 401 with a challenge. Where a route lacks a method,
/// axum's own empty 405 is accepted, and axum's own empty 404 where there is no route.
///
/// A path parameter is asked with the value `1`. Handlers of open routes run; those of protected
/// routes do not.
#[derive(Debug, Clone, Default)]
#[must_use = "an audit asks nothing before `run`"]
pub struct RouteAudit {
    paths: BTreeSet<String>,
    open: BTreeSet<Open>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Open {
    method: Option<String>,
    path: String,
}

/// Routes that are not as the audit expects, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteAuditError(Vec<String>);

impl RouteAudit {
    /// Takes the paths of an `axum::Router`, from what its `Debug` prints (axum 0.8). Nested routers
    /// are included; paths inside of a nested *service* are not known to axum.
    ///
    /// Where no path is found, [`run`](Self::run) is an error: name them with
    /// [`path`](Self::path).
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use axum::{Router, routing::get};
    /// use axum_entra::testing::RouteAudit;
    ///
    /// let app: Router = Router::new().nest("/v1", Router::new().route("/todos", get(|| async { "milk" })));
    /// let findings = RouteAudit::of(&app).run(app).await.unwrap_err();
    /// assert!(findings.to_string().contains("/v1/todos"));
    /// # }
    /// ```
    pub fn of(router: &impl fmt::Debug) -> Self {
        let text = format!("{router:?}");
        // What follows are the fallbacks, which have no paths of their own.
        let routes = text.split("fallback_router:").next().unwrap_or_default();
        // `RouteId(3): "/todos/{id}"`
        let places = routes.split("RouteId(").filter_map(|rest| {
            let rest = rest.split_once("): \"")?;
            let is_number = rest.0.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| rest.1.split('"').next()).flatten()
        });
        Self::of_paths(places)
    }

    /// Takes these paths: those of an OpenAPI document, for instance.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use axum::{Router, routing::get};
    /// use axum_entra::testing::RouteAudit;
    ///
    /// let app: Router = Router::new().route("/todos", get(|| async { "milk" }));
    /// // No layer: the route answers without a token.
    /// let findings = RouteAudit::of_paths(["/todos"]).run(app).await.unwrap_err();
    /// assert!(findings.to_string().contains("/todos"));
    /// # }
    /// ```
    pub fn of_paths(paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            paths: paths.into_iter().map(Into::into).collect(),
            open: BTreeSet::new(),
        }
    }

    /// Asks a further path, such as one inside of a nested service.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use axum::{Router, routing::get};
    /// use axum_entra::testing::RouteAudit;
    ///
    /// let inner: Router = Router::new().route("/todos", get(|| async { "milk" }));
    /// // axum does not know the paths inside of a service.
    /// let app: Router = Router::new().nest_service("/v1", inner);
    /// let findings = RouteAudit::of(&app).path("/v1/todos").run(app).await.unwrap_err();
    /// assert!(findings.to_string().contains("/v1/todos"));
    /// # }
    /// ```
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.paths.insert(path.into());
        self
    }

    /// Expects a route to answer without a token: `"/health"`, or `"GET /health"` for one method
    /// (`GET` includes `HEAD`).
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use axum::{Router, routing::get};
    /// use axum_entra::testing::RouteAudit;
    ///
    /// let app: Router = Router::new().route("/health", get(|| async { "up" }));
    /// assert!(RouteAudit::of(&app).open("GET /health").run(app.clone()).await.is_ok());
    /// // A route of the list that does not exist keeps the list from growing stale.
    /// let stale = RouteAudit::of(&app).open("GET /health").open("/metrics");
    /// assert!(stale.run(app).await.is_err());
    /// # }
    /// ```
    pub fn open(mut self, route: &str) -> Self {
        let (method, path) = match route.split_once(' ') {
            Some((method, path)) => (Some(method.to_ascii_uppercase()), path),
            None => (None, route),
        };
        self.open.insert(Open {
            method,
            path: path.trim().to_owned(),
        });
        self
    }

    /// Asks all routes.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, routing::get};
    /// use axum_entra::{Entra, Tenant, testing::RouteAudit};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id).build()?;
    /// let todos = || Router::new().route("/todos", get(|| async { "milk" }));
    /// let protected: Router = todos().layer(entra.layer());
    /// assert!(RouteAudit::of(&protected).run(protected.clone()).await.is_ok());
    /// // Added behind the layer's back.
    /// let app = protected.route("/admin", get(|| async { "all" }));
    /// assert!(RouteAudit::of(&app).run(app.clone()).await.is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`RouteAuditError`], with every route that answers without a token and is not expected to,
    /// every one that is expected to and refuses, and where there is no route at all.
    pub async fn run<R>(&self, mut service: R) -> Result<(), RouteAuditError>
    where
        R: Service<Request<Body>, Response = Response, Error = Infallible> + Clone,
    {
        let mut findings = Vec::new();
        if self.paths.is_empty() {
            findings.push("no route is known: name the paths with `RouteAudit::path`".to_owned());
        }
        let mut answered = BTreeSet::new();
        for path in &self.paths {
            for method in methods() {
                let answer = ask(&mut service, &method, &example(path)).await;
                let expected = self.expected(&method, path);
                match (answer, expected) {
                    (Answer::Refused | Answer::NoMethod, _) => {}
                    (Answer::NoRoute(status) | Answer::Open(status), Some(open)) => {
                        answered.insert(open.clone());
                        let _ = status;
                    }
                    (Answer::NoRoute(status) | Answer::Open(status), None) => {
                        findings.push(format!(
                            "{method} {path} answers {} without a token",
                            status.as_u16()
                        ))
                    }
                }
            }
        }
        for path in self.without_route() {
            for method in methods() {
                if let Answer::Open(status) = ask(&mut service, &method, &path).await {
                    findings.push(format!(
                        "{method} {path}, which is no route, answers {} without a token: a fallback \
                         is not protected",
                        status.as_u16()
                    ));
                    break;
                }
            }
        }
        for open in &self.open {
            if !answered.contains(open) {
                let method = open.method.as_deref().map(|method| format!("{method} "));
                findings.push(format!(
                    "{}{} is listed as open and does not answer without a token",
                    method.unwrap_or_default(),
                    open.path
                ));
            }
        }
        match findings.is_empty() {
            true => Ok(()),
            false => Err(RouteAuditError(findings)),
        }
    }

    /// The entry of the list that lets a route answer.
    fn expected(&self, method: &Method, path: &str) -> Option<&Open> {
        self.open.iter().find(|open| {
            let is_method = open.method.as_deref().is_none_or(|own| {
                own == method.as_str() || own == "GET" && *method == Method::HEAD
            });
            is_method && shape(&open.path) == shape(path)
        })
    }

    /// Paths that are no route: at the root, and below each path.
    fn without_route(&self) -> BTreeSet<String> {
        let below = self.paths.iter().flat_map(|path| {
            let path = example(path);
            let ends: Vec<usize> = path.match_indices('/').map(|(end, _)| end).collect();
            let prefixes = ends
                .into_iter()
                .filter_map(|end| path.get(..end).map(str::to_owned));
            prefixes.chain([path.clone()]).collect::<Vec<_>>()
        });
        let candidates = below.chain([String::new()]).map(|prefix| {
            let prefix = prefix.trim_end_matches('/');
            format!("{prefix}/{NO_ROUTE}")
        });
        let is_route = |path: &String| self.paths.iter().any(|route| matches(route, path));
        candidates.filter(|path| !is_route(path)).collect()
    }
}

const NO_ROUTE: &str = "axum-entra-no-such-route";

impl fmt::Display for RouteAuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for RouteAuditError {}

enum Answer {
    /// 401 with a challenge.
    Refused,
    /// axum's own 405.
    NoMethod,
    /// axum's own 404.
    NoRoute(StatusCode),
    /// Anything else.
    Open(StatusCode),
}

async fn ask<R>(service: &mut R, method: &Method, path: &str) -> Answer
where
    R: Service<Request<Body>, Response = Response, Error = Infallible> + Clone,
{
    let mut request = Request::new(Body::empty());
    request.method_mut().clone_from(method);
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    let mut service = service.clone();
    let Ok(()) = poll_fn(|context| service.poll_ready(context)).await;
    let Ok(response) = service.call(request).await;
    let (head, body) = response.into_parts();
    let (status, headers) = (head.status, head.headers);
    let may_be_axums = matches!(
        status,
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND
    );
    let is_axums = may_be_axums && is_empty(body).await;
    match status {
        StatusCode::UNAUTHORIZED if headers.contains_key(WWW_AUTHENTICATE) => Answer::Refused,
        StatusCode::METHOD_NOT_ALLOWED if is_axums && headers.contains_key(ALLOW) => {
            Answer::NoMethod
        }
        StatusCode::NOT_FOUND if is_axums => Answer::NoRoute(status),
        _ => Answer::Open(status),
    }
}

async fn is_empty(mut body: Body) -> bool {
    body.frame().await.is_none()
}

fn methods() -> impl Iterator<Item = Method> {
    [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
    ]
    .into_iter()
    // No handler has this one: the method fallback answers.
    .chain(Method::from_bytes(b"NOSUCHMETHOD").ok())
}

/// A path with a value in the place of each parameter.
fn example(path: &str) -> String {
    let segments = path
        .split('/')
        .map(|segment| match segment.split_once('{') {
            Some((before, rest)) => {
                let after = rest.rsplit_once('}').map_or("", |(_, after)| after);
                format!("{before}1{after}")
            }
            None => segment.to_owned(),
        });
    segments.collect::<Vec<_>>().join("/")
}

/// A path without the names of its parameters.
fn shape(path: &str) -> String {
    let segments = path
        .split('/')
        .map(|segment| match segment.split_once('{') {
            Some((before, rest)) => {
                let kind = if rest.starts_with('*') { "*" } else { "" };
                let after = rest.rsplit_once('}').map_or("", |(_, after)| after);
                format!("{before}{{{kind}}}{after}")
            }
            None => segment.to_owned(),
        });
    segments.collect::<Vec<_>>().join("/")
}

/// Whether a route answers at a path.
fn matches(route: &str, path: &str) -> bool {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (None, None) => return true,
            (Some(own), Some(_)) if own.starts_with("{*") => return true,
            (Some(own), Some(found)) if own == found || own.contains('{') => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_shapes_and_matches_of_paths() {
        assert_eq!(example("/users/{id}/files/{*path}"), "/users/1/files/1");
        assert_eq!(example("/v{version}/x"), "/v1/x");
        assert_eq!(shape("/users/{id}/{*rest}"), shape("/users/{name}/{*path}"));
        assert_ne!(shape("/users/{id}"), shape("/users/{*id}"));
        for (route, path, expected) in [
            ("/a/{id}", "/a/1", true),
            ("/a/{id}", "/a/1/b", false),
            ("/a/{*rest}", "/a/1/b", true),
            ("/a", "/a/", false),
            ("/", "/", true),
        ] {
            assert_eq!(matches(route, path), expected, "{route} {path}");
        }
    }
}
