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
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use axum_entra::{CallerToken, GraphClient, Rejection};
/// use entra_emulator::{Emulator, Endpoint, Fault};
/// use tower::ServiceExt;
///
/// async fn groups(directory: GraphClient, caller: CallerToken) -> Result<String, Rejection> {
///     Ok(directory.member_groups(&caller).await?.join(" "))
/// }
///
/// let emulator = Emulator::start().await?;
/// # let access = axum_entra::graph::GraphConfig::new(axum_entra::graph::ClientCredential::secret(entra_emulator::API_SECRET));
/// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
/// # let authority = authority.instance(emulator.url()).graph(access.graph_url(emulator.graph_url()));
/// # let entra = axum_entra::Entra::builder_for(authority).build()?;
/// let app: Router = Router::new().route("/groups", get(groups)).route_layer(entra.layer());
/// let status = async |user: &str| {
///     let token = emulator.token().user(user).scope("Todo.Read").mint();
///     let request = Request::get("/groups").header("authorization", format!("Bearer {token}"));
///     app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
/// };
/// assert_eq!(status("alice").await, 200);
/// emulator.inject_fault_at(Endpoint::Graph, Fault::Status(500));
/// assert_eq!(status("bob").await, 503);
/// # Ok(()) }
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
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::{Emulator, Endpoint, Fault};
    ///
    /// let emulator = Emulator::start().await?;
    /// # let access = axum_entra::graph::GraphConfig::new(axum_entra::graph::ClientCredential::secret(entra_emulator::API_SECRET));
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url()).graph(access.graph_url(emulator.graph_url()));
    /// # let entra = axum_entra::Entra::builder_for(authority).build()?;
    /// let token = |user| emulator.token().user(user).scope("Todo.Read").mint();
    /// let dave = entra.validate_caller(&token("dave")).await?;
    /// // More than a token can list.
    /// assert_eq!(entra.graph().member_groups(&dave).await?.len(), 250);
    ///
    /// emulator.inject_fault_at(Endpoint::Graph, Fault::Status(500));
    /// let alice = entra.validate_caller(&token("alice")).await?;
    /// assert_eq!(entra.graph().member_groups(&alice).await.unwrap_err().status(), 503);
    /// // Dave's are still known.
    /// assert!(entra.graph().member_groups(&dave).await.is_ok());
    /// # Ok(()) }
    /// ```
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
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let access = axum_entra::graph::GraphConfig::new(axum_entra::graph::ClientCredential::secret(entra_emulator::API_SECRET));
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url()).graph(access.graph_url(emulator.graph_url()));
    /// # let entra = axum_entra::Entra::builder_for(authority).build()?;
    /// let scopes = ["https://graph.microsoft.com/User.Read"];
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let user = entra.validate_caller(&token).await?;
    /// let for_graph = entra.graph().on_behalf_of(&user, &scopes).await?;
    /// assert!(for_graph.expires_in().as_secs() > 0);
    ///
    /// // An application acts for no user.
    /// let token = emulator.token().app("daemon").roles(["Tasks.Run"]).mint();
    /// let daemon = entra.validate_caller(&token).await?;
    /// let refused = entra.graph().on_behalf_of(&daemon, &scopes).await.unwrap_err();
    /// assert_eq!(refused.reason(), "user_only");
    /// # Ok(()) }
    /// ```
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
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let access = axum_entra::graph::GraphConfig::new(axum_entra::graph::ClientCredential::secret(entra_emulator::API_SECRET));
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url()).graph(access.graph_url(emulator.graph_url()));
    /// # let entra = axum_entra::Entra::builder_for(authority).build()?;
    /// let scopes = ["https://graph.microsoft.com/.default"];
    /// let token = entra.graph().client_credentials_token(None, &scopes).await?;
    /// assert!(!format!("{token:?}").contains(token.expose_secret()));
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let without = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    ///
    /// // An `Entra` without credentials.
    /// assert!(without.graph().client_credentials_token(None, &scopes).await.is_err());
    /// # Ok(()) }
    /// ```
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
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::{BOB, Emulator};
    ///
    /// let emulator = Emulator::start().await?;
    /// # let access = axum_entra::graph::GraphConfig::new(axum_entra::graph::ClientCredential::secret(entra_emulator::API_SECRET));
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url()).graph(access.graph_url(emulator.graph_url()));
    /// # let entra = axum_entra::Entra::builder_for(authority).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let caller = entra.validate_caller(&token).await?;
    /// let graph = entra.graph();
    /// let bob = graph.resolve_user_id(&caller, "bob@contoso.onmicrosoft.com").await?;
    /// assert_eq!(bob.to_string(), BOB);
    /// let unknown = graph.resolve_user_id(&caller, "zoe@contoso.onmicrosoft.com").await;
    /// assert_eq!(unknown.unwrap_err().status(), 404);
    /// // An id is not looked up.
    /// assert_eq!(graph.resolve_user_id(&caller, BOB).await?, bob);
    /// # Ok(()) }
    /// ```
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
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::graph::SessionRevocation;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let access = axum_entra::graph::GraphConfig::new(axum_entra::graph::ClientCredential::secret(entra_emulator::API_SECRET));
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url()).graph(access.graph_url(emulator.graph_url()));
    /// # let entra = axum_entra::Entra::builder_for(authority).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let caller = entra.validate_caller(&token).await?;
    /// let account = caller.claims().account_id().unwrap();
    /// let graph = entra.graph();
    /// let at = graph.revoke_sessions(&caller, None, SessionRevocation::SignInSessions).await?;
    /// // Access tokens live on, unless this API refuses them.
    /// assert!(entra.validate(&token).await.is_ok());
    /// entra.revoke_tokens_issued_before(&account, at).await?;
    /// assert_eq!(entra.validate(&token).await.unwrap_err().reason(), "revoked");
    /// # Ok(()) }
    /// ```
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
        connection.invalidate(asker.account.tenant, object);
        let since = Duration::from_secs(cut_off);
        Ok(UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH))
    }

    /// Forgets what is known of an account, in every authority: its memberships, its sessions,
    /// and tokens on its behalf. Other accounts are not affected.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let access = axum_entra::graph::GraphConfig::new(axum_entra::graph::ClientCredential::secret(entra_emulator::API_SECRET));
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url()).graph(access.graph_url(emulator.graph_url()));
    /// # let entra = axum_entra::Entra::builder_for(authority).build()?;
    /// let token = emulator.token().user("bob").scope("Todo.Read").mint();
    /// let bob = entra.validate_caller(&token).await?;
    /// assert!(entra.graph().member_groups(&bob).await?.is_empty());
    /// emulator.set_memberships("bob", ["aaaaaaaa-0000-4000-8000-000000000001"]);
    /// // The answer is kept for five minutes.
    /// assert!(entra.graph().member_groups(&bob).await?.is_empty());
    ///
    /// let (tenant, object) = (bob.claims().tenant_id(), bob.claims().object_id());
    /// entra.graph().invalidate_account(tenant.unwrap(), object.unwrap());
    /// assert_eq!(entra.graph().member_groups(&bob).await?.len(), 1);
    /// # Ok(()) }
    /// ```
    pub fn invalidate_account(&self, tenant: Uuid, object: Uuid) {
        for connection in self.connections.iter() {
            connection.invalidate(tenant, object);
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
