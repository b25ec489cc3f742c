//! The protected routes of `protected_api`, each described where it is written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Json, Router};
// ANCHOR: uses
use axum_entra::guard::{Guard, RequireAccountId, RequireAppOnly, RequireRole, RequireScope};
use axum_entra::{AccountId, Claims, Entra, Permit, guards};
use axum_entra_openapi::{OpenApiRouterExt, SecuritySchemes};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::OpenApi;
use utoipa::{Modify, OpenApi as _, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
// ANCHOR_END: uses

use crate::{account_routes, problems, whoami};

guards! {
    /// A user with a list of their own.
    CanUseTodos = RequireScope("access_as_user").and(RequireAccountId);
    /// Everybody's lists: an application's permission, or a user's with a role.
    CanReadAllTodos = RequireRole("Todo.Read.All")
        .or(RequireScope("access_as_user").and(RequireRole("Todo.Admin")));
    /// A job that no user stands behind.
    CanRunJobs = RequireAppOnly.and(RequireRole("Tasks.Run"));
}

/// To-do lists by owner, never by a name or an address: those change hands.
type Todos = Arc<Mutex<HashMap<AccountId, Vec<Todo>>>>;

/// Something to do.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Todo {
    id: usize,
    title: String,
    done: bool,
}

/// Something to do, before it has a number.
#[derive(Debug, Deserialize, ToSchema)]
struct NewTodo {
    title: String,
}

// ANCHOR: routes
#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "protected_api",
    description = "To-do lists, a sample of axum-entra."
))]
struct Document;

/// The routes with their guards around them, and the document that the guards have written.
pub(crate) fn routes(entra: &Entra) -> (Router, OpenApi) {
    let (router, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(me))
        // A guard around a route is in the document too; `Permit` in a handler's signature proves
        // to the handler that it was there.
        .routes(routes!(list, create).require_guard(CanUseTodos))
        .routes(routes!(list_all).require_guard(CanReadAllTodos))
        .routes(routes!(run_job).require_guard(CanRunJobs))
        .merge(account_routes::routes(entra))
        .require_auth(entra.layer())
        .with_state(Todos::default())
        .split_for_parts();
    SecuritySchemes::of(entra)
        .scope("access_as_user", "Use the API as you")
        .modify(&mut document);
    (router, document)
}
// ANCHOR_END: routes

/// A route, and its guard where it has one.
type Asked = (&'static str, Option<Arc<dyn Guard + Send + Sync>>);

/// What `/inspect` can be asked about.
#[allow(dead_code, reason = "tests of the routes have no inspector")]
pub(crate) fn inspected() -> Vec<Asked> {
    vec![
        ("GET /me", None),
        ("GET /todos", Some(Arc::new(CanUseTodos))),
        ("GET /todos/all", Some(Arc::new(CanReadAllTodos))),
        ("POST /jobs", Some(Arc::new(CanRunJobs))),
    ]
}

/// Who is calling, as far as the token says.
#[utoipa::path(get, path = "/me", responses((status = 200, body = Value, description = "Who is calling")))]
async fn me(claims: Claims) -> Json<Value> {
    Json(whoami::body(&claims))
}

/// The caller's own list.
#[utoipa::path(get, path = "/todos", responses((status = 200, body = Vec<Todo>, description = "The list")))]
async fn list(permit: Permit<CanUseTodos>, State(todos): State<Todos>) -> Json<Vec<Todo>> {
    let owner = permit.claims().account_id();
    let todos = todos.lock().unwrap_or_else(PoisonError::into_inner);
    Json(
        owner
            .and_then(|owner| todos.get(&owner).cloned())
            .unwrap_or_default(),
    )
}

/// Adds to the caller's own list.
#[utoipa::path(
    post,
    path = "/todos",
    request_body = NewTodo,
    responses((status = 201, body = Todo, description = "Added"), (status = 422, description = "A body of another form")),
)]
async fn create(
    permit: Permit<CanUseTodos>,
    State(todos): State<Todos>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Todo>), Response> {
    let body =
        body.map_err(|unread| problems::invalid_body(unread.status(), "The body cannot be read."))?;
    let NewTodo { title } = serde_json::from_slice(&body).map_err(|_| invalid_body())?;
    // The guard asked for an identity, so there is a key.
    let owner = permit.claims().account_id().ok_or_else(invalid_body)?;
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

/// Everybody's lists, of the caller's own tenant.
#[utoipa::path(get, path = "/todos/all", responses((status = 200, body = Vec<Todo>, description = "The list")))]
async fn list_all(claims: Claims, State(todos): State<Todos>) -> Json<Vec<Todo>> {
    let todos = todos.lock().unwrap_or_else(PoisonError::into_inner);
    let lists = todos
        .iter()
        .filter(|(owner, _)| is_colleague(&claims, owner));
    Json(lists.flat_map(|(_, list)| list).cloned().collect())
}

/// Whether an owner is of the caller's tenant: a role is given by one tenant's administrator, and
/// says nothing about another's people.
fn is_colleague(claims: &Claims, owner: &AccountId) -> bool {
    match owner {
        AccountId::Entra {
            tenant_id: tenant, ..
        } => claims.tenant_id() == Some(*tenant),
        AccountId::Subject { issuer, .. } => claims.issuer() == &**issuer,
        _ => false,
    }
}

/// Starts a job.
#[utoipa::path(post, path = "/jobs", responses((status = 202, description = "Started")))]
async fn run_job() -> StatusCode {
    StatusCode::ACCEPTED
}

fn invalid_body() -> Response {
    problems::invalid_body(
        StatusCode::UNPROCESSABLE_ENTITY,
        "The body is not a JSON object with a string `title`.",
    )
}
