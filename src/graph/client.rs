//! One authority's connection to Microsoft Graph, with everything it remembers.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use url::Url;
use uuid::Uuid;

use super::access_token::AccessToken;
use super::cache::SingleFlightCache;
use super::client_credentials::AppTokens;
use super::config::GraphOptions;
use super::error::GraphError;
use super::http::Graph;
use super::on_behalf_of::TokensOnBehalf;
use super::place::Place;
use super::principal::{Account, Requester};
use super::sessions::Sessions;
use super::shared_answers::SharedAnswers;
use super::token_endpoint::TokenEndpointClient;
use super::transport::{GraphTransport, LastFailure};
use crate::clock::Clock;
use crate::transport::HttpAnswer;

/// Asks Graph: on behalf of a user who calls, as the application for an application that calls.
pub(crate) struct Connection {
    place: Place,
    transport: GraphTransport,
    pub(super) clock: Clock,
    pub(super) options: GraphOptions,
    /// How far Graph's clock may be behind this machine's, in seconds.
    pub(super) clock_skew: u64,
    on_behalf: Arc<TokensOnBehalf>,
    app_only: Arc<AppTokens>,
    pub(super) memberships: SingleFlightCache<Account, Uuid, bool>,
    pub(super) member_objects: SingleFlightCache<Account, (), Arc<[String]>>,
    pub(super) sessions: SingleFlightCache<Account, (), Sessions>,
    /// What replicas share, if they share answers.
    pub(super) shared: Option<Arc<SharedAnswers>>,
}

impl Connection {
    pub(super) fn new(
        place: Place,
        token_endpoint: TokenEndpointClient,
        options: GraphOptions,
        clock_skew: u64,
        shared: Option<SharedAnswers>,
    ) -> Self {
        let longest = token_endpoint.transport.longest();
        Self {
            place,
            transport: token_endpoint.transport.clone(),
            clock: token_endpoint.clock.clone(),
            options,
            clock_skew,
            on_behalf: Arc::new(TokensOnBehalf::new(token_endpoint.clone())),
            app_only: Arc::new(AppTokens::new(token_endpoint)),
            memberships: SingleFlightCache::new("memberships", MOST_ACCOUNTS, longest),
            member_objects: SingleFlightCache::new("member objects", MOST_LISTS, longest),
            sessions: SingleFlightCache::new("sessions", MOST_ACCOUNTS, longest),
            shared: shared.map(Arc::new),
        }
    }

    /// The longest that one request may wait for all that it asks.
    pub(crate) const fn longest(&self) -> Duration {
        self.transport.longest()
    }

    /// Why the last call of Graph or of its token endpoint had no answer.
    pub(crate) fn last_failure(&self) -> LastFailure {
        self.transport.last_failure()
    }

    /// Microsoft Graph, once it is known which one.
    pub(super) async fn graph(&self) -> Result<Arc<Graph>, GraphError> {
        Ok(self.place.graph().await?)
    }

    pub(crate) const fn resolves_groups(&self) -> bool {
        self.options.resolve_groups
    }

    pub(crate) const fn checks_sessions(&self) -> bool {
        self.options.check_sessions
    }

    /// A token for other scopes, on behalf of the user who asks.
    pub(crate) async fn on_behalf_of(
        &self,
        asker: &Requester,
        scopes: &str,
    ) -> Result<AccessToken, GraphError> {
        self.on_behalf.token(asker, scopes).await
    }

    /// A token of the application itself.
    pub(crate) async fn client_credentials_token(
        &self,
        tenant: Option<Uuid>,
        scopes: &str,
    ) -> Result<AccessToken, GraphError> {
        self.app_only.token(tenant, scopes).await
    }

    /// Forgets what is known of accounts, by tenant and object id: memberships, sessions and tokens
    /// on their behalf.
    pub(crate) fn forget(&self, accounts: impl IntoIterator<Item = (Uuid, Uuid)>) {
        let accounts: HashSet<Account> = accounts
            .into_iter()
            .flat_map(|(tenant, object)| {
                [false, true].map(|is_app| Account {
                    tenant,
                    object,
                    is_app,
                })
            })
            .collect();
        for account in &accounts {
            self.memberships.forget(account);
            self.member_objects.forget(account);
            self.sessions.forget(account);
        }
        self.on_behalf.forget_accounts(&accounts);
    }

    /// Forgets what this replica knows of an account, and what it could learn from the others.
    pub(crate) fn invalidate(&self, tenant: Uuid, object: Uuid) {
        if let Some(shared) = &self.shared {
            shared.invalidate(tenant, object);
        }
        self.forget([(tenant, object)]);
    }

    pub(super) async fn get_as(
        &self,
        asker: &Requester,
        name: &'static str,
        address: Url,
    ) -> Result<HttpAnswer, GraphError> {
        let graph = self.graph().await?;
        let token = self.token_of(asker, &graph.scope).await?;
        let answer = graph.get(name, address, &token).await?;
        Ok(self.looked_at(asker, &graph.scope, answer))
    }

    pub(super) async fn post_as(
        &self,
        asker: &Requester,
        name: &'static str,
        address: Url,
        json: Option<serde_json::Value>,
    ) -> Result<HttpAnswer, GraphError> {
        let graph = self.graph().await?;
        let token = self.token_of(asker, &graph.scope).await?;
        let answer = graph.post(name, address, &token, json).await?;
        Ok(self.looked_at(asker, &graph.scope, answer))
    }

    /// The token for Graph that fits who asks.
    async fn token_of(&self, asker: &Requester, scope: &str) -> Result<AccessToken, GraphError> {
        if asker.account.is_app {
            self.client_credentials_token(Some(asker.account.tenant), scope)
                .await
        } else {
            self.on_behalf_of(asker, scope).await
        }
    }

    /// A token that Graph does not take is not used again.
    fn looked_at(&self, asker: &Requester, scope: &str, answer: HttpAnswer) -> HttpAnswer {
        if answer.status == StatusCode::UNAUTHORIZED {
            self.on_behalf.forget(asker, scope);
            self.app_only.forget(Some(asker.account.tenant), scope);
        }
        answer
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Accounts of which answers are kept; some hundred bytes each, and 60 for each group asked about.
const MOST_ACCOUNTS: usize = 32_768;

/// Accounts of which all memberships are kept; half a megabyte each at worst.
const MOST_LISTS: usize = 512;
