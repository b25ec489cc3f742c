//! Ending sessions and signing out: what both sample programs let a caller do to an account.
#![allow(dead_code, reason = "each program uses its part")]

use std::time::SystemTime;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum_entra::graph::SessionRevocation;
use axum_entra::guard::{RequireRole, RequireScope};
use axum_entra::{
    AccountId, CallerToken, Claims, Entra, GraphClient, Rejection, RevokeError, Uuid, guards,
};
use axum_entra_openapi::OpenApiRouterExt;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

guards! {
    /// Users, for their own refresh tokens.
    pub(crate) CanInvalidateOwn = RequireScope::any(
        ["User.ReadWrite", "Directory.ReadWrite.All", "Directory.AccessAsUser.All"],
    );
    /// Users, for their own sessions.
    pub(crate) CanRevokeOwn = CanInvalidateOwn.or(RequireScope("User.RevokeSessions.All"));
    /// Administrators and applications, for other users.
    pub(crate) CanRevokeOthers =
        RequireScope::any(["Directory.ReadWrite.All", "Directory.AccessAsUser.All"])
            .or(RequireRole("User.RevokeSessions.All"));
}

/// The routes of `protected_api`, each with its guard.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(entra: &Entra) -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(invalidate_own).require_guard(CanInvalidateOwn))
        .routes(routes!(revoke_own).require_guard(CanRevokeOwn))
        .routes(routes!(invalidate).require_guard(CanRevokeOthers))
        .routes(routes!(revoke).require_guard(CanRevokeOthers))
        .routes(routes!(sign_out))
        .with_state(entra.clone())
}

/// Makes the caller's refresh tokens invalid, and refuses the caller's older access tokens.
#[utoipa::path(post, path = "/me/invalidateAllRefreshTokens", responses((status = 204, description = "Done")))]
async fn invalidate_own(
    State(entra): State<Entra>,
    directory: GraphClient,
    caller: CallerToken,
) -> Result<StatusCode, Rejection> {
    end_own(
        &entra,
        &directory,
        &caller,
        SessionRevocation::RefreshTokens,
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the caller's sessions, and refuses the caller's older access tokens.
#[utoipa::path(post, path = "/me/revokeSignInSessions", responses((status = 200, body = Value, description = "Done")))]
async fn revoke_own(
    State(entra): State<Entra>,
    directory: GraphClient,
    caller: CallerToken,
) -> Result<Json<Value>, Rejection> {
    end_own(
        &entra,
        &directory,
        &caller,
        SessionRevocation::SignInSessions,
    )
    .await?;
    Ok(Json(json!({ "value": true })))
}

/// Makes a user's refresh tokens invalid, and refuses the user's older access tokens.
#[utoipa::path(post, path = "/users/{id}/invalidateAllRefreshTokens", params(("id" = String, Path, description = "Object id or user principal name")), responses((status = 204, description = "Done")))]
async fn invalidate(
    State(entra): State<Entra>,
    Path(user): Path<String>,
    directory: GraphClient,
    caller: CallerToken,
) -> Result<StatusCode, Rejection> {
    end(
        &entra,
        &directory,
        &caller,
        &user,
        SessionRevocation::RefreshTokens,
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a user's sessions, and refuses the user's older access tokens.
#[utoipa::path(post, path = "/users/{id}/revokeSignInSessions", params(("id" = String, Path, description = "Object id or user principal name")), responses((status = 200, body = Value, description = "Done")))]
pub(crate) async fn revoke(
    State(entra): State<Entra>,
    Path(user): Path<String>,
    directory: GraphClient,
    caller: CallerToken,
) -> Result<Json<Value>, Rejection> {
    end(
        &entra,
        &directory,
        &caller,
        &user,
        SessionRevocation::SignInSessions,
    )
    .await?;
    Ok(Json(json!({ "value": true })))
}

/// Forgets what is kept of the caller.
#[utoipa::path(post, path = "/signout", responses((status = 204, description = "Forgotten")))]
pub(crate) async fn sign_out(State(entra): State<Entra>, claims: Claims) -> StatusCode {
    // A token without an account has left nothing to remove.
    if let Some(account) = claims.account_id() {
        entra.remove_account(&account).await;
    }
    StatusCode::NO_CONTENT
}

async fn end_own(
    entra: &Entra,
    directory: &GraphClient,
    caller: &CallerToken,
    which: SessionRevocation,
) -> Result<(), Rejection> {
    let (entra, directory, caller) = (entra.clone(), directory.clone(), caller.clone());
    to_its_end(async move {
        let told = directory.revoke_sessions(&caller, None, which).await;
        cut_off_own(&entra, &caller, told).await
    })
    .await
}

async fn end(
    entra: &Entra,
    directory: &GraphClient,
    caller: &CallerToken,
    user: &str,
    which: SessionRevocation,
) -> Result<(), Rejection> {
    let object: Uuid = directory.resolve_user_id(caller, user).await?;
    let (entra, directory, caller) = (entra.clone(), directory.clone(), caller.clone());
    to_its_end(async move {
        let told = directory
            .revoke_sessions(&caller, Some(object), which)
            .await;
        let claims = caller.claims();
        let account = claims.tenant_id().map(|tenant| AccountId::Entra {
            tenant_id: tenant,
            object_id: object,
        });
        if claims.account_id() == account {
            return cut_off_own(&entra, &caller, told).await;
        }
        // No other account is cut off unless Graph agreed.
        let cut_off = told?;
        match account {
            Some(account) => revoke_at(&entra, &account, cut_off).await,
            None => Ok(()),
        }
    })
    .await
}

/// Whatever Graph says, the caller's own older tokens end here.
async fn cut_off_own(
    entra: &Entra,
    caller: &CallerToken,
    told: Result<SystemTime, Rejection>,
) -> Result<(), Rejection> {
    let Some(account) = caller.claims().account_id() else {
        return told.map(drop);
    };
    match told {
        Ok(cut_off) => revoke_at(entra, &account, cut_off).await,
        Err(rejection) => {
            // Here it holds at once, also if other replicas cannot be informed; Graph's no is the answer.
            let _ = entra.revoke_tokens(&account).await;
            Err(rejection)
        }
    }
}

async fn revoke_at(entra: &Entra, account: &AccountId, at: SystemTime) -> Result<(), Rejection> {
    match entra.revoke_tokens_issued_before(account, at).await {
        Ok(()) => Ok(()),
        Err(RevokeError::NotShared(error)) => Err(error.into()),
        // Graph's time is never that far ahead; the present does as well.
        Err(_) => Ok(entra.revoke_tokens(account).await?),
    }
}

/// A caller who hangs up must not leave a revocation half done.
async fn to_its_end(
    work: impl Future<Output = Result<(), Rejection>> + Send + 'static,
) -> Result<(), Rejection> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        // It is never aborted, so it panicked; the server answers that as it would have.
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}
