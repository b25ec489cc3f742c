//! A note belongs to its owner: a rule that needs a path parameter and a row of the database.
#![allow(dead_code, reason = "the notes of the program are in memory")]

// ANCHOR: extractor
use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use axum_entra::guard::{RequireRole, RequireScope, RequireUser};
use axum_entra::{AccountId, Claims, Entra, Permit, guards};

guards! {
    CanRead = RequireScope::any(["Todo.Read", "Todo.ReadWrite"]);
    /// An administrator of their own tenant, through a client that may read.
    IsAdmin = RequireUser.and(RequireScope("Todo.Read")).and(RequireRole("Todo.Admin"));
}

/// The database.
#[derive(Debug, Default)]
pub(crate) struct Notes(HashMap<u64, Note>);

#[derive(Debug, Clone)]
pub(crate) struct Note {
    owner: AccountId,
    text: &'static str,
}

/// The note of the path, if it is the caller's. A handler that takes it cannot forget the check.
pub(crate) struct OwnNote(Note);

impl FromRequestParts<Arc<Notes>> for OwnNote {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, notes: &Arc<Notes>) -> Result<Self, Response> {
        // First who calls and what the client may do: 401, 403.
        let permit = Permit::<CanRead>::from_request_parts(parts, notes)
            .await
            .map_err(IntoResponse::into_response)?;
        let Path(id) = Path::<u64>::from_request_parts(parts, notes)
            .await
            .map_err(|_| not_found())?;
        // Tenant and object id together: an object id by itself is not unique across tenants.
        let caller = permit.claims().account_id();
        let note = notes.0.get(&id);
        // Another's note is 404, as one that is not there: 403 would say that it exists. A caller without an
        // account (`None`) owns nothing.
        note.filter(|note| Some(&note.owner) == caller.as_ref())
            .map(|note| Self(note.clone()))
            .ok_or_else(not_found)
    }
}

fn not_found() -> Response {
    StatusCode::NOT_FOUND.into_response()
}
// ANCHOR_END: extractor

// ANCHOR: app
pub(crate) fn app(entra: &Entra, notes: Arc<Notes>) -> Router {
    Router::new()
        .route("/notes/{id}", get(read))
        .route("/notes", get(of_the_tenant))
        .route_layer(entra.layer())
        .with_state(notes)
}

async fn read(OwnNote(note): OwnNote) -> &'static str {
    note.text
}

/// All notes of the administrator's own tenant, never of another: each tenant's administrator decides who has
/// the role there.
async fn of_the_tenant(
    permit: Permit<IsAdmin>,
    State(notes): State<Arc<Notes>>,
) -> Json<Vec<&'static str>> {
    let tenant = permit.claims().tenant_id();
    let is_own = |note: &&Note| match &note.owner {
        AccountId::Entra { tenant_id, .. } => Some(*tenant_id) == tenant,
        _ => false,
    };
    Json(
        notes
            .0
            .values()
            .filter(is_own)
            .map(|note| note.text)
            .collect(),
    )
}
// ANCHOR_END: app

impl Notes {
    /// One note, of the emulator's user alice.
    pub(crate) fn of_alice() -> Self {
        let ids = (
            entra_emulator::CONTOSO.parse(),
            entra_emulator::ALICE.parse(),
        );
        let (Ok(tenant), Ok(object)) = ids else {
            return Self::default();
        };
        let note = Note {
            owner: AccountId::Entra {
                tenant_id: tenant,
                object_id: object,
            },
            text: "buy milk",
        };
        Self(HashMap::from([(1, note)]))
    }
}

// ANCHOR: text
/// The parameter `owner`. `None`, a token that names no account, owns nothing: refuse it (`RequireAccountId`).
fn owner_text(claims: &Claims) -> Option<String> {
    claims.account_id().map(|account| account.to_string())
}

/// Back from the row, or from an administrator's request that has tenant and object id.
fn account(text: &str) -> Option<AccountId> {
    text.parse().ok()
}
// ANCHOR_END: text

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::sync::Arc;

    use entra_emulator::{ALICE, Emulator, FABRIKAM};
    use serde_json::json;

    use super::{Notes, account, app, owner_text};
    use crate::asked::{json, request, send, status, trusting};

    #[tokio::test]
    async fn a_note_is_there_for_its_owner_only() {
        let emulator = Emulator::start().await.unwrap();
        let many = [("TenantId", "organizations"), ("AllowedTenants", "any")];
        let entra = trusting(&emulator, &many).build().unwrap();
        let app = app(&entra, Arc::new(Notes::of_alice()));
        let alice = emulator.token().user("alice").scope("Todo.Read");
        let bob = emulator.token().user("bob").scope("Todo.Read");
        let erin = emulator.token().user("erin").scope("Todo.Read");
        // The same object id in another tenant is another account.
        let twin = erin.tenant(FABRIKAM).client("cli").claim("oid", ALICE);
        for (line, token, expected) in [
            ("GET /notes/1", Some(&alice), 200),
            ("GET /notes/1", Some(&bob), 404),
            ("GET /notes/1", Some(&twin), 404),
            ("GET /notes/2", Some(&alice), 404),
            ("GET /notes/x", Some(&alice), 404),
            ("GET /notes/1", None, 401),
        ] {
            assert_eq!(status(&app, line, token).await, expected, "{line}");
        }
        let poor = emulator.token().user("alice").scope("Other");
        assert_eq!(status(&app, "GET /notes/1", Some(&poor)).await, 403);
    }

    #[tokio::test]
    async fn an_administrator_sees_their_own_tenant_only() {
        let emulator = Emulator::start().await.unwrap();
        let many = [("TenantId", "organizations"), ("AllowedTenants", "any")];
        let entra = trusting(&emulator, &many).build().unwrap();
        let app = app(&entra, Arc::new(Notes::of_alice()));
        let user = |name: &str| emulator.token().user(name).scope("Todo.Read");
        let own = user("bob").roles(["Todo.Admin"]);
        let other = user("erin").tenant(FABRIKAM).client("cli");
        let other = other.roles(["Todo.Admin"]);
        for (token, expected) in [(&own, json!(["buy milk"])), (&other, json!([]))] {
            let answer = send(&app, request("GET /notes", Some(token))).await;
            assert_eq!(answer.status(), 200);
            assert_eq!(json(answer).await, expected);
        }
        let user = user("bob").roles(["Todo.Read.All"]);
        let app_only = emulator.token().app("daemon").roles(["Todo.Admin"]);
        for token in [&user, &app_only] {
            assert_eq!(status(&app, "GET /notes", Some(token)).await, 403);
        }
    }
    #[test]
    fn an_account_is_text_and_back_and_an_address_is_none() {
        let alice = axum_entra::testing::claims().build();
        let text = owner_text(&alice).unwrap();
        assert_eq!(account(&text), alice.account_id());
        assert!(account("alice@contoso.example").is_none());
    }
}
