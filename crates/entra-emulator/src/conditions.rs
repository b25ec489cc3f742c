//! Plays the outage that is in force, in front of every address.

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    authority::Authority,
    connection::AbortHandle,
    graph::GraphError,
    outage::{Endpoint, Fault, GraphCall},
    server::Shared,
};

/// Counts the request and plays the outage that is in force.
pub(super) async fn as_conditions_allow(
    State(authority): Shared,
    ConnectInfo(connection): ConnectInfo<AbortHandle>,
    request: Request,
    next: Next,
) -> Response {
    let endpoint = Endpoint::of(request.uri().path());
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str())
        .to_owned();
    let request = if endpoint == Some(Endpoint::Graph) {
        match remembered(&authority, request, &target).await {
            Ok(request) => request,
            Err(too_large) => return too_large.into_response(),
        }
    } else {
        request
    };
    let followed = target.ends_with(AFTER_REDIRECT);
    let Some(outage) = authority.condition().arrived(endpoint, target.clone()) else {
        return next.run(request).await;
    };
    match outage {
        Fault::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            refusal(&authority, endpoint, status)
        }
        Fault::Answer(status, body) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, axum::Json(body)).into_response()
        }
        Fault::Throttle(seconds) => {
            let refusal = refusal(&authority, endpoint, StatusCode::TOO_MANY_REQUESTS);
            ([(header::RETRY_AFTER, seconds.to_string())], refusal).into_response()
        }
        Fault::Hang => {
            authority.until_stopped().await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Fault::CloseConnection => {
            connection.cut();
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Fault::NotJson => Html(SERVICE_PAGE).into_response(),
        Fault::EmptyKeys if endpoint == Some(Endpoint::Keys) => {
            axum::Json(json!({ "keys": [] })).into_response()
        }
        Fault::Oversized => oversized(next.run(request).await).await,
        Fault::Redirect if !followed => {
            let joint = if target.contains('?') { '&' } else { '?' };
            let address = format!("{}{target}{joint}{AFTER_REDIRECT}", authority.base);
            (StatusCode::FOUND, [(header::LOCATION, address)]).into_response()
        }
        Fault::Slow(delay) => {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = authority.until_stopped() => {}
            }
            next.run(request).await
        }
        Fault::EmptyKeys | Fault::Redirect | Fault::WrongIssuer => next.run(request).await,
    }
}

/// Remembers a request to Graph with its body, and hands it on.
async fn remembered(
    authority: &Authority,
    request: Request,
    target: &str,
) -> Result<Request, StatusCode> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, OVERSIZE)
        .await
        .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    authority.condition().graph_called(GraphCall {
        method: head.method.to_string(),
        target: target.to_owned(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    Ok(Request::from_parts(head, body.into()))
}

fn refusal(authority: &Authority, endpoint: Option<Endpoint>, status: StatusCode) -> Response {
    match endpoint {
        Some(Endpoint::Graph) => GraphError::out_of_order(status).into_response_at(&authority.base),
        _ => (status, Html(SERVICE_PAGE)).into_response(),
    }
}

/// The same document behind two mebibytes of spaces, which JSON allows.
async fn oversized(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    match axum::body::to_bytes(body, OVERSIZE).await {
        Ok(document) => {
            let mut bytes = vec![b' '; OVERSIZE];
            bytes.extend_from_slice(&document);
            Response::from_parts(head, bytes.into())
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

const AFTER_REDIRECT: &str = "redirected=1";
const SERVICE_PAGE: &str = "<!doctype html><title>Service unavailable</title><p>We are sorry.";
const OVERSIZE: usize = 2 * 1024 * 1024;
