//! The API of Microsoft's React tutorial, route by route: `cargo run --example todolist`
//!
//! The tutorial "Call a protected API" (`ms-identity-javascript-react-tutorial`,
//! `3-Authorization-II/1-call-api`) has an Express API with five routes under `/api/todolist`. This
//! is that API: the same routes, permissions and bodies, so that the tutorial's single-page
//! application works with it unchanged. Two things are stricter: a list item belongs to the user
//! whose token came with it, whatever the body says, and what is not there is 404.
//!
//! **With a real tenant.** Follow the tutorial's steps for the two registrations (or
//! `docs/app_registration.md`): the API exposes the scopes `Todolist.Read`, `Todolist.ReadWrite`
//! and the app roles `Todolist.Read.All`, `Todolist.ReadWrite.All`. Then
//! `AzureAd__TenantId=… AzureAd__ClientId=… cargo run --example todolist -- --listen 127.0.0.1:5000`
//! (the application expects port 5000), and start the application.

mod startup;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use axum_entra::guard::{RequireAppOnly, RequireRole, RequireScope, RequireUser};
use axum_entra::{AccountId, Claims, Permit, Principal, Uuid, guards};
use entra_emulator::{API_ID, App, DAEMON_ID, DAEMON_SECRET, Emulator};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use startup::{Plan, Sample};

guards! {
    /// A user with either scope, or an application with either role.
    CanRead = RequireUser.and(RequireScope::any(["Todolist.Read", "Todolist.ReadWrite"]))
        .or(RequireAppOnly.and(RequireRole::any(["Todolist.Read.All", "Todolist.ReadWrite.All"])));
    /// A user, or an application, that may change something.
    CanWrite = RequireUser.and(RequireScope("Todolist.ReadWrite"))
        .or(RequireAppOnly.and(RequireRole("Todolist.ReadWrite.All")));
}

#[derive(Debug, Clone, Serialize)]
struct Todo {
    id: String,
    /// The object id, which the page shows.
    owner: String,
    description: String,
    /// Whose it is: tenant and object id together.
    #[serde(skip)]
    account: AccountId,
}

/// The page sends all of it, or what has changed.
#[derive(Debug, Deserialize)]
struct Change {
    id: Option<String>,
    owner: Option<String>,
    description: String,
}

#[derive(Clone, Default)]
struct Todos(Arc<Mutex<Vec<Todo>>>);

