//! Tokens on behalf of a user: the caller's own token becomes one for another API.
//!
//! Source: Microsoft, "Microsoft identity platform and OAuth 2.0 On-Behalf-Of flow".

use std::collections::HashSet;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::access_token::AccessToken;
use super::cache::SingleFlightCache;
use super::error::GraphError;
use super::principal::{Account, Requester};
use super::request_error::GraphRequestError;
use super::token_endpoint::{Grant, TokenEndpointClient};
use crate::jwks::sha256;

/// Tokens by account, assertion and scopes, kept until shortly before their end.
pub(super) struct TokensOnBehalf {
    token_endpoint: TokenEndpointClient,
    kept: SingleFlightCache<Key, (), AccessToken>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    account: Account,
    /// SHA-256 of the assertion: another token of the same user is another entry.
    assertion: [u8; 32],
    scopes: String,
}

impl TokensOnBehalf {
    pub(super) fn new(token_endpoint: TokenEndpointClient) -> Self {
        Self {
            kept: SingleFlightCache::new("on behalf of", MOST, token_endpoint.transport.longest())
                .remembering(GraphError::token_backoff),
            token_endpoint,
        }
    }

    /// A token for other scopes, on behalf of the user whose validated token the asker showed.
    ///
    /// Refused for an application's own token before anything is sent.
    pub(super) async fn token(
        self: &Arc<Self>,
        asker: &Requester,
        scopes: &str,
    ) -> Result<AccessToken, GraphError> {
        if asker.account.is_app {
            return Err(GraphError::UserTokenRequired);
        }
        let assertion = asker
            .token
            .clone()
            .ok_or(GraphRequestError::MissingUserToken)?;
        let key = key(asker.account, &assertion, scopes);
        let tokens = Arc::clone(self);
        let ask = |_| {
            let (account, scopes) = (key.account, key.scopes.clone());
            async move {
                let grant = Grant::OnBehalfOf(&assertion);
                let token = tokens
                    .token_endpoint
                    .ask(Some(account.tenant), &scopes, grant)
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
    pub(super) fn forget(&self, asker: &Requester, scopes: &str) {
        if let Some(assertion) = &asker.token {
            self.kept.forget(&key(asker.account, assertion, scopes));
        }
    }

    /// Forgets every token that was got on behalf of one of these accounts.
    pub(super) fn forget_accounts(&self, accounts: &HashSet<Account>) {
        self.kept.forget_all(|key| accounts.contains(&key.account));
    }
}

fn key(account: Account, assertion: &SecretString, scopes: &str) -> Key {
    Key {
        account,
        assertion: sha256(assertion.expose_secret().as_bytes()),
        scopes: scopes.to_owned(),
    }
}

/// A token is some 2 KiB, so 32 MiB at most.
const MOST: usize = 16_384;
