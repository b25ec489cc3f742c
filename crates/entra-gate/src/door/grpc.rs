//! Envoy's `ext_authz` over gRPC.
//!
//! Source: `envoy/service/auth/v3/external_auth.proto`.

use std::collections::HashMap;
use std::sync::Arc;

use axum_core::response::Response;
use envoy_types::ext_authz::v3::pb::{
    Authorization, AuthorizationServer, CheckRequest, CheckResponse, DeniedHttpResponse,
    HeaderAppendAction, HeaderValue as PbHeaderValue, HeaderValueOption, HttpResponse, HttpStatus,
    OkHttpResponse,
};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use envoy_types::pb::google::rpc::Status as RpcStatus;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tonic::{Code, Status};
use tower::ServiceExt;

use super::{Door, Gate, SharedGate};
use crate::identity;
use crate::original::Original;
use crate::policy::{Granted, Verdict};
use crate::problem::Problem;

/// The authorization service of `--grpc`.
pub(crate) type GrpcService = AuthorizationServer<GrpcDoor>;

pub(crate) struct GrpcDoor(pub(crate) SharedGate);

/// Answers one request of the listener of `--grpc`.
pub(crate) async fn answer(
    service: GrpcService,
    request: Request<Incoming>,
) -> http::Response<tonic::body::Body> {
    let answer = service.oneshot(request).await;
    answer.unwrap_or_else(|never| match never {})
}

#[tonic::async_trait]
impl Authorization for GrpcDoor {
    async fn check(
        &self,
        question: tonic::Request<CheckRequest>,
    ) -> Result<tonic::Response<CheckResponse>, Status> {
        let gate = Arc::clone(&self.0);
        let verdict = match asked(&gate, question) {
            Ok(original) => gate.decide(Door::Grpc, original).await,
            Err(problem) => Verdict::Refused(problem.into_response()),
        };
        let answer = match verdict {
            Verdict::Granted(granted) => {
                gate.answers.count(Door::Grpc, StatusCode::OK);
                ok(granted)
            }
            Verdict::Refused(response) => {
                gate.answers.count(Door::Grpc, response.status());
                denied(response).await
            }
        };
        Ok(tonic::Response::new(answer))
    }
}

fn asked(gate: &Gate, question: tonic::Request<CheckRequest>) -> Result<Original, Problem> {
    gate.knock(question.metadata().as_ref())?;
    let attributes = question.into_inner().attributes;
    let request = attributes.and_then(|attributes| attributes.request);
    let http = request.and_then(|request| request.http);
    let http = http.ok_or(Problem::door("The question says about no HTTP request."))?;
    let HttpRequest {
        method,
        host,
        path,
        headers: plain,
        header_map: raw,
        ..
    } = http;
    let headers = headers(plain, raw.map(|map| map.headers).unwrap_or_default())?;
    Original::new(method.as_bytes(), host.as_bytes(), path.as_bytes(), headers)
}

/// The original's headers, of whichever of the two forms Envoy was told to send.
fn headers(plain: HashMap<String, String>, raw: Vec<PbHeaderValue>) -> Result<HeaderMap, Problem> {
    let raw = raw
        .into_iter()
        .map(|header| match header.raw_value.is_empty() {
            true => (header.key, header.value.into_bytes()),
            false => (header.key, header.raw_value),
        });
    let plain = plain.into_iter();
    let plain = plain.map(|(name, value)| (name, value.into_bytes()));
    let mut headers = HeaderMap::new();
    // Names with a colon in front are HTTP/2's, and are told of apart.
    for (name, value) in plain.chain(raw).filter(|(name, _)| !name.starts_with(':')) {
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        let value = HeaderValue::try_from(value).ok();
        let (Some(name), Some(value)) = (name, value) else {
            return Err(Problem::door("A header of the question is none."));
        };
        headers
            .try_append(name, value)
            .map_err(|_| Problem::door("The question has too many headers."))?;
    }
    Ok(headers)
}

/// Headers that are there are set, and those that are not are removed: a client may have sent them.
fn ok(granted: Granted) -> CheckResponse {
    let mut texts: Vec<(HeaderName, Option<String>)> = identity::texts(granted.claims.as_ref())
        .into_iter()
        .map(|(name, text)| (name, (!text.is_empty()).then_some(text)))
        .collect();
    let assertion = granted
        .assertion
        .as_ref()
        .and_then(|value| value.to_str().ok());
    texts.push((identity::ASSERTION, assertion.map(str::to_owned)));
    let mut answer = OkHttpResponse::default();
    for (name, text) in texts {
        match text {
            Some(text) => answer.headers.push(option(
                name.as_str(),
                text,
                HeaderAppendAction::OverwriteIfExistsOrAdd,
            )),
            None => answer.headers_to_remove.push(name.as_str().to_owned()),
        }
    }
    response(Code::Ok, HttpResponse::OkResponse(answer))
}

async fn denied(refusal: Response) -> CheckResponse {
    let (parts, body) = refusal.into_parts();
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let names = parts
        .headers
        .iter()
        .filter(|(name, _)| *name != CONTENT_LENGTH);
    let headers = names.filter_map(|(name, value)| {
        let value = value.to_str().ok()?.to_owned();
        Some(option(
            name.as_str(),
            value,
            HeaderAppendAction::AppendIfExistsOrAdd,
        ))
    });
    let answer = DeniedHttpResponse {
        status: Some(HttpStatus {
            code: parts.status.as_u16().into(),
        }),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let code = match parts.status {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        _ => Code::PermissionDenied,
    };
    response(code, HttpResponse::DeniedResponse(answer))
}

fn response(code: Code, http: HttpResponse) -> CheckResponse {
    CheckResponse {
        status: Some(RpcStatus {
            code: code.into(),
            ..RpcStatus::default()
        }),
        http_response: Some(http),
        ..CheckResponse::default()
    }
}

fn option(name: &str, value: String, action: HeaderAppendAction) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(PbHeaderValue {
            key: name.to_owned(),
            value,
            ..PbHeaderValue::default()
        }),
        append_action: action.into(),
        ..HeaderValueOption::default()
    }
}