impl Todos {
    fn all(&self) -> MutexGuard<'_, Vec<Todo>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose items a caller sees: a user their own, an application those of its own tenant.
fn sees(claims: &Claims, todo: &Todo) -> bool {
    match claims.principal() {
        // A role of an application proves nothing outside the tenant whose administrator assigned it.
        Principal::App => match &todo.account {
            AccountId::Entra { tenant_id, .. } => claims.tenant_id() == Some(*tenant_id),
            _ => false,
        },
        // An object id by itself is not unique across tenants; a caller without an account owns nothing.
        _ => claims.account_id().as_ref() == Some(&todo.account),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let api = ["Todolist.Read", "Todolist.ReadWrite"]
        .into_iter()
        .fold(App::api("api", API_ID), App::with_scope)
        .with_app_role("Todolist.Read.All")
        .with_app_role("Todolist.ReadWrite.All");
    let daemon = App::confidential("daemon", DAEMON_ID, DAEMON_SECRET);
    let emulator = Emulator::builder()
        .app(api)
        .app(daemon.with_role("Todolist.Read.All"));
    let plan = Plan {
        emulator,
        ..Plan::default()
    };
    startup::run_planned(plan, routes).await
}

async fn routes(sample: &Sample) -> Router {
    sample.show(|walk, _| {
        walk.user("ALICE", "alice", "Todolist.ReadWrite")
            .user("READER", "bob", "Todolist.Read")
            .app("DAEMON")
            .call_anonymously(401, "no user signed in", "GET /api/todolist")
            .call(
                200,
                "alice adds an item",
                "ALICE",
                r#"POST /api/todolist -H 'Content-Type: application/json' -d '{"id":"1","description":"milk"}'"#,
            )
            .call(200, "alice reads it", "ALICE", "GET /api/todolist/1")
            .call(200, "bob reads his own list, which is empty", "READER", "GET /api/todolist")
            .call(404, "alice's item is not there for bob", "READER", "GET /api/todolist/1")
            .call(
                403,
                "bob may read, not write",
                "READER",
                r#"POST /api/todolist -H 'Content-Type: application/json' -d '{"description":"tea"}'"#,
            )
            .call(200, "an application reads everybody's", "DAEMON", "GET /api/todolist")
            .call(403, "it may not write", "DAEMON", "DELETE /api/todolist/1")
            .call(
                200,
                "alice changes it",
                "ALICE",
                r#"PUT /api/todolist/1 -H 'Content-Type: application/json' -d '{"description":"bread"}'"#,
            )
            .call(200, "alice deletes it", "ALICE", "DELETE /api/todolist/1")
            .call_anonymously(
                200,
                "the preflight of a page on another origin",
                "OPTIONS /api/todolist -H 'Origin: http://localhost:3000' -H 'Access-Control-Request-Method: POST'",
            );
    });
    Router::new()
        .route("/api/todolist", get(list).post(create))
        .route("/api/todolist/{id}", get(read).put(change).delete(delete))
        .route_layer(sample.entra.layer())
        .with_state(Todos::default())
}

async fn list(permit: Permit<CanRead>, State(todos): State<Todos>) -> Json<Vec<Todo>> {
    let all = todos.all();
    let seen = all.iter().filter(|todo| sees(permit.claims(), todo));
    Json(seen.cloned().collect())
}

async fn read(
    permit: Permit<CanRead>,
    State(todos): State<Todos>,
    Path(id): Path<String>,
) -> Result<Json<Todo>, StatusCode> {
    let all = todos.all();
    let found = all
        .iter()
        .find(|todo| todo.id == id && sees(permit.claims(), todo));
    found.cloned().map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn create(
    permit: Permit<CanWrite>,
    State(todos): State<Todos>,
    Json(new): Json<Change>,
) -> Result<Json<Value>, StatusCode> {
    let claims = permit.claims();
    // An application says whose item it is, by the object id of a user of its own tenant.
    let account = match claims.principal() {
        Principal::App => {
            let object = new.owner.and_then(|owner| owner.parse::<Uuid>().ok());
            let ids = claims.tenant_id().zip(object);
            ids.map(|(tenant_id, object_id)| AccountId::Entra {
                tenant_id,
                object_id,
            })
        }
        _ => claims.account_id(),
    };
    let account = account.ok_or(StatusCode::UNPROCESSABLE_ENTITY)?;
    let owner = match &account {
        AccountId::Entra { object_id, .. } => object_id.to_string(),
        other => other.to_string(),
    };
    let mut all = todos.all();
    let id = new.id.unwrap_or_else(|| (all.len() + 1).to_string());
    if all.iter().any(|todo| todo.id == id) {
        return Err(StatusCode::CONFLICT);
    }
    all.push(Todo {
        id,
        owner,
        description: new.description,
        account,
    });
    Ok(success())
}

async fn change(
    permit: Permit<CanWrite>,
    State(todos): State<Todos>,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Result<Json<Value>, StatusCode> {
    let mut all = todos.all();
    let todo = all
        .iter_mut()
        .find(|todo| todo.id == id && sees(permit.claims(), todo))
        .ok_or(StatusCode::NOT_FOUND)?;
    todo.description = change.description;
    Ok(success())
}

async fn delete(
    permit: Permit<CanWrite>,
    State(todos): State<Todos>,
    Path(id): Path<String>,
) -> Result<Json<Value>, StatusCode> {
    let mut all = todos.all();
    let place = all
        .iter()
        .position(|todo| todo.id == id && sees(permit.claims(), todo))
        .ok_or(StatusCode::NOT_FOUND)?;
    all.remove(place);
    Ok(success())
}

fn success() -> Json<Value> {
    Json(json!({ "message": "success" }))
}
