//! Doors: where proxies ask, and how each of them asks and is answered.

mod answers;
mod envoy;
#[cfg(feature = "grpc")]
mod grpc;
mod headers;
mod secret;
#[cfg(all(test, feature = "grpc"))]
mod tests;
mod validate;

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum_core::body::Body;
use axum_core::response::Response;
use axum_entra::middleware::MetadataService;
use axum_entra::{Entra, Rejection};
use clap::ValueEnum;
use http::request::Parts;
use http::{Method, Request, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use tower::ServiceExt;

use self::answers::AnswerCounters;
#[cfg(feature = "grpc")]
pub(crate) use self::grpc::{GrpcDoor, GrpcService, answer as answer_grpc};
pub(crate) use self::secret::DoorSecret;
use crate::identity;
use crate::original::Original;
use crate::policy::{Granted, Policy, Verdict};
use crate::problem::{PROBLEM_JSON, Problem, body};
use crate::status;

/// Where a proxy can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Door {
    /// `auth_request` of nginx, at /auth/nginx.
    Nginx,
    /// Forward authentication of Caddy and Traefik, at /auth/forward.
    Forward,
    /// `ext_authz` of Envoy over HTTP, at /auth/envoy/….
    Envoy,
    /// `ext_authz` of Envoy over gRPC, at the address of --grpc.
    #[cfg_attr(not(feature = "grpc"), value(skip))]
    Grpc,
    /// HAProxy with the Lua script of deploy/, at /auth/haproxy.
    Haproxy,
    /// Applications that ask about a token, at GET /validate.
    Validate,
}

impl Door {
    const COUNT: usize = Self::Validate as usize + 1;

    /// The door at a path, and what is behind it.
    fn at(path: &str) -> Option<(Self, &str)> {
        let door = match path {
            "/auth/nginx" => Self::Nginx,
            "/auth/forward" => Self::Forward,
            "/auth/haproxy" => Self::Haproxy,
            "/validate" | "/Validate" => Self::Validate,
            _ => {
                let behind = path.strip_prefix("/auth/envoy")?;
                let is_there = behind.is_empty() || behind.starts_with('/');
                return is_there.then_some((Self::Envoy, behind));
            }
        };
        Some((door, ""))
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Forward => "forward",
            Self::Envoy => "envoy",
            Self::Grpc => "grpc",
            Self::Haproxy => "haproxy",
            Self::Validate => "validate",
        }
    }
}

/// What all connections share.
pub(crate) struct Gate {
    pub(crate) entra: Entra,
    pub(crate) policy: ArcSwap<Policy>,
    pub(crate) doors: Vec<Door>,
    pub(crate) secret: Option<DoorSecret>,
    pub(crate) metrics: Option<PrometheusHandle>,
    answers: AnswerCounters,
    /// Protected-resource metadata, by path.
    metadata: Vec<(String, MetadataService)>,
}

impl Gate {
    pub(crate) fn new(entra: Entra, policy: Policy, doors: Vec<Door>) -> Self {
        Self {
            metadata: entra.metadata_routes().collect(),
            entra,
            policy: ArcSwap::from_pointee(policy),
            doors,
            secret: None,
            metrics: None,
            answers: AnswerCounters::default(),
        }
    }

