//! The directory, for handlers.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use uuid::Uuid;

use crate::claims::Claims;
use crate::graph::{AccessToken, Connection, GraphError, SessionRevocation};
use crate::guid::parse_guid;

use super::caller_token::CallerToken;
use super::context::AuthorityContext;
use super::guard_layer::missing_claims;
use super::head::Head;
use super::patience::Patience;
use super::rejection::Rejection;

/// What only Microsoft Graph knows, and tokens for other APIs: in a handler's signature, or from
/// [`Entra::graph`](crate::Entra::graph). Cheap to clone.
///
/// Every method waits for Graph or the token endpoint where the answer is not known, each call
/// for `Keys:TimeoutMillis` at most, and one request for twice that in all: what its layer and its
/// guards asked counts too. Many who ask the same at a time are one question.
///
/// ```
/// use axum_entra::{CallerToken, GraphClient, Rejection};
///
/// async fn profile(directory: GraphClient, caller: CallerToken) -> Result<String, Rejection> {
///     let token = directory
///         .on_behalf_of(&caller, &["https://graph.microsoft.com/User.Read"])
///         .await?;
///     Ok(format!("calling Graph with a token for {:?}", token.expires_in()))
/// }
/// ```
#[derive(Clone)]
pub struct GraphClient {
    connections: Arc<[Arc<Connection>]>,
    /// What is left of the request's patience; a call's own outside of requests.
    patience: Option<Patience>,
}

impl GraphClient {
    pub(crate) fn new(connections: Arc<[Arc<Connection>]>) -> Self {
        Self {
            connections,
            patience: None,
        }
    }

    async fn wait<T>(
        &self,
        connection: &Connection,
        asking: impl Future<Output = Result<T, GraphError>>,
    ) -> Result<T, GraphError> {
        match &self.patience {
            Some(patience) => patience.wait(asking).await,
            None => Patience::new(connection.longest()).wait(asking).await,
        }
    }

    /// The ids of all groups, directory roles and administrative units that the caller is a
    /// member of, nested ones too, however many there are.
    ///
    /// For deciding on a few groups a guard is better: it asks about those only.
    ///
    /// # Errors
    /// [`Rejection`]: 503 where Graph does not answer or there are no credentials, 404 where it
    /// does not know the caller, 403 for a token that names no account, and the claims challenge
    /// of [`on_behalf_of`](Self::on_behalf_of).
    pub async fn member_groups(&self, caller: &CallerToken) -> Result<Arc<[String]>, Rejection> {
        let refused = |error| caller.rejection(&error);
        let connection = connection(caller.claims()).map_err(refused)?;
        let asker = caller.asker().map_err(refused)?;
        let asking = connection.member_objects(asker);
        self.wait(connection, asking).await.map_err(refused)
    }

    /// A token for other scopes on behalf of the user who calls, kept until shortly before its
    /// end (Microsoft, "OAuth 2.0 On-Behalf-Of flow").
    ///
    /// # Errors
    /// [`Rejection`]: 403 `user_only` for an application's own token, and before anything is
    /// sent. Where the authority wants the user to sign in again, 401 `interaction_required`, with
    /// its claims challenge if it gave one. 403 `consent_required` where consent is missing, 403
    /// `directory_refused` where a policy forbids it. 503 where there are no credentials, or no
    /// token is given out for another reason; the log says which.
    pub async fn on_behalf_of<S: AsRef<str>>(
        &self,
        caller: &CallerToken,
        scopes: &[S],
    ) -> Result<AccessToken, Rejection> {
        let refused = |error| caller.rejection(&error);
        let connection = connection(caller.claims()).map_err(refused)?;
        let asker = caller.asker().map_err(refused)?;
        let scopes = in_one_line(scopes);
        let asking = connection.on_behalf_of(asker, &scopes);
        self.wait(connection, asking).await.map_err(refused)
    }

    /// A token of this API itself (client credentials), of the first authority that has
    /// credentials: in a tenant, or in the authority's own without one. The scope is one
    /// resource's `.default`.
    ///
    /// # Errors
    /// [`GraphError`] where there are no credentials or the token endpoint gives no token.
    pub async fn client_credentials_token<S: AsRef<str>>(
        &self,
        tenant: Option<Uuid>,
        scopes: &[S],
    ) -> Result<AccessToken, GraphError> {
        let connection = self.connections.first().ok_or(GraphError::NotConfigured)?;
        let scopes = in_one_line(scopes);
        let asking = connection.client_credentials_token(tenant, &scopes);
        self.wait(connection, asking).await
    }

