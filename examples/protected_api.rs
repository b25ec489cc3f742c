//! The sample protected API: `cargo run --example protected_api`, then paste what it prints.
//!
//! Without settings it brings its own authority, the embedded emulator. For a real tenant give it
//! an `appsettings.json` with a section `AzureAd` (`--settings FILE`), or `AzureAd__TenantId` and
//! `AzureAd__ClientId` in the environment.

mod inspect;
mod startup;
mod whoami;

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_entra::guard::{RequireAppOnly, RequireIdentity, RequireRole, RequireScope};
use axum_entra::{Builder, Permit, UserKey, guards};
use serde::{Deserialize, Serialize};
use serde_json::json;
use startup::Sample;
use tower_http::cors::CorsLayer;
use tower_http::trace::TraceLayer;

guards! {
    /// A user with a list of their own.
    CanUseTodos = RequireScope("access_as_user").and(RequireIdentity);
    /// Everybody's lists: an application's permission, or a user's with a role.
    CanReadAllTodos = RequireRole("Todo.Read.All")
        .or(RequireScope("access_as_user").and(RequireRole("Todo.Admin")));
    /// A job that no user stands behind.
    CanRunJobs = RequireAppOnly.and(RequireRole("Tasks.Run"));
}

/// To-do lists by owner, never by a name or an address: those change hands.
type Todos = Arc<Mutex<HashMap<UserKey, Vec<Todo>>>>;

#[derive(Debug, Clone, Serialize)]
struct Todo {
    id: usize,
    title: String,
    done: bool,
}

#[derive(Debug, Deserialize)]
struct NewTodo {
    title: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    startup::run_described(describe, routes).await
}

/// What clients that know nothing of this API find in its protected-resource metadata.
fn describe(builder: Builder, listener: String) -> Builder {
    builder
        .default_resource(listener)
        .resource_name("To-do lists, a sample of axum-entra")
        .resource_scopes(["access_as_user"])
}

async fn routes(sample: &Sample) -> Router {
    let entra = sample.entra.clone();
    let (counted, metrics) = (entra.clone(), sample.metrics.clone());
    let open = Router::new()
        .route(
            "/metrics",
            get(move || startup::metrics(counted.clone(), metrics.clone())),
        )
        .route("/health", get(|| async { "ok" }))
        .route("/ready", get(move || startup::ready(entra.clone())));
    let protected = Router::new()
        .route("/me", get(whoami::whoami))
        // Guards in the handlers' signatures …
        .route("/todos", get(list).post(create))
        // … or as layers around routes; a request has to pass all that lie on its way.
        .route("/todos/all", get(list_all).layer(CanReadAllTodos))
        .route(
            "/jobs",
            post(|| async { StatusCode::ACCEPTED }).layer(CanRunJobs),
        )
        .layer(CorsLayer::permissive())
        .route_layer(sample.entra.layer())
        .with_state(Todos::default());
    let open = startup::with_metadata(&sample.entra, open)
        .merge(inspect::routes(sample.entra.clone(), inspected()));
    open.merge(protected).layer(TraceLayer::new_for_http())
}

/// What `/inspect` can be asked about.
fn inspected() -> Vec<inspect::Asked> {
    vec![
        ("GET /me", None),
        ("GET /todos", Some(Arc::new(CanUseTodos))),
        ("GET /todos/all", Some(Arc::new(CanReadAllTodos))),
        ("POST /jobs", Some(Arc::new(CanRunJobs))),
    ]
}

async fn list(permit: Permit<CanUseTodos>, State(todos): State<Todos>) -> Json<Vec<Todo>> {
    let owner = permit.claims().user_key();
    let todos = todos.lock().unwrap_or_else(PoisonError::into_inner);
    Json(
        owner
            .and_then(|owner| todos.get(&owner).cloned())
            .unwrap_or_default(),
    )
}

async fn list_all(State(todos): State<Todos>) -> Json<Vec<Todo>> {
    let todos = todos.lock().unwrap_or_else(PoisonError::into_inner);
    Json(todos.values().flatten().cloned().collect())
}

async fn create(
    permit: Permit<CanUseTodos>,
    State(todos): State<Todos>,
    body: Bytes,
) -> Result<(StatusCode, Json<Todo>), Response> {
    let NewTodo { title } = serde_json::from_slice(&body).map_err(|_| invalid_body())?;
    // The guard asked for an identity, so there is a key.
    let owner = permit.claims().user_key().ok_or_else(invalid_body)?;
    let mut todos = todos.lock().unwrap_or_else(PoisonError::into_inner);
    let list = todos.entry(owner).or_default();
    let todo = Todo {
        id: list.len() + 1,
        title,
        done: false,
    };
    list.push(todo.clone());
    Ok((StatusCode::CREATED, Json(todo)))
}

fn invalid_body() -> Response {
    let problem = json!({
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "The body is not a JSON object with a string `title`.",
        "error": "invalid_request",
        "reason": "invalid_body",
    });
    let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        content_type,
        problem.to_string(),
    )
        .into_response()
}