    /// Answers one request of the listener; its body is not read.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Response {
        let (parts, _) = request.into_parts();
        let path = parts.uri.path();
        if let Some((door, behind)) = Door::at(path)
            && self.doors.contains(&door)
        {
            let behind = behind.to_owned();
            return self.at_door(door, &behind, parts).await;
        }
        match path {
            "/health" => self.told(&parts.method, || Response::new(Body::from("ok\n"))),
            "/ready" => self.told(&parts.method, || self.entra.readiness()),
            "/metrics" => self.told(&parts.method, || {
                status::metrics(&self.entra, self.metrics.as_ref())
            }),
            "/.well-known/jwks.json" => match self.policy.load().signer() {
                Some(signer) => self.told(&parts.method, || status::json(&signer.jwks())),
                None => Problem::not_found().into_response(),
            },
            path => {
                let service = self.metadata.iter().find(|(own, _)| own == path);
                let Some((_, service)) = service else {
                    return Problem::not_found().into_response();
                };
                let service = service.clone();
                let answer = service.oneshot(Request::from_parts(parts, ())).await;
                answer.unwrap_or_else(|never| match never {})
            }
        }
    }

    fn told(&self, method: &Method, answer: impl FnOnce() -> Response) -> Response {
        match *method {
            Method::GET | Method::HEAD => answer(),
            _ => Problem::method().into_response(),
        }
    }

    async fn at_door(&self, door: Door, behind: &str, parts: Parts) -> Response {
        let response = match self.knock(&parts.headers) {
            Err(problem) => problem.into_response(),
            Ok(()) if door == Door::Validate => {
                validate::answer(&self.policy.load_full(), parts).await
            }
            Ok(()) => match original(door, behind, parts) {
                Err(problem) => problem.into_response(),
                Ok(original) => match self.decide(door, original).await {
                    Verdict::Granted(granted) => granted.into_response(),
                    Verdict::Refused(response) => response,
                },
            },
        };
        let response = match door {
            Door::Nginx => for_nginx(response),
            _ => response,
        };
        self.answers.count(door, response.status());
        response
    }

    /// Whether the question comes from a proxy that knows the door secret, where there is one.
    fn knock(&self, headers: &http::HeaderMap) -> Result<(), Problem> {
        match &self.secret {
            Some(secret) if !secret.is_in(headers) => Err(Problem::secret()),
            _ => Ok(()),
        }
    }

    async fn decide(&self, door: Door, original: Original) -> Verdict {
        let policy = self.policy.load_full();
        let (verdict, line) = policy.decide(original).await;
        if let Verdict::Refused(response) = &verdict {
            let reason = response.extensions().get().map(Rejection::reason);
            tracing::debug!(door = door.name(), rule = line, reason, "refused");
        }
        verdict
    }
}

/// The original request, as a door's proxy says about it.
fn original(door: Door, behind: &str, parts: Parts) -> Result<Original, Problem> {
    match door {
        Door::Envoy => envoy::original(behind, parts),
        Door::Forward => headers::FORWARDED.original(parts.headers),
        _ => headers::ORIGINAL.original(parts.headers),
    }
}

impl Granted {
    /// 200 with the identity.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        identity::put(self.claims.as_ref(), headers);
        if let Some(assertion) = self.assertion {
            headers.insert(identity::ASSERTION, assertion);
        }
        response
    }
}

/// nginx takes 200, 401 and 403 of `auth_request` as they are and makes 500 of everything else, a
/// 503 among them, which the shipped file maps back.
fn for_nginx(mut response: Response) -> Response {
    let status = response.status();
    let mapped = match status {
        StatusCode::OK | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return response,
        StatusCode::SERVICE_UNAVAILABLE => return response,
        status if status.is_client_error() => StatusCode::FORBIDDEN,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    *response.status_mut() = mapped;
    // The body states the status too.
    if let Some(rejection) = response.extensions().get::<Rejection>().cloned() {
        let (error, reason) = (rejection.oauth_error(), rejection.reason());
        let text = body(mapped, error, reason, &rejection.detail());
        *response.body_mut() = Body::from(text);
        let headers = response.headers_mut();
        headers.remove(http::header::CONTENT_LENGTH);
        headers.insert(http::header::CONTENT_TYPE, PROBLEM_JSON);
    } else if let Some(problem) = response.extensions().get::<Problem>().copied() {
        return Problem {
            status: mapped,
            ..problem
        }
        .into_response();
    }
    response
}

/// A gate that is shared by connections and tasks.
pub(crate) type SharedGate = Arc<Gate>;