    /// The object id of a user that is named by that id or by user principal name.
    ///
    /// Graph is asked for names only; whether a user of that id exists is not checked.
    ///
    /// # Errors
    /// [`Rejection`]: 404 for a name that Graph does not know, 403 `directory_refused` where Graph
    /// refuses to look it up, else as [`member_groups`](Self::member_groups).
    pub async fn resolve_user_id(
        &self,
        caller: &CallerToken,
        user: &str,
    ) -> Result<Uuid, Rejection> {
        if let Some(id) = parse_guid(user) {
            return Ok(id);
        }
        let refused = |error| caller.rejection(&error);
        let connection = connection(caller.claims()).map_err(refused)?;
        let asker = caller.asker().map_err(refused)?;
        let asking = connection.object_id(asker, user);
        self.wait(connection, asking).await.map_err(refused)
    }

    /// Has Graph end all sign-in sessions of a user, or of the caller without one.
    ///
    /// It concerns refresh tokens and cookies; access tokens live on to their end, unless the API
    /// refuses them too: give the time that comes back to
    /// [`Entra::revoke_tokens_issued_before`](crate::Entra::revoke_tokens_issued_before).
    /// It is that of Graph's clock when it agreed, rounded up to a whole second. What was known of
    /// the account's sessions is forgotten. That the caller may do this is for a guard to say, and
    /// for Graph.
    ///
    /// # Errors
    /// [`Rejection`], as [`on_behalf_of`](Self::on_behalf_of). For another user than the caller
    /// also 404 `not_found` where Graph does not know the id, and 403 `directory_refused` where
    /// Graph refuses: then no session has ended, and this API should not revoke tokens either.
    pub async fn revoke_sessions(
        &self,
        caller: &CallerToken,
        user: Option<Uuid>,
        which: SessionRevocation,
    ) -> Result<SystemTime, Rejection> {
        let refused = |error| caller.rejection(&error);
        let connection = connection(caller.claims()).map_err(refused)?;
        let asker = caller.asker().map_err(refused)?;
        let asking = connection.revoke(asker, user, which);
        let cut_off = self.wait(connection, asking).await.map_err(refused)?;
        let object = user.unwrap_or(asker.account.object);
        connection.forget([(asker.account.tenant, object)]);
        let since = Duration::from_secs(cut_off);
        Ok(UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH))
    }

    /// Forgets what is known of an account, in every authority: its memberships, its sessions,
    /// and tokens on its behalf. Other accounts are not affected.
    pub fn invalidate_account(&self, tenant: Uuid, object: Uuid) {
        for connection in self.connections.iter() {
            connection.forget([(tenant, object)]);
        }
    }
}

impl<S: Sync> FromRequestParts<S> for GraphClient {
    type Rejection = Rejection;

    /// That of the authority which issued the caller's token.
    ///
    /// # Errors
    /// 401 and 500 as for `Claims`.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let Some(claims) = parts.extensions.get::<Claims>() else {
            let used = "the extractor GraphClient";
            return Err(missing_claims(used, Head::of_parts(parts)));
        };
        let own = connection(claims).ok().cloned();
        let patience = own
            .as_deref()
            .map(|connection| Patience::of(&parts.extensions, connection));
        if let Some(patience) = &patience {
            parts.extensions.insert(patience.clone());
        }
        Ok(Self {
            connections: own.into_iter().collect(),
            patience,
        })
    }
}

/// The connection of the authority that issued the caller's token.
fn connection(claims: &Claims) -> Result<&Arc<Connection>, GraphError> {
    AuthorityContext::of(claims)
        .and_then(|origin| origin.directory.as_ref())
        .ok_or(GraphError::NotConfigured)
}

fn in_one_line<S: AsRef<str>>(scopes: &[S]) -> String {
    let scopes: Vec<&str> = scopes.iter().map(AsRef::as_ref).collect();
    scopes.join(" ")
}

impl fmt::Debug for GraphClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphClient")
            .field("connections", &self.connections.len())
            .finish()
    }
}
