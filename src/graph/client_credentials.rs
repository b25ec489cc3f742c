//! Tokens of this API's own: the client credentials grant.

use std::sync::Arc;

use uuid::Uuid;

use super::access_token::AccessToken;
use super::cache::SingleFlightCache;
use super::error::GraphError;
use super::request_error::GraphRequestError;
use super::token_endpoint::{Grant, TokenEndpointClient};

/// Tokens by tenant and scopes, kept until shortly before their end.
pub(super) struct AppTokens {
    token_endpoint: TokenEndpointClient,
    kept: SingleFlightCache<(Option<Uuid>, String), (), AccessToken>,
}

impl AppTokens {
    pub(super) fn new(token_endpoint: TokenEndpointClient) -> Self {
        Self {
            kept: SingleFlightCache::new("app token", MOST, token_endpoint.transport.longest()),
            token_endpoint,
        }
    }

    /// A token for the application itself (RFC 6749 section 4.4), in a tenant or in the
    /// authority's own.
    pub(super) async fn token(
        self: &Arc<Self>,
        tenant: Option<Uuid>,
        scopes: &str,
    ) -> Result<AccessToken, GraphError> {
        let key = (tenant, scopes.to_owned());
        let tokens = Arc::clone(self);
        let ask = |_| {
            let (tenant, scopes) = key.clone();
            async move {
                let token = tokens
                    .token_endpoint
                    .ask(tenant, &scopes, Grant::Own)
                    .await?;
                let keep = token.is_kept_for();
                Ok(vec![((), token, keep)])
            }
        };
        let answers = self.kept.resolve(&key, &[()], ask).await?;
        Ok(answers
            .into_iter()
            .next()
            .ok_or(GraphRequestError::Cancelled)?)
    }

    /// Takes back a token that was not taken.
    pub(super) fn forget(&self, tenant: Option<Uuid>, scopes: &str) {
        self.kept.forget(&(tenant, scopes.to_owned()));
    }
}

/// Tenants times sets of scopes.
const MOST: usize = 4_096;
